"""Newton's iteration on one basis: least squares of the linearised rows until the field stands still."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from physolve.errors import NumericalError
from physolve.nets import Basis, Expansion, Field
from physolve.residual import Rows

from ._system import Projection, Scale, project, residuals

SHORTEST_STEP = 1 / 64


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
    ) -> tuple[Projection, int]:
        """The solution on the basis and the number of linear solves.

        The first step leaves the state's own basis and is taken whole; later ones are shortened until the residual
        falls (Deuflhard, Newton Methods for Nonlinear Problems, section 3.1). Raises NumericalError on NaN.
        """
        # Where u = 0, no parameter has an influence: solve at the guesses before searching for better ones.
        best = project(rows, basis, unknowns, state, parameters, ridge, fixed=state is None)
        best_size = _size(rows, best.scale, best.field, best.parameters)
        for taken in range(1, self.steps):
            target = project(rows, basis, unknowns, best.field, best.parameters, ridge)
            step = self._search(rows, best, target, ridge)
            if step is None:
                return best, taken + 1
            change = abs(step[1] / max(best_size, 1e-300) - 1)
            still = _still(best.parameters, step[0].parameters, self.tolerance)
            best, best_size = step
            if change < self.tolerance and still:
                return best, taken + 1
        return best, self.steps

    def _search(
        self, rows: Sequence[Rows], here: Projection, target: Projection, ridge: float
    ) -> tuple[Projection, float] | None:
        """The longest of 1, 1/2, 1/4, ... of the step that lowers the residual, and the residual there.

        With unknown parameters the field follows them: it is solved again at the shortened step's values. (Along the
        straight step the equations, which weigh far more than data, would allow only tiny ones.)
        """
        before = _size(rows, target.scale, here.field, here.parameters)
        length = 1.0
        while length >= SHORTEST_STEP:
            trial = _between(here, target, length)
            if here.parameters:
                trial = _follow(rows, trial, ridge)
            size = _size(rows, target.scale, trial.field, trial.parameters)
            if math.isfinite(size) and size < before:
                return trial, size
            length /= 2
        return None


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


def _still(before: Sequence[float], after: Sequence[float], tolerance: float) -> bool:
    return all(abs(a - b) <= tolerance * 1e-2 * max(abs(b), 1e-12) for a, b in zip(before, after, strict=True))
