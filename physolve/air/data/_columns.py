"""What the columns of a table are called."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from os import PathLike
from pathlib import Path
from typing import Any

from physolve.errors import ProblemFileError
from physolve.io import reading

from ._series import HUMID_WEATHER, WEATHER

POLLUTANTS = ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3")


@dataclass(frozen=True)
class Columns:
    """Names of the columns of a table with one row for every station and time.

    station         its name
    time            one column of times such as 2016-12-01T03:00, or those of year, month, day, hour
    pollutants      name to column; micrograms per cubic metre
    temperature     deg C
    pressure        hPa
    dew_point       deg C; read unless `humidity` is given
    humidity        relative, %
    wind_direction  where the wind comes FROM: degrees clockwise from north, or compass points such as NNW
    wind_speed      m/s
    factors         of variables in other units, such as {"pressure": 0.01} for Pa, {"CO": 1000} for mg/m^3
    """

    station: str = "station"
    time: str | tuple[str, ...] = "time"
    pollutants: Mapping[str, str] = field(default_factory=lambda: {name: name for name in POLLUTANTS})
    temperature: str = "temperature"
    pressure: str = "pressure"
    dew_point: str = "dew_point"
    humidity: str | None = None
    wind_direction: str = "wind_direction"
    wind_speed: str = "wind_speed"
    factors: Mapping[str, float] = field(default_factory=dict)

    @property
    def weather_names(self) -> tuple[str, ...]:
        """Those of a series that is made of such a table."""
        return WEATHER if self.humidity is None else HUMID_WEATHER

    @property
    def scalars(self) -> dict[str, str]:
        """Variables that are numbers, by name; the first three of the weather, then the wind's speed."""
        moist = {"dew_point": self.dew_point} if self.humidity is None else {"humidity": self.humidity}
        return {
            "temperature": self.temperature,
            "pressure": self.pressure,
            **moist,
            "wind_speed": self.wind_speed,
        }


BEIJING = Columns(
    time=("year", "month", "day", "hour"),
    temperature="TEMP",
    pressure="PRES",
    dew_point="DEWP",
    wind_direction="wd",
    wind_speed="WSPM",
)
"""The Beijing multi-site data (UCI 501)."""


def columns_for(header: list[str]) -> Columns:
    """Beijing's names where a table has its columns of time, else the plain ones."""
    return BEIJING if set(BEIJING.time) <= set(header) else Columns()


def read_columns(path: str | PathLike[str]) -> Columns:
    """From a small file; what it does not name is called as by default.

        station = "site"
        time = "utc"                    # or ["year", "month", "day", "hour"]
        wind_direction = "wdir"
        [pollutants]
        "PM2.5" = "pm25"
        [factors]
        wind_speed = 0.2778             # from km/h

    Raises ProblemFileError for unknown names and for values that are no text.
    """
    return reading(path, "TOML", lambda file: _columns(file, tomllib.loads(file.read_text(encoding="utf-8"))))


def _columns(file: Path, given: Mapping[str, Any]) -> Columns:
    known = [f.name for f in fields(Columns)]
    for name, value in given.items():
        if name not in known:
            raise ProblemFileError(f"{file}: item '{name}': unknown; expected {', '.join(known)}")
        _check(f"{file}: {name}", name, value)
    made: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    columns = Columns(**made)
    variables = (*columns.pollutants, *columns.scalars)
    stray = next((name for name in columns.factors if name not in variables), None)
    if stray is not None:
        raise ProblemFileError(f"{file}: factors.{stray}: no such variable; expected {', '.join(variables)}")
    return columns


def _check(item: str, name: str, value: object) -> None:
    if name in ("pollutants", "factors"):
        kind, words = (str, "column in quotes") if name == "pollutants" else ((int, float), "number")
        if not isinstance(value, dict) or not value or not all(isinstance(v, kind) for v in value.values()):
            raise ProblemFileError(f"{item}: got {value!r}, expected a table [{name}] of NAME = {words}")
    elif name == "time" and isinstance(value, list):
        if len(value) != 4 or not all(isinstance(v, str) for v in value):
            raise ProblemFileError(f"{item}: got {value!r}, expected the columns of year, month, day and hour")
    elif not isinstance(value, str):
        raise ProblemFileError(f'{item}: got {value!r}, expected the name of a column in quotes such as "{name}"')
