"""Tokens to the weights of the target network. Attributes are named as in the published state dict."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ._encoding import FourierFeatures
from ._sizes import HypernetworkSizes


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
    """Query i of the pooled tokens of all stages gives weight matrix i, query L + i bias i, of L layers."""

    def __init__(self, sizes: HypernetworkSizes) -> None:
        super().__init__()
        layers, swin = sizes.target.layers, sizes.swin
        if sizes.unused_parameters:
            self.target_net = _unused_target(sizes)
        self.attention_pooling = nn.ModuleList(
            AttentionPooling(2 * len(layers), width, heads)
            for width, heads in zip(swin.widths, swin.heads, strict=True)
        )
        width = sum(swin.widths)
        self.weight_maps = nn.ModuleList(
            _head(width, hidden, groups, i * o)
            for (i, o), hidden, groups in zip(layers, sizes.weight_heads.hidden, sizes.weight_heads.groups, strict=True)
        )
        self.bias_maps = nn.ModuleList(
            _head(width, hidden, groups, o)
            for (_, o), hidden, groups in zip(layers, sizes.bias_heads.hidden, sizes.bias_heads.groups, strict=True)
        )

    def forward(self, stages: Sequence[Float[Tensor, "batch h w width"]]) -> Float[Tensor, "batch count"]:
        """Weights in the flat order of `Architecture`."""
        pooled = [pool(tokens) for pool, tokens in zip(self.attention_pooling, stages, strict=True)]
        queries = torch.cat(pooled, -1).unbind(1)
        layers = len(self.weight_maps)
        weights = [head(query) for head, query in zip(self.weight_maps, queries[:layers], strict=True)]
        biases = [head(query) for head, query in zip(self.bias_maps, queries[layers:], strict=True)]
        return torch.cat([part for pair in zip(weights, biases, strict=True) for part in pair], -1)


def _head(width: int, hidden: int, groups: int, count: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.GroupNorm(groups, hidden), nn.Linear(hidden, count))


def _unused_target(sizes: HypernetworkSizes) -> nn.Module:
    """The published state dict holds a first and a last layer of the target that nothing reads."""
    net, target = nn.Module(), sizes.target
    net.fourier_transform = FourierFeatures(target.dim, target.bands)
    net.in_map = nn.Linear(*target.layers[0])
    net.out_map = nn.Linear(*target.layers[-1])
    return net
