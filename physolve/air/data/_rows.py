"""Tables of measurements as pandas reads them, with our names for the columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from physolve.errors import ProblemFileError, UnsupportedError
from physolve.io import reading

from ._cleaning import SENTINELS
from ._columns import Columns, columns_for
from ._wind import degrees_from

if TYPE_CHECKING:
    from pandas import DataFrame, Series

SUFFIXES = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True, eq=False)
class TableRows:
    """A table with the columns station, time (datetime64, NaT where unreadable), the pollutants and other scalars
    (float), wind_from (degrees); NaN where a value is missing or unreadable.

    header       the file's own columns
    absent       pollutants that it has no column for
    unreadable   by variable, how many values are something else than a number or a direction
    """

    path: Path
    table: DataFrame
    columns: Columns
    header: tuple[str, ...]
    absent: frozenset[str]
    unreadable: dict[str, int]


def table_files(sources: Sequence[str | Path]) -> list[Path]:
    """Files, and the tables in folders, in order. Raises ProblemFileError for none, or for other suffixes."""
    found: list[Path] = []
    for source in map(Path, sources):
        inside = sorted(p for p in source.iterdir() if _suffix_known(p)) if source.is_dir() else [source]
        found += [p for p in inside if not (source.is_dir() and p.name == "stations.csv")]
    if not found:
        raise ProblemFileError(f"{', '.join(map(str, sources)) or 'input'}: no tables; expected {', '.join(SUFFIXES)}")
    for path in found:
        if not _suffix_known(path):
            raise ProblemFileError(f"{path}: file: suffix '{path.suffix}'; known are {', '.join(SUFFIXES)}")
    return found


def _suffix_known(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES)


def read_rows(path: Path, columns: Columns | None, pollutants: Sequence[str]) -> TableRows:
    """One file. Raises ProblemFileError for no column of station or time, and for a pollutant of no known column."""
    table = reading(path, "table", partial(_read, columns=columns))
    names = columns or columns_for(list(table.columns))
    _check(path, table, names, pollutants)
    unreadable: dict[str, int] = {}
    made: dict[str, Any] = {
        "station": table[names.station].astype(str).str.strip(),
        "time": _times(path, table, names.time),
    }
    scalars = {**{name: names.pollutants[name] for name in pollutants}, **names.scalars}
    for name, column in scalars.items():
        values, unreadable[name] = _numbers(table, column)
        marks = values.isin(SENTINELS)  # in the table's own units
        made[name] = values.where(marks, values * names.factors.get(name, 1.0))
    made["wind_from"], unreadable["wind_direction"] = _directions(table, names.wind_direction)
    from pandas import DataFrame

    header = tuple(map(str, table.columns))
    absent = frozenset(name for name in pollutants if names.pollutants[name] not in header)
    return TableRows(path, DataFrame(made), names, header, absent, unreadable)


def _read(path: Path, columns: Columns | None) -> DataFrame:
    """Names of stations as they are written: 007 is no number, NA is not missing."""
    import pandas as pd

    if path.suffix.lower() == ".parquet":
        try:
            return pd.read_parquet(path)
        except ImportError:
            raise UnsupportedError("parquet needs pyarrow: pip install 'physolve[parquet]'") from None
    table = pd.read_csv(path, low_memory=False, encoding="utf-8-sig")
    station = (columns or columns_for(list(table.columns))).station
    if station in table.columns:
        names = pd.read_csv(path, usecols=[station], dtype=str, keep_default_na=False, encoding="utf-8-sig")
        table[station] = names[station]
    return table


def _check(path: Path, table: DataFrame, names: Columns, pollutants: Sequence[str]) -> None:
    stray = next((name for name in pollutants if name not in names.pollutants), None)
    if stray is not None:
        raise ProblemFileError(f"pollutant '{stray}': no column is known for it; known: {', '.join(names.pollutants)}")
    times = (names.time,) if isinstance(names.time, str) else names.time
    for column in (names.station, *times):
        if column not in table.columns:
            raise ProblemFileError(
                f"{path}: columns: no '{column}'; it has {', '.join(map(str, table.columns))}; name its columns in a"
                " file for --columns"
            )


def _times(path: Path, table: DataFrame, time: str | tuple[str, ...]) -> Series:
    import pandas as pd

    if isinstance(time, str):
        return _naive(path, table[time])
    parts = {part: pd.to_numeric(table[c], errors="coerce") for part, c in zip(_PARTS, time, strict=True)}
    return pd.to_datetime(pd.DataFrame(parts), errors="coerce")


_PARTS = ("year", "month", "day", "hour")
_ZONE = r"([T ][\d:.]+) ?(?:Z|[+-]\d\d?(?::?\d\d)?)$"
"""Behind a time of day: the end of a date alone looks like one."""


def _naive(path: Path, column: Series) -> Series:
    """The clock as it is written: a zone is dropped, not converted, whichever zone each row has."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.tz_localize(None)
    if pd.api.types.is_numeric_dtype(column) and column.notna().any():
        raise ProblemFileError(
            f"{path}: column '{column.name}': got numbers such as {column.dropna().iloc[0]}, expected times such as"
            " 2016-12-01T03:00; or name the columns of year, month, day and hour in a file for --columns"
        )
    written = column.astype(str).str.replace(_ZONE, r"\1", regex=True)
    return pd.to_datetime(written, errors="coerce", format="ISO8601")


def _numbers(table: DataFrame, column: str) -> tuple[Series, int]:
    """Missing altogether where the table has no such column."""
    import pandas as pd

    if column not in table.columns:
        return pd.Series(np.nan, index=table.index), 0
    values = pd.to_numeric(table[column], errors="coerce").astype(float)
    return values, int((values.isna() & table[column].notna()).sum())


def _directions(table: DataFrame, column: str) -> tuple[Any, int]:
    if column not in table.columns:
        return np.full(len(table), np.nan), 0
    degrees = degrees_from(table[column].tolist())
    return degrees, int((np.isnan(degrees) & table[column].notna().to_numpy()).sum())
