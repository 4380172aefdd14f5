"""Tokens to the weights of the target network. Attributes are named as in the published state dict."""

from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ._encoding import FourierFeatures
from ._sizes import HeadSizes, HypernetworkSizes
from ._start import start_as_network


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
    """Query i of the pooled tokens of all stages gives weight matrix i, query L + i bias i, of L layers.

    With `invariant`, theta = theta_0 + h: learnable weights theta_0 that depend on no input, initialised as those of a
    network trained by itself would be, stand in place of the biases of the heads' last maps (2304.07645).
    """

    theta_0: nn.Parameter | None

    def __init__(self, sizes: HypernetworkSizes) -> None:
        super().__init__()
        layers, swin = sizes.target.layers, sizes.swin
        if sizes.published:
            self.target_net = _unused_target(sizes)
        self.attention_pooling = nn.ModuleList(
            AttentionPooling(2 * len(layers), width, heads)
            for width, heads in zip(swin.widths, swin.heads, strict=True)
        )
        self.weight_maps = _heads(sizes, sizes.weight_heads, [i * o for i, o in layers])
        self.bias_maps = _heads(sizes, sizes.bias_heads, [o for _, o in layers])
        theta_0 = None
        if not sizes.published:
            last = cast(list[nn.Linear], [head[-1] for _, head in self._numbered_heads()])
            common = start_as_network(last, sizes.target)
            theta_0 = nn.Parameter(common) if sizes.invariant else None
        self.register_parameter("theta_0", theta_0)

    def forward(self, stages: Sequence[Float[Tensor, "batch h w width"]]) -> Float[Tensor, "batch count"]:
        """Weights in the flat order of `Architecture`."""
        pooled = [pool(tokens) for pool, tokens in zip(self.attention_pooling, stages, strict=True)]
        queries = torch.cat(pooled, -1).unbind(1)
        theta = torch.cat([head(queries[i]) for i, head in self._numbered_heads()], -1)
        return theta if self.theta_0 is None else self.theta_0 + theta

    def _numbered_heads(self) -> list[tuple[int, nn.Sequential]]:
        """(query, head) in the flat order of the weights: W_0, b_0, W_1, ..."""
        weights, biases = list(enumerate(self.weight_maps)), list(enumerate(self.bias_maps, len(self.weight_maps)))
        return cast(
            list[tuple[int, nn.Sequential]], [one for pair in zip(weights, biases, strict=True) for one in pair]
        )


def _heads(sizes: HypernetworkSizes, heads: HeadSizes, counts: list[int]) -> nn.ModuleList:
    """One head a layer of the target."""
    width, bias = sum(sizes.swin.widths), not sizes.invariant
    return nn.ModuleList(
        nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.GroupNorm(groups, hidden), nn.Linear(hidden, count, bias=bias)
        )
        for hidden, groups, count in zip(heads.hidden, heads.groups, counts, strict=True)
    )


def _unused_target(sizes: HypernetworkSizes) -> nn.Module:
    """The published state dict holds a first and a last layer of the target that nothing reads."""
    net, target = nn.Module(), sizes.target
    net.fourier_transform = FourierFeatures(target.dim, target.bands)
    net.in_map = nn.Linear(*target.layers[0])
    net.out_map = nn.Linear(*target.layers[-1])
    return net
