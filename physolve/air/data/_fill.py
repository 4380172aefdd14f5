"""Gaps in what a model is given, not in what it is judged by."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from physolve.errors import SpecificationError

from ._recent import RECENT
from ._scaler import Scaler
from ._series import AirSeries


@dataclass(frozen=True, eq=False)
class Filled:
    """Inputs without gaps, and where they were measured.

    values           (T, n, pollutants) float32, finite
    values_seen      the same shape, True where measured
    weather          (T, n, 5) float32, finite
    """

    values: Float[ndarray, "time n pollutants"]
    values_seen: Bool[ndarray, "time n pollutants"]
    weather: Float[ndarray, "time n 5"]


def fill_for_input(series: AirSeries, scaler: Scaler, limit: float = RECENT) -> Filled:
    """Inputs for a model; targets stay `series.values`, with NaN where nothing was measured.

    Rules, for every station and variable by itself: the last measured value for at most `limit` hours, then the mean of
    the training data. Only the past is used: what is filled at a time does not depend on later times.
    Raises SpecificationError for a negative limit.
    """
    if not limit >= 0:
        raise SpecificationError(f"fill: limit: got {limit}, expected hours from 0")
    steps = int(limit / series.step + 1e-9)
    values = _filled(series.values, scaler.values_mean, steps)
    return Filled(values, np.isfinite(series.values), _filled(series.weather, scaler.weather_mean, steps))


def _filled(values: Float[ndarray, "time n k"], mean: Float[ndarray, " k"], steps: int) -> Float[ndarray, "time n k"]:
    now = np.arange(len(values))[:, None, None]
    last = np.maximum.accumulate(np.where(np.isfinite(values), now, -1), axis=0)
    carried = np.take_along_axis(values, np.maximum(last, 0), axis=0)
    usable = (last >= 0) & (now - last <= steps)
    return np.where(usable, carried, mean).astype(np.float32)
