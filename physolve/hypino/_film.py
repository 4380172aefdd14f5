"""Conditioning of the tokens on the operator and on statistics of the data."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ._encoding import CircleFeatures, FourierFeatures


class FiLM(nn.Module):
    """gamma(c) x + beta(c), channel by channel."""

    def __init__(self, condition: int, width: int) -> None:
        super().__init__()
        self.gamma = nn.Linear(condition, width)
        self.beta = nn.Linear(condition, width)

    def forward(
        self, x: Float[Tensor, "batch h w width"], c: Float[Tensor, "batch condition"]
    ) -> Float[Tensor, "batch h w width"]:
        return self.gamma(c)[:, None, None] * x + self.beta(c)[:, None, None]


class Statistics(nn.Module):
    """Embedding of mean, maximum, minimum and standard deviation of every channel over the grid; no gradient to it."""

    def __init__(self, features: FourierFeatures | CircleFeatures, width: int) -> None:
        super().__init__()
        self.four_features = features
        self.ffn = nn.Sequential(nn.Linear(features.count, width), nn.GELU())

    def forward(self, channels: Float[Tensor, "batch channels n n"]) -> Float[Tensor, "batch width"]:
        flat = channels.detach().flatten(2)
        statistics = torch.cat([flat.mean(-1), flat.amax(-1), flat.amin(-1), flat.std(-1)], 1)
        return self.ffn(self.four_features(statistics))
