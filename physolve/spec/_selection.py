"""What `on` of a condition means on a domain: arguments for `Shape.sample_boundary`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import sympy
from sympy.logic.boolalg import Boolean

from .._typing import MaskArray, PointArray
from ._condition import is_shape
from ._evaluate import Program

TIME_PARTS = ("initial", "final")

NEAR = 10.0
"""How far from where an equation in `on` holds points count as there, in roundings of the domain."""


class Selection(NamedTuple):
    """Use as `domain.sample_boundary(n, on=selection.on, where=selection.where)`."""

    on: Any
    where: Callable[[PointArray], MaskArray] | None


def select(domain: Any, coords: Sequence[sympy.Symbol], on: Any) -> Selection:
    """The boundary that `on` names.

    None, a sympy condition and a callable speak of the whole boundary of space: for a time-dependent domain that is
    every part but "initial" and "final". `Eq(x, 0)` in a condition holds up to rounding.
    """
    if on is None or is_predicate(on):
        walls = "walls" if domain.has_part("initial") else None
        return Selection(walls, None if on is None else predicate(domain, coords, on))
    return Selection(on, None)


def is_predicate(on: Any) -> bool:
    """Whether `on` is asked at points, as a sympy condition and a callable are."""
    return isinstance(on, Boolean) or (callable(on) and not is_shape(on))


def predicate(domain: Any, coords: Sequence[sympy.Symbol], on: Any) -> Callable[[PointArray], MaskArray]:
    """`on`, a sympy condition or a callable, as a function from points (n, dim) to a mask (n,)."""
    if not isinstance(on, Boolean):
        return on
    slack = NEAR * domain.rounding
    program = Program([on.replace(_is_equation, lambda equation: _near(equation, coords, slack))], coords)
    return lambda points: np.broadcast_to(program(*np.asarray(points, dtype=np.float64).T)[0], len(points)).astype(bool)


def _is_equation(part: Any) -> bool:
    return isinstance(part, (sympy.Eq, sympy.Ne))


def _near(equation: sympy.Eq | sympy.Ne, coords: Sequence[sympy.Symbol], slack: float) -> Boolean:
    """The equation up to rounding: |f| / |grad f| is how far a point is from where f is zero."""
    f = equation.lhs - equation.rhs
    slopes = [f.diff(coordinate) for coordinate in coords]
    steepness = sympy.sqrt(sum(slope**2 for slope in slopes if not slope.has(sympy.Derivative)))
    holds = sympy.Le(sympy.Abs(f), slack * steepness)
    return holds if isinstance(equation, sympy.Eq) else sympy.Not(holds)
