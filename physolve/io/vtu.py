"""VTK unstructured grids (ParaView), zlib-compressed binary; exact.

VTK wants three coordinates and three components for vectors; zeros are appended, and the original layout is
kept in the field-data array `physolve_layout` = [dim, has cells, components of each data array]. In a file
without it, points with z = 0 everywhere and planar cells only are taken as two-dimensional. A cloud without
cells is written with a vertex at every point, so that it is seen.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from ._files import reading, replacing
from ._mesh_field import PLANAR_CELLS, MeshField
from ._meshio import from_meshio, to_meshio

_LAYOUT = "physolve_layout"


def write(path: str | PathLike[str], field: MeshField) -> None:
    """Write `field`; raises ProblemFileError if the file cannot be written."""
    import meshio

    data = {  # meshio does not escape names
        escape(name, {'"': "&quot;"}): _three(values) if values.ndim == 2 else values
        for name, values in field.point_data.items()
    }
    with replacing(path) as temporary:
        meshio.vtu.write(temporary, to_meshio(_three(field.points), field.cells or _vertices(field), data))
        _insert_layout(temporary, field)


def _vertices(field: MeshField) -> dict[str, NDArray[np.int64]]:
    return {"vertex": np.arange(len(field.points))[:, None]}


def _three(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.pad(values, ((0, 0), (0, max(0, 3 - values.shape[1]))))


def _insert_layout(file: Path, field: MeshField) -> None:
    components = [0 if values.ndim == 1 else values.shape[1] for values in field.point_data.values()]
    numbers = " ".join(str(number) for number in [field.dim, int(bool(field.cells)), *components])
    array = f'<DataArray type="Int64" Name="{_LAYOUT}" format="ascii" NumberOfTuples="{len(components) + 2}">'
    tag = f"<UnstructuredGrid><FieldData>{array}{numbers}</DataArray></FieldData>"
    file.write_bytes(file.read_bytes().replace(b"<UnstructuredGrid>", tag.encode(), 1))


def read(path: str | PathLike[str]) -> MeshField:
    """Read a .vtu file, ours or another program's (cell data are dropped); raises ProblemFileError."""
    return reading(path, "vtu", _read)


def _read(file: Path) -> MeshField:
    import meshio

    mesh = meshio.vtu.read(file)
    field = from_meshio(mesh)
    layout = np.asarray(mesh.field_data.get(_LAYOUT, ()), dtype=int)
    if len(layout) != len(field.point_data) + 2:
        return _flattened(field)
    data = {
        name: values if c == 0 else values[:, :c]
        for (name, values), c in zip(field.point_data.items(), layout[2:], strict=True)
    }
    return MeshField(field.points[:, : layout[0]], field.cells if layout[1] else {}, data)


def _flattened(field: MeshField) -> MeshField:
    planar = field.dim == 3 and not field.points[:, 2].any() and PLANAR_CELLS.issuperset(field.cells)
    return MeshField(field.points[:, :2], field.cells, field.point_data) if planar else field
