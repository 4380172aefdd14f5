"""The error estimate of the ladder: a stability constant measured on the problem itself, times the residual."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Points
from physolve.errors import NumericalError
from physolve.nets import Field, ZeroField
from physolve.residual import Collocation, Density, Rows
from physolve.spec import Problem

from ._enrichment import BasisPlan
from ._outcome import Estimate
from ._system import CONDITION_WEIGHT, Scale, project, residuals

SAFETY = 3.0
"""On residual times stability, as a gate: below the tolerance with it, a rung is verified by a richer one."""

UNVERIFIED = 3.0
"""More safety where no richer rung could be afforded: stability varies by this much between rungs."""

VERIFIED = 3.0
"""On the distance to a richer, independent solution, whose own error is part of that distance."""

SLOWEST = 0.9
"""Contraction from rung to rung that a climb is taken to have at least, however slow it is."""

SLOWEST_VERIFIED = 0.85
"""The same for verified rungs, where VERIFIED leaves room for contractions up to 0.95. Where both rungs are at rounding
the residual does not fall at all: with 0.9 the estimate of boundary_layer was 51 times its error."""

ROUNDING = 1e-14
"""No error is estimated below what sums of hundreds of float64 terms leave."""


ROUNDED = 10 * ROUNDING
"""Distance of two solutions that differ by rounding alone. (beam: the first is 5e-15 off, they are 1.6e-14 apart.)"""


ZERO = 1e-3
"""Part of the largest unknown below which another one may be zero: its values are the errors of the others."""

AGREE = 0.5
"""Relative difference below which two solutions agree that an unknown is not zero."""


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
    zero: float = ZERO

    @classmethod
    def of(cls, collocation: Collocation, density: Density, seed: int, breaks: Sequence[float] = ()) -> "Judge":
        """Rows at fresh points, and the jumps across the interior ones of the slabs' break times."""
        jumps = collocation.continuity(breaks[1:-1], max(16, density.boundary // max(1, len(breaks))), seed)
        rows = (*collocation.rows(density, seed=seed), *jumps)
        inside, _ = collocation.inside(2048, seed + 1)
        weights = torch.tensor(inside.weights / inside.weights.sum())
        return cls(collocation.problem, rows, torch.tensor(inside.points), weights)

    def distance(self, first: Field, second: Field) -> Distance:
        """How far the first is from the second. The components of a vector are measured together, every unknown
        against itself, for each may have units of its own; but one on which the two hardly agree, and which is far
        smaller than the largest one, may be zero but for rounding, and is measured against `zero` of that."""
        difference = self._squares(first.values(self.points) - second.values(self.points))
        size = self._squares(second.values(self.points))
        groups = self._groups(second.components)
        pairs = [(math.sqrt(float(difference[g].sum())), math.sqrt(float(size[g].sum()))) for g in groups]
        floor = self.zero * max(s for _, s in pairs)
        relative = max(_relative(d, s, floor) for d, s in pairs)
        return Distance(max(d for d, _ in pairs), relative)

    def noise(self, changes: Field, field: Field) -> Distance:
        """Root mean square over the domain of the standard deviation that noise gives to a field; `changes` holds those
        of independent parts of the noise, side by side."""
        squares = self._squares(changes.values(self.points)).unflatten(0, (-1, field.components)).sum(0)
        absolute = max(math.sqrt(float(squares[group].sum())) for group in self._groups(field.components))
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
    """What the estimate needs to know of a rung: its distance to the one before, both residuals in one scale, and how
    far Newton's iteration would still go."""

    distance: Distance
    residual_before: float
    residual: float
    unsettled: float = 0.0


def estimate(rungs: Sequence[Rung]) -> Estimate | None:
    """Error of the last rung from the climb so far.

    The difference d of two consecutive solutions is the error of the poorer one, and rho its residual, so d / rho
    is the stability constant |e| <= C |r| of this very problem, with these weights; C times the last residual is the
    error of the last solution. Where a climb is slow (a singularity no function of the basis knows), successive
    solutions share their error: the geometric series d q / (1 - q) of the observed contraction q is a second bound.
    The larger counts, the first of them times SAFETY; and how far Newton's iteration would still go, times SAFETY. None
    before two rungs.
    """
    if not rungs:
        return None
    last = rungs[-1]
    stability = max(r.distance.relative / max(r.residual_before, 1e-300) for r in rungs[-2:])
    relative = SAFETY * stability * last.residual
    if len(rungs) > 1:
        contraction = min(last.distance.relative / max(rungs[-2].distance.relative, 1e-300), SLOWEST)
        relative = max(relative, last.distance.relative * contraction / (1 - contraction) if contraction > 0.3 else 0)
    relative = max(relative, SAFETY * last.unsettled, ROUNDING)
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
    away = max(last.distance.relative / (1 - contraction), last.distance.relative + last.unsettled)
    relative = max(VERIFIED * away, ROUNDING)
    return Estimate(relative * _unit(last), relative, "distance to an independent solution on a richer basis")


def error_of(
    problem: Problem, solution: Field, parameters: Mapping[str, float], seed: int, features: int = 900
) -> Estimate | None:
    """Error of any field: its distance to one Newton step from it on an independent basis of random features.

    That step solves the error equation L e = r, linearised at the field. None where it fails.
    """
    collocation, plan = Collocation(problem), BasisPlan(problem)
    judge = Judge.of(collocation, Density(500, 200), seed + 2_000_003)
    basis = plan.build(features, 3.0, seed + 77)
    rows = collocation.rows(Density(2 * basis.size, round(0.6 * basis.size)), seed + 78)
    try:
        step = project(rows, basis, len(problem.unknowns), solution, tuple(parameters.values()))
    except NumericalError:
        return None
    away = judge.distance(solution, step.field)
    return Estimate(
        SAFETY * away.absolute, SAFETY * away.relative, "error equation on an independent basis of random features"
    )


def _relative(difference: float, size: float, floor: float) -> float:
    """Of an unknown of this size to itself, or where that may be zero, to the floor."""
    if difference == 0:
        return 0.0
    return difference / max(size if difference < AGREE * size else max(size, floor), 1e-300)


def _unit(rung: Rung) -> float:
    """Absolute size of a relative error."""
    away = rung.distance
    return away.absolute / away.relative if away.relative > 0 else 1.0
