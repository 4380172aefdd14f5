"""What enters a channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import SpecificationError
from .._triangulation import Floats


@dataclass(frozen=True)
class Inflow:
    """A parabola across the channel, 4 peak y (height - y) / height^2, that may grow from rest or swell.

    height    of the channel
    peak      in the middle; the mean is two thirds of it
    ramp      it grows from rest in this time, as (1 - cos(pi t / ramp)) / 2; 0: it is there from the start
    period    it is sin(pi t / period) times as fast, as in the benchmark DFG 2D-3 (period 8); None: it stays

    Raises SpecificationError for numbers that are not positive.
    """

    height: float
    peak: float
    ramp: float = 0.0
    period: float | None = None

    def __post_init__(self) -> None:
        given = {"height": self.height, "peak": self.peak, "period": 1.0 if self.period is None else self.period}
        for name, value in given.items():
            if not 0 < value < np.inf:
                raise SpecificationError(f"inflow: {name}: got {value}, expected a positive number")
        if not 0 <= self.ramp < np.inf:
            raise SpecificationError(f"inflow: ramp: got {self.ramp}, expected a number from 0")

    def __call__(self, points: Floats, t: float) -> Floats:
        """Velocities (k, 2) at points (k, 2) and a time."""
        y = points[:, 1]
        across = 4 * self.peak * self.share(t) * y * (self.height - y) / self.height**2
        return np.stack([across, np.zeros_like(y)], axis=1)

    def share(self, t: float) -> float:
        """Of the peak, at a time."""
        share = 1.0 if t >= self.ramp else (1 - float(np.cos(np.pi * t / self.ramp))) / 2
        return share if self.period is None else share * float(np.sin(np.pi * t / self.period))
