"""Boundary, initial, periodic and interface conditions; what `on` may be stands in `_condition.py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import sympy
from sympy.core.function import AppliedUndef

from ..errors import SpecificationError
from ._condition import (
    Condition,
    Coordinates,
    Expressions,
    Where,
    checked_where,
    components_of,
    differences,
    entries_of,
    is_shape,
    normalise,
    set_field,
)
from ._operators import as_operand, d, dt, flatten_equation
from ._symbols import normal, space_of, unknowns_of


@dataclass(frozen=True)
class Dirichlet(Condition):
    """u = value on a part of the boundary (or on a curve inside the domain, if `on` is a shape)."""

    kind: ClassVar[str] = "dirichlet"
    u: Any
    value: Any = 0
    on: Where = None

    def __post_init__(self) -> None:
        normalise(self, "value")

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return components_of(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        return differences(self.u, self.value)


@dataclass(frozen=True)
class Neumann(Condition):
    """du/dn = value, n the outward normal in space."""

    kind: ClassVar[str] = "neumann"
    u: Any
    value: Any = 0
    on: Where = None

    def __post_init__(self) -> None:
        normalise(self, "value")

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return components_of(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        slopes = [normal_derivative(u, coords) for u in components_of(self.u)]
        return differences(slopes, self.value)


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
        normalise(self, "value")
        set_field(self, "a", as_operand(self.a, "robin condition, a"))
        set_field(self, "b", as_operand(self.b, "robin condition, b"))

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return components_of(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        sides = [self.a * u + self.b * normal_derivative(u, coords) for u in components_of(self.u)]
        return differences(sides, self.value)


@dataclass(frozen=True)
class Periodic(Condition):
    """u and its derivatives along `along` up to `order` are equal at both ends of that coordinate."""

    kind: ClassVar[str] = "periodic"
    on: ClassVar[Where] = None
    u: Any
    along: sympy.Symbol
    order: int = 1

    def __post_init__(self) -> None:
        normalise(self)
        if not isinstance(self.along, sympy.Symbol):
            raise SpecificationError(f"periodic condition: 'along' must be a coordinate, got {self.along!r}")
        if isinstance(self.order, bool) or not isinstance(self.order, int) or not 0 <= self.order <= 3:
            raise SpecificationError(f"periodic condition: the order must be 0, 1, 2 or 3, got {self.order!r}")

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return components_of(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        """The expressions to be equal at both ends: for every unknown its value, then its derivatives."""
        return tuple(d(u, self.along, k) for u in components_of(self.u) for k in range(self.order + 1))


@dataclass(frozen=True)
class Unbounded(Condition):
    """The domain is a window of a space without boundary, where the initial data hold as well.

    Time-dependent problems only. Nothing is known on the window's sides: methods in the moving frame need no more, the
    others refuse.
    """

    kind: ClassVar[str] = "unbounded"
    on: ClassVar[Where] = None
    u: Any

    def __post_init__(self) -> None:
        normalise(self)

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return components_of(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        """Nothing holds on the boundary."""
        return ()


@dataclass(frozen=True)
class Initial(Condition):
    """u = value, and du/dt = velocity if given, at the start of time."""

    kind: ClassVar[str] = "initial"
    on: ClassVar[Where] = None
    u: Any
    value: Any = 0
    velocity: Any = None

    def __post_init__(self) -> None:
        normalise(self, "value")
        if self.velocity is not None:
            normalise(self, "velocity")

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return components_of(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        """u - value of every component, then du/dt - velocity of every component."""
        values = differences(self.u, self.value)
        return values if self.velocity is None else values + differences(dt(self.u), self.velocity)


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
        normalise(self, "jump", "flux_jump")
        if self.flux is not None:
            set_field(self, "flux", as_operand(self.flux, "interface condition, flux"))

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return components_of(self.u)

    def equations(self, coords: Coordinates) -> Expressions:
        """The components of u, then their normal fluxes; their jumps are compared with `jumps()`."""
        values = components_of(self.u)
        if self.flux is None:
            return (*values, *(normal_derivative(u, coords) for u in values))
        n = sympy.ImmutableDenseMatrix(normal(*coords))
        flux = self.flux if self.flux.cols == 1 and len(values) == 1 else self.flux.T
        rows = flux.T * n
        return (*values, *rows)

    def shapes(self, domain: Any) -> tuple[Any, ...]:
        """The shapes on whose boundaries it lies; names are of shapes that the domain is made of.

        Raises `SpecificationError` where `on` is none of these: regions on both sides are known of shapes only.
        """
        shapes = []
        for on in self.on if isinstance(self.on, tuple) else (self.on,):
            shape = domain.sub_shape(on) if isinstance(on, str) else on
            if not is_shape(shape):
                raise SpecificationError(
                    f"'on' must be a shape, the boundary of which is the interface, or the name of one that the domain "
                    f"is made of, got {on!r}"
                )
            shapes.append(shape)
        return tuple(shapes)

    def jumps(self) -> Expressions:
        """The jump of each of `equations(...)`."""
        return entries_of(self.jump) + entries_of(self.flux_jump)


@dataclass(frozen=True)
class BoundaryEquation(Condition):
    """Any equation between the unknowns and their derivatives on the boundary; `physolve.normal(x, y)` is n."""

    kind: ClassVar[str] = "boundary_equation"
    equation: Any
    on: Where = None

    def __post_init__(self) -> None:
        set_field(self, "equation", flatten_equation(self.equation, "boundary_equation condition"))
        set_field(self, "on", checked_where(self.on, self.kind))

    def unknowns(self) -> tuple[AppliedUndef, ...]:
        return unknowns_of(*self.equation)

    def equations(self, coords: Coordinates) -> Expressions:
        return tuple(e.lhs - e.rhs for e in self.equation)


def stated_values(
    conditions: Iterable[Condition], kind: type[Dirichlet] | type[Initial]
) -> dict[AppliedUndef, sympy.Expr]:
    """The value that conditions of a kind give to every scalar unknown they speak of."""
    return {
        u: value
        for condition in conditions
        if isinstance(condition, kind)
        for u, value in zip(components_of(condition.u), entries_of(condition.value), strict=True)
    }


def normal_derivative(u: sympy.Expr, coords: Coordinates) -> sympy.Expr:
    """n . grad(u) with the symbols n_x, n_y, ..."""
    return sympy.Add(*(n * sympy.diff(u, s) for n, s in zip(normal(*coords), space_of(coords), strict=True)))
