"""Rules for what cannot be right; every one is told in the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pandas import DataFrame

SENTINELS = (999999.0, 999017.0, 99999.0, -99.0, -999.0, -9999.0)
"""Numbers that mark missing values. 999 and 9999 are none: they may be concentrations, in CO's case they are."""

BOUNDS = {
    "temperature": (-90.0, 60.0),
    "pressure": (500.0, 1100.0),
    "dew_point": (-90.0, 40.0),
    "humidity": (0.0, 105.0),  # sensors read a little more than 100 in fog
    "wind_speed": (0.0, 115.0),
}
"""Records on Earth, rounded outwards; pressure at stations up to 5,500 m."""

CONCENTRATION = (0.0, 1e5)
"""Micrograms per cubic metre."""


def known_stations(table: DataFrame, names: Sequence[str]) -> tuple[DataFrame, dict[str, int]]:
    """Without the rows of other stations, and how many those are."""
    known = table["station"].isin(list(names))
    unknown = table.loc[~known, "station"].value_counts(sort=False)
    return table[known], {str(name): int(count) for name, count in unknown.items()}


def timed(table: DataFrame) -> tuple[DataFrame, int]:
    """Without the rows that have no time."""
    good = table["time"].notna()
    return table[good], int((~good).sum())


def once(table: DataFrame) -> tuple[DataFrame, int, int]:
    """One row for every station and time, with the first value of every variable: rows may complete each other, such as
    those of a table of concentrations and one of weather. How many rows were joined to an earlier one without saying
    anything else, and how many said something else."""
    keys = ["station", "time"]
    later = table.duplicated(keys)
    if not later.any():
        return table, 0, 0
    groups = table.groupby(keys, sort=False)
    values = table.drop(columns=keys)
    other = (values.notna() & (values != groups.transform("first"))).any(axis=1)
    return groups.first().reset_index(), int((later & ~other).sum()), int((later & other).sum())


def plausible(table: DataFrame) -> tuple[DataFrame, dict[str, int], dict[str, int]]:
    """Values that cannot be are missing; how many were sentinels and how many out of bounds, by variable."""
    table, sentinels, impossible = table.copy(), {}, {}
    for name in table.columns.drop(["station", "time", "wind_from"]):
        values = table[name].to_numpy(copy=True)
        marks = np.isin(values, SENTINELS)
        lower, upper = BOUNDS.get(name, CONCENTRATION)
        wrong = ~marks & ((values < lower) | (values > upper))
        values[marks | wrong] = np.nan
        table[name], sentinels[name], impossible[name] = values, int(marks.sum()), int(wrong.sum())
    return table, sentinels, impossible
