"""Rows at any times to means over the intervals of a regular clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Shaped
from numpy.typing import NDArray

from physolve.errors import SpecificationError

if TYPE_CHECKING:
    from pandas import DataFrame

HOUR = np.timedelta64(3600, "s")


@dataclass(frozen=True, eq=False)
class Clock:
    """Intervals of `hours` from `start`, `steps` of them; the source has a row every `source_hours`."""

    start: np.datetime64
    hours: int
    steps: int
    source_hours: float

    @classmethod
    def over(cls, table: DataFrame, hours: int) -> Clock:
        """All times of a table; intervals are counted from midnight.

        Raises SpecificationError for hours that do not divide the day, and for a table that is coarser.
        """
        if hours < 1 or 24 % hours:
            raise SpecificationError(f"hours: got {hours}, expected a divisor of 24 such as 1 or 3")
        times = table["time"].to_numpy().astype("datetime64[s]")
        source = _spacing(table, times)
        if source > hours:
            raise SpecificationError(f"hours: got {hours}, but the tables have a row every {source:g} h; ask for that")
        first = times.min().astype("datetime64[D]").astype("datetime64[s]")
        start = first + (times.min() - first) // (hours * HOUR) * (hours * HOUR)
        return cls(start, hours, int((times.max() - start) // (hours * HOUR)) + 1, source)

    @property
    def times(self) -> Shaped[np.ndarray, " steps"]:
        return self.start + np.arange(self.steps) * (self.hours * HOUR)

    def cells(self, table: DataFrame, stations: Sequence[str]) -> NDArray[np.integer]:
        """(rows,): where each row belongs in an array (steps, stations), laid flat."""
        times = table["time"].to_numpy().astype("datetime64[s]")
        place = {name: k for k, name in enumerate(stations)}
        return (times - self.start) // (self.hours * HOUR) * len(stations) + table["station"].map(place).to_numpy()

    def means(
        self, table: DataFrame, stations: Sequence[str], values: NDArray[np.floating], least: float
    ) -> NDArray[np.float32]:
        """(steps, stations, k) of values (rows of the table, k): the mean of what was measured in an interval, NaN
        where that is less than the share `least` of what a whole one has, as often as this variable is measured."""
        times, cells = table["time"].to_numpy().astype("datetime64[s]"), self.cells(table, stations)
        size = self.steps * len(stations)
        means = np.empty((size, values.shape[1]), dtype=np.float32)
        for k, column in enumerate(values.T):
            seen = np.isfinite(column)
            count = np.bincount(cells[seen], minlength=size)
            total = np.bincount(cells[seen], weights=column[seen], minlength=size)
            whole = self.hours / _spacing(table[seen], times[seen])
            enough = (count > 0) & (count >= least * whole - 1e-9)
            means[:, k] = np.where(enough, total / np.maximum(count, 1), np.nan)
        return means.reshape(self.steps, len(stations), -1)


def _spacing(table: DataFrame, times: Shaped[np.ndarray, " rows"]) -> float:
    """The commonest time between neighbouring rows of a station, in hours; an hour where there is one row."""
    order = np.lexsort((times, table["station"].to_numpy().astype(str)))
    gaps = np.diff(times[order]).astype(np.int64)
    same = table["station"].to_numpy()[order][1:] == table["station"].to_numpy()[order][:-1]
    lengths, counts = np.unique(gaps[same & (gaps > 0)], return_counts=True)
    return float(lengths[np.argmax(counts)]) / 3600 if len(lengths) else 1.0
