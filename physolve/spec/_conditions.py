"""Boundary, initial, point, mean and interface conditions, and observations: immutable statements about unknowns.

`on` says where a condition holds: None (the whole boundary of space; for a time-dependent problem at all
times), the name of a boundary part, a shape (its boundary), a tuple of names and shapes, a sympy condition in
the coordinates, or a Python callable(points (n, dim)) -> mask (n,), which cannot be written to a file.

`condition.equations(coordinates)` are residual expressions, zero where the condition holds, with the symbols
n_x, n_y, ... for the outward normal. Four kinds instead give plain expressions whose values are compared:
`Periodic` (equal at both ends), `Interface` (jump across), `MeanValue` (its mean is `value`), `Observations`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import sympy
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean
from sympy.matrices import MatrixBase

from ..errors import SpecificationError
from ._operators import as_operand, d, dt, flatten_equation
from ._symbols import is_unknown, name_of, normal, space_of, unknowns_of, vector_name_of

Where: TypeAlias = Any  # None | str | Shape | tuple of those | sympy Boolean | callable(points) -> mask
Expressions: TypeAlias = tuple[sympy.Expr, ...]
Coordinates: TypeAlias = Sequence[sympy.Symbol]


class Condition(ABC):
    """What every condition can tell."""

    kind: ClassVar[str]
    on: Where

    @abstractmethod
    def unknowns(self) -> tuple[AppliedUndef, ...]:
        """The scalar unknowns that the condition speaks of."""

    @abstractmethod
    def equations(self, coords: Coordinates) -> Expressions:
        """Residual expressions, or the expressions that are compared (see the module's text)."""


@dataclass(frozen=True)
class Dirichlet(Condition):
    """u = value on a part of the boundary (or on a curve inside the domain, if `on` is a shape)."""

    kind: ClassVar[str] = "dirichlet"
    u: Any
    value: Any = 0
    on: Where = None

    def __post_init__(self) -> None:
        _normalise(self, "value")

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return _components(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        return _differences(self.u, self.value)


@dataclass(frozen=True)
class Neumann(Condition):
    """du/dn = value, n the outward normal in space."""

    kind: ClassVar[str] = "neumann"
    u: Any
    value: Any = 0
    on: Where = None

    def __post_init__(self) -> None:
        _normalise(self, "value")

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return _components(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        slopes = [normal_derivative(u, coords) for u in _components(self.u)]
        return _differences(slopes, self.value)


@dataclass(frozen=True)
class Robin(Condition):
    """a u + b du/dn = value; a and b may depend on the coordinates."""

    kind: ClassVar[str] = "robin"
    u: Any
    a: Any
    b: Any
    value: Any = 0
    on: Where = None

    def __post_init__(self) -> None:
        _normalise(self, "value")
        _set(self, "a", as_operand(self.a, "robin condition, a"))
        _set(self, "b", as_operand(self.b, "robin condition, b"))

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return _components(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        sides = [self.a * u + self.b * normal_derivative(u, coords) for u in _components(self.u)]
        return _differences(sides, self.value)


@dataclass(frozen=True)
class Periodic(Condition):
    """u and its derivatives along `along` up to `order` are equal at both ends of that coordinate."""

    kind: ClassVar[str] = "periodic"
    on: ClassVar[Where] = None
    u: Any
    along: sympy.Symbol
    order: int = 1

    def __post_init__(self) -> None:
        _normalise(self)
        if not isinstance(self.along, sympy.Symbol):
            raise SpecificationError(f"periodic condition: 'along' must be a coordinate, got {self.along!r}")
        if isinstance(self.order, bool) or not isinstance(self.order, int) or not 0 <= self.order <= 3:
            raise SpecificationError(f"periodic condition: the order must be 0, 1, 2 or 3, got {self.order!r}")

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return _components(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        """The expressions to be equal at both ends: for every unknown its value, then its derivatives."""
        return tuple(d(u, self.along, k) for u in _components(self.u) for k in range(self.order + 1))


@dataclass(frozen=True)
class Initial(Condition):
    """u = value, and du/dt = velocity if given, at the start of time."""

    kind: ClassVar[str] = "initial"
    on: ClassVar[Where] = None
    u: Any
    value: Any = 0
    velocity: Any = None

    def __post_init__(self) -> None:
        _normalise(self, "value")
        if self.velocity is not None:
            _normalise(self, "velocity")

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return _components(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        """u - value of every component, then du/dt - velocity of every component."""
        values = _differences(self.u, self.value)
        return values if self.velocity is None else values + _differences(dt(self.u), self.velocity)


@dataclass(frozen=True)
class PointValue(Condition):
    """u = value at one point of the domain."""

    kind: ClassVar[str] = "point_value"
    on: ClassVar[Where] = None
    u: Any
    point: tuple[float, ...]
    value: Any = 0

    def __post_init__(self) -> None:
        _normalise(self, "value")
        point = _real_array(self.point, "point_value condition: the point")
        if point.ndim > 1 or not np.isfinite(point).all():
            raise SpecificationError(f"point_value condition: expected one point, got {self.point!r}")
        _set(self, "point", tuple(float(c) for c in np.atleast_1d(point)))

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return _components(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        return _differences(self.u, self.value)


@dataclass(frozen=True)
class MeanValue(Condition):
    """The mean of u over the domain, or over the shape `over` inside it, is `value` (at every time)."""

    kind: ClassVar[str] = "mean_value"
    on: ClassVar[Where] = None
    u: Any
    value: Any = 0
    over: Any = None

    def __post_init__(self) -> None:
        _normalise(self, "value")
        if self.over is not None and not is_shape(self.over):
            raise SpecificationError(f"mean_value condition: 'over' must be a shape, got {self.over!r}")

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return _components(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        """The components of u, whose means are compared with `value`."""
        return tuple(_components(self.u))

    def values(self) -> Expressions:
        """The value for each component."""
        return _entries(self.value)


@dataclass(frozen=True)
class Interface(Condition):
    """Jumps across an interior boundary: [u] = jump and [n . flux] = flux_jump, outside minus inside of the shape.

    `flux` is a vector expression such as k*grad(u); None means grad(u) of every component.
    """

    kind: ClassVar[str] = "interface"
    u: Any
    on: Where
    jump: Any = 0
    flux: Any = None
    flux_jump: Any = 0

    def __post_init__(self) -> None:
        _normalise(self, "jump", "flux_jump")
        if self.flux is not None:
            _set(self, "flux", as_operand(self.flux, "interface condition, flux"))

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return _components(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        """The components of u, then their normal fluxes; their jumps are compared with `jumps()`."""
        values = _components(self.u)
        if self.flux is None:
            return (*values, *(normal_derivative(u, coords) for u in values))
        n = sympy.ImmutableDenseMatrix(normal(*coords))
        flux = self.flux if self.flux.cols == 1 and len(values) == 1 else self.flux.T
        rows = flux.T * n
        return (*values, *rows)

    def jumps(self) -> Expressions:
        """The jump of each of `equations(...)`."""
        return _entries(self.jump) + _entries(self.flux_jump)


@dataclass(frozen=True)
class BoundaryEquation(Condition):
    """Any equation between the unknowns and their derivatives on the boundary; `physolve.normal(x, y)` is n."""

    kind: ClassVar[str] = "boundary_equation"
    equation: Any
    on: Where = None

    def __post_init__(self) -> None:
        _set(self, "equation", flatten_equation(self.equation, "boundary_equation condition"))
        _set(self, "on", _where(self.on, self.kind))

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return unknowns_of(*self.equation)

    def equations(self, coords: Coordinates) -> Expressions:
        return tuple(e.lhs - e.rhs for e in self.equation)


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
        _normalise(self)
        for name in ("points", "values"):
            array = np.array(_real_array(getattr(self, name), f"observations condition: {name}"), dtype=np.float64)
            array = array[:, None] if name == "points" and array.ndim == 1 else array
            array.setflags(write=False)
            _set(self, name, array)
        if self.noise is not None:
            _set(self, "noise", float(_real_array(self.noise, "observations condition: noise")))

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return _components(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        """The components of u, whose values at the points are compared with the columns of `values`."""
        return tuple(_components(self.u))

    def _key(self) -> tuple:
        arrays = ((a.shape, a.tobytes()) for a in (self.points, self.values))
        return self.u, self.noise, *arrays

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Observations) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Observations({condition_subject(self)}, {len(self.points)} points, noise={self.noise})"


def normal_derivative(u: sympy.Expr, coords: Coordinates) -> sympy.Expr:
    """n . grad(u) with the symbols n_x, n_y, ..."""
    return sympy.Add(*(n * sympy.diff(u, s) for n, s in zip(normal(*coords), space_of(coords), strict=True)))


def condition_subject(condition: Condition) -> str:
    """The unknowns of a condition as written: "u", "v" for a vector, "u, p" for several."""
    found: dict[str, None] = {}
    whole = isinstance(getattr(condition, "u", None), MatrixBase)
    for u in condition.unknowns():
        found.setdefault((vector_name_of(u) if whole else None) or name_of(u))
    return ", ".join(found)


def condition_label(index: int, condition: Condition) -> str:
    """How messages name a condition, counted from one: "condition 2 ('dirichlet' on u)"."""
    subject = condition_subject(condition)
    return f"condition {index} ('{condition.kind}'" + (f" on {subject})" if subject else ")")


def is_shape(value: object) -> bool:
    """Whether `value` is a geometric shape."""
    return hasattr(value, "signed_distance") and hasattr(value, "contains")


def _set(condition: Any, name: str, value: Any) -> None:
    object.__setattr__(condition, name, value)


def _normalise(condition: Any, *values: str) -> None:
    """u, the values and `on` in their one form: expressions, columns for vectors, tuples for lists."""
    kind = condition.kind
    _set(condition, "u", _unknown(condition.u, kind))
    for name in values:
        value = as_operand(getattr(condition, name), f"{kind} condition, {name}")
        if isinstance(condition.u, MatrixBase) and value == 0:
            value = sympy.ImmutableDenseMatrix(sympy.zeros(len(condition.u), 1))
        _set(condition, name, value)
    if "on" in type(condition).__dataclass_fields__:
        _set(condition, "on", _where(condition.on, kind))


def _unknown(u: Any, kind: str) -> Any:
    if isinstance(u, (tuple, list, MatrixBase)) and len(u) and all(is_unknown(c) for c in u):
        return sympy.ImmutableDenseMatrix(list(u))
    if is_unknown(u):
        return u
    raise SpecificationError(f"{kind} condition: expected an unknown made by physolve.unknown, got {u!r}")


def _where(on: Any, kind: str) -> Any:
    if isinstance(on, (list, tuple)):
        for each in on:
            if not isinstance(each, str) and not is_shape(each):
                raise SpecificationError(f"{kind} condition: a list for 'on' holds part names and shapes, got {each!r}")
        if not on:
            raise SpecificationError(f"{kind} condition: the list for 'on' is empty")
        return tuple(on)
    if on is None or isinstance(on, (str, Boolean)) or is_shape(on) or callable(on):
        return on
    raise SpecificationError(
        f"{kind} condition: 'on' must be a part's name, a shape, a condition such as x < 0.5 or a function, got {on!r}"
    )


def _components(u: Any) -> tuple[AppliedUndef, ...]:
    return tuple(u) if isinstance(u, MatrixBase) else (u,)


def _entries(value: Any) -> Expressions:
    return tuple(value) if isinstance(value, (MatrixBase, list, tuple)) else (value,)


def _differences(left: Any, right: Any) -> Expressions:
    return tuple(a - b for a, b in zip(_entries(left), _entries(right), strict=True))


def _real_array(value: Any, item: str) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError:
        raise SpecificationError(f"{item} must be an array of numbers, its rows have different lengths") from None
    if array.dtype == object:
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError):
            raise SpecificationError(f"{item} must be real numbers, got {value!r}") from None
    if array.dtype.kind not in "fiu":
        raise SpecificationError(f"{item} must be real numbers, got an array of {array.dtype}")
    return array
