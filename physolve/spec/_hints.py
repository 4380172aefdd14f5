"""Hints at what is missing for a problem to be well posed. They are hints: a solver may still go ahead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean

from ._atoms import Atom, atoms_of, linearise
from ._check_conditions import time_order
from ._classify import grows
from ._condition import Condition, condition_label, is_shape
from ._conditions import Initial, Interface, Periodic, Unbounded
from ._inner_conditions import MeanValue, Observations, PointValue
from ._selection import TIME_PARTS
from ._symbols import name_of
from ._walls import Wall, boundary_pieces, holds_at
from .geometry import StationSet, split_time

if TYPE_CHECKING:
    from ._problem import Problem


def hints(problem: Problem) -> tuple[str, ...]:
    """One line for everything that seems to be missing or superfluous; none at stations, where all comes with data."""
    if isinstance(split_time(problem.domain)[0], StationSet):
        return ()
    return tuple(dict.fromkeys(_all_hints(problem)))


def _all_hints(problem: Problem) -> Iterator[str]:
    yield from _counts(problem)
    yield from _repetitions(problem)
    walls = boundary_pieces(problem)
    yield from _empty_selections(problem, walls)
    for i, u in enumerate(problem.unknowns):
        uncovered = tuple(_uncovered(problem, i, walls))
        yield from uncovered
        yield from _initial(problem, u)
        if not uncovered and not time_order(problem, u) and _free_by_constant(problem, i):
            yield (
                f"unknown '{name_of(u)}' is determined up to a constant only: no equation and no condition fixes its "
                f"value; add MeanValue({name_of(u)}, 0) or PointValue({name_of(u)}, point, value)"
            )
    if grows(problem):
        yield (
            "the equations amplify short waves without bound, as the heat equation backward in time does; check the "
            "signs"
        )


# --- counting -------------------------------------------------------------------------------------------


def _counts(problem: Problem) -> Iterator[str]:
    equations, unknowns = len(problem.equations), len(problem.unknowns)
    if equations > unknowns:
        yield f"{equations} equations for {unknowns} unknown{'s' * (unknowns != 1)}: a solution may not exist"
    if not any(isinstance(c, Observations) for c in problem.conditions):
        for p in problem.parameters:
            yield (
                f"parameter '{p.name}' is to be found, but there are no observations; add "
                f"Observations(u, points, values) or replace '{p.name}' by its value"
            )


def _repetitions(problem: Problem) -> Iterator[str]:
    """Two conditions of one kind on the same unknown at the same place."""
    seen: dict[tuple, tuple[int, Condition]] = {}
    for i, condition in enumerate(problem.conditions, 1):
        if condition.kind not in ("dirichlet", "neumann", "robin", "initial"):
            continue
        key = (
            condition.kind,
            condition.unknowns(),
            str(condition.on) if not callable(condition.on) else id(condition.on),
        )
        k, other = seen.setdefault(key, (i, condition))
        if k != i:
            verb = "repeats" if other == condition else "contradicts"
            yield f"{condition_label(i, condition)}: it {verb} condition {k}, which speaks of the same place"


# --- the boundary ---------------------------------------------------------------------------------------


def _empty_selections(problem: Problem, walls: tuple[Wall, ...]) -> Iterator[str]:
    for i, condition in enumerate(problem.conditions, 1):
        if isinstance(condition.on, Boolean) or (callable(condition.on) and not is_shape(condition.on)):
            item = condition_label(i, condition)
            if not any(holds_at(problem, condition.on, wall, item).any() for wall in walls):
                yield f"{item}: 'on' holds at none of the points sampled on the boundary"


def _uncovered(problem: Problem, unknown: int, walls: tuple[Wall, ...]) -> Iterator[str]:
    """Parts of the boundary with fewer conditions on the unknown than its equations' order in space needs."""
    order, u = _space_order(problem, unknown), problem.unknowns[unknown]
    needed = order // 2
    if not needed or not walls:
        return
    counts = [sum((_cover(problem, c, u, w) for c in problem.conditions), np.zeros(len(w.points))) for w in walls]
    if len(problem.space) == 1 and sum(float(c.min()) for c in counts) >= order:
        return  # an initial-value problem in space
    short = [bool((c < needed).any()) for c in counts]
    none = all((c[c < needed] == 0).all() for c in counts)
    if any(short):
        where = ", ".join(f"'{name}'" for name in _names(walls, short))
        if none:
            yield (
                f"unknown '{name_of(u)}' has no condition on {where}; add Dirichlet, Neumann, Robin or Periodic there"
            )
        else:
            yield (f"unknown '{name_of(u)}' has too few conditions on {where}: order {order} needs {needed} everywhere")


def _space_order(problem: Problem, unknown: int) -> int:
    atoms = atoms_of(problem.residuals, problem.unknowns, problem.coordinates).values()
    return max((sum(a.orders[: len(problem.space)]) for a in atoms if a.unknown == unknown), default=0)


def _cover(problem: Problem, condition: Condition, u: AppliedUndef, wall: Wall) -> np.ndarray:
    """How many conditions on u this one states at each of the wall's points."""
    if u not in condition.unknowns() or isinstance(
        condition, (Initial, Interface, MeanValue, Observations, PointValue)
    ):
        return np.zeros(len(wall.points))
    if isinstance(condition, Unbounded):
        return np.full(len(wall.points), np.inf)  # no condition is missing where there is no boundary
    if isinstance(condition, Periodic):
        return 0.5 * (condition.order + 1) * _at_ends(problem, condition, wall)
    count = sum(bool(e.has(u)) for e in condition.equations(problem.coordinates))
    return count * holds_at(problem, condition.on, wall, condition.kind).astype(float)


def _at_ends(problem: Problem, condition: Periodic, wall: Wall) -> np.ndarray:
    k = problem.coordinates.index(condition.along)
    lower, upper = problem.domain.bounds
    x, slack = wall.points[:, k], 1e-6 * (upper[k] - lower[k])
    return (x < lower[k] + slack) | (x > upper[k] - slack)


def _names(walls: tuple[Wall, ...], short: list[bool]) -> list[str]:
    """Few names for the walls that are short: the names that cover most of them and nothing else."""
    left, found = {i for i, s in enumerate(short) if s}, []
    if all(short):
        return ["boundary"] if len(walls) > 2 else [_own_name(w) for w in walls]
    carriers: dict[str, set[int]] = {}
    for i, wall in enumerate(walls):
        for label in wall.labels:
            carriers.setdefault(label, set()).add(i)
    for label, indices in sorted(carriers.items(), key=lambda item: (-len(item[1]), "." in item[0])):
        if indices <= {i for i, s in enumerate(short) if s} and indices & left:
            found.append(label)
            left -= indices
    return found + list(dict.fromkeys(_own_name(walls[i]) for i in sorted(left)))


def _own_name(wall: Wall) -> str:
    if wall.labels:
        return wall.labels[0]
    return "a part without a name near (" + ", ".join(f"{c:.3g}" for c in wall.points[0]) + ")"


# --- time and constants ---------------------------------------------------------------------------------


def _initial(problem: Problem, u: AppliedUndef) -> Iterator[str]:
    order, name = time_order(problem, u), name_of(u)
    given = sum(_initial_count(problem, c, u, order) for c in problem.conditions)
    if order and not given:
        value = f"Initial({name}, value)" if order == 1 else f"Initial({name}, value, velocity)"
        yield f"unknown '{name}' has time derivatives but no initial condition; add {value}"
    elif given < order == 2:
        yield (
            f"unknown '{name}' is of second order in time but has no initial velocity; add Initial({name}, "
            "value, velocity)"
        )
    if not order and any(isinstance(c, Initial) and u in c.unknowns() for c in problem.conditions):
        yield (
            f"unknown '{name}' has an initial condition but no time derivative; its initial value follows "
            "from the equations"
        )


def _initial_count(problem: Problem, condition: Condition, u: AppliedUndef, order: int) -> int:
    """Conditions on u at the start or the end of time."""
    if u not in condition.unknowns():
        return 0
    if isinstance(condition, Initial):
        return 1 + (condition.velocity is not None)
    if isinstance(condition, Periodic):
        return order * (condition.along == problem.time)
    on = condition.on if isinstance(condition.on, tuple) else (condition.on,)
    places = sum(part in on for part in TIME_PARTS)
    return places and places * sum(bool(e.has(u)) for e in condition.equations(problem.coordinates))


def _free_by_constant(problem: Problem, unknown: int) -> bool:
    """Whether adding a constant to the unknown changes no equation and no condition."""
    u, coords = problem.unknowns[unknown], problem.coordinates
    value = Atom(unknown, (0,) * len(coords))
    fixing = [c for c in problem.conditions if u in c.unknowns() and not isinstance(c, (Periodic, Interface))]
    if any(isinstance(c, (PointValue, MeanValue, Observations)) for c in fixing):
        return False
    expressions = [*problem.residuals, *(e for c in fixing for e in c.equations(coords))]
    return all(value not in linearise(e, problem.unknowns, coords).coefficients for e in expressions)
