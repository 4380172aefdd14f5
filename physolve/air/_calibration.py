"""Samples whose intervals hold what they say: deviations from the median, widened by what a validation part showed."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physolve.errors import SpecificationError

LEVEL = 0.8
"""Share of values that the interval between the outer two quantiles is to hold."""

NARROWEST = 1e-6
"""Micrograms per cubic metre: half an interval that is not narrower divides."""


@dataclass(frozen=True)
class Calibration:
    """Factors of deviations from the samples' median at every horizon, fitted to hold `level` of what was measured.

    Split conformal prediction with normalised scores (Lei et al. 2018, section 5.2), each side for itself: above, the
    factor is the quantile (1 + level) / 2 of (y - median) / (q_high - median) over what was measured, y, with the
    correction 1 + 1 / m for finite m; below alike. As every sample is moved by an increasing function of itself,
    quantiles keep their order; what would be negative is zero. It is exact for what is exchangeable with the
    validation part, hence not for another season.

    below, above   (horizon,)
    """

    below: tuple[float, ...]
    above: tuple[float, ...]
    level: float = LEVEL

    def __post_init__(self) -> None:
        numbers = (*self.below, *self.above)
        if len(self.below) != len(self.above) or not all(math.isfinite(x) and x >= 0 for x in numbers):
            raise SpecificationError(
                f"calibration: got {len(self.below)} factors below and {len(self.above)} above, expected as many of"
                " both, none negative"
            )

    def __call__(self, samples: Float[Tensor, "samples *batch horizon n"]) -> Float[Tensor, "samples *batch horizon n"]:
        """The samples, micrograms per cubic metre, farther from their median (or nearer)."""
        median = samples.quantile(0.5, dim=0)
        below, above = (samples.new_tensor(factors)[:, None] for factors in (self.below, self.above))
        away = samples - median
        return (median + torch.where(away < 0, below, above) * away).clamp_min(0)

    @classmethod
    def fit(
        cls,
        quantiles: Float[Tensor, "3 batch horizon n"],
        target: Float[Tensor, "batch horizon n"],
        measured: Bool[Tensor, "batch horizon n"],
        level: float = LEVEL,
    ) -> Self:
        """From the quantiles (1 - level) / 2, 1 / 2, (1 + level) / 2 of samples and what was measured then.

        Raises SpecificationError for a horizon with fewer than `needed` measured values.
        """
        low, median, high = quantiles.double()
        fewest = int(measured.sum((0, 2)).min())
        if fewest < needed(level):
            raise SpecificationError(
                f"calibration: got {fewest} measured values at a horizon, expected at least {needed(level)}; give a"
                " longer validation part"
            )
        below = (median - target) / (median - low).clamp_min(NARROWEST)
        above = (target - median) / (high - median).clamp_min(NARROWEST)
        return cls(_conformal(below, measured, level), _conformal(above, measured, level), level)

    def as_record(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """What `as_record` gave; raises KeyError, TypeError or ValueError for anything else."""
        below, above = (tuple(float(x) for x in record[name]) for name in ("below", "above"))
        return cls(below, above, float(record["level"]))


def tails(level: float = LEVEL) -> tuple[float, float, float]:
    """The three quantiles that a calibration is fitted to."""
    return (1 - level) / 2, 0.5, (1 + level) / 2


def needed(level: float = LEVEL) -> int:
    """Measured values among which there is a quantile (1 + level) / 2 of one more: 9 for a level of 0.8."""
    return math.ceil(round((1 + level) / (1 - level), 9))


def _conformal(
    scores: Float[Tensor, "batch horizon n"], measured: Bool[Tensor, "batch horizon n"], level: float
) -> tuple[float, ...]:
    """At every horizon the smallest score that (1 + level) / 2 of m + 1 exchangeable ones do not exceed, from zero."""
    factors = []
    for t in range(scores.shape[1]):
        known = scores[:, t][measured[:, t]].sort().values
        place = math.ceil(round((len(known) + 1) * (1 + level) / 2, 9))
        factors.append(max(0.0, float(known[place - 1])))
    return tuple(factors)
