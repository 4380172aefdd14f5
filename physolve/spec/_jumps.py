"""Functions that jump, under a derivative: that of where(x < 0.5, 1, 10) is 9 delta(x - 0.5), which no value at a point
shows. The operators leave a `Jump` beside the derivatives of the branches; `Problem` takes it out again, and refuses it
where no Interface lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import sympy
from sympy.matrices import MatrixBase

from physolve._typing import MaskArray, PointArray

from ..errors import PhysolveError, SpecificationError
from ._atoms import atoms_of
from ._condition import Condition, condition_label
from ._evaluate import Program
from ._surface import Jump, branches
from ._switching import STARTS, levels, on_surface
from ._symbols import is_unknown, name_of

if TYPE_CHECKING:
    from ._problem import Problem

WIDTHS = (1e-6, 1e-9)
"""Half distances of the two values compared across a surface, in sizes of the domain: a jump stays as they shrink."""

SMALLEST = 1e-6
"""Jumps below this share of the values are rounding of the constants in the branches."""

NEAR = 1e-4
"""Distance from an Interface, in sizes of the domain, at which a jump still counts as lying on it."""


class JumpPlaces(NamedTuple):
    """Where an expression jumps: points (n, dim) in the domain, and the same in words."""

    points: PointArray
    places: tuple[str, ...]
    of_unknown: bool


def without_jumps(value: Any) -> Any:
    """The expression, matrix, equation or condition with the derivatives of the branches alone."""
    if isinstance(value, tuple):
        return tuple(map(without_jumps, value))
    if isinstance(value, Condition):
        parts = {f.name: getattr(value, f.name) for f in fields(value) if f.init}  # type: ignore[arg-type]
        changed = {name: without_jumps(part) for name, part in parts.items() if jumps_in(part)}
        return replace(value, **changed) if changed else value  # type: ignore[type-var]
    found = jumps_in(value)
    if not found:
        return value
    if isinstance(value, sympy.Eq):
        return sympy.Eq(without_jumps(value.lhs), without_jumps(value.rhs), evaluate=False)
    return branches(value)


def jumps_in(value: Any) -> tuple[Jump, ...]:
    """The jumps under derivatives in an expression, a matrix or an equation, or in a tuple of them."""
    if isinstance(value, tuple):
        return tuple(jump for part in value for jump in jumps_in(part))
    if not isinstance(value, sympy.Basic | MatrixBase) or not value.has(Jump):
        return ()
    return cast("tuple[Jump, ...]", tuple(sorted(value.atoms(Jump), key=sympy.default_sort_key)))


def jumps_by_item(equations: Sequence[sympy.Eq], conditions: Sequence[Condition]) -> tuple[tuple[str, Jump], ...]:
    """(item, jump) of every jump under a derivative; the item names the equation or condition in messages."""
    found = [(f"equation {i}", jump) for i, e in enumerate(equations, 1) for jump in jumps_in(e)]
    for i, condition in enumerate(conditions, 1):
        values = tuple(getattr(condition, f.name) for f in fields(condition))  # type: ignore[arg-type]
        found += [(condition_label(i, condition), jump) for jump in jumps_in(values)]
    return tuple(found)


def check_jumps(problem: Problem, found: Sequence[tuple[str, Jump]]) -> None:
    """Raises `SpecificationError` for a jump inside the domain at which no Interface lies.

    What cannot be decided, such as a surface that Newton's iteration does not find, passes.
    """
    for item, jump in found:
        crossing = _crossing(problem, jump)
        if crossing is None:
            continue
        head = f"{item}: a function under a derivative jumps"
        if crossing.of_unknown:
            raise SpecificationError(
                f"{head} {crossing.places[0]}; coefficients must be continuous in the unknowns: make the branches of "
                "where(...) meet, or write a steep smooth step such as tanh"
            )
        free = ~_on_interface(problem, crossing.points)
        if free.any():
            raise SpecificationError(
                f"{head} {crossing.places[free.argmax()]}, where no condition says how the solution goes on; add "
                "Interface(u, on=shape, flux=k*grad(u)) with a shape whose boundary lies there "
                '(kind = "interface" in a file), or make the branches of where(...) meet'
            )


def _on_interface(problem: Problem, points: PointArray) -> MaskArray:
    """Which of the points lie on an Interface."""
    covered = np.zeros(len(points), dtype=bool)
    for shape in problem.interfaces:
        covered |= np.abs(shape.signed_distance(points[:, : shape.dim])) <= NEAR * problem.domain.size
    return covered


def _crossing(problem: Problem, jump: Jump) -> JumpPlaces | None:
    """Points of the domain on both sides of which the expression has different values, or None."""
    nodes = atoms_of((jump.expression, jump.surface), problem.unknowns, problem.coordinates)
    symbols = {node: sympy.Dummy(f"a{k}", real=True) for k, node in enumerate(nodes)}
    variables = (*problem.coordinates, *symbols.values())
    expression, surface = (part.xreplace(symbols) for part in (jump.expression, jump.surface))
    level = levels(surface, variables, problem.parameters)
    try:
        value = Program((expression,), (*variables, *problem.parameters))
    except PhysolveError:  # reported, with the item, by the checks of what can be computed
        return None
    if level is None:
        return None
    of_unknown = bool(surface.free_symbols & set(symbols.values()))
    start, theta = _starts(problem, len(symbols))
    states, normals = on_surface(level, start, theta)
    height = np.maximum(np.abs((normals * states).sum(0)), 1.0)  # unknowns have units of their own
    jumping = _jumping(problem, value, states, normals * (height if of_unknown else problem.domain.size), theta)
    if not jumping.any():
        return None
    names = [*map(str, problem.coordinates), *map(_name, nodes)]
    moving = [k for k, v in enumerate(variables) if surface.has_free(v)]
    places = tuple(_place(names, moving, state) for state in states[:, jumping].T)
    return JumpPlaces(states[: len(problem.coordinates), jumping].T, places, of_unknown)


def _starts(problem: Problem, atoms: int) -> tuple[np.ndarray, list[float]]:
    """States (coordinates and atoms, STARTS) from which to look for a surface, and values of the parameters."""
    random = np.random.default_rng(0)
    points = problem.domain.sample_interior(STARTS, seed=0).points
    # Near their guesses, which may be equal where the values are not.
    theta = [p.guess + 0.01 * max(abs(p.guess), 1.0) * random.standard_normal() for p in problem.parameters]
    return np.vstack([points.T, random.standard_normal((atoms, STARTS))]), theta


def _jumping(
    problem: Problem, value: Program, state: np.ndarray, normals: np.ndarray, theta: Sequence[float]
) -> MaskArray:
    """At which states, those inside the domain, the value differs on the two sides of the surface."""
    inside = np.logical_and.reduce(np.isfinite(state))
    largest, gaps = np.zeros(state.shape[1]), []
    with np.errstate(all="ignore"):
        for width in WIDTHS:
            sides = (state + width * normals, state - width * normals)
            for side in sides:
                inside[inside] = problem.domain.contains(side[: len(problem.coordinates), inside].T)
            a, b = (value(*side, *theta)[0] for side in sides)
            gaps.append(np.abs(a - b))
            largest = np.maximum(largest, np.maximum(np.abs(a), np.abs(b)))
        return inside & (gaps[1] > 0.5 * gaps[0]) & (gaps[1] > SMALLEST * largest)


def _name(node: Any) -> str:
    return name_of(node) if is_unknown(node) else str(node)


def _place(names: Sequence[str], moving: Sequence[int], state: np.ndarray) -> str:
    """The place of a jump: "at x = 0.5" or "at (x, y) = (0.3, 0.4)"."""
    if len(moving) == 1:
        return f"at {names[moving[0]]} = {state[moving[0]]:.4g}"
    variables, values = ", ".join(names[k] for k in moving), ", ".join(f"{state[k]:.4g}" for k in moving)
    return f"at ({variables}) = ({values})"
