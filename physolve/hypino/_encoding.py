"""How inputs become features: Fourier features over channels, a logarithm with sign, a 2-D position code."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


class FourierFeatures(nn.Module):
    """[sin(2 pi b_k v) ..., cos(2 pi b_k v) ..., v] of channels v: bands of the first channel, the second, ...

    `keep` says whether v itself is among the features.
    """

    frequencies: Tensor

    def __init__(self, channels: int, bands: tuple[float, ...], *, keep: bool = True) -> None:
        super().__init__()
        self.keep = keep
        self.count = channels * (2 * len(bands) + keep)
        self.register_buffer("frequencies", torch.tensor(bands, dtype=torch.float32).repeat(channels, 1))

    def forward(self, v: Float[Tensor, "batch channels *grid"]) -> Float[Tensor, "batch features *grid"]:
        frequencies = self.frequencies.reshape(*self.frequencies.shape, *[1] * (v.dim() - 2))
        angles = (2 * math.pi * v[:, :, None] * frequencies).flatten(1, 2)
        features = [angles.sin(), angles.cos()]
        return torch.cat([*features, v] if self.keep else features, 1)


class CircleFeatures(nn.Module):
    """Points on the unit circle at the angles 2 pi b_k v and atan v of every channel v; their norm is constant.

    [sin(2 pi b_k v) ..., cos(2 pi b_k v) ..., v / sqrt(1 + v^2) ..., 1 / sqrt(1 + v^2) ...]

    The last pair, which tells all v apart, stands for the raw input of `FourierFeatures`. Magnitude-invariant
    parametrisations (2304.07645) encode an input in [0, 1] by one such point; ours have no bounds, hence atan.
    """

    def __init__(self, channels: int, bands: tuple[float, ...]) -> None:
        super().__init__()
        self.waves = FourierFeatures(channels, bands, keep=False)
        self.count = self.waves.count + 2 * channels

    def forward(self, v: Float[Tensor, "batch channels *grid"]) -> Float[Tensor, "batch features *grid"]:
        cosine = (1 + v * v).rsqrt()
        return torch.cat([self.waves(v), v * cosine, cosine], 1)


def compressed(f: Tensor) -> Tensor:
    """sign(f) log(1 + |f|): sources span orders of magnitude."""
    return f.sign() * f.abs().log1p()


def position_code(width: int, n: int) -> Float[Tensor, "width n n"]:
    """Sines and cosines of the row (first half of the channels) and of the column; frequencies 10^(-8 k / width),
    k = 0, 2, 4, ...

    As published, in float32 throughout: published weights were trained with these last bits. The frequencies are the
    float32 exp of the machine that made the parity data, told without it: the nearest float32, except that one (k = 22
    of width 128), 0.004 of its last bit below the middle between two, is rounded up there; hence the 2^-31.
    """
    half = width // 2
    exponents = torch.arange(0, half, 2, dtype=torch.float32) * (-math.log(1e4) / half)
    frequencies = (exponents.double().exp() * (1 + 2**-31)).float()
    angles = torch.arange(n, dtype=torch.float32)[:, None] * frequencies
    code = torch.stack([angles.sin(), angles.cos()], -1).flatten(1).T
    return torch.cat([code[:, :, None].expand(-1, -1, n), code[:, None, :].expand(-1, n, -1)])
