"""From tables of measurements to one series on a regular clock, and a report of what was wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from physolve.errors import ProblemFileError, SpecificationError

from ._cleaning import known_stations, once, plausible, timed
from ._columns import Columns
from ._intervals import Intervals
from ._report import Report
from ._rows import TableRows, read_rows, table_files
from ._series import EAST, AirSeries
from ._stations import Stations
from ._wind import wind_vector

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Preparation:
    """How tables become a series.

    hours        of an interval; a divisor of 24
    pollutants   which are kept
    least        share of an interval that must have been measured for its mean to count
    columns      what the columns are called; None: Beijing's names where the table has them, else the plain ones
    """

    hours: int = 3
    pollutants: tuple[str, ...] = ("PM2.5",)
    least: float = 0.5
    columns: Columns | None = None

    def __post_init__(self) -> None:
        if not 0 < self.least <= 1:
            raise SpecificationError(f"least: got {self.least}, expected a share above 0, at most 1")
        if not self.pollutants or len(set(self.pollutants)) != len(self.pollutants):
            raise SpecificationError(f"pollutants: got {self.pollutants}, expected at least one, each once")


def prepare(
    sources: Sequence[str | PathLike[str]],
    stations: Stations,
    preparation: Preparation | None = None,
    *,
    progress: Callable[[str], None] = lambda name: None,
) -> tuple[AirSeries, Report]:
    """Read tables (.csv, .csv.gz, .parquet, or folders of them) and put them on a regular clock.

    Rules, each with its count in the report: rows of stations that are not in the table of stations, and rows without
    a readable time, are left out; unreadable values, sentinels such as 999999 and impossible values (negative
    concentrations, 300 deg C) are missing; several rows for one station and time are joined, the first value of every
    variable being kept, so that concentrations and weather may lie in different tables; hours without a row are
    missing. The mean over an interval is that of what was measured, missing below the share `least`; winds are averaged
    as vectors. Nothing is interpolated. `progress` is told each file.

    Raises ProblemFileError for files and columns that cannot be read, where nothing is left, and for a few rows so far
    from all others that hardly a step would have any.
    """
    how = preparation or Preparation()
    read = []
    for path in table_files([Path(source) for source in sources]):
        progress(str(path))
        read.append(read_rows(path, how.columns, how.pollutants))
    _check_pollutants(read, how.pollutants)
    return _assembled(read, stations, how)


def _assembled(read: list[TableRows], stations: Stations, how: Preparation) -> tuple[AirSeries, Report]:
    import pandas as pd

    _check_weather(read)
    whole = pd.concat([rows.table for rows in read], ignore_index=True)
    known, unknown = known_stations(whole, stations.names)
    dated, bad_times = timed(known)
    _check_rest(dated, len(whole), unknown, bad_times, stations)
    sound, sentinels, impossible = plausible(dated)
    table, joined, contradicting = once(sound)
    kept = _reporting(stations, table)
    series, absent = _series(table, kept, read[0].columns, how)
    report = Report(
        rows=len(whole),
        unknown_stations=unknown,
        silent_stations=tuple(name for name in stations.names if name not in kept.names),
        bad_times=bad_times,
        joined=joined,
        contradicting=contradicting,
        absent=absent,
        unreadable=_summed(read),
        sentinels=sentinels,
        impossible=impossible,
        missing=_missing(series),
    )
    return series, report


def _series(table: DataFrame, stations: Stations, columns: Columns, how: Preparation) -> tuple[AirSeries, int]:
    """And how many rows are absent."""
    intervals = Intervals.over(table, how.hours)
    wind = wind_vector(table["wind_speed"].to_numpy(), table["wind_from"].to_numpy())
    scalars = table[list(columns.weather_names[:EAST])].to_numpy()
    series = AirSeries(
        stations=stations,
        times=intervals.times,
        step=float(how.hours),
        pollutants=how.pollutants,
        values=intervals.means(table, stations.names, table[list(how.pollutants)].to_numpy(), how.least),
        weather=intervals.means(table, stations.names, np.concatenate([scalars, wind], 1), how.least),
        weather_names=columns.weather_names,
    )
    return series, intervals.absent(table, stations.names)


def _check_weather(read: list[TableRows]) -> None:
    kinds = {rows.columns.weather_names for rows in read}
    if len(kinds) > 1:
        raise ProblemFileError("tables: some have humidity and some a dew point; prepare them one by one")


def _check_pollutants(read: list[TableRows], pollutants: Sequence[str]) -> None:
    for name in pollutants:
        if all(name in rows.absent for rows in read):
            first = read[0]
            raise ProblemFileError(
                f"{first.path}: columns: no '{first.columns.pollutants[name]}', nor in any other table; it has"
                f" {', '.join(first.header)}; name its columns in a file for --columns"
            )


def _check_rest(table: DataFrame, rows: int, unknown: dict[str, int], bad_times: int, stations: Stations) -> None:
    if not len(table):
        has = ", ".join(list(unknown)[:5]) or "none"
        raise ProblemFileError(
            f"tables: nothing is left of {rows} rows: {sum(unknown.values())} are of unknown stations ({has}; known are"
            f" {', '.join(stations.names[:5])}), {bad_times} have no readable time"
        )


def _reporting(stations: Stations, table: DataFrame) -> Stations:
    """Stations that have rows."""
    present = set(table["station"])
    kept = [k for k, name in enumerate(stations.names) if name in present]
    return Stations(tuple(stations.names[k] for k in kept), stations.latitude[kept], stations.longitude[kept])


def _summed(read: list[TableRows]) -> dict[str, int]:
    names = {name for rows in read for name in rows.unreadable}
    return {name: sum(rows.unreadable.get(name, 0) for rows in read) for name in sorted(names)}


def _missing(series: AirSeries) -> dict[str, float]:
    shares = {name: np.isnan(series.values[..., k]).mean() for k, name in enumerate(series.pollutants)}
    names = (*series.weather_names[:EAST], "wind")
    shares |= {name: np.isnan(series.weather[..., k]).mean() for k, name in enumerate(names)}
    return {name: float(share) for name, share in shares.items()}
