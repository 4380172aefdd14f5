"""Rotary codes from node positions: attention then sees where nodes lie relative to one another (RoPE, 2104.09864)."""

import torch
from jaxtyping import Float
from torch import Tensor

BASE = 10_000.0


def rotary_frequencies(channels: int, dim: int) -> Float[Tensor, " pairs"]:
    """base^(-k / pairs), the same for every axis: as many pairs of channels as fit `dim` axes."""
    pairs = channels // (2 * dim)
    return BASE ** (-torch.arange(pairs, dtype=torch.float32) / pairs)


def rotary_codes(
    positions: Float[Tensor, "*n dim"], frequencies: Float[Tensor, " pairs"]
) -> tuple[Float[Tensor, "*n dim pairs"], Float[Tensor, "*n dim pairs"]]:
    """Cosines and sines of position times frequency, in the dtype of the positions."""
    angles = positions[..., None] * frequencies.to(positions.dtype)
    return torch.cos(angles), torch.sin(angles)


def rotated(x: Float[Tensor, "*n width"], codes: tuple[Tensor, Tensor], heads: int) -> Float[Tensor, "*n width"]:
    """Neighbouring channels of every head turned by their code, axis after axis; channels that are left stay.

    Heads are interleaved: column d * heads + h is channel d of head h.
    """
    cosine, sine = (code.to(x.dtype)[..., None] for code in codes)
    dim, pairs = cosine.shape[-3:-1]
    turned = x[..., : 2 * dim * pairs * heads].unflatten(-1, (dim, pairs, 2, heads))
    a, b = turned.unbind(-2)
    turned = torch.stack([a * cosine - b * sine, a * sine + b * cosine], -2).flatten(-4)
    return torch.cat([turned, x[..., turned.shape[-1] :]], -1)
