"""Which part of a mesh a node belongs to: parts of about equal size with few edges between them."""

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray

from physolve.errors import SpecificationError


def metis_labels(edges: Int[np.ndarray, "2 edges"], nodes: int, parts: int) -> Int[np.ndarray, " n"]:
    """For every node the number of its part, from 0; the same for the same mesh. By METIS (Karypis and Kumar 1998).

    `edges` are sorted pairs, every mesh edge in both directions, as of `mesh_edges`. Raises SpecificationError for
    parts that cannot all have a node, and where METIS leaves one empty, as it may on meshes of a few nodes a part.
    """
    if not 1 <= parts <= max(nodes, 1):
        raise SpecificationError(f"partition: got {parts} parts for a mesh of {nodes} nodes, expected 1 to {nodes}")
    labels = np.zeros(nodes, dtype=np.int64) if parts == 1 else _by_metis(edges, nodes, parts)
    empty = parts - len(np.unique(labels)) if nodes else 0
    if empty:
        raise SpecificationError(
            f"partition: METIS left {empty} of {parts} parts of a mesh of {nodes} nodes empty; ask for fewer parts"
        )
    return labels


def _by_metis(edges: NDArray[np.integer], nodes: int, parts: int) -> NDArray[np.int64]:
    from pymetis import CSRAdjacency, part_graph

    begins = np.concatenate([[0], np.cumsum(np.bincount(edges[0], minlength=nodes))])
    graph = CSRAdjacency(begins.astype(np.int64), edges[1].astype(np.int64))
    return np.array(part_graph(parts, adjacency=graph).vertex_part).astype(np.int64)
