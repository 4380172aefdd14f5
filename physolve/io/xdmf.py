"""XDMF (version 3) with the numbers inside the XML, so that it is one file; 16 digits and more, so exact.

XDMF knows no one-dimensional points: they are written with y = 0 and come back one-dimensional when every y
is zero and the cells are lines or vertices.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from ..errors import SpecificationError
from ._files import reading, replacing
from ._mesh_field import MeshField
from ._meshio import from_meshio, to_meshio

_COMPONENTS = (1, 2, 3, 6, 9)
_LINEAR_CELLS = frozenset({"vertex", "line", "line3"})


def write(path: str | PathLike[str], field: MeshField) -> None:
    """Write `field`; raises ProblemFileError if the file cannot be written, SpecificationError for data with a number
    of components that the format has no word for."""
    import meshio

    for name, values in field.point_data.items():
        if values.ndim == 2 and values.shape[1] not in _COMPONENTS:
            raise SpecificationError(
                f"xdmf: '{name}' has {values.shape[1]} components, expected {', '.join(map(str, _COMPONENTS))}; write"
                " .vtu or .h5 instead"
            )
    points = np.pad(field.points, ((0, 0), (0, max(0, 2 - field.dim))))
    with replacing(path) as temporary:
        meshio.xdmf.write(temporary, to_meshio(points, field.cells, field.point_data), data_format="XML")


def read(path: str | PathLike[str]) -> MeshField:
    """Read an .xdmf file, ours or another program's (cell data are dropped); raises ProblemFileError."""
    return reading(path, "xdmf", _read)


def _read(file: Path) -> MeshField:
    import meshio

    field = from_meshio(meshio.xdmf.read(file))
    linear = field.dim == 2 and not field.points[:, 1].any() and _LINEAR_CELLS.issuperset(field.cells)
    return MeshField(field.points[:, :1], field.cells, field.point_data) if linear else field
