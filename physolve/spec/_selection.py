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


class Selection(NamedTuple):
    """Use as `domain.sample_boundary(n, on=selection.on, where=selection.where)`."""

    on: Any
    where: Callable[[PointArray], MaskArray] | None


def select(domain: Any, coords: Sequence[sympy.Symbol], on: Any) -> Selection:
    """The boundary that `on` names.

    None, a sympy condition and a callable speak of the whole boundary of space: for a time-dependent domain that is
    every part but "initial" and "final". `Eq(x, 0)` in a condition holds to 1e-12 of the domain's size.
    """
    if on is None or isinstance(on, Boolean) or (callable(on) and not is_shape(on)):
        return Selection(lateral(domain), None if on is None else predicate(domain, coords, on))
    return Selection(on, None)


def lateral(domain: Any) -> tuple[str, ...] | None:
    """The parts of the boundary of space in a space-time domain; None (everything) where there is no time."""
    if not domain.has_part(TIME_PARTS[0]):
        return None
    return tuple(p for p in domain.parts if p not in (*TIME_PARTS, "boundary"))


def predicate(domain: Any, coords: Sequence[sympy.Symbol], on: Any) -> Callable[[PointArray], MaskArray]:
    """`on`, a sympy condition or a callable, as a function from points (n, dim) to a mask (n,)."""
    if not isinstance(on, Boolean):
        return on
    lower, upper = domain.bounds
    slack = float(1e-12 * np.max(np.abs([lower, upper])))
    tolerant = on.replace(
        lambda e: isinstance(e, (sympy.Eq, sympy.Ne)),
        lambda e: (sympy.Le if isinstance(e, sympy.Eq) else sympy.Gt)(sympy.Abs(e.lhs - e.rhs), slack),
    )
    program = Program([tolerant], coords)
    return lambda points: np.asarray(program(*np.asarray(points, dtype=np.float64).T)[0], dtype=bool)
