"""Means and spreads of the training data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from physolve.errors import SpecificationError

from ._series import AirSeries

_FIELDS = ("values_mean", "values_std", "weather_mean", "weather_std")


@dataclass(frozen=True, eq=False)
class Scaler:
    """Mean and standard deviation of every pollutant and weather variable over all stations and times measured.

    values_mean, values_std      (pollutants,) micrograms per cubic metre, float32
    weather_mean, weather_std    (5,) in the units of the weather, float32

    A variable that does not vary has the standard deviation 1, one that was never measured the mean 0.
    """

    values_mean: Float[ndarray, " pollutants"]
    values_std: Float[ndarray, " pollutants"]
    weather_mean: Float[ndarray, " 5"]
    weather_std: Float[ndarray, " 5"]

    @classmethod
    def fit(cls, train: AirSeries) -> "Scaler":
        """Of the training part only: give it nothing else, or the test is known beforehand."""
        return cls(*_moments(train.values), *_moments(train.weather))

    def scaled_weather(self, weather: Float[ndarray, "*lead 5"]) -> Float[ndarray, "*lead 5"]:
        return (weather - self.weather_mean) / self.weather_std

    def as_record(self) -> dict[str, list[float]]:
        """Plain numbers, for the header of a file of weights."""
        return {name: [float(x) for x in getattr(self, name)] for name in _FIELDS}

    @classmethod
    def from_record(cls, record: Mapping[str, Sequence[float]]) -> "Scaler":
        """What `as_record` gave. Raises SpecificationError for a record that lacks something."""
        missing = [name for name in _FIELDS if name not in record]
        if missing:
            raise SpecificationError(f"scaler: no '{missing[0]}'; expected {', '.join(_FIELDS)}")
        return cls(*(np.asarray(record[name], dtype=np.float32) for name in _FIELDS))


def _moments(values: Float[ndarray, "time n k"]) -> tuple[Float[ndarray, " k"], Float[ndarray, " k"]]:
    rows = values.reshape(-1, values.shape[-1]).astype(np.float64)
    seen = np.isfinite(rows)
    count = np.maximum(seen.sum(0), 1)
    mean = np.where(seen, rows, 0).sum(0) / count
    std = np.sqrt(np.square(np.where(seen, rows - mean, 0)).sum(0) / count)
    flat = std <= 1e-6 * np.maximum(np.abs(mean), 1)  # float32 does not tell these from a constant
    return mean.astype(np.float32), np.where(flat, 1, std).astype(np.float32)
