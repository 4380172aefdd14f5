"""Pieces of a mesh that a network is trained on: a part, and around it a halo that is seen but not learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from torch import Tensor

from .._mask import AttentionMask
from .._pyg import new_data
from .._simulation_graph import PER_NODE
from ._labels import metis_labels
from ._part import rows_that_see_all

if TYPE_CHECKING:
    from torch_geometric.data import Data


class Submesh(NamedTuple):
    """Numbers of nodes in the whole mesh: own ones first, then the halo, both ascending; and how many are own."""

    nodes: Int[Tensor, " n"]
    own: int


def submeshes(graph: Data, parts: int, halo: int) -> list[Submesh]:
    """Parts by METIS with a halo of `halo` hops over the mesh's edges; of global nodes, every halo has all.

    Raises SpecificationError as `metis_labels`.
    """
    edges, everywhere = graph.edge_index.numpy(), rows_that_see_all(graph.mask).numpy()
    labels = metis_labels(edges, graph.num_nodes, parts)
    return [_submesh(labels == part, edges, halo, everywhere) for part in range(parts)]


def submesh_graph(graph: Data, submesh: Submesh) -> Data:
    """The simulation graph of what lies within a piece. Of its nodes, own ones are `counted`.

    Nodes see of one another what they see in the whole mesh, and of themselves, such as the distance to the wall, too.
    """
    place = torch.full((graph.num_nodes,), -1)
    place[submesh.nodes] = torch.arange(len(submesh.nodes))
    each = {name: graph[name][submesh.nodes] for name in PER_NODE}
    each["counted"] = torch.arange(len(submesh.nodes)) < submesh.own
    return new_data(
        **each,
        edge_index=_within(graph.edge_index, place),
        mask=AttentionMask.of_edges(_within(graph.mask.edge_index(), place), len(submesh.nodes)),
        num_nodes=len(submesh.nodes),
    )


def _submesh(own: NDArray[np.bool_], edges: NDArray[np.integer], halo: int, everywhere: NDArray) -> Submesh:
    seen = own.copy()
    for _ in range(halo):
        seen[edges[1, seen[edges[0]]]] = True
    seen[everywhere] = True
    nodes = np.concatenate([np.flatnonzero(own), np.flatnonzero(seen & ~own)])
    return Submesh(torch.from_numpy(nodes), int(own.sum()))


def _within(edges: Tensor, place: Tensor) -> Tensor:
    """Edges with both ends in the piece, renumbered."""
    renumbered = place[edges]
    return renumbered[:, (renumbered >= 0).all(0)]
