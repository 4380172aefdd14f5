"""The nearest problem of the class to one that is not in it: coefficients frozen, nonlinear terms linearised.

With a state s, F the equation and c_alpha the means over the domain of dF / d(d^alpha u) at s, it is

    sum_alpha c_alpha d^alpha u = sum_alpha c_alpha d^alpha s - F(s)

which is a step of Newton's iteration with frozen coefficients: its solution solves F(u) = 0 where u = s.
"""

from dataclasses import dataclass

import torch

from physolve._typing import Column
from physolve.errors import UnsupportedError
from physolve.jets import MultiIndex
from physolve.nets import Expansion, Field, Polynomials
from physolve.residual import Collocation, Form
from physolve.spec import (
    BoundaryEquation,
    Condition,
    Dirichlet,
    Initial,
    MeanValue,
    Neumann,
    Observations,
    PointValue,
    Problem,
    Robin,
)

from ._batch import LAYOUT
from ._class import OTHERS, check_frame, check_orders, check_place
from ._lower import Lowered, place_of
from ._placement import Placement, Resolution
from ._pose import PosedTerms, pose, values_of

KEPT = (Dirichlet, Neumann, Initial, Robin, BoundaryEquation)
LEFT_OUT = (MeanValue, PointValue, Observations)
VARIATION = 1e-12
"""Relative changes of a coefficient over the domain up to this are rounding."""


@dataclass(frozen=True, eq=False)
class Nearby:
    """A problem of the class near the one stated, and in words what was changed; empty if nothing was."""

    lowered: Lowered
    changes: tuple[str, ...]

    @property
    def description(self) -> str:
        """The changes in one line."""
        return "; ".join(self.changes) or "nothing was changed: the problem is in the class"


def frozen(
    problem: Problem,
    state: Field | None = None,
    grid: int = 64,
    points: int = 2048,
    edge: int = 1024,
    seed: int = 0,
) -> Nearby:
    """The nearest problem of HyPINO's class, near `state` (by default the mean of the values on the boundary).

    Coefficients are frozen at their means; u_xy is left out; parameters are held at their guesses; in conditions that
    hold both the unknown and its derivatives the unknown is held at the state; mean and point values are left out.
    Raises UnsupportedError with the reason where there is no such problem: for systems, other numbers of coordinates,
    higher orders, periodic conditions and interfaces.
    """
    parameters = tuple(p.guess for p in problem.parameters)
    check_frame(problem, parameters)
    collocation = Collocation(problem)
    equation = collocation.equations[0]
    for atom in equation.atoms:
        check_orders(atom.orders)
    kept, changes = _conditions(collocation)
    placement = place_of(collocation, kept, Resolution(grid, points, edge, seed))
    forms = tuple(forms for _, forms in kept)
    if state is None:
        level = _level(problem, forms, placement, parameters)
        state, name = constant(problem, level), f"u = {level:.3g}"
    else:
        name = "the given state"
    coefficients, notes = _coefficients(equation, placement, state, parameters, name)
    changes = [*notes, *changes, *_held(kept, name), *(f"{p.name} held at its guess" for p in problem.parameters)]
    posed = pose(PosedTerms(coefficients, equation, forms, parameters, state), placement)
    lowered = Lowered(problem, placement.affine, posed.equation_scale, posed.amplitude, posed.batch)
    return Nearby(lowered, tuple(changes))


def constant(problem: Problem, value: float) -> Expansion:
    """The field u = value."""
    lower, upper = problem.domain.bounds
    basis = Polynomials(tuple(lower.tolist()), tuple(upper.tolist()), 0)
    return Expansion(basis, torch.full((1, 1), value, dtype=torch.float64))


def _conditions(collocation: Collocation) -> tuple[list[tuple[Condition, tuple[Form, ...]]], list[str]]:
    """The conditions that stay, and a note on those that do not."""
    kept, changes = [], []
    for index, (condition, forms) in enumerate(collocation.conditions, 1):
        name = f"condition {index} ({condition.kind})"
        if isinstance(condition, LEFT_OUT):
            changes.append(f"{name} left out")
            continue
        if not isinstance(condition, KEPT) or any(form.order > 1 for form in forms):
            raise UnsupportedError(
                f"hypino: {name}: no problem of the class is near one with such a condition; {OTHERS}"
            )
        check_place(name, collocation.problem, condition)
        kept.append((condition, forms))
    if not kept:
        raise UnsupportedError(f"hypino: no condition on the boundary is left; {OTHERS}")
    return kept, changes


def _level(
    problem: Problem, forms: tuple[tuple[Form, ...], ...], placement: Placement, parameters: tuple[float, ...]
) -> float:
    """The mean of the values given on the boundary, zero where none is given."""
    terms, total, length = PosedTerms({}, forms[0][0], forms, parameters, constant(problem, 0.0)), 0.0, 0.0
    for each, edge in zip(forms, placement.edges, strict=True):
        for form in each:
            if form.order == 0:
                state = values_of(terms.state, edge.points, form.atoms)
                local = form.linearize(edge.points, edge.normals, state, parameters)
                value = -local.value / local.slopes[form.atoms[0]]
                total += float((value * edge.lengths).sum())
                length += float(edge.lengths.sum())
    return total / length if length else 0.0


def _coefficients(
    equation: Form, placement: Placement, state: Field, parameters: tuple[float, ...], name: str
) -> tuple[dict[MultiIndex, float], list[str]]:
    """Means of the slopes at the state, and notes on what they replace."""
    values = values_of(state, placement.interior, equation.atoms)
    local = equation.linearize(placement.interior, None, values, parameters)
    slopes = {atom.orders: slope for atom, slope in local.slopes.items() if bool((slope != 0).any())}
    changes = [] if equation.linear else [f"equation 1 linearised at {name}"]
    changes += [note for orders, slope in slopes.items() for note in _note(equation, orders, slope)]
    kept = {orders: float(slope.mean()) for orders, slope in slopes.items() if orders in LAYOUT.multi_indices}
    if not any(sum(orders) and value for orders, value in kept.items()):
        raise UnsupportedError(f"hypino: with its coefficients frozen, equation 1 holds no derivative; {OTHERS}")
    return kept, changes


def _note(equation: Form, orders: MultiIndex, slope: Column) -> list[str]:
    coordinates = equation.frame.coordinates
    letters = "".join(c.name * order for c, order in zip(coordinates, orders, strict=True))
    name = str(equation.frame.unknowns[0].func) + (f"_{letters}" if letters else "")
    if orders not in LAYOUT.multi_indices:
        return [f"equation 1: {name} left out"]
    low, high, mean = float(slope.min()), float(slope.max()), float(slope.mean())
    if high - low <= VARIATION * max(abs(low), abs(high)):
        return []
    return [f"equation 1: coefficient of {name}, {low:.3g} to {high:.3g} in the domain, frozen at {mean:.3g}"]


def _held(kept: list[tuple[Condition, tuple[Form, ...]]], name: str) -> list[str]:
    """Notes on conditions that hold the unknown beside its derivatives, or are not linear."""
    return [
        f"{form.name}: held at {name}"
        for _, forms in kept
        for form in forms
        if not form.linear or len({sum(atom.orders) for atom in form.atoms}) > 1
    ]
