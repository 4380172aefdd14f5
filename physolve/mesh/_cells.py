"""From the cells of a mesh to the edges between its nodes."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray

from physolve.errors import SpecificationError

# Pairs of local nodes that an edge of the cell joins (VTK's numbering, as in meshio). Nodes in the middle of an edge
# are joined to its ends and the ends not to one another; nodes inside a face or cell to the corners around them.
_TRIANGLE = ((0, 1), (1, 2), (2, 0))
_QUAD = ((0, 1), (1, 2), (2, 3), (3, 0))
_TETRA = (*_TRIANGLE, (0, 3), (1, 3), (2, 3))
_HEXAHEDRON = (*_QUAD, (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7))
_WEDGE = (*_TRIANGLE, (3, 4), (4, 5), (5, 3), (0, 3), (1, 4), (2, 5))


def _halved(edges: tuple[tuple[int, int], ...], corners: int) -> tuple[tuple[int, int], ...]:
    """Edges with a node in the middle of each, numbered after the corners in the order of the edges."""
    return tuple(pair for k, (a, b) in enumerate(edges) for pair in ((a, corners + k), (corners + k, b)))


CELL_EDGES: Mapping[str, tuple[tuple[int, int], ...]] = {
    "line": ((0, 1),),
    "line3": ((0, 2), (2, 1)),
    "triangle": _TRIANGLE,
    "triangle6": _halved(_TRIANGLE, 3),
    "quad": _QUAD,
    "quad8": _halved(_QUAD, 4),
    "quad9": (*_halved(_QUAD, 4), *((k, 8) for k in range(8))),
    "tetra": _TETRA,
    "tetra10": _halved(_TETRA, 4),
    "hexahedron": _HEXAHEDRON,
    "hexahedron20": _halved(_HEXAHEDRON, 8),
    "wedge": _WEDGE,
    "pyramid": (*_QUAD, (0, 4), (1, 4), (2, 4), (3, 4)),
}

CELL_DIM: Mapping[str, int] = {
    **dict.fromkeys(("line", "line3"), 1),
    **dict.fromkeys(("triangle", "triangle6", "quad", "quad8", "quad9"), 2),
    **dict.fromkeys(("tetra", "tetra10", "hexahedron", "hexahedron20", "wedge", "pyramid"), 3),
}


def mesh_edges(cells: Mapping[str, NDArray[np.integer]], nodes: int) -> Int[np.ndarray, "2 edges"]:
    """Every edge of the cells in both directions, once, sorted; cells are named as in meshio.

    Raises SpecificationError for a kind of cell without edges of its own (polygons, say) and for nodes out of range.
    """
    pairs = [_edges_of_kind(kind, np.asarray(block, dtype=np.int64), nodes) for kind, block in cells.items()]
    one_way = np.concatenate([np.empty((0, 2), dtype=np.int64), *pairs])
    both = np.concatenate([one_way, one_way[:, ::-1]])
    number = np.unique(both[:, 0] * nodes + both[:, 1])
    return np.stack([number // max(nodes, 1), number % max(nodes, 1)])


def _edges_of_kind(kind: str, block: NDArray[np.int64], nodes: int) -> NDArray[np.int64]:
    if kind == "vertex":
        return np.empty((0, 2), dtype=np.int64)
    if kind not in CELL_EDGES:
        raise SpecificationError(
            f"cells: got '{kind}', expected one of {', '.join(CELL_EDGES)}; split such cells first"
        )
    if block.size and (block.min() < 0 or block.max() >= nodes):
        k = int(np.argmax(((block < 0) | (block >= nodes)).any(1)))
        raise SpecificationError(f"cells: {kind} {k} has nodes {block[k].tolist()}, expected 0 to {nodes - 1}")
    return block[:, np.array(CELL_EDGES[kind])].reshape(-1, 2)
