"""Between `MeshField` and meshio's mesh."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._mesh_field import MeshField

if TYPE_CHECKING:
    import meshio


def to_meshio(points: NDArray[np.float64], cells: dict[str, Any], point_data: dict[str, Any]) -> meshio.Mesh:
    """A meshio mesh of these arrays."""
    import meshio

    return meshio.Mesh(points, list(cells.items()), point_data=dict(point_data))


def from_meshio(mesh: meshio.Mesh) -> MeshField:
    """The points, cells (blocks of one type joined) and point data of a meshio mesh."""
    return MeshField(mesh.points, joined_blocks(mesh.cells), dict(mesh.point_data or {}))


def joined_blocks(blocks: Iterable[meshio.CellBlock]) -> dict[str, NDArray[np.int64]]:
    """Cells by type, blocks of one type joined."""
    found: dict[str, list[NDArray[np.int64]]] = {}
    for block in blocks:
        found.setdefault(block.type, []).append(np.asarray(block.data))
    return {name: np.concatenate(parts) for name, parts in found.items()}
