"""A series of steps on one mesh, in the format that its suffix names."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from os import PathLike
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..errors import ProblemFileError
from . import pvd, xdmf_series

#: Suffixes of series.
SERIES_SUFFIXES = (".xdmf", ".pvd")


@runtime_checkable
class SeriesWriter(Protocol):
    """An open series."""

    def write(self, time: float, point_data: Mapping[str, NDArray[np.floating]]) -> None:
        """Add a step; values are (n,) or (n, components)."""
        ...


def writing_series(
    path: str | PathLike[str], points: NDArray[np.floating], cells: Mapping[str, NDArray[np.integer]]
) -> AbstractContextManager[SeriesWriter]:
    """A new series of steps on a mesh: XDMF with HDF5, or PVD with VTU files. It grows on disk step by step.

    Raises ProblemFileError for another suffix, and if it cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SERIES_SUFFIXES:
        raise ProblemFileError(f"{path}: file: got suffix '{suffix}', expected one of {', '.join(SERIES_SUFFIXES)}")
    return (xdmf_series if suffix == ".xdmf" else pvd).writing(path, points, cells)
