"""How often what is measured lies within a model's intervals, and the calibration that makes it what they say."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .._calibration import FEWEST, Calibration
from .._model import AirModel
from .._windows import Windows

LEVEL = 0.8
"""Share of values that an interval between two quantiles is to hold."""

CHUNK = 64

SAMPLES = 64

WINDOWS = 500
"""At most so many of a validation part are calibrated on: neighbouring ones tell nearly the same."""


@dataclass(frozen=True, eq=False)
class Spread:
    """Lower, middle and upper quantile of forecasts, micrograms per cubic metre, and what was measured then.

    quantiles (3, windows, horizon, n); target, measured (windows, horizon, n)
    """

    quantiles: Float[Tensor, "3 windows horizon n"]
    target: Float[Tensor, "windows horizon n"]
    measured: Bool[Tensor, "windows horizon n"]

    def coverage(self) -> Float[Tensor, " horizon"]:
        """Share of the measured values that lie in the interval."""
        inside = (self.quantiles[0] <= self.target) & (self.target <= self.quantiles[2])
        return self._mean(inside.double())

    def width(self) -> Float[Tensor, " horizon"]:
        """Of the interval in the mean, micrograms per cubic metre."""
        return self._mean(self.quantiles[2] - self.quantiles[0])

    def interval_score(self, level: float = LEVEL) -> Float[Tensor, " horizon"]:
        """Width plus 2 / (1 - level) times how far outside values lie, in the mean: smallest for the true quantiles
        (Gneiting and Raftery 2007, section 6.2)."""
        low, _, high = self.quantiles
        outside = (low - self.target).clamp_min(0) + (self.target - high).clamp_min(0)
        return self._mean(high - low + 2 / (1 - level) * outside)

    def _mean(self, values: Float[Tensor, "windows horizon n"]) -> Float[Tensor, " horizon"]:
        return torch.where(self.measured, values, 0).sum((0, 2)) / self.measured.sum((0, 2))


@torch.no_grad()
def spread_of(
    model: AirModel,
    windows: Windows,
    instants: Sequence[int],
    calibration: Calibration | None = None,
    *,
    level: float = LEVEL,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Spread:
    """Of forecasts from these instants, of samples as they are or as a calibration moves them."""
    quantiles, targets, measured = [], [], []
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        for part in torch.as_tensor(instants).split(CHUNK):
            batch = windows.at(part)
            drawn = model(batch, samples).concentration.clamp_min(0)
            drawn = drawn if calibration is None else calibration(drawn)
            quantiles.append(drawn.quantile(drawn.new_tensor([(1 - level) / 2, 0.5, (1 + level) / 2]), dim=0))
            targets.append(batch.target)
            measured.append(batch.measured)
    return Spread(torch.cat(quantiles, 1), torch.cat(targets), torch.cat(measured))


def calibrate(model: AirModel, validation: Windows) -> Calibration | None:
    """From a part that the weights were not fitted to; None where too little was measured in it."""
    instants = validation.instants
    found = spread_of(model.eval(), validation, instants[:: -(-len(instants) // WINDOWS)])
    if found.measured.sum((0, 2)).min() < FEWEST:
        return None
    return Calibration.fit(found.quantiles[1], found.target, found.measured)
