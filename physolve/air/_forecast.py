"""A forecast from an instant of a series, with samples and with the mass that flows between stations."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray

from physolve.errors import SpecificationError

from ._model import AirModel, Prediction
from ._windows import Windows
from .data import AirSeries, Stations, instant_of

MOST_MISSING = 0.5
"""Largest share of the history's concentrations that may be missing."""

SAMPLES = 32


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is expected at the stations, micrograms per cubic metre.

    stations   in their order
    issued     the last instant whose measurements were used
    times      (T,) datetime64[s], the horizon
    mean       (T, n) over the model's samples
    samples    (samples, T, n), from 0; where the model has a calibration, as that moves them
    calibrated whether it has one
    wind       (T, n, 2) m/s, east and north, TO which the air moves: as forecast, or as given where it is known
    edges      (2, E) pairs of neighbouring stations
    fluxes     (T, E) net flow from the first to the second, micrograms per second through the face between their
               cells, for every metre of height
    """

    stations: Stations
    issued: np.datetime64
    times: NDArray[np.datetime64]
    mean: Float[np.ndarray, "times n"]
    samples: Float[np.ndarray, "samples times n"]
    calibrated: bool
    wind: Float[np.ndarray, "times n 2"]
    edges: Int[np.ndarray, "2 edges"]
    fluxes: Float[np.ndarray, "times edges"]

    def quantile(self, q: float) -> Float[np.ndarray, "times n"]:
        """Of the samples; q in [0, 1]."""
        return np.quantile(self.samples, q, axis=0)


def forecast(
    model: AirModel, series: AirSeries, at: np.datetime64 | str, *, samples: int = SAMPLES, seed: int = 0
) -> Forecast:
    """The concentrations after `at`, one of the series' instants, from what was measured until then.

    Missing values are tolerated: the last one stands for up to 12 hours, then the training's mean, as long as at most
    half of the history's concentrations are missing. Weather after `at` is used only by models of a known wind.

    Raises SpecificationError for another series than the model was made for, an instant that is not in it or too early
    for the history, too many missing values, unknown wind where it must be known, and fewer than one sample.
    """
    model.setup.check(series)
    if samples < 1:
        raise SpecificationError(f"forecast: got samples={samples}, expected at least 1")
    here = _index(series, instant(at), model.sizes.history)
    _check_measured(series, here, model.sizes.history)
    if model.sizes.known_wind:
        _check_wind(series, here, model.sizes.horizon)
    window = _with_horizon(series, here, model.sizes.history, model.sizes.horizon)
    batch = Windows.of(window, model.setup, model.sizes).at([model.sizes.history - 1])
    with torch.no_grad(), torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        prediction = model.eval()(batch, samples)
    return _told(model, window, prediction)


def instant(at: np.datetime64 | str) -> np.datetime64:
    """An instant of a series' clock; a zone is dropped, not converted, as in tables.

    Raises SpecificationError for what is no time.
    """
    if isinstance(at, np.datetime64) and not np.isnat(at):
        return at.astype("datetime64[s]")
    try:
        return np.datetime64(datetime.fromisoformat(str(at)).replace(tzinfo=None), "s")
    except ValueError:
        raise SpecificationError(f"time: got '{at}', expected one such as 2016-12-01T00:00") from None


@torch.no_grad()
def _told(model: AirModel, window: AirSeries, prediction: Prediction) -> Forecast:
    c = prediction.concentration[:, 0].clamp_min(0)
    graph, every = model.physics.graph, model.sizes.every
    knots = torch.arange(1, model.sizes.horizon + 1) / every
    wind = _between(prediction.wind[0], knots)
    transport = model.physics.transport(wind)
    one_way = transport.gain * graph.area[graph.receiver] * c.mean(0)[:, graph.sender]
    history, calibration = model.sizes.history, model.calibration
    return Forecast(
        window.stations,
        window.times[history - 1],
        window.times[history:],
        c.mean(0).numpy(),
        (c if calibration is None else calibration(c)).numpy(),
        calibration is not None,
        wind.numpy(),
        torch.stack([graph.sender, graph.receiver])[:, ::2].numpy(),
        (one_way[:, ::2] - one_way[:, 1::2]).numpy(),
    )


def _between(values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Linear in between knots; places count them."""
    first = places.floor().long().clamp(max=len(values) - 2)
    share = (places - first).reshape(-1, *[1] * (values.ndim - 1))
    return torch.lerp(values[first], values[first + 1], share)


def _index(series: AirSeries, at: np.datetime64, history: int) -> int:
    found = instant_of(series, at)
    if found < history - 1:
        raise SpecificationError(
            f"forecast: got at={at}, expected {series.times[min(history, len(series)) - 1]} or later:"
            f" {history} steps of history are read"
        )
    return found


def _check_measured(series: AirSeries, here: int, history: int) -> None:
    recent = series.values[here + 1 - history : here + 1, :, 0]
    missing = 1 - np.isfinite(recent).mean(axis=0)
    if np.isnan(recent).mean() > MOST_MISSING:
        worst = int(np.argmax(missing))
        raise SpecificationError(
            f"forecast: {np.isnan(recent).mean():.0%} of the last {history * series.step:g} h are missing (most at"
            f" '{series.stations.names[worst]}', {missing[worst]:.0%}), expected at most {MOST_MISSING:.0%}"
        )


def _check_wind(series: AirSeries, here: int, horizon: int) -> None:
    ahead = series.wind[here : here + horizon + 1]
    if len(ahead) <= horizon or not np.isfinite(ahead).all():
        raise SpecificationError(
            f"forecast: this model is given the wind; got {len(ahead) - 1} further steps with"
            f" {np.isnan(ahead).mean():.0%} missing, expected {horizon} with none"
        )


def _with_horizon(series: AirSeries, here: int, history: int, horizon: int) -> AirSeries:
    """The history and, after it, the horizon's instants, empty where the series ends before them."""
    part = series.between(here + 1 - history, min(here + horizon + 1, len(series)))
    lacking = history + horizon - len(part)
    if not lacking:
        return part
    step = np.timedelta64(round(3600 * series.step), "s")
    return replace(
        part,
        times=part.times[0] + np.arange(history + horizon) * step,
        values=_extended(part.values, lacking),
        weather=_extended(part.weather, lacking),
    )


def _extended(values: Float[np.ndarray, "time n k"], count: int) -> Float[np.ndarray, "longer n k"]:
    return np.concatenate([values, np.full((count, *values.shape[1:]), np.nan, dtype=values.dtype)])
