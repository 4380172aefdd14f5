"""The boundary of a mesh: nodes of facets that belong to one cell only."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import NDArray

from ._cells import CELL_DIM

# Facets as local nodes, those in the middle of edges and faces included.
_TRIANGLE_FACES = ((0, 1), (1, 2), (2, 0))
_QUAD_FACES = ((0, 1), (1, 2), (2, 3), (3, 0))
_TETRA_FACES = ((0, 1, 2), (0, 1, 3), (1, 2, 3), (0, 2, 3))
_HEXAHEDRON_FACES = ((0, 1, 2, 3), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))
_WEDGE_FACES = ((0, 1, 2), (3, 4, 5), (0, 1, 4, 3), (1, 2, 5, 4), (2, 0, 3, 5))
_PYRAMID_FACES = ((0, 1, 2, 3), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4))

_FACETS: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "line": ((0,), (1,)),
    "line3": ((0,), (1,)),
    "triangle": _TRIANGLE_FACES,
    "triangle6": ((0, 1, 3), (1, 2, 4), (2, 0, 5)),
    "quad": _QUAD_FACES,
    "quad8": ((0, 1, 4), (1, 2, 5), (2, 3, 6), (3, 0, 7)),
    "quad9": ((0, 1, 4), (1, 2, 5), (2, 3, 6), (3, 0, 7)),
    "tetra": _TETRA_FACES,
    "tetra10": ((0, 1, 2, 4, 5, 6), (0, 1, 3, 4, 8, 7), (1, 2, 3, 5, 9, 8), (0, 2, 3, 6, 9, 7)),
    "hexahedron": _HEXAHEDRON_FACES,
    "hexahedron20": (
        (0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15), (0, 1, 5, 4, 8, 17, 12, 16),
        (1, 2, 6, 5, 9, 18, 13, 17), (2, 3, 7, 6, 10, 19, 14, 18), (3, 0, 4, 7, 11, 16, 15, 19),
    ),
    "wedge": _WEDGE_FACES,
    "pyramid": _PYRAMID_FACES,
}  # fmt: skip


def boundary_nodes(cells: Mapping[str, NDArray[np.integer]], nodes: int) -> Bool[np.ndarray, " n"]:
    """Which nodes lie on the boundary: those of its facets."""
    found = np.zeros(nodes, dtype=bool)
    for facets, _ in boundary_facets(cells):
        found[facets] = True
    return found


def boundary_facets(
    cells: Mapping[str, NDArray[np.integer]],
) -> list[tuple[Int[np.ndarray, "m nodes"], Int[np.ndarray, "m corners"]]]:
    """Facets that one cell has to itself, among cells of the highest dimension (a mesh of tetrahedra may hold the
    triangles of its surface as well), and the nodes of that cell; a pair of arrays for every kind of facet of every
    kind of cell. Corners come first in a facet."""
    dim = max((CELL_DIM.get(kind, 0) for kind, block in cells.items() if len(block)), default=0)
    found = []  # facets, owners
    for kind, block in cells.items():
        for facet in _FACETS[kind] if CELL_DIM.get(kind) == dim else ():
            numbers = np.asarray(block, dtype=np.int64)
            found.append((numbers[:, list(facet)], numbers))
    alone = _met_once([facets for facets, _ in found])
    return [(facets[here], owners[here]) for (facets, owners), here in zip(found, alone, strict=True)]


def _met_once(blocks: list[NDArray[np.int64]]) -> list[NDArray[np.bool_]]:
    """For blocks of facets, which of them no other facet of any block equals."""
    once = [np.zeros(len(block), dtype=bool) for block in blocks]
    for size in {block.shape[1] for block in blocks}:
        those = [k for k, block in enumerate(blocks) if block.shape[1] == size]
        together = np.sort(np.concatenate([blocks[k] for k in those]), 1)
        _, inverse, times = np.unique(together, axis=0, return_inverse=True, return_counts=True)
        parts = np.split(times[inverse.reshape(-1)] == 1, np.cumsum([len(blocks[k]) for k in those])[:-1])
        for k, part in zip(those, parts, strict=True):
            once[k] = part
    return once
