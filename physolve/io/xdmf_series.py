"""XDMF (version 3) time series with their numbers in an HDF5 file beside, written one step at a time.

The XML is complete after every step, so that what a killed program wrote can be read. Mesh and times are those of
ParaView and meshio; vectors of the plane get a third component, which both want. Read by
`physolve.mesh.data.read_source`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from ..errors import ProblemFileError, SpecificationError
from ._files import finite_time, one_line
from ._mesh_field import MeshField, mesh_field

if TYPE_CHECKING:
    import h5py

#: Names of XDMF, and the numbers that it has for them in mixed blocks.
_TOPOLOGY: Mapping[str, tuple[str, int]] = {
    "vertex": ("Polyvertex", 1), "line": ("Polyline", 2), "triangle": ("Triangle", 4), "quad": ("Quadrilateral", 5),
    "tetra": ("Tetrahedron", 6), "pyramid": ("Pyramid", 7), "wedge": ("Wedge", 8), "hexahedron": ("Hexahedron", 9),
    "line3": ("Edge_3", 34), "triangle6": ("Tri_6", 36), "quad8": ("Quad_8", 37), "tetra10": ("Tet_10", 38),
    "hexahedron20": ("Hex_20", 48), "quad9": ("Quad_9", 35),
}  # fmt: skip
_SIZED = ("vertex", "line")  # in mixed blocks followed by their number of nodes
_OPEN = (
    b'<?xml version="1.0"?>\n<Xdmf Version="3.0">\n<Domain>\n<Grid GridType="Collection" CollectionType="Temporal">\n'
)
_CLOSE = b"</Grid>\n</Domain>\n</Xdmf>\n"


class XdmfSeries:
    """An open series; `write` adds a step."""

    def __init__(self, text: BinaryIO, numbers: h5py.File, mesh: MeshField, name: str) -> None:
        self._text, self._numbers, self._mesh, self._name = text, numbers, mesh, name
        numbers["points"] = mesh.points
        self._topology, cells = _topology(mesh.cells)
        numbers["cells"] = cells
        self._steps = 0
        self._place = text.write(_OPEN)
        text.write(_CLOSE)
        text.flush()

    def write(self, time: float, point_data: Mapping[str, NDArray[np.floating]]) -> None:
        """Add a step; values are (n,) or (n, components).

        Raises SpecificationError for a time that is not finite and for values that do not fit the mesh.
        """
        when = finite_time(time)
        data = mesh_field(self._mesh.points, {}, point_data).point_data  # checks names and shapes
        attributes = "".join(self._attribute(name, values) for name, values in data.items())
        points = self._item("points")
        kind = "XYZ" if self._mesh.dim == 3 else "XY"
        grid = (
            f'<Grid GridType="Uniform">\n<Time Value="{when!r}"/>\n'
            f"<Topology {self._topology}>{self._item('cells')}</Topology>\n"
            f'<Geometry GeometryType="{kind}">{points}</Geometry>\n{attributes}</Grid>\n'
        )
        self._numbers.flush()
        self._text.seek(self._place)
        self._place += self._text.write(grid.encode("ascii", "xmlcharrefreplace"))
        self._text.write(_CLOSE)
        self._text.flush()
        self._steps += 1

    def _attribute(self, name: str, values: NDArray[np.float64]) -> str:
        if values.ndim == 2 and values.shape[1] == 2:
            values = np.pad(values, ((0, 0), (0, 1)))
        kind = "Scalar" if values.ndim == 1 else "Vector" if values.shape[1] == 3 else "Matrix"
        place = f"steps/{self._steps}/{name}"
        self._numbers[place] = values.astype(np.float32)
        item = self._item(place)
        return f'<Attribute Name={quoteattr(name)} AttributeType="{kind}" Center="Node">{item}</Attribute>\n'

    def _item(self, place: str) -> str:
        stored = self._numbers[place]
        shape = " ".join(str(length) for length in stored.shape)
        kind = "Int" if np.issubdtype(stored.dtype, np.integer) else "Float"
        where = quoteattr(f"{self._name}:/{place}")[1:-1]
        return (
            f'<DataItem DataType="{kind}" Precision="{stored.dtype.itemsize}" Dimensions="{shape}" Format="HDF">'
            f"{where}</DataItem>"
        )


@contextmanager
def writing(
    path: str | PathLike[str], points: NDArray[np.floating], cells: Mapping[str, NDArray[np.integer]]
) -> Iterator[XdmfSeries]:
    """A new series at `path` (.xdmf) on this mesh, its numbers in the .h5 of the same name; a series that was there is
    replaced.

    Raises ProblemFileError if they cannot be written or the .h5 is of something else, SpecificationError for a mesh
    that is none.
    """
    import h5py

    target, mesh = Path(path), mesh_field(points, cells)
    if not mesh.cells:
        raise SpecificationError(f"{target}: cells: got none, expected those of the mesh")
    if mesh.dim == 1:
        mesh = MeshField(np.pad(mesh.points, ((0, 0), (0, 1))), mesh.cells)
    beside = target.with_suffix(".h5")
    _refuse_foreign(target, beside)
    try:
        with h5py.File(beside, "w") as numbers, target.open("wb") as text:
            yield XdmfSeries(text, numbers, mesh, beside.name)
    except OSError as error:
        raise ProblemFileError(f"{path}: file: cannot be written ({one_line(error)})") from error


def _refuse_foreign(target: Path, beside: Path) -> None:
    """A file of numbers that no series at `target` speaks of is somebody's data."""
    if not beside.exists():
        return
    name = f"{quoteattr(beside.name)[1:-1]}:".encode("ascii", "xmlcharrefreplace")
    if not target.is_file() or name not in target.read_bytes():
        raise ProblemFileError(
            f"{target}: file: its numbers would replace '{beside}', which is not of a series of this name; give another"
            " name, or move that file"
        )


def _topology(cells: Mapping[str, NDArray[np.int64]]) -> tuple[str, NDArray[np.int64]]:
    """XDMF's words for the cells, and their numbers."""
    if len(cells) == 1:
        ((kind, block),) = cells.items()
        nodes = f' NodesPerElement="{block.shape[1]}"' if kind in _SIZED else ""
        return f'TopologyType="{_TOPOLOGY[kind][0]}" NumberOfElements="{len(block)}"{nodes}', block
    count = sum(len(block) for block in cells.values())
    return f'TopologyType="Mixed" NumberOfElements="{count}"', np.concatenate(
        [_with_type(kind, block).ravel() for kind, block in cells.items()]
    )


def _with_type(kind: str, block: NDArray[np.int64]) -> NDArray[np.int64]:
    head = [_TOPOLOGY[kind][1], *([block.shape[1]] if kind in _SIZED else [])]
    return np.concatenate([np.tile(np.array(head, dtype=np.int64), (len(block), 1)), block], 1)
