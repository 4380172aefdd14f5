"""What a path holds: the reader is chosen by what lies there, not by a name that is given."""

from os import PathLike
from pathlib import Path

from physolve.errors import ProblemFileError
from physolve.io import reading

from ._meshgraphnets import read_meshgraphnets
from ._npz import read_npz
from ._openfoam import read_openfoam
from ._series import Series
from ._vtk import SUFFIXES, read_pvd, read_vtk_file, read_vtk_folder
from ._xdmf import read_xdmf

_FILES = {
    ".npz": ("npz", read_npz),
    ".h5": ("HDF5", read_meshgraphnets),
    ".hdf5": ("HDF5", read_meshgraphnets),
    ".xdmf": ("XDMF", read_xdmf),
    ".pvd": ("PVD", read_pvd),
    **dict.fromkeys(SUFFIXES, ("VTK", read_vtk_file)),
}


def read_source(path: str | PathLike[str], dt: float = 1.0) -> list[Series]:
    """The trajectories of a file or folder.

    A folder is an OpenFOAM case where it holds system/controlDict; a trajectory where it holds .vtu or .vtk files, `dt`
    apart; else all that lies in it is read, file by file and folder by folder.

    Raises ProblemFileError for what does not exist, is truncated or of an unknown kind.
    """
    place = Path(path)
    if place.is_dir():
        return _folder(place, dt)
    if not place.exists():
        raise ProblemFileError(f"{place}: file: does not exist")
    if place.suffix not in _FILES:
        known = ", ".join(_FILES)
        raise ProblemFileError(f"{place}: file: unknown kind '{place.suffix}'; expected {known}, or a folder")
    kind, read = _FILES[place.suffix]
    return reading(place, kind, read)


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
    sources = [entry for entry in entries if entry.is_dir() or entry.suffix in _FILES]
    if not sources:
        raise ProblemFileError(f"{place}: folder: nothing in it that can be read; expected {', '.join(_FILES)}")
    return [series for entry in sources for series in read_source(entry, dt)]
