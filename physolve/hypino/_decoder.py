"""Tokens to the weights of the target network. Attributes are named as in the published state dict."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ._encoding import FourierFeatures
from ._sizes import HeadSizes, HypernetworkSizes
from ._start import weight_scales


class AttentionPooling(nn.Module):
    """Learned queries attend to the tokens."""

    def __init__(self, queries: int, width: int, heads: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(queries, width))
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, tokens: Float[Tensor, "batch h w width"]) -> Float[Tensor, "batch queries width"]:
        tokens = tokens.flatten(1, 2)
        queries = self.queries.expand(len(tokens), -1, -1)
        return self.attention(queries, tokens, tokens, need_weights=False)[0]


class Decoder(nn.Module):
    """A query of the pooled tokens of all stages for every weight matrix and every bias of every network written.

        theta = s (theta_0 + h)

    with the heads' output h, learnable weights theta_0 that depend on no input (the output half of the
    magnitude-invariant parametrisation, 2304.07645), and the scale s of a fresh network's weights. At first
    theta_0 ~ N(0, 1) and h, of size START, is small: it starts as a fresh network. As published: theta = h.
    """

    theta_0: nn.Parameter
    scale: Tensor

    def __init__(self, sizes: HypernetworkSizes) -> None:
        super().__init__()
        self.networks, self.layers, swin = sizes.networks, len(sizes.target.layers), sizes.swin
        if sizes.published:
            self.target_net = _unused_target(sizes)
        self.attention_pooling = nn.ModuleList(
            AttentionPooling(2 * self.layers * self.networks, width, heads)
            for width, heads in zip(swin.widths, swin.heads, strict=True)
        )
        self.weight_maps = _heads(sizes, sizes.weight_heads, [i * o for i, o in sizes.target.layers])
        self.bias_maps = _heads(sizes, sizes.bias_heads, [o for _, o in sizes.target.layers])
        self.published = sizes.published
        if not sizes.published:
            self.theta_0 = nn.Parameter(torch.randn(self.networks, sizes.target.count))
            self.register_buffer("scale", weight_scales(sizes.target), persistent=False)

    def forward(self, stages: Sequence[Float[Tensor, "batch h w width"]]) -> Float[Tensor, "batch networks count"]:
        """Weights in the flat order of `Architecture`."""
        pooled = [pool(tokens) for pool, tokens in zip(self.attention_pooling, stages, strict=True)]
        queries = torch.cat(pooled, -1).unflatten(1, (2, self.networks, self.layers))
        maps = zip(self.weight_maps, self.bias_maps, strict=True)
        written = [
            _each(head, queries[:, kind, :, layer])
            for layer, heads in enumerate(maps)
            for kind, head in enumerate(heads)
        ]
        h = torch.cat(written, -1)
        return h if self.published else self.scale * (self.theta_0 + h)


START = 0.2
"""Standard deviation, over inputs, of what the heads first add to theta_0."""


def _each(head: nn.Module, queries: Float[Tensor, "batch networks width"]) -> Float[Tensor, "batch networks outputs"]:
    """A head on the queries of all networks; GroupNorm takes each by itself."""
    return head(queries.flatten(0, 1)).unflatten(0, queries.shape[:2])


def _heads(sizes: HypernetworkSizes, heads: HeadSizes, counts: list[int]) -> nn.ModuleList:
    """One head a layer of the target."""
    width = sum(sizes.swin.widths)
    made = nn.ModuleList(
        nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.GroupNorm(groups, hidden), nn.Linear(hidden, count))
        for hidden, groups, count in zip(heads.hidden, heads.groups, counts, strict=True)
    )
    if not sizes.published:
        for head, hidden in zip(made, heads.hidden, strict=True):
            nn.init.normal_(head[-1].weight, std=START / math.sqrt(hidden))  # type: ignore[index]
            nn.init.zeros_(head[-1].bias)  # type: ignore[index]
    return made


def _unused_target(sizes: HypernetworkSizes) -> nn.Module:
    """The published state dict holds a first and a last layer of the target that nothing reads."""
    net, target = nn.Module(), sizes.target
    net.fourier_transform = FourierFeatures(target.dim, target.bands)
    net.in_map = nn.Linear(*target.layers[0])
    net.out_map = nn.Linear(*target.layers[-1])
    return net
