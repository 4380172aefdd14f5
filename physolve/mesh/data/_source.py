"""What a path holds: the reader is chosen by what lies there, not by a name that is given."""

from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path

from physolve.errors import ProblemFileError
from physolve.io import reading

from .._instants import uneven_step
from ._meshgraphnets import read_meshgraphnets
from ._npz import read_npz
from ._openfoam import read_openfoam
from ._series import DT, Series
from ._vtk import SUFFIXES, read_pvd, read_vtk_file, read_vtk_folder
from ._xdmf import read_xdmf

_UNTIMED: Mapping[str, tuple[str, Callable[[Path, float], list[Series]]]] = {
    ".npz": ("npz", read_npz),
    ".h5": ("HDF5", read_meshgraphnets),
    ".hdf5": ("HDF5", read_meshgraphnets),
}
"""Files that may hold no times."""
_TIMED: Mapping[str, tuple[str, Callable[[Path], list[Series]]]] = {
    ".xdmf": ("XDMF", read_xdmf),
    ".pvd": ("PVD", read_pvd),
    **dict.fromkeys(SUFFIXES, ("VTK", read_vtk_file)),
}
_KNOWN = (*_UNTIMED, *_TIMED)


def read_source(path: str | PathLike[str], dt: float | None = None) -> list[Series]:
    """The trajectories of a file or folder.

    A folder is an OpenFOAM case where it holds system/controlDict; a trajectory where it holds .vtu or .vtk files; else
    all that lies in it is read, file by file and folder by folder. `dt` is the time between steps where the source does
    not say it; 1 without.

    Raises ProblemFileError for what does not exist, is truncated or of an unknown kind, and for a `dt` that is not the
    source's own.
    """
    place = Path(path)
    found = (_folder if place.is_dir() else _file)(place, DT if dt is None else dt)
    if dt is not None:
        for series in found:
            _refuse_unused(dt, series)
    return found


def _refuse_unused(dt: float, series: Series) -> None:
    """A source with times of its own leaves no use for others."""
    if uneven_step(series.times, 1, dt) is not None:
        told = ", ".join(f"{time:g}" for time in series.times[:3])
        raise ProblemFileError(
            f"{series.origin}: dt: got {dt:g}, but the source has times of its own: {told}, ...; leave --dt out (a .pvd"
            " gives times to files that have none)"
        )


def _file(place: Path, dt: float) -> list[Series]:
    if not place.exists():
        raise ProblemFileError(f"{place}: file: does not exist")
    if place.suffix in _UNTIMED:
        kind, read = _UNTIMED[place.suffix]
        return reading(place, kind, lambda file: read(file, dt))
    if place.suffix in _TIMED:
        return reading(place, *_TIMED[place.suffix])
    raise ProblemFileError(f"{place}: file: unknown kind '{place.suffix}'; expected {', '.join(_KNOWN)}, or a folder")


def _folder(place: Path, dt: float) -> list[Series]:
    if (place / "system" / "controlDict").is_file():
        return read_openfoam(place)
    entries = sorted(entry for entry in place.iterdir() if not entry.name.startswith("."))
    if any(entry.suffix == ".pvd" for entry in entries):
        entries = [entry for entry in entries if entry.suffix == ".pvd"]
    elif any(entry.suffix in SUFFIXES for entry in entries):
        return read_vtk_folder(place, dt)
    elif any(entry.suffix == ".xdmf" for entry in entries):  # beside them lie the .h5 with their numbers
        entries = [entry for entry in entries if entry.suffix == ".xdmf"]
    sources = [entry for entry in entries if entry.is_dir() or entry.suffix in _KNOWN]
    if not sources:
        raise ProblemFileError(f"{place}: folder: nothing in it that can be read; expected {', '.join(_KNOWN)}")
    return [series for entry in sources for series in read_source(entry, dt)]
