"""Global nodes attend to all nodes, piece by piece: softmax over pieces with a running maximum (1805.02867)."""

from collections.abc import Iterable
from math import sqrt
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from .._transformer import Block, MeshAttention, MeshTransformer

Shown = tuple[Float[Tensor, "*batch n width"], Float[Tensor, "*#batch n dim"] | None]
"""States and positions of some nodes."""


class Sums(NamedTuple):
    """Of the pieces so far, by row and head: the largest score, and relative to its exponential the sum of weights and
    of weighted values."""

    top: Float[Tensor, "*batch few heads"]
    weights: Float[Tensor, "*batch few heads"]
    values: Float[Tensor, "*batch few channels heads"]


def seeing_all(
    network: MeshTransformer, block: Block, few: Shown, pieces: Iterable[Shown]
) -> Float[Tensor, "*batch few width"]:
    """What a block makes of the `few` nodes that attend to the nodes of all pieces."""
    attention = block.attention
    z, x = few[0], block.norm1(few[0])
    q = attention.queries(x, attention.codes(few[1])).unflatten(-1, (-1, attention.heads))
    nothing = q.new_zeros(*q.shape[:-2], attention.heads)
    sums = Sums(torch.full_like(nothing, -torch.inf), nothing, torch.zeros_like(q))
    for piece, positions in pieces:
        sums = network.through(_added, block, q, sums, piece, positions)
    return block.finished(z, attention.finished(x, (sums.values / sums.weights[..., None, :]).flatten(-2)))


def _added(block: Block, q: Tensor, sums: Sums, piece: Tensor, positions: Tensor | None) -> Sums:
    """With the nodes of one more piece."""
    k, v = _keys_and_values(block.attention, block.norm1(piece), positions)
    with torch.autocast(q.device.type, enabled=False):  # as in masked attention, sums are taken in float32
        score = torch.einsum("...idh,...jdh->...ijh", q, k) / sqrt(q.shape[-2])
        # It cancels in the end, and so do its derivatives.
        top = torch.maximum(sums.top, score.amax(-2)).detach()
        kept, weight = torch.exp(sums.top - top), torch.exp(score - top[..., None, :])
        weighted = torch.einsum("...ijh,...jdh->...idh", weight, v)
        return Sums(top, kept * sums.weights + weight.sum(-2), kept[..., None, :] * sums.values + weighted)


def _keys_and_values(attention: MeshAttention, x: Tensor, positions: Tensor | None) -> tuple[Tensor, Tensor]:
    both = attention.keys(x, attention.codes(positions)), attention.values(x)
    return both[0].unflatten(-1, (-1, attention.heads)), both[1].unflatten(-1, (-1, attention.heads))
