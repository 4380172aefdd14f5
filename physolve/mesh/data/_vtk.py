"""VTK files, one for every step: a folder of .vtu or .vtk, or a .pvd that lists them with their times."""

import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from physolve.errors import ProblemFileError

from ._planar import flattened
from ._series import Frame, Mesh, Series, same_mesh
from ._step_files import in_order

if TYPE_CHECKING:
    import pyvista

SUFFIXES = (".vtu", ".vtk", ".pvtu", ".vtp")
_KINDS = {
    1: "vertex", 3: "line", 5: "triangle", 9: "quad", 10: "tetra", 12: "hexahedron", 13: "wedge", 14: "pyramid",
    21: "line3", 22: "triangle6", 23: "quad8", 24: "tetra10", 25: "hexahedron20", 28: "quad9",
}  # fmt: skip
_SPLIT = {7: "polygon", 11: "voxel", 8: "pixel", 42: "polyhedron", 6: "triangle strip"}


def read_vtk_folder(folder: Path, dt: float) -> list[Series]:
    """The files of a folder in the order of the numbers at the end of their names, `dt` apart.

    Raises ProblemFileError for a folder without such files, or with names that give no order.
    """
    files = in_order(folder, sorted(file for file in folder.iterdir() if file.suffix in SUFFIXES))
    return [_series(folder.name, folder, files, dt * np.arange(len(files)))]


def read_pvd(file: Path) -> list[Series]:
    """The files that a ParaView collection lists, at the times it gives.

    Raises ProblemFileError for a file that lists none, or some that do not exist.
    """
    entries = [e.attrib for e in ElementTree.parse(file).getroot().iter("DataSet")]
    entries = sorted(entries, key=lambda e: float(e["timestep"]))
    files = [file.parent / entry["file"] for entry in entries]
    for path in files:
        if not path.is_file():
            raise ProblemFileError(f"{file}: it lists '{path.name}', which does not exist beside it")
    return [_series(file.stem, file, files, np.array([float(entry["timestep"]) for entry in entries]))]


def read_vtk_file(file: Path) -> list[Series]:
    """A single file: one step, to look at or to start from."""
    return [_series(file.stem, file, [file], np.zeros(1))]


def _series(name: str, origin: Path, files: Sequence[Path], times: NDArray[np.floating]) -> Series:
    if not files:
        raise ProblemFileError(f"{origin}: files: got none that end in {', '.join(SUFFIXES)}")
    points, cells, _ = read_grid(files[0])
    return Series(name, str(origin), points, cells, times, partial(_frame, files, (points, cells)))


def _frame(files: Sequence[Path], first: Mesh, step: int) -> Frame:
    points, cells, data = read_grid(files[step])
    same_mesh(str(files[step]), step, first, (points, cells))
    return data


def read_grid(file: Path) -> tuple[NDArray[np.float64], dict[str, NDArray[np.int64]], dict[str, NDArray]]:
    """Points, cells and nodal values of one file; values of cells are averaged to nodes where nodes have none of that
    name.

    Raises ProblemFileError for a truncated or foreign file.
    """
    import pyvista

    try:
        with pyvista.VtkErrorCatcher(raise_errors=True), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what VTK says of a damaged file is raised anyway
            grid = pyvista.read(file)
    except Exception as error:  # VTK's own errors, and pyvista's
        raise ProblemFileError(f"{file}: content: not a complete VTK file; it is truncated or damaged") from error
    if not isinstance(grid, pyvista.DataSet) or not grid.n_points:
        raise ProblemFileError(f"{file}: content: got no points; it is truncated, damaged or of another kind")
    return unpacked(str(file), grid)


def unpacked(
    origin: str, grid: "pyvista.DataSet"
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.int64]], dict[str, NDArray]]:
    """The same of a grid in memory."""
    mesh: Any = grid.cast_to_unstructured_grid()
    cells = _named(origin, mesh.cells_dict)
    data = {name: np.asarray(mesh.point_data[name]) for name in mesh.point_data if not name.startswith("vtk")}
    of_cells = [name for name in mesh.cell_data if name not in data and not name.startswith("vtk")]
    if of_cells:
        averaged = mesh.cell_data_to_point_data()
        data |= {name: np.asarray(averaged.point_data[name]) for name in of_cells}
    return flattened(np.asarray(mesh.points), cells), cells, data


def _named(origin: str, blocks: Mapping[int, NDArray]) -> dict[str, NDArray[np.int64]]:
    unknown = [number for number in blocks if number not in _KINDS]
    if unknown:
        names = ", ".join(_SPLIT.get(number, f"VTK type {number}") for number in unknown)
        raise ProblemFileError(
            f"{origin}: cells: got {names}, expected {', '.join(_KINDS.values())}; triangulate first"
        )
    return {_KINDS[number]: np.asarray(block, dtype=np.int64) for number, block in sorted(blocks.items())}
