"""Least squares on random features, climbed until the error estimate meets the tolerance."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from physolve.errors import NumericalError, SpecificationError
from physolve.nets import Basis, Field, TimeSlabs, ZeroField
from physolve.residual import Collocation, Density, Rows
from physolve.spec import Problem

from ._enrichment import BasisPlan
from ._error import SAFETY, Judge, Rung, estimate
from ._focus import Focus, focus_on
from ._method import MethodResult
from ._newton import Newton
from ._outcome import Estimate, History, Listener, Outcome, Progress, Step
from ._slabs import Slab, slabs_of
from ._system import Projection, project

ILL_POSED_RESIDUAL = 1e-6
ILL_POSED_DISTANCE = 0.05
FOCUS_SHARE = 0.5
GROWTH_OF_TIME = 2.5
"""A rung's time grows like its size to this power, between the squares of assembly and the cubes of QR."""


@dataclass(frozen=True)
class LeastSquares:
    """Rung 4 of the ladder: random tanh features with corner and hole functions, float64 least squares.

    first, growth, largest  features on the first rung, the factor to the next, and the most columns of the matrix
                            (features times unknowns)
    scales                  slopes (per half width of the domain) tried on the first rung; the best residual wins
    oversampling            rows of every equation per feature
    refine                  share of the points drawn near corners and holes
    slabs                   intervals into which time is cut, solved one after the other
    focused                 whether features and points gather where the residual is concentrated
    newton                  the iteration for nonlinear problems and unknown parameters
    """

    first: int = 120
    growth: float = 1.7
    largest: int = 4800
    scales: tuple[float, ...] = (1.5, 3.0, 6.0, 12.0)
    oversampling: float = 2.0
    refine: float = 0.2
    slabs: int = 1
    focused: bool = True
    ridge: float = 1e-15
    newton: Newton = field(default_factory=Newton)

    @property
    def name(self) -> str:
        """How solutions name their origin."""
        return "least squares on random features" + (f" in {self.slabs} time slabs" if self.slabs > 1 else "")

    def run(
        self,
        problem: Problem,
        tol: float,
        seed: int = 0,
        budget_s: float | None = None,
        progress: Listener | None = None,
        start: Field | None = None,
    ) -> MethodResult:
        """Climb; `start` is a field near the solution, if one is known (a hypernetwork's, say).

        Raises SpecificationError for time slabs of a problem with unknown parameters.
        """
        if self.slabs > 1 and problem.parameters:
            raise SpecificationError(
                f"LeastSquares: {self.slabs} time slabs cannot find parameters common to all times; use slabs=1"
            )
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
        self.method, self.problem, self.tol, self.seed, self.progress = method, problem, tol, seed, progress
        self.began = time.perf_counter()
        self.deadline = math.inf if budget_s is None else self.began + budget_s
        self.whole = Collocation(problem)
        self.breaks, self.slabs = slabs_of(problem, method.slabs)
        self.judge = Judge.of(self.whole, Density(2000, 600), seed + 1_000_003, self.breaks)
        self.state: Field | None = None if self.whole.linear else start
        self.parameters = tuple(p.guess for p in problem.parameters)
        self.focus: Focus | None = None
        self.best: Projection | None = None
        self.estimate: Estimate | None = None
        self.rungs: list[Rung] = []
        self.steps: list[Step] = []

    def run(self) -> MethodResult:
        size, scale = self.method.first, None
        try:
            while True:
                began = time.perf_counter()
                scale = scale or self._choose_scale(size)
                self._rung(size, scale)
                if self.estimate and self.estimate.relative <= self.tol:
                    return self.result(Outcome.CONVERGED)
                if self._undetermined():
                    return self.result(Outcome.ILL_POSED)
                size = round(size * self.method.growth)
                if size * len(self.problem.unknowns) > self.method.largest or not self._time_after(began):
                    return self.result(Outcome.TOLERANCE_NOT_REACHED)
        except NumericalError as error:
            if self.best is None:
                raise
            return self.result(Outcome.DIVERGED, str(error))

    def _choose_scale(self, size: int) -> float:
        """The slopes with the smallest residual at fresh points, on a basis of the first size; for a nonlinear
        problem of its linearisation at the solution found with the second of the scales."""
        if not self.whole.linear:
            first = self._solve(size, self.method.scales[1], 0, self.method.newton)[0]
            self.state, self.parameters = first.field, first.parameters
        trials = [self._solve(size, scale, 0, Newton(steps=1))[0] for scale in self.method.scales]
        sizes = [self.judge.residual(t.field, t.parameters, trials[0].scale) for t in trials]
        return min(zip(sizes, self.method.scales, strict=True))[1]

    def _rung(self, size: int, scale: float) -> None:
        before, number = self.best, len(self.steps) + 1
        self.best, iterations = self._solve(size, scale, number, self.method.newton)
        self.parameters = self.best.parameters
        self.state = None if self.whole.linear else self.best.field
        if before is not None:
            self.rungs.append(self._compare(before, self.best))
            self.estimate = estimate(self.rungs)
        self._record(self.best, iterations)
        if self.method.focused:
            count = round(FOCUS_SHARE * size * self.method.growth)
            self.focus = focus_on(self.whole, self.best, scale, count, self.seed + 31 * number)

    def _solve(self, size: int, scale: float, number: int, newton: Newton) -> tuple[Projection, int]:
        """The projection on a basis of this size, slab after slab, and the number of linear solves."""
        solved: list[Projection] = []
        iterations = 0
        for slab in self.slabs:
            before = solved[-1].field if solved else None
            basis, rows = self._system(slab, before, size, scale, number)
            # Without a better guess, a slab starts from the end of the one before, carried on by its features.
            state = self.state or before
            solution, taken = self._project(rows, basis, state, newton)
            solved.append(solution)
            iterations += taken
        if len(solved) == 1:
            return solved[0], iterations
        slabs = TimeSlabs(self.breaks, tuple(s.field for s in solved))
        rows_in_all = sum(s.rows for s in solved)
        return replace(solved[0], field=slabs, rows=rows_in_all), iterations

    def _project(
        self, rows: tuple[Rows, ...], basis: Basis, state: Field | None, newton: Newton
    ) -> tuple[Projection, int]:
        unknowns, ridge = len(self.problem.unknowns), self.method.ridge
        if self.whole.linear:
            return project(rows, basis, unknowns, None, self.parameters, ridge), 1
        return newton.solve(rows, basis, unknowns, state, self.parameters, ridge)

    def _system(
        self, slab: Slab, before: Field | None, size: int, scale: float, number: int
    ) -> tuple[Basis, tuple[Rows, ...]]:
        seed = self.seed + 101 * number
        local, extra = (), None
        if self.focus is not None:
            near = self.focus.within(*slab.plan.box)
            local = (near.features(round(FOCUS_SHARE * size)),) if len(near) else ()
            extra = near.centers.numpy()
        basis = slab.plan.build(size, scale, self.seed + number, local)
        wanted = self.method.oversampling * basis.size
        density = Density(round(wanted), max(60, round(0.3 * wanted)), self.method.refine)
        return basis, slab.collocation(self.whole, before).rows(density, seed, extra)

    def _compare(self, before: Projection, after: Projection) -> Rung:
        scale = after.scale
        return Rung(
            self.judge.distance(before.field, after.field),
            self.judge.residual(before.field, before.parameters, scale),
            self.judge.residual(after.field, after.parameters, scale),
        )

    def _record(self, projection: Projection, iterations: int) -> None:
        seconds = time.perf_counter() - self.began
        relative = self.estimate.relative if self.estimate else None
        residual = self.rungs[-1].residual if self.rungs else math.nan
        self.steps.append(
            Step(projection.features, projection.rows, residual, relative, seconds, f"{iterations} linear solves")
        )
        if self.progress is not None:
            self.progress(Progress(self.method.name, projection.features, relative, seconds))

    def _undetermined(self) -> bool:
        """Two solutions that both satisfy everything, yet differ."""
        if not self.rungs or self.best is None:
            return False
        last = self.rungs[-1]
        size = self.judge.residual(ZeroField(self.best.field.components), self.best.parameters, self.best.scale)
        small = max(last.residual, last.residual_before) < ILL_POSED_RESIDUAL * size
        return small and last.distance.relative > ILL_POSED_DISTANCE

    def _time_after(self, began: float) -> bool:
        """Whether the next rung will end before the deadline, going by the last one."""
        now = time.perf_counter()
        return now + (now - began) * self.method.growth**GROWTH_OF_TIME < self.deadline

    def result(self, outcome: Outcome, message: str = "") -> MethodResult:
        assert self.best is not None
        names = [p.name for p in self.problem.parameters]
        parameters = dict(zip(names, self.best.parameters, strict=True))
        history = History(tuple(self.steps))
        return MethodResult(self.best.field, parameters, history, outcome, message, self.estimate)


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
