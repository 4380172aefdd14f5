"""What a forecast must beat: baselines that are fitted to the same windows and judged in the same way."""

import torch
from jaxtyping import Float
from torch import Tensor

from .._batch import AirBatch
from .._clock import day_phase
from .._dynamics import RightSide
from .._layout import InputLayout
from .._model import AirModel
from .._windows import Windows
from ._scores import Forecaster, evaluate

RIDGES = (300.0, 3000.0, 30_000.0)
"""Weights of the penalty, relative to inputs of unit variance; validation decides."""

SLOTS = 24
"""Of the day, for the climatology."""


def persistence(scale: float) -> Forecaster:
    """The last concentration stays."""

    def forecaster(batch: AirBatch) -> Tensor:
        return scale * batch.now[:, None].expand_as(batch.target)

    return forecaster


def climatology(train: Windows, *, median: bool) -> Forecaster:
    """The mean, or the median, of every station at the hour of the day."""
    slot = _slots(train.clock)
    table = torch.zeros(SLOTS, train.target.shape[1])
    values = torch.where(train.measured, train.target, torch.nan)
    for k in slot.unique().tolist():
        rows = values[slot == k]
        table[k] = rows.nanmedian(0).values if median else rows.nanmean(0)

    def forecaster(batch: AirBatch) -> Tensor:
        return table[_slots(batch.clock[:, 1:])]

    return forecaster


def _slots(clock: Float[Tensor, "*times clock"]) -> Tensor:
    return (day_phase(clock) * SLOTS).round().long() % SLOTS


def ridge(train: Windows, validation: Windows, scale: float, *, roots: bool = False) -> Forecaster:
    """Linear in the whole history of all stations: concentrations, their logarithms, weather, clock.

    One penalised least-squares fit for every station and horizon, the penalty chosen by validation. `roots` fits square
    roots of concentrations, whose mean errors lie nearer to mean absolute ones.
    """
    everything = torch.arange(train.instants.start, train.instants.stop)
    parts = [_ridge_inputs(train.at(part)) for part in everything.split(1024)]
    x = torch.cat(parts)
    middle, spread = x.mean(0), x.std(0).clamp_min(1e-6)
    x = (x - middle) / spread
    ahead = everything[:, None] + torch.arange(1, train.sizes.horizon + 1)
    y = _forth(train.concentration[ahead].double().flatten(1), roots)
    gram, right = x.T @ x, x.T @ (y - y.mean(0))

    def with_penalty(penalty: float) -> Forecaster:
        weights = torch.linalg.solve(gram + penalty * torch.eye(len(gram), dtype=gram.dtype), right)

        def forecaster(batch: AirBatch) -> Tensor:
            said = (_ridge_inputs(batch) - middle) / spread @ weights + y.mean(0)
            back = said.clamp_min(0).square() if roots else said
            return (scale * back).reshape(batch.target.shape).float()

        return forecaster

    made = [with_penalty(penalty) for penalty in RIDGES]
    return min(made, key=lambda f: evaluate(f, validation, validation.instants[::2]).overall())


def _forth(y: Tensor, roots: bool) -> Tensor:
    return y.clamp_min(0).sqrt() if roots else y


def _ridge_inputs(batch: AirBatch) -> Float[Tensor, "batch inputs"]:
    history = batch.history.double()
    layout = InputLayout.of(history)
    values, weather = history[..., : layout.logarithms.stop], history[..., layout.weather]
    columns = (values, weather.mean(2), weather[:, -1], batch.clock[:, 0])
    return torch.cat([each.flatten(1) for each in columns], dim=1)


def unlearned(model: AirModel) -> Forecaster:
    """The equation of an untrained model with the present wind, from the last concentration: nothing is learned."""

    def forecaster(batch: AirBatch) -> Tensor:
        wind = batch.wind_now[:, None].expand(-1, 2, -1, -1)
        rates = model.rates(wind)
        horizon = model.sizes.horizon
        right = RightSide(model.physics.graph, rates, horizon)
        states = model.solver(right, batch.now[None, ..., None], horizon, rates.fastest(right.graph.receiver), ())
        return model.setup.scale * states[:, 0, ..., 0].movedim(0, 1)

    return forecaster
