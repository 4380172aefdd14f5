"""The sides of a box, sorted by what happens there: nothing, labels enter, or a value is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from physolve._typing import PointArray
from physolve.errors import UnsupportedError
from physolve.residual import Form, Frame, lower
from physolve.spec import (
    BoundaryEquation,
    Condition,
    Dirichlet,
    Initial,
    Neumann,
    Periodic,
    Problem,
    Program,
    Robin,
    Transport,
    Unbounded,
    Wall,
    boundary_pieces,
    condition_label,
    holds_at,
    stated_values,
)
from physolve.spec.geometry import Interval, Rectangle, Shape

CALM = 1e-9
"""Inward velocity, in units of the largest velocity, below which nothing enters."""


@dataclass(frozen=True, eq=False)
class BoundarySide:
    """x[axis] = position, the outward normal along the axis being `sign`; `conditions` are those stated there, `points`
    (n, dim + 1) are spread over place and time."""

    axis: int
    position: float
    sign: int
    points: PointArray
    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        return f"side {'xyz'[self.axis]} = {self.position:g}"

    def forms(self, problem: Problem) -> tuple[Form, ...]:
        """The conditions, lowered."""
        frame = Frame(problem.coordinates, problem.unknowns)
        return tuple(lower(c.kind, e, frame) for c in self.conditions for e in c.equations(problem.coordinates))


def initial_values(problem: Problem) -> tuple[sympy.Expr, ...]:
    """The initial value of every unknown. Raises UnsupportedError where one is missing."""
    found = stated_values(problem.conditions, Initial)
    missing = [str(u.func) for u in problem.unknowns if u not in found]
    if missing:
        raise UnsupportedError(
            f"lagrangian: unknown '{missing[0]}' has no initial condition; add Initial({missing[0]}, value)"
        )
    return tuple(found[u] for u in problem.unknowns)


def check_conditions(problem: Problem) -> None:
    """Raises UnsupportedError for a kind of condition that the moving frame has no place for."""
    known = (Initial, Periodic, Unbounded, Dirichlet, Neumann, Robin, BoundaryEquation)
    for k, condition in enumerate(problem.conditions, 1):
        if not isinstance(condition, known):
            raise UnsupportedError(
                f"lagrangian: {condition_label(k, condition)}: expected initial, periodic, boundary or unbounded"
                " conditions; use the default method"
            )


def periodic_axes(problem: Problem) -> tuple[bool, ...]:
    """Along which axes every unknown is periodic. Raises UnsupportedError where only some are."""
    result = []
    for axis in problem.space:
        here = {u for c in problem.conditions if isinstance(c, Periodic) and c.along == axis for u in c.unknowns()}
        if here and here != set(problem.unknowns):
            raise UnsupportedError(f"lagrangian: only some unknowns are periodic along {axis}; expected all or none")
        result.append(bool(here))
    return tuple(result)


def unbounded(problem: Problem) -> bool:
    """Whether the domain is a window of unbounded space."""
    return any(isinstance(c, Unbounded) for c in problem.conditions)


def sides_of(problem: Problem, space: Shape, periodic: Sequence[bool]) -> tuple[BoundarySide, ...]:
    """The sides that are not periodic; none in unbounded space.

    Raises UnsupportedError for a bounded domain that is no interval or rectangle, and for a condition that holds on
    part of a side only.
    """
    if unbounded(problem) or all(periodic):
        return ()
    if not isinstance(space, Interval | Rectangle):
        raise UnsupportedError(
            f"lagrangian: the domain is a {type(space).__name__}, expected an interval or a rectangle; use the default"
            " method, or state Unbounded(u) if its boundary means nothing"
        )
    low, high = space.bounds
    walls = boundary_pieces(problem)
    ends = [(k, float(end[k]), sign) for k in range(len(low)) for end, sign in ((low, -1), (high, 1))]
    return tuple(_side(problem, walls, *end) for end in ends if not periodic[end[0]])


def _side(problem: Problem, walls: Sequence[Wall], axis: int, position: float, sign: int) -> BoundarySide:
    slack = 1e-9 * problem.domain.size
    wall = next(w for w in walls if (np.abs(w.points[:, axis] - position) <= slack).all())
    stated = []
    for k, condition in enumerate(problem.conditions, 1):
        if isinstance(condition, Initial | Periodic | Unbounded):
            continue
        item = condition_label(k, condition)
        holds = holds_at(problem, condition.on, wall, item)
        if holds.any() and not holds.all():
            raise UnsupportedError(f"lagrangian: {item} holds on a part of the side '{wall.labels[0]}' only")
        if holds.all():
            stated.append(condition)
    return BoundarySide(axis, position, sign, wall.points, tuple(stated))


def enters(problem: Problem, transport: Transport, side: BoundarySide) -> bool:
    """Whether labels enter through a side: the velocity points inward there at all times.

    Raises UnsupportedError where it does at some places or times only, and where a value that enters is not given.
    """
    values = stated_values(side.conditions, Dirichlet)
    speed = transport.velocity[side.axis].xreplace(
        dict(zip(problem.unknowns, initial_values(problem), strict=True)) | values
    )
    inward = -side.sign * Program([speed], problem.coordinates)(*side.points.T)[0]
    size = float(np.abs(inward).max())
    if not (inward > CALM * size).any():
        return False
    if not (inward > CALM * size).all():
        raise UnsupportedError(f"lagrangian: labels enter through a part of the {side}, or for some time only")
    missing = [str(u.func) for u in problem.unknowns if u not in values]
    if missing:
        raise UnsupportedError(f"lagrangian: labels enter through the {side}; add Dirichlet({missing[0]}, value) there")
    return True


def dirichlet_values(problem: Problem, side: BoundarySide) -> tuple[sympy.Expr, ...]:
    """The values of all unknowns on a side through which labels enter."""
    values = stated_values(side.conditions, Dirichlet)
    return tuple(values[u] for u in problem.unknowns)
