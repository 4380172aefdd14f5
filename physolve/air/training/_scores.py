"""Errors of forecasts, over what was measured and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .._batch import AirBatch
from .._windows import Windows

Forecaster = Callable[[AirBatch], Float[Tensor, "batch horizon n"]]
"""From windows to concentrations, micrograms per cubic metre; it must not look at `wind` beyond the present."""

CHUNK = 256


@dataclass(frozen=True, eq=False)
class Scores:
    """By horizon (steps,): mean absolute error, root mean square error (micrograms per cubic metre), SMAPE.

    SMAPE is the mean of 2 |f - y| / (|f| + |y|), a share between 0 and 2. `count` is how many values were compared.
    """

    mae: Float[Tensor, " steps"]
    rmse: Float[Tensor, " steps"]
    smape: Float[Tensor, " steps"]
    count: Float[Tensor, " steps"]

    @classmethod
    def of(
        cls,
        forecast: Float[Tensor, "batch steps n"],
        target: Float[Tensor, "batch steps n"],
        measured: Bool[Tensor, "batch steps n"],
    ) -> "Scores":
        """Every measured value counts once."""
        off = torch.where(measured, forecast - target, 0).double()
        size = torch.where(measured, forecast.abs() + target.abs(), 1).double().clamp_min(1e-9)
        count = measured.sum((0, 2)).double()
        absolute, square, symmetric = (x.sum((0, 2)) / count for x in (off.abs(), off.square(), 2 * off.abs() / size))
        return cls(absolute, square.sqrt(), symmetric, count)

    def overall(self) -> float:
        """Root mean square error over all horizons."""
        return float(((self.rmse.square() * self.count).sum() / self.count.sum()).sqrt())

    def at(self, steps: Sequence[int]) -> "Scores":
        """Some horizons, counted in steps from 1."""
        chosen = torch.as_tensor(steps) - 1
        return type(self)(self.mae[chosen], self.rmse[chosen], self.smape[chosen], self.count[chosen])


@torch.no_grad()
def evaluate(forecaster: Forecaster, windows: Windows, instants: Sequence[int]) -> Scores:
    """Of forecasts from these instants; negative concentrations count as zero."""
    forecasts, targets, measured = [], [], []
    for part in torch.as_tensor(instants).split(CHUNK):
        batch = windows.at(part)
        forecasts.append(forecaster(batch).clamp_min(0))
        targets.append(batch.target)
        measured.append(batch.measured)
    return Scores.of(torch.cat(forecasts), torch.cat(targets), torch.cat(measured))
