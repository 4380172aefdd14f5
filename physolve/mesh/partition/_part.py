"""Parts of a mesh as attention sees them: nodes of their own, and those that these look at."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from .._mask import AttentionMask


@dataclass(frozen=True, eq=False)
class Part:
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


def attention_parts(mask: AttentionMask, labels: Int[Tensor, " n"]) -> tuple[Part, ...]:
    """A part for every label that occurs, with as much halo as it needs: together, all rows of the mask once.

    The halo of a node that sees all nodes is all nodes, see `rows_that_see_all`.
    """
    place = torch.empty(mask.nodes, dtype=torch.long)
    return tuple(_part(mask, torch.nonzero(labels == label)[:, 0], place) for label in torch.unique(labels))


def rows_that_see_all(mask: AttentionMask) -> Int[Tensor, " few"]:
    """Global nodes, if the mesh has any."""
    return torch.nonzero(mask.begin.diff() == mask.nodes)[:, 0]


def _part(mask: AttentionMask, own: Tensor, place: Tensor) -> Part:
    """`place` is memory, as long as the mesh: where a node is among those of the part."""
    row, node = _edges_of(mask, own)
    seen = torch.zeros(len(place), dtype=torch.bool)
    seen[node] = True
    seen[own] = False
    nodes = torch.cat([own, torch.nonzero(seen)[:, 0]])
    place[nodes] = torch.arange(len(nodes))
    return Part(nodes, AttentionMask.of_edges(torch.stack([row, place[node]]), len(own), len(nodes)))


def _edges_of(mask: AttentionMask, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Of some rows: which of them, and the node."""
    first, counts = mask.begin[rows].long(), mask.begin.diff()[rows].long()
    row = torch.repeat_interleave(torch.arange(len(rows)), counts)
    within = torch.arange(len(row)) - (counts.cumsum(0) - counts)[row]
    return row, mask.node[first[row] + within].long()
