"""Rows at any times to means over the intervals of a regular clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy.typing import NDArray

from physolve.errors import ProblemFileError, SpecificationError

if TYPE_CHECKING:
    from pandas import DataFrame

HOUR = np.timedelta64(3600, "s")

EMPTY = 10
"""Times beyond a gap of this many times the steps that have rows are taken for mistyped, where they are few."""

FEW = 0.05
"""Largest share of the rows that counts as few."""


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals of `hours` from `start`, `steps` of them."""

    start: np.datetime64
    hours: int
    steps: int

    @classmethod
    def over(cls, table: DataFrame, hours: int) -> Intervals:
        """All times of a table; intervals are counted from midnight.

        Raises SpecificationError for hours that do not divide the day, and for a table that is coarser,
        ProblemFileError where a few rows are so far from all others that hardly a step would have any.
        """
        if hours < 1 or 24 % hours:
            raise SpecificationError(f"hours: got {hours}, expected a divisor of 24 such as 1 or 3")
        times = table["time"].to_numpy().astype("datetime64[s]")
        _, gaps = _gaps(table["station"].factorize()[0], times)
        (source,) = _commonest(np.zeros_like(gaps), gaps, default=np.ones(1))
        if source > hours:
            raise SpecificationError(f"hours: got {hours}, but the tables have a row every {source:g} h; ask for that")
        first = times.min().astype("datetime64[D]").astype("datetime64[s]")
        start = first + (times.min() - first) // (hours * HOUR) * (hours * HOUR)
        made = cls(start, hours, int((times.max() - start) // (hours * HOUR)) + 1)
        made._check_far(table, times)
        return made

    @property
    def times(self) -> Shaped[np.ndarray, " steps"]:
        return self.start + np.arange(self.steps) * (self.hours * HOUR)

    def means(
        self, table: DataFrame, stations: Sequence[str], values: NDArray[np.floating], least: float
    ) -> NDArray[np.float32]:
        """(steps, stations, k) of values (rows of the table, k): the mean of what was measured in an interval, NaN
        where that is less than the share `least` of what a whole one has, as often as this variable is measured at this
        station."""
        place, times = _where(table, stations)
        cells = self._steps(times) * len(stations) + place
        usual = _spacings(place, times, np.ones(len(stations)))
        size = self.steps * len(stations)
        means = np.empty((size, values.shape[1]), dtype=np.float32)
        for k, column in enumerate(values.T):
            seen = np.isfinite(column)
            count = np.bincount(cells[seen], minlength=size)
            total = np.bincount(cells[seen], weights=column[seen], minlength=size)
            whole = np.tile(self.hours / _spacings(place[seen], times[seen], usual), self.steps)
            enough = (count > 0) & (count >= least * whole - 1e-9)
            means[:, k] = np.where(enough, total / np.maximum(count, 1), np.nan)
        return means.reshape(self.steps, len(stations), -1)

    def absent(self, table: DataFrame, stations: Sequence[str]) -> int:
        """How many rows are lacking, every station having one as often as it usually does, from first to last."""
        place, times = _where(table, stations)
        usual = _spacings(place, times, np.ones(len(stations)))
        expected = np.floor((times.max() - times.min()) / HOUR / usual + 1e-9) + 1
        return int(np.maximum(expected - np.bincount(place, minlength=len(stations)), 0).sum())

    def _steps(self, times: Shaped[np.ndarray, " rows"]) -> Int[np.ndarray, " rows"]:
        return (times - self.start) // (self.hours * HOUR)

    def _check_far(self, table: DataFrame, times: Shaped[np.ndarray, " rows"]) -> None:
        order, filled = np.argsort(times), len(np.unique(self._steps(times)))
        gaps = np.diff(times[order], prepend=times.min())
        after, rows = int(np.argmax(gaps)), len(times)
        few, gap = min(after, rows - after), gaps[after]
        if gap <= EMPTY * filled * self.hours * HOUR or few > max(1, FEW * rows):
            return
        far = order[after - 1] if after < rows - after else order[after]
        raise ProblemFileError(
            f"tables: time {times[far]} (station '{table['station'].iloc[far]}'): {few} of {rows} rows"
            f" {'is' if few == 1 else 'are'} {gap / HOUR / 24:.0f} days away from all others, so that only {filled}"
            f" of {self.steps} steps would have rows; correct such times, or leave their rows out"
        )


def _where(table: DataFrame, stations: Sequence[str]) -> tuple[Int[np.ndarray, " rows"], Shaped[np.ndarray, " rows"]]:
    """The number of each row's station, and its time."""
    place = table["station"].map({name: k for k, name in enumerate(stations)})
    return place.to_numpy(), table["time"].to_numpy().astype("datetime64[s]")


def _spacings(
    place: Int[np.ndarray, " rows"], times: Shaped[np.ndarray, " rows"], default: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """The commonest time between neighbouring rows of every station, in hours; `default` where it has one row."""
    return _commonest(*_gaps(place, times), default)


def _gaps(
    place: Int[np.ndarray, " rows"], times: Shaped[np.ndarray, " rows"]
) -> tuple[Int[np.ndarray, " gaps"], Int[np.ndarray, " gaps"]]:
    """Between neighbouring rows of a station: its number, and the seconds."""
    order = np.lexsort((times, place))
    gaps, of = np.diff(times[order]).astype(np.int64), place[order]
    inside = (of[1:] == of[:-1]) & (gaps > 0)
    return of[1:][inside], gaps[inside]


def _commonest(
    of: Int[np.ndarray, " gaps"], gaps: Int[np.ndarray, " gaps"], default: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """In hours, for each of n; the shortest of those that are equally common."""
    base = gaps.max(initial=0) + 1
    pairs, counts = np.unique(of * base + gaps, return_counts=True)
    rising, found = np.lexsort((-pairs, counts)), default.copy()
    found[pairs[rising] // base] = pairs[rising] % base / 3600  # of one station's, the last stays
    return found
