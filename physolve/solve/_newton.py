"""Newton's iteration on one basis: least squares of the linearised rows until the field stands still."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from physolve._typing import Points
from physolve.errors import NumericalError
from physolve.nets import Basis, Expansion, Field, Polynomials
from physolve.residual import Rows

from ._system import Projection, Scale, project, residuals

SHORTEST_STEP = 1 / 64

FARTHEST = 1.0
"""Relative change of a parameter in one step. Without a limit, -k u'' + c u = 5 with guesses of 1 and 1 ran to
k = -6.6e9, c = 6.5e10, where an eigenfunction fits the data badly, but for good."""

SETTLED = 1e-13
"""How far the next step would go, relative to the solution, below which it is not taken: it would end in rounding."""


@dataclass(frozen=True)
class Newton:
    """`steps` at most, fewer once the residual changes by less than `tolerance` relative and the parameters by a
    hundredth of that."""

    steps: int = 20
    tolerance: float = 0.05

    def solve(
        self,
        rows: Sequence[Rows],
        basis: Basis,
        unknowns: int,
        state: Field | None,
        parameters: Sequence[float],
        ridge: float,
        *,
        fixed: bool = False,
        sizes: Sequence[float] = (),
    ) -> tuple[Projection, int]:
        """The solution on the basis and the number of linear solves; `fixed` keeps the parameters as they are. With
        `sizes` every unknown is measured in units of its own.

        The first step leaves the state's own basis and is taken whole; later ones are shortened until the residual
        falls (Deuflhard, Newton Methods for Nonlinear Problems, section 3.1). Raises NumericalError on NaN.
        """
        # Where u = 0, no parameter has an influence: solve at the guesses before searching for better ones.
        best = project(rows, basis, unknowns, state, parameters, ridge, fixed=fixed or state is None, sizes=sizes)
        if state is None and (given := _ramp_where_blind(rows, best)):
            best = project(rows, basis, unknowns, given, parameters, ridge, fixed=True, sizes=sizes)
        best_size = _size(rows, best.scale, best.field, best.parameters)
        moved = math.inf if state is None else _distance(rows, state, best.field, sizes)
        for taken in range(1, self.steps):
            target = project(rows, basis, unknowns, best.field, best.parameters, ridge, fixed=fixed, sizes=sizes)
            further = _distance(rows, best.field, target.field, sizes)
            longest = _longest(best.parameters, target.parameters, parameters)
            step = self._search(rows, best, target, ridge, longest, follow=bool(parameters) and not fixed)
            if step is None:
                return replace(best, unsettled=further * max(further / max(moved, 1e-300), 1.0)), taken + 1
            change = abs(step[1] / max(best_size, 1e-300) - 1)
            still = _still(best.parameters, step[0].parameters, self.tolerance)
            whole = step[0] is target
            best, best_size = replace(step[0], unsettled=_left(further, moved) if whole else further), step[1]
            if (change < self.tolerance and still) or (
                whole and (fixed or not parameters) and best.unsettled < SETTLED
            ):
                return best, taken + 1
            moved = further
        return best, self.steps

    def _search(
        self,
        rows: Sequence[Rows],
        here: Projection,
        target: Projection,
        ridge: float,
        length: float,
        *,
        follow: bool,
    ) -> tuple[Projection, float] | None:
        """The longest of 1, 1/2, 1/4, ... times `length` of the step that lowers the residual, and the residual there.

        Where parameters are sought the field is to follow them: it is solved again at the shortened step's values.
        (Along the straight step the equations, which weigh far more than data, would allow only tiny ones.)
        """
        before = _size(rows, target.scale, here.field, here.parameters)
        shortest = length * SHORTEST_STEP
        while length >= shortest:
            trial = _between(here, target, length)
            if follow:
                trial = _follow(rows, trial, ridge)
            size = _size(rows, target.scale, trial.field, trial.parameters)
            if math.isfinite(size) and size < before:
                return trial, size
            length /= 2
        return None


def _longest(here: Sequence[float], target: Sequence[float], first: Sequence[float]) -> float:
    """Of 1, 1/2, 1/4, ... the first share of a step that changes no parameter by more than FARTHEST times its size, or
    a tenth of the size it had at first."""
    units = [max(abs(a), abs(f) / 10 or 1.0) for a, f in zip(here, first, strict=True)]
    far = max((abs(b - a) / unit for a, b, unit in zip(here, target, units, strict=True)), default=0.0)
    return 0.5 ** math.ceil(math.log2(max(far / FARTHEST, 1.0))) if math.isfinite(far) else SHORTEST_STEP


def _follow(rows: Sequence[Rows], trial: Projection, ridge: float) -> Projection:
    """The field that belongs to the trial's parameters."""
    assert isinstance(trial.field, Expansion)
    unknowns = trial.field.components
    return project(rows, trial.field.basis, unknowns, trial.field, trial.parameters, ridge, fixed=True)


def _between(here: Projection, target: Projection, length: float) -> Projection:
    if length == 1.0:
        return target
    assert isinstance(here.field, Expansion)
    assert isinstance(target.field, Expansion)
    mixed = torch.lerp(here.field.coefficients, target.field.coefficients, length)
    parameters = tuple(a + length * (b - a) for a, b in zip(here.parameters, target.parameters, strict=True))
    return replace(target, field=Expansion(target.field.basis, mixed), parameters=parameters)


def _size(rows: Sequence[Rows], scale: Scale, field: Field, parameters: Sequence[float]) -> float:
    size = scale.norm(residuals(rows, field, parameters))
    if math.isnan(size):
        raise NumericalError(
            "Newton's iteration: the residual is not a number; likely causes: a function such as log or sqrt left its "
            "range, or the start is too far from a solution"
        )
    return size


def _left(moved: float, before: float) -> float:
    """How far a further step would go, by the contraction of the last two, if there were two."""
    return moved if math.isinf(before) else moved * min(moved / max(before, 1e-300), 1.0)


def _distance(rows: Sequence[Rows], first: Field, second: Field, sizes: Sequence[float] = ()) -> float:
    """Root-mean-square difference at the equations' points, relative to the second; with `sizes` the largest over the
    unknowns, relative to these."""
    points = _inside(rows)
    values = second.values(points)
    if sizes:
        squares = (first.values(points) - values).square().mean(0)
        return float((squares.sqrt() / values.new_tensor(sizes)).max())
    return float((first.values(points) - values).norm() / values.norm().clamp_min(1e-300))


def _inside(rows: Sequence[Rows]) -> Points:
    """All points of equations."""
    return torch.cat([block.sides[0].points for block in rows if block.role == "equation"])


def _ramp_where_blind(rows: Sequence[Rows], solved: Projection) -> Field | None:
    """A field with values and slopes in place of zero, for the linearisation of an equation that is blind there: of
    d(u d(u, x), x) = -1 or d(u, x)^2 = 1 nothing is left at u = 0, and no function could seem better than zero."""
    left = residuals(rows, solved.field, solved.parameters)
    blind = [w == 0 and bool(r.any()) for w, r in zip(solved.scale.weights, left, strict=True)]
    if not any(blind):
        return None
    points = _inside(rows)
    lower, upper = points.min(0).values, points.max(0).values
    basis = Polynomials(tuple(lower.tolist()), tuple(upper.tolist()), 1)
    return Expansion(basis, torch.ones(basis.size, solved.field.components, dtype=torch.float64))


def _still(before: Sequence[float], after: Sequence[float], tolerance: float) -> bool:
    return all(abs(a - b) <= tolerance * 1e-2 * max(abs(b), 1e-12) for a, b in zip(before, after, strict=True))
