"""Where the inputs of a station at a step stand."""

from dataclasses import dataclass

from torch import Tensor

from ._clock import CLOCK
from .data import WEATHER

PER_POLLUTANT = 3
"""A concentration, its logarithm, and whether it was measured."""


@dataclass(frozen=True)
class InputLayout:
    """Columns: concentrations, their logarithms, whether they were measured, weather, clock."""

    pollutants: int

    @classmethod
    def of(cls, inputs: Tensor) -> "InputLayout":
        """Of inputs (..., features)."""
        return cls((inputs.shape[-1] - len(WEATHER) - CLOCK) // PER_POLLUTANT)

    @property
    def count(self) -> int:
        return PER_POLLUTANT * self.pollutants + len(WEATHER) + CLOCK

    @property
    def concentrations(self) -> slice:
        return slice(0, self.pollutants)

    @property
    def logarithms(self) -> slice:
        return slice(self.pollutants, 2 * self.pollutants)

    @property
    def seen(self) -> slice:
        """1 where the concentration was measured, else 0."""
        return slice(2 * self.pollutants, 3 * self.pollutants)

    @property
    def weather(self) -> slice:
        return slice(self.seen.stop, self.seen.stop + len(WEATHER))

    @property
    def clock(self) -> slice:
        return slice(self.weather.stop, self.count)
