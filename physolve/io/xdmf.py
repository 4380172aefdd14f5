"""XDMF (version 3) with the numbers inside the XML, so that it is one file; 16 digits and more, so exact.

XDMF knows no one-dimensional points: they are written with y = 0 and come back one-dimensional when every y
is zero and the cells are lines or vertices.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from ._files import reading, replacing
from ._mesh_field import MeshField
from ._meshio import from_meshio, to_meshio

_LINEAR_CELLS = frozenset({"vertex", "line", "line3"})


def write(path: str | PathLike[str], field: MeshField) -> None:
    """Write `field`; raises ProblemFileError if the file cannot be written."""
    import meshio

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
