"""The error estimate of the ladder: a stability constant measured on the problem itself, times the residual."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Points
from physolve.nets import Field, ZeroField
from physolve.residual import Collocation, Density, Rows
from physolve.spec import Problem

from ._outcome import Estimate
from ._system import CONDITION_WEIGHT, Scale, residuals

SAFETY = 3.0
"""On residual times stability, as a gate: below the tolerance with it, a rung is verified by a richer one."""

UNVERIFIED = 3.0
"""More safety where no richer rung could be afforded: stability varies by this much between rungs."""

VERIFIED = 3.0
"""On the distance to a richer, independent solution, whose own error is part of that distance."""

SLOWEST = 0.9

SLOWEST_VERIFIED = 0.85
"""The same for verified rungs, where VERIFIED leaves room for contractions up to 0.95. Where both rungs are at rounding
the residual does not fall at all: with 0.9 the estimate of boundary_layer was 51 times its error."""

ROUNDING = 1e-14
"""No error is estimated below what sums of hundreds of float64 terms leave."""


ROUNDED = 10 * ROUNDING
"""Distance of two solutions that differ by rounding alone. (beam: the first is 5e-15 off, they are 1.6e-14 apart.)"""


@dataclass(frozen=True)
class Distance:
    """Root-mean-square difference of two fields over the domain: in units of u, and relative to the second."""

    absolute: float
    relative: float


@dataclass(frozen=True, eq=False)
class Judge:
    """Fresh points at which fields are compared and residuals judged: never those of the least squares, where a
    basis with as many functions as rows would look perfect."""

    problem: Problem
    rows: tuple[Rows, ...]
    points: Points
    weights: Float[Tensor, " n"]

    @classmethod
    def of(cls, collocation: Collocation, density: Density, seed: int, breaks: Sequence[float] = ()) -> "Judge":
        """Rows at fresh points, and the jumps across the interior ones of the slabs' break times."""
        jumps = collocation.continuity(breaks[1:-1], max(16, density.boundary // max(1, len(breaks))), seed)
        rows = (*collocation.rows(density, seed=seed), *jumps)
        inside, _ = collocation.inside(2048, seed + 1)
        weights = torch.tensor(inside.weights / inside.weights.sum())
        return cls(collocation.problem, rows, torch.tensor(inside.points), weights)

    def distance(self, first: Field, second: Field) -> Distance:
        """How far the first is from the second. The components of a vector are measured together; an unknown that
        is zero but for rounding is measured against the largest one."""
        difference = self._squares(first.values(self.points) - second.values(self.points))
        size = self._squares(second.values(self.points))
        floor = 1e-3 * float(size.max())
        groups = self._groups(second.components)
        pairs = [(math.sqrt(float(difference[g].sum())), math.sqrt(float(size[g].sum()))) for g in groups]
        relative = max(d / max(s, floor, 1e-300) if d else 0.0 for d, s in pairs)
        return Distance(max(d for d, _ in pairs), relative)

    def noise(self, changes: Sequence[Field], field: Field) -> Distance:
        """Root mean square over draws of the changes that noise makes to a field."""
        away = [self.distance(change, ZeroField(field.components)).absolute for change in changes]
        absolute = math.sqrt(sum(a * a for a in away) / len(away))
        return Distance(absolute, absolute / max(self.size(field), 1e-300))

    def size(self, field: Field) -> float:
        """Largest root mean square over the unknowns."""
        return self.distance(ZeroField(field.components), field).absolute

    def residual(self, field: Field, parameters: Sequence[float], scale: Scale) -> float:
        """Size of the residual of equations and conditions at the judge's points; data are left out, for noise is
        no error of the solution."""
        # Jumps between slabs come last, without a weight of their own: they count like values of features of size one.
        missing = len(self.rows) - len(scale.weights)
        weights = (*scale.weights, *([CONDITION_WEIGHT] * missing))
        kept = [(w, rows) for w, rows in zip(weights, self.rows, strict=True) if rows.role != "data"]
        return Scale(tuple(w for w, _ in kept)).norm(residuals([rows for _, rows in kept], field, parameters))

    def _squares(self, values: Float[Tensor, "n c"]) -> Float[Tensor, " c"]:
        return (self.weights[:, None] * values.square()).sum(0)

    def _groups(self, components: int) -> list[list[int]]:
        vectors = [list(indices) for _, indices in self.problem.groups]
        alone = set(range(components)) - {i for v in vectors for i in v}
        return vectors + [[i] for i in sorted(alone)]


@dataclass(frozen=True)
class Rung:
    """What the estimate needs to know of a rung: its distance to the one before and both residuals, in one scale."""

    distance: Distance
    residual_before: float
    residual: float


def estimate(rungs: Sequence[Rung]) -> Estimate | None:
    """Error of the last rung from the climb so far.

    The difference d of two consecutive solutions is the error of the poorer one, and rho its residual, so d / rho
    is the stability constant |e| <= C |r| of this very problem, with these weights; C times the last residual is the
    error of the last solution. Where a climb is slow (a singularity no function of the basis knows), successive
    solutions share their error: the geometric series d q / (1 - q) of the observed contraction q is a second bound.
    The larger counts, times SAFETY. None before two rungs.
    """
    if not rungs:
        return None
    last = rungs[-1]
    stability = max(r.distance.relative / max(r.residual_before, 1e-300) for r in rungs[-2:])
    relative = SAFETY * stability * last.residual
    if len(rungs) > 1:
        contraction = min(last.distance.relative / max(rungs[-2].distance.relative, 1e-300), SLOWEST)
        relative = max(relative, last.distance.relative * contraction / (1 - contraction) if contraction > 0.3 else 0)
    relative = max(relative, ROUNDING)
    return Estimate(relative * _unit(last), relative, "residual times the stability measured between rungs")


def verified(rungs: Sequence[Rung]) -> Estimate:
    """Error of the rung before the last, from the distance d to the last, richer and independent one.

    Where errors shrink by the factor q a rung, d is only 1 - q of it; q is seen in the distances and in the residuals,
    the smaller counts. Where the two agree to rounding, errors do not shrink because there is nothing left to shrink:
    d is then not less than half of any of them.
    """
    last = rungs[-1]
    contraction = min(last.residual / max(last.residual_before, 1e-300), SLOWEST_VERIFIED)
    if len(rungs) > 1:
        contraction = min(contraction, last.distance.relative / max(rungs[-2].distance.relative, 1e-300))
    if last.distance.relative < ROUNDED:
        contraction = min(contraction, 0.5)
    relative = max(VERIFIED / (1 - contraction) * last.distance.relative, ROUNDING)
    return Estimate(relative * _unit(last), relative, "distance to an independent solution on a richer basis")


def _unit(rung: Rung) -> float:
    """Absolute size of a relative error."""
    away = rung.distance
    return away.absolute / away.relative if away.relative > 0 else 1.0
