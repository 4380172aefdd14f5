"""One climb of the ladder: rung after rung of least squares, each judged against the one before."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from physolve.errors import NumericalError
from physolve.nets import Basis, Expansion, Field, Frozen, TimeSlabs, ZeroField
from physolve.residual import Collocation, Density, Rows
from physolve.spec import Observations, Problem

from ._error import UNVERIFIED, Judge, Rung, error_of, estimate, verified
from ._focus import Focus, focus_on, focus_on_layers
from ._method import MethodResult
from ._newton import Newton
from ._noise import spread_of_noise
from ._outcome import Estimate, History, Listener, Outcome, Progress, Step
from ._slabs import Slab, slabs_of
from ._source import FunctionSource
from ._stretching import FIRST_SWEEPS, Follower
from ._system import Projection, project, sizes_of_unknowns
from ._well_posed import NOT_DETERMINED, contradiction, is_free, loose, misfit

ILL_POSED_RESIDUAL = 1e-6
ILL_POSED_DISTANCE = 0.05
FOCUS_SHARE = 0.5
STALLED = 0.3
UNRESOLVED = 0.1
APPROACHING = 0.7
GROWN = 3.0
VERIFYING_GROWTH = 1.25
WITHIN_REACH = 10.0
NOISE_DEVIATIONS = 3.0
GROWTH_OF_TIME = 2.5
"""A rung's time grows like its size to this power, between the squares of assembly and the cubes of QR."""


class OutOfTime(NumericalError):
    """A rung that may be given up was begun and not finished within the budget."""


class Settings(Protocol):
    """What a climb reads of `LeastSquares`."""

    @property
    def name(self) -> str: ...
    @property
    def first(self) -> int: ...
    @property
    def growth(self) -> float: ...
    @property
    def largest(self) -> int: ...
    @property
    def scales(self) -> tuple[float, ...]: ...
    @property
    def oversampling(self) -> float: ...
    @property
    def refine(self) -> float: ...
    @property
    def slabs(self) -> int: ...
    @property
    def stretched(self) -> bool: ...
    @property
    def focused(self) -> bool: ...
    @property
    def give_up(self) -> float: ...
    @property
    def patient(self) -> bool: ...
    @property
    def ridge(self) -> float: ...
    @property
    def newton(self) -> Newton: ...
    @property
    def source(self) -> FunctionSource | None: ...


class Climb:
    """The state of one climb: what has been solved so far, and how the next rung is."""

    def __init__(
        self,
        method: Settings,
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
        self.follower = Follower() if method.stretched else None
        self.judge = self._judge()
        self.state: Field | None = None if self.whole.linear else start
        self.parameters = tuple(p.guess for p in problem.parameters)
        self.focus: Focus | None = None
        self.made: Basis | None = None
        self.to_come = self._made_for_the_problem()
        self.best: Projection | None = None
        self.before: Projection | None = None
        self.estimate: Estimate | None = None
        self.sizes: tuple[float, ...] | None = None
        self.rungs: list[Rung] = []
        self.steps: list[Step] = []

    def _judge(self) -> Judge:
        stretches = self.follower.stretches(self.slabs) if self.follower else None
        judged = self.whole.on(None, None, stretches) if stretches else self.whole
        return Judge.of(judged, Density(2000, 600), self.seed + 1_000_003, self.breaks)

    def _made_for_the_problem(self) -> Iterator[Basis]:
        """Functions for the first rungs. Newton's iteration and slabs do without: they have a guess of their own."""
        source = self.method.source
        return source.bases(self.problem) if source and self.whole.linear and self.method.slabs == 1 else iter(())

    def run(self) -> MethodResult:
        """Rung after rung until the tolerance is met, or no larger one can be afforded."""
        try:
            return self._climb()
        except OutOfTime:
            if self.best is None:
                raise
            return self._unverified()
        except NumericalError as error:
            if self.best is None:
                raise
            return self.result(Outcome.DIVERGED, str(error))

    def _climb(self) -> MethodResult:
        beside = self.slabs[0].plan.products if len(self.slabs) == 1 else 0
        size, scale = self.method.first + beside, None
        while True:
            began = time.perf_counter()
            if made := next(self.to_come, None):
                self.made, size = made, self.method.first + made.size
                self._rung(made.size + sum(b.size for b in self.slabs[0].plan.special), self.method.scales[0])
            else:
                if scale is None and self.made and not self._promising():
                    return self._unverified()
                if scale is None or self._unresolved():
                    scale = self._choose_scale(size)
                self._rung(size, scale)
            if self._undetermined():
                return self.result(Outcome.ILL_POSED)
            if self._hopeless():
                return self._unverified()
            if self.rungs and (checked := verified(self.rungs)).relative <= self.tol:
                # This rung, richer and independent, has confirmed the one before, which is the solution.
                self.best, self.estimate = self.before, checked
                return self.result(Outcome.CONVERGED)
            size = self._next_size(size) if scale else size
            if not self._affordable(size, began):
                return self._unverified()

    def _next_size(self, size: int) -> int:
        """Features of the next rung; as many as are allowed where a full step would be too large, but the tolerance is
        within reach."""
        close = self.estimate is not None and self.estimate.relative <= self.tol
        following = round(size * (VERIFYING_GROWTH if close else self.method.growth))
        most = self.method.largest // len(self.problem.unknowns)
        if following > most > VERIFYING_GROWTH * size and self._within_reach():
            return most
        return following

    def _within_reach(self) -> bool:
        """Whether the tolerance is less than WITHIN_REACH away after one more rung like the last."""
        if not self.rungs or self.estimate is None:
            return False
        contraction = self.rungs[-1].residual / max(self.rungs[-1].residual_before, 1e-300)
        return self.estimate.relative * contraction <= WITHIN_REACH * self.tol

    def _unverified(self) -> MethodResult:
        """The end of a climb whose last rung nothing richer confirms."""
        if self.estimate is None:
            return self.result(Outcome.TOLERANCE_NOT_REACHED)
        if self.rungs[-1].residual > self.rungs[-1].residual_before:
            # The last rung is the poorer one; how far it is away is all that is known of the one before.
            self.best, self.estimate = self.before, verified(self.rungs)
        found = self.estimate
        self.estimate = Estimate(found.value * UNVERIFIED, found.relative * UNVERIFIED, found.method)
        met = self.estimate.relative <= self.tol
        return self.result(Outcome.CONVERGED if met else Outcome.TOLERANCE_NOT_REACHED)

    def _promising(self) -> bool:
        """Whether the functions made for the problem have come near enough to be worth their columns beside random
        ones. (Kept anyhow, the climb for HZ-G took five times as long, for the wave three times.)"""
        return self.estimate is not None and self.estimate.relative <= WITHIN_REACH * self.tol

    def _unresolved(self) -> bool:
        """Whether the solution is still so poor that the choice of slopes was no more than a guess."""
        return self.estimate is None or self.estimate.relative > UNRESOLVED

    def _choose_scale(self, size: int) -> float:
        """The slopes with the smallest residual at fresh points, on a basis of this size; for a nonlinear problem of
        its linearisation at the last solution, or at one found with the second of the scales."""
        if len(self.method.scales) == 1:
            return self.method.scales[0]
        if self.made is not None:  # what is left to the random features is small, whatever their slopes
            return self.method.scales[1]
        if not self.whole.linear and self.best is None:
            first = self._solve(size, self.method.scales[1], 0, self.method.newton)[0]
            self.state, self.parameters = first.field, first.parameters
        trials = [self._solve(size, scale, 0, Newton(steps=1))[0] for scale in self.method.scales]
        sizes = [self.judge.residual(t.field, t.parameters, trials[0].scale) for t in trials]
        return min(zip(sizes, self.method.scales, strict=True))[1]

    def _rung(self, size: int, scale: float) -> None:
        before, number = self.best, len(self.steps) + 1
        self.before = before
        self.best, iterations = self._better(size, scale, number)
        self.parameters = self.best.parameters
        self.state = None if self.whole.linear else self.best.field
        if before is not None:
            self.rungs.append(self._compare(before, self.best))
            self.estimate = estimate(self.rungs)
        self._record(self.best, iterations)
        if self.method.focused and self._stalled():
            count = round(FOCUS_SHARE * size * self.method.growth) * len(self.slabs)
            self.focus = focus_on(self.whole, self.best, scale, count, self.seed + 31 * number)

    def _better(self, size: int, scale: float, number: int) -> tuple[Projection, int]:
        """The next solution: with features spread evenly, or, where there is something to gather at, with half of them
        there, whichever leaves less residual. (Helmholtz in a box stalls because it is still too coarse: gathering
        would hold it back for good.)"""
        focus, self.focus = self.focus, None
        even, solves = self._solve(size, scale, number, self.method.newton)
        if focus is None:
            return even, solves
        self.focus = focus
        gathered, more = self._solve(size, scale, number, self.method.newton)
        size_of = [self.judge.residual(p.field, p.parameters, even.scale) for p in (even, gathered)]
        return (gathered if size_of[1] < size_of[0] else even), solves + more

    def _stalled(self) -> bool:
        """Whether more features of the same kind hardly helped: then, not before, they should gather somewhere.
        (Tried on every concentrated residual: Helmholtz took twice the features, the L-shape lost two digits.)"""
        return len(self.rungs) >= 2 and all(r.residual > STALLED * r.residual_before for r in self.rungs[-2:])

    def _solve(self, size: int, scale: float, number: int, newton: Newton) -> tuple[Projection, int]:
        """The projection on a basis of this size, slab after slab, and the number of linear solves.

        Raises OutOfTime after the deadline, unless it is of the first rung and that is waited for.
        """
        waiting, done = list(self.slabs), []
        solved: list[Projection] = []
        iterations = 0
        while waiting:
            if time.perf_counter() > self.deadline and (self.best or not self.method.patient):
                raise OutOfTime("the budget was spent before the end of a rung")
            slab = waiting.pop(0)
            before = solved[-1].field if solved else None
            solution, taken = self._solve_slab(slab, before, size, scale, number, newton)
            iterations += taken
            if self.follower and self.follower.hasty(slab):
                waiting[:0] = slab.halves()
                continue
            solved.append(solution)
            done.append(slab)
        if len(solved) == 1:
            return solved[0], iterations
        self._cut(tuple(done))
        slabs = TimeSlabs(self.breaks, tuple(s.field for s in solved))
        rows_in_all = sum(s.rows for s in solved)
        unsettled = max(s.unsettled for s in solved)
        return replace(solved[0], field=slabs, rows=rows_in_all, unsettled=unsettled), iterations

    def _solve_slab(
        self, slab: Slab, before: Field | None, size: int, scale: float, number: int, newton: Newton
    ) -> tuple[Projection, int]:
        """One slab; again, where its coordinate has yet to follow the solution."""
        still = Frozen(before, float(slab.plan.box[0][-1])) if before else None
        focus = self._focus(slab, still, round(FOCUS_SHARE * size), scale, number)
        # Without a better guess, a slab starts from the end of the one before.
        state, iterations = self.state or still, 0
        sweeps = self.follower.sweeps(slab) if self.follower else 1
        while True:
            basis, rows = self._system(slab, before, focus, size, scale, number)
            solution, taken = self._project(rows, basis, state, newton)
            state, iterations, sweeps = solution.field, iterations + taken, sweeps - 1
            if self.follower:
                self.follower.learn(slab, state)
            if sweeps <= 0:
                return solution, iterations

    def _cut(self, slabs: tuple[Slab, ...]) -> None:
        """Go on with these slabs, some of them halved, and judge where their coordinates are stretched."""
        if self.follower:
            self.slabs = slabs
            self.breaks = (*(slab.times[0] for slab in slabs), slabs[-1].times[1])
            self.judge = self._judge()

    def _project(
        self, rows: tuple[Rows, ...], basis: Basis, state: Field | None, newton: Newton
    ) -> tuple[Projection, int]:
        unknowns, ridge = len(self.problem.unknowns), self.method.ridge
        if self.whole.linear:
            if self.sizes is None:
                self.sizes = sizes_of_unknowns(rows, basis, unknowns, self.parameters)
            return project(rows, basis, unknowns, None, self.parameters, ridge, sizes=self.sizes), 1
        return newton.solve(rows, basis, unknowns, state, self.parameters, ridge)

    def _focus(self, slab: Slab, still: Field | None, count: int, scale: float, number: int) -> Focus | None:
        """What to gather at in a slab: the residual of the rung before, or layers in the slab before."""
        if not self.method.focused:
            return None
        if self.focus is not None:
            near = self.focus.within(*slab.plan.box)
            return near if len(near) else None
        return focus_on_layers(slab.part, still, scale, count, number) if still and slab.part else None

    def _system(
        self, slab: Slab, before: Field | None, focus: Focus | None, size: int, scale: float, number: int
    ) -> tuple[Basis, tuple[Rows, ...]]:
        seed = self.seed + 101 * number
        if self.follower:
            stretch = self.follower.stretch(slab)
            basis = slab.plan.build_stretched(size, scale, self.seed + number, stretch)
            return basis, slab.collocation(self.whole, before, stretch).rows(self._density(basis.size), seed)
        local = (focus.features(round(FOCUS_SHARE * size)),) if focus else ()
        local = (*local, self.made) if self.made else local
        basis = slab.plan.build(size, scale, self.seed + number, local)
        extra = focus.points.numpy() if focus else None
        return basis, slab.collocation(self.whole, before).rows(self._density(basis.size), seed, extra)

    def _density(self, features: int) -> Density:
        wanted = self.method.oversampling * features
        return Density(round(wanted), max(60, round(0.3 * wanted)), self.method.refine)

    def _compare(self, before: Projection, after: Projection) -> Rung:
        scale = after.scale
        return Rung(
            self.judge.distance(before.field, after.field),
            self.judge.residual(before.field, before.parameters, scale),
            self.judge.residual(after.field, after.parameters, scale),
            after.unsettled,
        )

    def _record(self, projection: Projection, iterations: int) -> None:
        seconds = time.perf_counter() - self.began
        relative = self.estimate.relative if self.estimate else None
        residual = self.judge.residual(projection.field, projection.parameters, projection.scale)
        self.steps.append(
            Step(projection.features, projection.rows, residual, relative, seconds, f"{iterations} linear solves")
        )
        if self.progress is not None:
            self.progress(Progress(self.method.name, projection.features, relative, seconds))

    def _undetermined(self) -> bool:
        """Two solutions that both satisfy everything, yet differ; not because a coefficient is merely small."""
        if not self.rungs or self.best is None:
            return False
        last = self.rungs[-1]
        size = self.judge.residual(ZeroField(self.best.field.components), self.best.parameters, self.best.scale)
        small = max(last.residual, last.residual_before) < ILL_POSED_RESIDUAL * size
        apart = last.distance.absolute > ILL_POSED_DISTANCE * self.judge.size(self.best.field)
        return small and apart and self._free() is not False

    def _hopeless(self) -> bool:
        """Whether the climb goes nowhere, far from any solution: the residual has stalled and the solutions come no
        closer to each other (those of a wave do, while its residual falls late), or the residual grows."""
        if not self.rungs or self.estimate is None or self.estimate.relative <= self.method.give_up:
            return False
        last, *earlier = reversed(self.rungs)
        apart = bool(earlier) and last.distance.relative > APPROACHING * earlier[0].distance.relative
        return (self._stalled() and apart) or last.residual > GROWN * last.residual_before

    def _affordable(self, size: int, began: float) -> bool:
        """Whether a rung fits in the largest matrix, and will end before the deadline going by the last one."""
        if size * len(self.problem.unknowns) > self.method.largest:
            return False
        now = time.perf_counter()
        spent = now - began
        if self.follower and len(self.steps) == 1:
            spent /= FIRST_SWEEPS
        growth = max(1.0, size / max(1, self.steps[-1].features))  # special functions come on top of a small size
        return now + spent * growth**GROWTH_OF_TIME < self.deadline

    def result(self, outcome: Outcome, message: str = "") -> MethodResult:
        """The best solution with what noise in the data adds to its error. None converges to what is not determined."""
        assert self.best is not None
        names = [p.name for p in self.problem.parameters]
        deviations = dict(zip(names, self._add_noise(), strict=False))
        if outcome is Outcome.CONVERGED and (why := self._not_determined(deviations)):
            outcome, message = Outcome.ILL_POSED, why
        found = None if outcome is Outcome.ILL_POSED else self.estimate  # what is not determined has no error
        parameters = dict(zip(names, self.best.parameters, strict=True))
        history = History(tuple(self.steps))
        return MethodResult(self.best.field, parameters, history, outcome, message, found, deviations)

    def _not_determined(self, deviations: Mapping[str, float]) -> str:
        """Why equations, conditions and data do not determine the solution; empty where they do, as far as can be
        seen."""
        assert self.best is not None
        if clash := contradiction(self.judge, self.best):
            return clash
        if why := misfit(self.judge, self.best, self.tol) or loose(
            self.problem.parameters, self.best.parameters, deviations
        ):
            return why
        return NOT_DETERMINED if self._free() else ""

    def _free(self) -> bool | None:
        """Whether a function without data may be added to a solution; None where this is not known."""
        if not self.whole.linear or self.parameters or len(self.slabs) > 1 or self.follower is not None:
            return None
        return is_free(self.judge, self._fresh_system, len(self.problem.unknowns), self.sizes or (), self.seed)

    def _fresh_system(self, size: int) -> tuple[Basis, tuple[Rows, ...]]:
        basis = self.slabs[0].plan.build(size, self.method.scales[0], self.seed + 7919, ())
        return basis, self.whole.rows(self._density(basis.size), self.seed + 7919)

    def _without_noise(self, basis: Basis, rows: tuple[Rows, ...]) -> Projection:
        """The solution with the field that equations and conditions alone give its parameters, where they do: there,
        what a parameter changes is not what noise has left in the field."""
        assert self.best is not None
        if not self.parameters:
            return self.best
        known = [block for block in rows if block.role != "data"]
        unknowns, ridge = len(self.problem.unknowns), self.method.ridge
        calm = project(known, basis, unknowns, self.best.field, self.best.parameters, ridge, fixed=True).field
        alike = self.judge.distance(calm, self.best.field).relative < UNRESOLVED
        return replace(self.best, field=calm) if alike else self.best

    def _add_noise(self) -> tuple[float, ...]:
        """Add the spread that noise causes to the estimate; standard deviations of the parameters."""
        measured = any(isinstance(condition, Observations) for condition in self.problem.conditions)
        if not measured or self.best is None or not isinstance(self.best.field, Expansion):
            return ()
        basis = self.best.field.basis
        rows = self.whole.rows(self._density(basis.size), self.seed)
        spread = spread_of_noise(rows, basis, self._without_noise(basis, rows), self.seed, self.method.ridge)
        deviations = spread.parameters
        if self.before is not None:  # independent bases may find other values, where little depends on a parameter
            changes = (abs(a - b) for a, b in zip(self.best.parameters, self.before.parameters, strict=True))
            deviations = tuple(map(max, deviations, changes))
        noise = self.judge.noise(spread.fields, self.best.field)
        named = {p.name: value for p, value in zip(self.problem.parameters, self.best.parameters, strict=True)}
        before = self.estimate or error_of(self.problem, self.best.field, named, self.seed)  # after a single rung
        if before is None:
            return deviations
        self.estimate = Estimate(
            math.hypot(before.value, NOISE_DEVIATIONS * noise.absolute),
            math.hypot(before.relative, NOISE_DEVIATIONS * noise.relative),
            before.method + ", with the spread of noise in the data",
        )
        return deviations
