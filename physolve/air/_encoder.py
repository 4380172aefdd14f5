"""The history of a station as a summary and the distribution of its state."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

NARROWEST, WIDEST, START = -6.0, 1.0, -2.0
"""Bounds of the logarithm of the state's standard deviation, and what it starts from."""


class Encoded(NamedTuple):
    """summary (batch, n, hidden); mean and log_std (batch, n, latent) of the Gaussian around the last concentration."""

    summary: Float[Tensor, "batch n hidden"]
    mean: Float[Tensor, "batch n latent"]
    log_std: Float[Tensor, "batch n latent"]

    def sample(self, count: int) -> Float[Tensor, "count batch n latent"]:
        """Draws that the distribution can be trained through."""
        noise = torch.randn(count, *self.mean.shape, dtype=self.mean.dtype, device=self.mean.device)
        return self.mean + self.log_std.exp() * noise

    def divergence(self) -> Float[Tensor, ""]:
        """Kullback-Leibler divergence from the standard Gaussian, a mean over stations and channels."""
        return (-self.log_std + (self.log_std.mul(2).exp() + self.mean.square() - 1) / 2).mean()


class Encoder(nn.Module):
    """A gated recurrent unit over the history of each station by itself, with shared weights."""

    def __init__(self, features: int, hidden: int, latent: int) -> None:
        super().__init__()
        self.recurrent = nn.GRU(features, hidden, batch_first=True)
        self.moments = nn.Linear(hidden, 2 * latent)
        with torch.no_grad():  # begin with the last concentration and little noise
            self.moments.weight.mul_(0.1)
            self.moments.bias.copy_(torch.tensor([0.0, START]).repeat_interleave(latent))

    def forward(self, history: Float[Tensor, "batch history n features"]) -> Encoded:
        batch, steps, n, features = history.shape
        sequences = history.transpose(1, 2).reshape(batch * n, steps, features)
        summary = self.recurrent(sequences)[1][0].reshape(batch, n, -1)
        mean, log_std = self.moments(summary).chunk(2, dim=-1)
        return Encoded(summary, mean, log_std.clamp(NARROWEST, WIDEST))
