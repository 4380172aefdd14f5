"""Least squares on random features, climbed until the error estimate meets the tolerance."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from physolve.errors import NumericalError
from physolve.nets import Basis, Field
from physolve.residual import Collocation, Density, Rows
from physolve.spec import Problem

from ._enrichment import BasisPlan
from ._error import SAFETY, Judge, Rung, estimate
from ._method import MethodResult
from ._newton import Newton
from ._outcome import Estimate, History, Listener, Outcome, Progress, Step
from ._system import Projection, project

ILL_POSED_RESIDUAL = 1e-6
ILL_POSED_DISTANCE = 0.05


@dataclass(frozen=True)
class LeastSquares:
    """Rung 4 of the ladder: random tanh features with corner and hole functions, float64 least squares.

    first, growth, largest  features per unknown on the first rung, the factor to the next, and the most columns of
                            the matrix (features times unknowns)
    scales                  slopes (per half width of the domain) tried on the first rung; the best residual wins
    oversampling            rows per column
    newton                  the iteration for nonlinear problems and unknown parameters
    """

    first: int = 120
    growth: float = 1.7
    largest: int = 4800
    scales: tuple[float, ...] = (1.5, 3.0, 6.0, 12.0)
    oversampling: float = 2.0
    refine: float = 0.2
    ridge: float = 1e-15
    newton: Newton = field(default_factory=Newton)

    @property
    def name(self) -> str:
        return "least squares on random features"

    def run(
        self,
        problem: Problem,
        tol: float,
        seed: int = 0,
        budget_s: float | None = None,
        progress: Listener | None = None,
        start: Field | None = None,
    ) -> MethodResult:
        """Climb; `start` is a field near the solution, if one is known (a hypernetwork's, say)."""
        climb = _Climb(self, problem, tol, seed, budget_s, progress, start)
        try:
            return climb.run()
        except KeyboardInterrupt:
            if climb.best is None:
                raise
            return climb.result(Outcome.INTERRUPTED)


class _Climb:
    """The state of one climb."""

    def __init__(
        self,
        method: LeastSquares,
        problem: Problem,
        tol: float,
        seed: int,
        budget_s: float | None,
        progress: Listener | None,
        start: Field | None,
    ) -> None:
        self.method, self.problem, self.tol, self.seed = method, problem, tol, seed
        self.deadline = math.inf if budget_s is None else time.perf_counter() + budget_s
        self.progress = progress
        self.began = time.perf_counter()
        self.collocation = Collocation(problem)
        self.plan = BasisPlan(problem)
        self.judge = Judge.of(self.collocation, Density(2000, 600), seed + 1_000_003)
        self.state: Field | None = None if self.collocation.linear else start
        self.parameters = tuple(p.guess for p in problem.parameters)
        self.best: Projection | None = None
        self.estimate: Estimate | None = None
        self.rungs: list[Rung] = []
        self.steps: list[Step] = []

    def run(self) -> MethodResult:
        columns_each = max(1, len(self.problem.unknowns))
        size, scale = self.method.first, None
        try:
            while True:
                scale = scale or self._choose_scale(size)
                self._rung(size, scale)
                if self.estimate and self.estimate.relative <= self.tol:
                    return self.result(Outcome.CONVERGED)
                if self._undetermined():
                    return self.result(Outcome.ILL_POSED)
                size = round(size * self.method.growth)
                if size * columns_each > self.method.largest or not self._time_for_another():
                    return self.result(Outcome.TOLERANCE_NOT_REACHED)
        except NumericalError as error:
            if self.best is None:
                raise
            return self.result(Outcome.DIVERGED, str(error))

    def _choose_scale(self, size: int) -> float:
        """The slopes with the smallest residual at fresh points, on a basis of the first size; for a nonlinear
        problem of its linearisation at the solution found with the second of the scales."""
        if not self.collocation.linear:
            first, _ = self._solve(size, self.method.scales[1], 0)
            self.state, self.parameters = first.field, first.parameters
        trials = [self._project(size, scale, 0) for scale in self.method.scales]
        sizes = [self.judge.residual(t.field, t.parameters, trials[0].scale) for t in trials]
        return min(zip(sizes, self.method.scales, strict=True))[1]

    def _solve(self, size: int, scale: float, number: int) -> tuple[Projection, int]:
        if self.collocation.linear:
            return self._project(size, scale, number), 1
        basis, rows = self._system(size, scale, number)
        return self.method.newton.solve(
            rows, basis, len(self.problem.unknowns), self.state, self.parameters, self.method.ridge
        )

    def _project(self, size: int, scale: float, number: int) -> Projection:
        basis, rows = self._system(size, scale, number)
        return project(
            rows, basis, len(self.problem.unknowns), self.state, self.parameters, self.method.ridge
        )

    def _system(self, size: int, scale: float, number: int) -> tuple[Basis, tuple[Rows, ...]]:
        basis = self.plan.build(size, scale, self.seed + number)
        wanted = self.method.oversampling * basis.size
        density = Density(round(wanted), max(60, round(0.3 * wanted)), self.method.refine)
        return basis, self.collocation.rows(density, self.seed + 101 * number)

    def _rung(self, size: int, scale: float) -> None:
        before, self.last_rung_began = self.best, time.perf_counter()
        self.best, iterations = self._solve(size, scale, len(self.steps) + 1)
        self.parameters = self.best.parameters
        self.state = None if self.collocation.linear else self.best.field
        if before is not None:
            self.rungs.append(self._compare(before, self.best))
            self.estimate = estimate(self.rungs)
        self._record(self.best, iterations)

    def _compare(self, before: Projection, after: Projection) -> Rung:
        scale = after.scale
        return Rung(
            self.judge.distance(before.field, after.field),
            self.judge.residual(before.field, before.parameters, scale),
            self.judge.residual(after.field, after.parameters, scale),
        )

    def _record(self, projection: Projection, iterations: int) -> None:
        now = time.perf_counter()
        self.seconds_of_rung = now - self.last_rung_began
        relative = self.estimate.relative if self.estimate else None
        residual = self.judge.residual(projection.field, projection.parameters, projection.scale)
        features = projection.field.basis.size
        self.steps.append(Step(features, projection.rows, residual, relative, now - self.began))
        if self.progress is not None:
            self.progress(Progress("least squares", features, relative, now - self.began))

    def _undetermined(self) -> bool:
        """Two solutions that both satisfy everything, yet differ."""
        if not self.rungs or self.best is None:
            return False
        last = self.rungs[-1]
        zero = replace(self.best.field, coefficients=self.best.field.coefficients * 0)
        size = self.judge.residual(zero, self.best.parameters, self.best.scale)
        small = max(last.residual, last.residual_before) < ILL_POSED_RESIDUAL * size
        return small and last.distance.relative > ILL_POSED_DISTANCE

    def _time_for_another(self) -> bool:
        return time.perf_counter() + self.seconds_of_rung * self.method.growth**2.5 < self.deadline

    def result(self, outcome: Outcome, message: str = "") -> MethodResult:
        assert self.best is not None
        names = [p.name for p in self.problem.parameters]
        return MethodResult(
            self.best.field,
            dict(zip(names, self.best.parameters, strict=True)),
            History(tuple(self.steps)),
            outcome,
            message,
            self.estimate,
        )


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
