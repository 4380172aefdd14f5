"""What a model is made for: an equation, stations, a step, pollutants, and the scale of their values."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from physolve.errors import SpecificationError
from physolve.spec import Problem, StationSet, dumps_problem, loads_problem, split_time

from .data import AirSeries, Scaler, Stations


@dataclass(frozen=True, eq=False)
class AirSetup:
    """What a series must agree with to be forecast.

    problem        its equation decides the network's physics; see `operators.lower`
    stations       in their order
    step           hours
    pollutants     inputs; the first is forecast
    weather_names  of the series
    scaler         of the training part
    """

    problem: Problem
    stations: Stations
    step: float
    pollutants: tuple[str, ...]
    weather_names: tuple[str, ...]
    scaler: Scaler

    @classmethod
    def of(cls, problem: Problem, train: AirSeries) -> "AirSetup":
        """For series like this one, whose values give the scale; the problem is stated anew at its stations."""
        names = train.pollutants, train.weather_names
        return cls(at_stations(problem, train.stations), train.stations, train.step, *names, Scaler.fit(train))

    @property
    def scale(self) -> float:
        """Micrograms per cubic metre in the model's unit of concentration."""
        return float(self.scaler.values_std[0])

    @property
    def level(self) -> float:
        """The mean concentration in the model's unit."""
        return float(self.scaler.values_mean[0]) / self.scale

    def check(self, series: AirSeries) -> None:
        """Raises SpecificationError, which names what differs."""
        pairs = (
            ("stations", series.stations.names, self.stations.names),
            ("latitudes", _degrees(series.stations.latitude), _degrees(self.stations.latitude)),
            ("longitudes", _degrees(series.stations.longitude), _degrees(self.stations.longitude)),
            ("step (hours)", series.step, self.step),
            ("pollutants", series.pollutants, self.pollutants),
            ("weather", series.weather_names, self.weather_names),
        )
        for what, got, expected in pairs:
            if got != expected:
                raise SpecificationError(f"series: {what}: got {got}, expected {expected} as the model was made for")

    def as_record(self) -> dict[str, Any]:
        """JSON-able, for the header of a file of weights."""
        return {
            "problem": dumps_problem(self.problem),
            "stations": list(self.stations.names),
            "latitude": self.stations.latitude.tolist(),
            "longitude": self.stations.longitude.tolist(),
            "step": self.step,
            "pollutants": list(self.pollutants),
            "weather_names": list(self.weather_names),
            "scaler": self.scaler.as_record(),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "AirSetup":
        """What `as_record` gave; raises KeyError, TypeError or ValueError for anything else."""
        places = (np.array(record[name], dtype=float) for name in ("latitude", "longitude"))
        return cls(
            loads_problem(record["problem"]),
            Stations(tuple(record["stations"]), *places),
            float(record["step"]),
            tuple(record["pollutants"]),
            tuple(record["weather_names"]),
            Scaler.from_record(record["scaler"]),
        )


def _degrees(values: np.ndarray) -> tuple[float, ...]:
    """To about ten metres."""
    return tuple(np.round(values.astype(float), 4).tolist())


def at_stations(problem: Problem, stations: Stations) -> Problem:
    """The same equation at other stations. Raises SpecificationError for a problem without time."""
    time = split_time(problem.domain)[1]
    if time is None:
        raise SpecificationError(
            f"problem: got the domain {problem.domain!r}, expected stations(...) * time(0, 259200)"
        )
    places = tuple(zip(stations.longitude.tolist(), stations.latitude.tolist(), strict=True))
    return replace(problem, domain=StationSet(places) * time)
