"""Concentrations and weather at stations over time: what every reader makes and every model is given."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Shaped

from physolve.errors import SpecificationError

from ._stations import Stations

WEATHER = ("temperature", "pressure", "dew_point", "wind_east", "wind_north")
"""deg C, hPa, deg C, m/s, m/s. The wind is the vector TO which the air moves."""

HUMID_WEATHER = ("temperature", "pressure", "humidity", "wind_east", "wind_north")
"""The same with relative humidity, %."""

EAST, NORTH = 3, 4
"""Where the wind stands in both."""


@dataclass(frozen=True, eq=False)
class AirSeries:
    """Measurements at stations at evenly spaced instants. What was not measured is NaN: nothing is invented.

    stations       n places
    times          (T,) datetime64[s], the start of every interval, local time as in the source
    step           hours between them; measured values are means over [time, time + step), generated ones instants
    pollutants     names, such as ("PM2.5",)
    values         (T, n, pollutants) micrograms per cubic metre, float32
    weather        (T, n, 5) float32, named by weather_names
    weather_names  WEATHER or HUMID_WEATHER

    Raises SpecificationError for shapes that do not fit together and for times that are not evenly spaced.
    """

    stations: Stations
    times: Shaped[np.ndarray, " time"]
    step: float
    pollutants: tuple[str, ...]
    values: Float[np.ndarray, "time n pollutants"]
    weather: Float[np.ndarray, "time n 5"]
    weather_names: tuple[str, ...] = WEATHER

    def __post_init__(self) -> None:
        if self.weather_names not in (WEATHER, HUMID_WEATHER):
            raise SpecificationError(f"weather_names: got {self.weather_names}, expected {WEATHER} or {HUMID_WEATHER}")
        lead = (len(self.times), len(self.stations))
        for what, got, expected in (
            ("values", self.values.shape, (*lead, len(self.pollutants))),
            ("weather", self.weather.shape, (*lead, len(WEATHER))),
        ):
            if got != expected:
                raise SpecificationError(f"{what}: got shape {got}, expected {expected}: (times, stations, names)")
        steps = np.diff(self.times.astype("datetime64[s]")).astype(np.int64)
        wrong = steps != round(3600 * self.step)
        if wrong.any():
            k = int(np.argmax(wrong))
            raise SpecificationError(
                f"times: {self.times[k + 1]} is {steps[k] / 3600:g} h after {self.times[k]}, expected {self.step:g} h"
            )

    def __len__(self) -> int:
        return len(self.times)

    def between(self, first: int, last: int) -> "AirSeries":
        """The steps first to last - 1."""
        cut = slice(first, last)
        return replace(self, times=self.times[cut], values=self.values[cut], weather=self.weather[cut])

    @property
    def wind(self) -> Float[np.ndarray, "time n 2"]:
        """East and north, m/s, the vector TO which the air moves; NaN where missing."""
        return self.weather[..., EAST : NORTH + 1]
