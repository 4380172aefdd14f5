"""Conditions inside the domain: a value at a point, a mean value, and observations, the data of inverse problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sympy.core.function import AppliedUndef

from ..errors import SpecificationError
from ._condition import (
    Condition,
    Coordinates,
    Expressions,
    Where,
    components_of,
    condition_subject,
    differences,
    entries_of,
    is_shape,
    normalise,
    real_array,
    set_field,
)


@dataclass(frozen=True)
class PointValue(Condition):
    """u = value at one point of the domain."""

    kind: ClassVar[str] = "point_value"
    on: ClassVar[Where] = None
    u: Any
    point: tuple[float, ...]
    value: Any = 0

    def __post_init__(self) -> None:
        normalise(self, "value")
        point = real_array(self.point, "point_value condition: the point")
        if point.ndim > 1 or not np.isfinite(point).all():
            raise SpecificationError(f"point_value condition: expected one point, got {self.point!r}")
        set_field(self, "point", tuple(float(c) for c in np.atleast_1d(point)))

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return components_of(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        return differences(self.u, self.value)


@dataclass(frozen=True)
class MeanValue(Condition):
    """The mean of u over the domain, or over the shape `over` inside it, is `value` (at every time)."""

    kind: ClassVar[str] = "mean_value"
    on: ClassVar[Where] = None
    u: Any
    value: Any = 0
    over: Any = None

    def __post_init__(self) -> None:
        normalise(self, "value")
        if self.over is not None and not is_shape(self.over):
            raise SpecificationError(f"mean_value condition: 'over' must be a shape, got {self.over!r}")

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return components_of(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        """The components of u, whose means are compared with `value`."""
        return tuple(components_of(self.u))

    def values(self) -> Expressions:
        """The value for each component."""
        return entries_of(self.value)


@dataclass(frozen=True, eq=False)
class Observations(Condition):
    """Measured values of u at points: `points` (n, dim) with the time last, `values` (n,) or (n, components).

    `noise` is the standard deviation of the values' error, if known. Arrays are copied and read-only;
    equality is by value.
    """

    kind: ClassVar[str] = "observations"
    on: ClassVar[Where] = None
    u: Any
    points: np.ndarray
    values: np.ndarray
    noise: float | None = None

    def __post_init__(self) -> None:
        normalise(self)
        for name in ("points", "values"):
            array = np.array(real_array(getattr(self, name), f"observations condition: {name}"), dtype=np.float64)
            array = array[:, None] if name == "points" and array.ndim == 1 else array
            array.setflags(write=False)
            set_field(self, name, array)
        if self.noise is not None:
            set_field(self, "noise", float(real_array(self.noise, "observations condition: noise")))

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return components_of(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        """The components of u, whose values at the points are compared with the columns of `values`."""
        return tuple(components_of(self.u))

    def _key(self) -> tuple:
        arrays = ((a.shape, a.tobytes()) for a in (self.points, self.values))
        return self.u, self.noise, *arrays

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Observations) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Observations({condition_subject(self)}, {len(self.points)} points, noise={self.noise})"
