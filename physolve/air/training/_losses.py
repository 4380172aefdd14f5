"""What a model of air quality is trained on. Hours without a measurement count nowhere."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .._batch import AirBatch
from .._model import Prediction

WIND = 2.0
"""m/s, the unit in which errors of the wind count."""


@dataclass(frozen=True)
class LossWeights:
    """mean absolute error + spread * CRPS + divergence * KL + wind * squared error of the wind.

    spread      of the continuous ranked probability score of the samples, which makes their spread honest
    divergence  of the state's distribution from the standard Gaussian
    wind        of the forecast wind; it has no part where the wind is known, or not forecast
    """

    spread: float = 0.1
    divergence: float = 1e-3
    wind: float = 0.05


def loss(prediction: Prediction, batch: AirBatch, scale: float, every: int, w: LossWeights) -> Float[Tensor, ""]:
    """In units of the scale."""
    error = masked_mean((prediction.mean - batch.target).abs(), batch.measured) / scale
    total = error + w.divergence * prediction.encoded.divergence()
    if len(prediction.concentration) > 1 and w.spread:
        total = total + w.spread / scale * masked_mean(crps(prediction.concentration, batch.target), batch.measured)
    if prediction.wind.requires_grad and w.wind:
        off = (prediction.wind - batch.wind[:, ::every]) / WIND
        total = total + w.wind * off.square().mean()
    return total


def masked_mean(values: Float[Tensor, "*shape"], measured: Bool[Tensor, "*shape"]) -> Float[Tensor, ""]:
    """Of what was measured; zero where nothing was."""
    return torch.where(measured, values, 0).sum() / measured.sum().clamp_min(1)


def crps(samples: Float[Tensor, "samples *shape"], target: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """E|X - y| - E|X - X'| / 2 with the unbiased mean over pairs of samples (at least two)."""
    count = len(samples)
    apart = (samples[:, None] - samples[None]).abs().sum((0, 1)) / (count * (count - 1))
    return (samples - target).abs().mean(0) - apart / 2
