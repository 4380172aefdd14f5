"""Two-dimensional meshes in three-dimensional files."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from physolve.io import PLANAR_CELLS


def dimension(points: NDArray[np.floating]) -> int:
    """Of the plane or space that points fill: 2 where a third coordinate is the same everywhere."""
    flat = len(points) and points.shape[1] == 3 and np.ptp(points[:, 2]) == 0
    return 2 if flat else points.shape[1]


def flattened(points: NDArray[np.floating], cells: Mapping[str, NDArray[np.integer]]) -> NDArray[np.float64]:
    """Points without their last coordinate where that is the same everywhere and all cells are flat."""
    points = np.asarray(points, dtype=np.float64)
    return points[:, : dimension(points)] if PLANAR_CELLS.issuperset(cells) else points
