"""The one plain object that every mesh format reads and writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import SpecificationError

#: Cell types (named as in meshio) that may be stored, with the number of nodes of each.
NODES_PER_CELL: Mapping[str, int] = {
    "vertex": 1,
    "line": 2,
    "line3": 3,
    "triangle": 3,
    "triangle6": 6,
    "quad": 4,
    "quad8": 8,
    "quad9": 9,
    "tetra": 4,
    "tetra10": 10,
    "hexahedron": 8,
    "hexahedron20": 20,
    "wedge": 6,
    "pyramid": 5,
}

#: Those that fit in a plane.
PLANAR_CELLS = frozenset({"vertex", "line", "line3", "triangle", "triangle6", "quad", "quad8", "quad9"})


@dataclass(frozen=True, eq=False)
class MeshField:
    """Fields at the points of a mesh (or of a cloud of points when `cells` is empty).

    Attributes:
        points: (n, dim) float64 coordinates, dim = 1, 2 or 3.
        cells: cell type, named as in `NODES_PER_CELL`, to (m, k) int64 indices of points.
        point_data: name to (n,) or (n, components) float64 values; one column given as (n, 1) becomes (n,).
            NaN marks a missing value.

    Raises:
        SpecificationError: shapes, indices, names or cell types that do not fit together.
    """

    points: NDArray[np.float64]
    cells: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    point_data: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        points = _points(self.points)
        object.__setattr__(self, "points", points)
        cells = {name: _cell_block(name, block, len(points)) for name, block in self.cells.items()}
        data = {name: _column(name, values, len(points)) for name, values in self.point_data.items()}
        object.__setattr__(self, "cells", cells)
        object.__setattr__(self, "point_data", data)

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""
        return self.points.shape[1]

    def __repr__(self) -> str:
        cells = ", ".join(f"{len(block)} {name}" for name, block in self.cells.items()) or "no cells"
        data = ", ".join(self.point_data)
        return f"MeshField({len(self.points)} points in {self.dim}-D, {cells}, data: {data})"


def mesh_field(
    points: NDArray[np.floating],
    cells: Mapping[str, NDArray[np.integer]],
    point_data: Mapping[str, NDArray[np.floating]] | None = None,
) -> MeshField:
    """A `MeshField` of arrays of any precision; raises as it does."""
    blocks = {kind: np.asarray(block, dtype=np.int64) for kind, block in cells.items()}
    data = {name: np.asarray(values, dtype=np.float64) for name, values in (point_data or {}).items()}
    return MeshField(np.asarray(points, dtype=np.float64), blocks, data)


def _points(values: object) -> NDArray[np.float64]:
    points = np.ascontiguousarray(values, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] not in (1, 2, 3):
        raise SpecificationError(f"mesh field: points have shape {points.shape}; expected (n, dim) with dim 1, 2 or 3")
    if not np.isfinite(points).all():
        raise SpecificationError("mesh field: a coordinate is not finite; remove that point")
    return points


def _cell_block(name: str, values: object, n: int) -> NDArray[np.int64]:
    if name not in NODES_PER_CELL:
        raise SpecificationError(
            f"mesh field: cell type '{name}' is unknown; expected one of {', '.join(NODES_PER_CELL)}"
        )
    block = np.ascontiguousarray(values, dtype=np.int64)
    k = NODES_PER_CELL[name]
    if block.ndim != 2 or block.shape[1] != k:
        raise SpecificationError(f"mesh field: '{name}' cells have shape {block.shape}; expected (m, {k})")
    if block.size and (block.min() < 0 or block.max() >= n):
        raise SpecificationError(f"mesh field: '{name}' cells refer to points outside 0..{n - 1}")
    return block


def _column(name: object, values: object, n: int) -> NDArray[np.float64]:
    if not isinstance(name, str) or name in ("", ".") or "/" in name or not name.isprintable():
        raise SpecificationError(f"mesh field: {name!r} cannot name data; use printable text without '/'")
    column = np.ascontiguousarray(values, dtype=np.float64)
    if column.ndim == 2 and column.shape[1] == 1:
        column = column[:, 0]
    if column.ndim not in (1, 2) or len(column) != n or 0 in column.shape[1:]:
        raise SpecificationError(
            f"mesh field: data '{name}' has shape {column.shape}; expected ({n},) or ({n}, components)"
        )
    return column
