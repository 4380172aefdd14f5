"""Parts of a mesh as attention sees them: nodes of their own, and those that these look at."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from .._mask import AttentionMask


@dataclass(frozen=True, eq=False)
class MeshPart:
    """A part whose own nodes attend to exactly what they attend to in the whole mesh.

    nodes    (n,), numbers in the whole mesh: own ones first, then the halo, both ascending
    mask     rows are the own nodes, numbered as in `nodes`
    """

    nodes: Int[Tensor, " n"]
    mask: AttentionMask

    @property
    def own(self) -> Int[Tensor, " rows"]:
        """Its own nodes."""
        return self.nodes[: self.mask.rows]


@dataclass(frozen=True, eq=False)
class Partition:
    """All rows of a mask: those of its parts, and the few that see all nodes.

    nodes         of the whole mesh
    parts         with as much halo as their own nodes need
    everywhere    numbers of nodes that see all, which is more than a part: no part's own, in every part's halo
    """

    nodes: int
    parts: tuple[MeshPart, ...]
    everywhere: Int[Tensor, " few"]


def attention_partition(mask: AttentionMask, labels: Int[Tensor, " n"]) -> Partition:
    """A part for every label that occurs."""
    place, everywhere = torch.empty(mask.nodes, dtype=torch.long), rows_that_see_all(mask)
    alone = torch.zeros(mask.nodes, dtype=torch.bool)
    alone[everywhere] = True
    owned = [torch.nonzero((labels == label) & ~alone)[:, 0] for label in torch.unique(labels)]
    return Partition(mask.nodes, tuple(_part(mask, own, place) for own in owned if len(own)), everywhere)


def rows_that_see_all(mask: AttentionMask) -> Int[Tensor, " few"]:
    """Global nodes, if the mesh has any."""
    return torch.nonzero(mask.begin.diff() == mask.nodes)[:, 0]


def _part(mask: AttentionMask, own: Tensor, place: Tensor) -> MeshPart:
    """`place` is memory, as long as the mesh: where a node is among those of the part."""
    row, node = _edges_of(mask, own)
    seen = torch.zeros(len(place), dtype=torch.bool)
    seen[node] = True
    seen[own] = False
    nodes = torch.cat([own, torch.nonzero(seen)[:, 0]])
    place[nodes] = torch.arange(len(nodes))
    return MeshPart(nodes, AttentionMask.of_edges(torch.stack([row, place[node]]), len(own), len(nodes)))


def _edges_of(mask: AttentionMask, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Of some rows: which of them, and the node."""
    first, counts = mask.begin[rows].long(), mask.begin.diff()[rows].long()
    row = torch.repeat_interleave(torch.arange(len(rows)), counts)
    within = torch.arange(len(row)) - (counts.cumsum(0) - counts)[row]
    return row, mask.node[first[row] + within].long()
