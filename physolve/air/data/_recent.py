"""Whether what was measured lately is enough to forecast from."""

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from physolve.errors import SpecificationError

from ._series import AirSeries

RECENT = 12.0
"""Hours for which a last measured value stands for what is missing after it; `fill_for_input` does no more."""


def instant_of(series: AirSeries, at: np.datetime64) -> int:
    """The step that begins at a time. Raises SpecificationError for a time that is none of the series'."""
    found = np.flatnonzero(series.times == at.astype("datetime64[s]"))
    if not len(found):
        raise SpecificationError(
            f"time {at}: no step begins then; the series has {series.times[0]} to {series.times[-1]}, every"
            f" {series.step:g} h"
        )
    return int(found[0])


def ages(series: AirSeries, instant: int) -> tuple[Float[ndarray, " n"], Float[ndarray, " n"]]:
    """Hours since the first pollutant and since the wind were last measured at every station, counted at a step;
    infinite where they never were."""
    past = slice(0, instant + 1)
    concentration = np.isfinite(series.values[past, :, 0])
    wind = np.isfinite(series.wind[past])
    return _age(concentration, series.step), _age(wind[..., 0] & wind[..., 1], series.step)


def _age(seen: Bool[ndarray, "time n"], step: float) -> Float[ndarray, " n"]:
    return np.where(seen.any(0), step * np.argmax(seen[::-1], axis=0), np.inf)


def check_recent(series: AirSeries, at: np.datetime64, limit: float = RECENT) -> None:
    """Raises SpecificationError where, at `at`, a station's last concentration or wind is older than `limit` hours."""
    for what, old in zip((series.pollutants[0], "wind"), ages(series, instant_of(series, at)), strict=True):
        silent = np.flatnonzero(old > limit)
        if len(silent):
            names = series.stations.names
            told = ", ".join(f"{names[k]} ({old[k]:g} h)" for k in silent).replace("(inf h)", "(never)")
            raise SpecificationError(
                f"time {at}: the last {what} is older than {limit:g} h at {told}; choose another time, or allow more"
                " with --tolerate HOURS: the training mean then stands for it"
            )
