"""What is drawn, how finely it is computed, and what of it is kept."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from physolve.errors import SpecificationError
from physolve.spec import Shape

from ._shapes import circle

DrawShape = Callable[[np.random.Generator, tuple[float, float], float], Shape]
"""A shape about a centre within a radius."""

Range = tuple[float, float]


@dataclass(frozen=True)
class ChannelSettings:
    """Flows through channels with obstacles, in m and s.

    length, height   of the channel
    viscosity        kinematic
    shapes           one of which is drawn for every obstacle
    obstacles        fewest and most
    radius           within which an obstacle lies
    centre           along the channel
    clearance        between obstacles, and to the walls
    peak             of the parabolic inflow
    ramp             time in which it grows from rest
    nodes            of the mesh, to about a tenth
    start            time of the first frame that is kept
    steps, interval  frames that are kept, and the time between them
    substeps         of the solver in an interval

    Raises SpecificationError for numbers that make no flow.
    """

    length: float = 1.6
    height: float = 0.41
    viscosity: float = 1e-3
    shapes: tuple[DrawShape, ...] = (circle,)
    obstacles: tuple[int, int] = (1, 1)
    radius: Range = (0.035, 0.07)
    centre: Range = (0.22, 0.45)
    clearance: float = 0.05
    peak: Range = (0.9, 1.8)
    ramp: Range = (0.1, 0.5)
    nodes: int = 1600
    start: float = 1.0
    steps: int = 201
    interval: float = 0.01
    substeps: int = 4

    def __post_init__(self) -> None:
        for name in ("length", "height", "viscosity", "clearance", "interval"):
            self._expect(name, 0 < getattr(self, name) < np.inf, "a positive number")
        for name in ("obstacles", "radius", "centre", "peak", "ramp"):
            low, high = getattr(self, name)
            self._expect(name, 0 <= low <= high < np.inf, "two numbers from 0, the larger last")
        for name, least in (("nodes", 100), ("steps", 2), ("substeps", 1)):
            self._expect(name, getattr(self, name) >= least, f"{least} or more")
        self._expect("shapes", bool(self.shapes), "at least one")
        self._expect("obstacles", self.obstacles[0] >= 1, "at least one obstacle")
        self._expect("radius", self.radius[0] > 0, "a positive radius")
        self._expect("peak", self.peak[0] > 0, "a positive speed")
        self._expect("start", 0 <= self.start < np.inf, "a time from 0")
        self._expect("radius", 2 * (self.radius[1] + self.clearance) <= self.height, "obstacles that leave a gap")
        reach = self.radius[1] + self.clearance
        self._expect("centre", reach <= self.centre[0] and self.centre[1] + reach <= self.length, "obstacles inside")

    def _expect(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            raise SpecificationError(f"channel settings: {name}: got {getattr(self, name)}, expected {expected}")

    def described(self) -> dict[str, object]:
        """As plain data, to tell whether two are the same."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain["shapes"] = [f"{shape.__module__}.{shape.__qualname__}" for shape in self.shapes]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}
