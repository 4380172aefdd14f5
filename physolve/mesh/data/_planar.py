"""Two-dimensional meshes in three-dimensional files."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from physolve.io import PLANAR_CELLS


def flattened(points: NDArray[np.floating], cells: Mapping[str, NDArray[np.integer]]) -> NDArray[np.float64]:
    """Points without their last coordinate where that is the same everywhere and all cells are flat."""
    points = np.asarray(points, dtype=np.float64)
    flat = points.shape[1] == 3 and np.ptp(points[:, 2]) == 0 if len(points) else False
    return points[:, :2] if flat and PLANAR_CELLS.issuperset(cells) else points
