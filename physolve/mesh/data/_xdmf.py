"""XDMF time series (FEniCS, meshio): one trajectory a file."""

from functools import partial
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from physolve.errors import ProblemFileError
from physolve.io import joined_blocks, reading

from ._planar import flattened
from ._series import Frame, Mesh, Series, same_mesh
from ._xdmf_references import MESH, mesh_of


def read_xdmf(file: Path) -> list[Series]:
    """The one trajectory of a file: a temporal collection of grids over one mesh, or several whose fields are joined,
    as FEniCS writes one for every function. Of several meshes it is the one that the first step has or refers to.

    Raises ProblemFileError for a file with steps but no mesh, without steps, with collections of different times, or
    with a reference that cannot be followed.
    """
    import meshio

    with meshio.xdmf.TimeSeriesReader(file) as reader:
        points, cells = mesh = _mesh(reader, _first_mesh(file, reader))
        times = _times(file, _collections(reader))
    return [Series(file.stem, str(file), points, cells, times, partial(_frame, file, mesh))]


def _frame(file: Path, mesh: Mesh, step: int) -> Frame:
    return reading(file, "XDMF", partial(_read_frame, mesh=mesh, step=step))


def _read_frame(file: Path, mesh: Mesh, step: int) -> Frame:
    import meshio

    found: dict[str, Any] = {}
    with meshio.xdmf.TimeSeriesReader(file) as reader:
        first = _first_mesh(file, reader)
        for collection in _collections(reader):
            reader.collection = collection.findall("Grid")
            there = _mesh_grid(file, reader, reader.collection[step], first)
            if _places(there) != _places(first):
                same_mesh(str(file), step, mesh, _mesh(reader, there))
            _mesh(reader, first)  # by whose cells meshio splits values of cells
            data = _nodal(reader, step, len(mesh[0]))
            for name in found.keys() & data.keys():
                raise ProblemFileError(
                    f"{file}: field '{name}' is in two collections, expected it in one; write each to a file of its own"
                )
            found |= data
    if not found:
        raise ProblemFileError(f"{file}: step {step} has no values at nodes or cells, expected an Attribute at least")
    return found


def _nodal(reader: Any, step: int, nodes: int) -> Frame:
    """Values at nodes; those of cells are averaged where nodes have none of that name."""
    _, at_nodes, of_cells = reader.read_data(step)
    return {name: _averaged(reader.cells, values, nodes) for name, values in of_cells.items()} | at_nodes


def _averaged(blocks: Any, values: Any, nodes: int) -> NDArray[np.floating]:
    """The mean over the cells at each node; values come as the blocks of cells do."""
    total, count = np.zeros((nodes, *values[0].shape[1:])), np.zeros(nodes)
    for block, here in zip(blocks, values, strict=True):
        np.add.at(total, block.data, here[:, None])
        np.add.at(count, block.data, 1)
    return (total.T / np.maximum(count, 1)).T


def _collections(reader: Any) -> list[Element]:
    return [grid for grid in reader.domain if grid.get("GridType") == "Collection"]


def _times(file: Path, collections: list[Element]) -> Float[np.ndarray, " steps"]:
    """Those of all collections."""
    times = [np.array([_time(file, grid) for grid in steps.findall("Grid")]) for steps in collections]
    for one, there in zip(collections, times, strict=True):
        if there.shape != times[0].shape or not np.allclose(there, times[0], rtol=1e-9, atol=0):
            told = " and ".join(
                f"'{name}' with {len(at)} steps at {', '.join(f'{time:g}' for time in at[:3])}, ..."
                for name, at in ((collections[0].get("Name"), times[0]), (one.get("Name"), there))
            )
            raise ProblemFileError(
                f"{file}: collections: got {told}, expected all at the same times; write each to a file of its own"
            )
    return times[0]


def _time(file: Path, grid: Element) -> float:
    time = grid.find("Time")
    if time is None or "Value" not in time.attrib:
        raise ProblemFileError(f"{file}: steps: got one without a time, expected <Time Value=...> in each")
    return float(time.attrib["Value"])


def _first_mesh(file: Path, reader: Any) -> Element:
    """That of the first step; of the first grid that has one where the step does not say."""
    default = next((grid for grid in reader.domain.iter("Grid") if None not in _places(grid)), Element("Grid"))
    steps = [grid for collection in _collections(reader) for grid in collection.findall("Grid")]
    first = _mesh_grid(file, reader, steps[0], default) if steps else default
    if None in _places(first):
        raise ProblemFileError(f"{file}: content: no mesh; expected a grid with Topology and Geometry")
    return first


def _mesh_grid(file: Path, reader: Any, grid: Element, default: Element) -> Element:
    """The mesh of a step; what it neither holds nor refers to is the default's."""
    mesh = mesh_of(file, reader.domain, grid)
    for tag in MESH:
        if mesh.find(tag) is None:
            mesh.extend(default.findall(tag))
    return mesh


def _places(grid: Element) -> list[str | None]:
    """Where the numbers of its mesh are, or the numbers themselves."""
    return [grid.findtext(f"{tag}/DataItem") for tag in MESH]


def _mesh(reader: Any, grid: Element) -> Mesh:
    reader.mesh_grid = grid
    points, blocks = reader.read_points_cells()
    cells = {kind: block.astype(np.int64) for kind, block in joined_blocks(blocks).items()}
    return flattened(points, cells), cells
