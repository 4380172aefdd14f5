"""What the published hypernetwork and smaller ones differ in."""

from dataclasses import dataclass, field, replace

import torch

from physolve.jets import Architecture

from ._target import target_network

BANDS = tuple(0.1 * 2.0**k for k in range(5))


@dataclass(frozen=True)
class SwinSizes:
    """Blocks and attention heads of every Swin stage; between stages the grid halves and the width doubles."""

    embed: int
    window: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    mlp_ratio: float = 2.0

    @property
    def widths(self) -> tuple[int, ...]:
        return tuple(self.embed * 2**stage for stage in range(len(self.depths)))


@dataclass(frozen=True)
class HeadSizes:
    """Hidden width and groups of GroupNorm of the heads of all layers, in the order of the target's layers."""

    hidden: tuple[int, ...]
    groups: tuple[int, ...]


@dataclass(frozen=True)
class HypernetworkSizes:
    """Everything that hypernetworks differ in.

    target            the network whose weights are written
    grid              nodes of the raster along a side; the tokens lie on a grid of a quarter
    stem              width of each of the two halves of the embedding
    coefficients      width of the coefficients' embedding
    statistics        width of the statistics' embedding
    bands             of the Fourier features of all inputs
    unused_parameters the published network's state dict holds parameters that nothing reads; keep them to load it
    """

    target: Architecture
    grid: int
    stem: int
    swin: SwinSizes
    weight_heads: HeadSizes
    bias_heads: HeadSizes
    coefficients: int = 96
    statistics: int = 32
    bands: tuple[float, ...] = BANDS
    unused_parameters: bool = field(default=False, kw_only=True)


ORIGINAL = HypernetworkSizes(
    # the published target keeps its bands as float32 numbers
    target=replace(target_network(), bands=tuple(torch.tensor(BANDS, dtype=torch.float32).tolist())),
    grid=224,
    stem=64,
    swin=SwinSizes(embed=128, window=7, depths=(2, 2, 10, 2), heads=(4, 8, 8, 16)),
    weight_heads=HeadSizes((1408,) * 3 + (1920,) * 3 + (64,), (4,) * 3 + (16,) * 3 + (1,)),
    bias_heads=HeadSizes((64,) * 6 + (32,), (4,) * 6 + (1,)),
    unused_parameters=True,
)
"""The published network, 77.3 M parameters."""

SMALL = HypernetworkSizes(
    target=target_network(),
    grid=64,
    stem=48,
    swin=SwinSizes(embed=96, window=8, depths=(2, 2, 4), heads=(3, 6, 12)),
    weight_heads=HeadSizes((512,) * 6 + (64,), (4,) * 6 + (1,)),
    bias_heads=HeadSizes((64,) * 7, (4,) * 6 + (1,)),
)
"""Ours: 11 M parameters on a grid of 64 x 64."""
