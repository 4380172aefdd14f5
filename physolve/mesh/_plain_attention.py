"""Masked attention in plain torch: gather, softmax by scattering, weighted sum. The kernels' twin."""

from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor

from ._mask import AttentionMask


def plain_attention(
    q: Float[Tensor, "*batch rows width"],
    k: Float[Tensor, "*batch nodes width"],
    v: Float[Tensor, "*batch nodes width"],
    mask: AttentionMask,
    heads: int,
    scale: float | None = None,
) -> Float[Tensor, "*batch rows width"]:
    """The same as `masked_attention`, for any dtype, differentiable any number of times; memory O(edges width)."""
    scale = 1 / sqrt(q.shape[-1] // heads) if scale is None else scale
    row, node = mask.row_of_edges(), mask.node.long()
    score = scale * _by_head(q, heads)[..., row, :, :].mul(_by_head(k, heads)[..., node, :, :]).sum(-2)
    weight = _row_softmax(score, row, mask.rows)
    values = weight.unsqueeze(-2) * _by_head(v, heads)[..., node, :, :]
    return q.new_zeros(q.shape).index_add(-2, row, values.flatten(-2))


def _by_head(x: Tensor, heads: int) -> Tensor:
    """(..., n, width) -> (..., n, width / heads, heads)."""
    return x.unflatten(-1, (-1, heads))


def _row_softmax(score: Float[Tensor, "*batch edges heads"], row: Tensor, rows: int) -> Tensor:
    index = row[:, None].expand(score.shape)
    shape = (*score.shape[:-2], rows, score.shape[-1])
    top = score.detach().new_full(shape, -torch.inf).scatter_reduce(-2, index, score.detach(), "amax")
    weight = torch.exp(score - top.index_select(-2, row))
    total = score.new_zeros(shape).index_add(-2, row, weight)
    return weight / total.index_select(-2, row)
