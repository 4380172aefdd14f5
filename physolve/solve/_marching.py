"""Initial values of ordinary differential equations: march after march through time until two agree."""

import math
import time
from dataclasses import dataclass, field

import torch

from physolve.errors import NumericalError, SpecificationError
from physolve.residual import Collocation
from physolve.spec import Initial, Observations, Problem
from physolve.spec.geometry import split_time

from ._climb import OutOfTime
from ._error import ZERO, Judge, Rung, verified
from ._march import TAIL, March
from ._method import MethodResult
from ._newton import Newton
from ._options import check_whole
from ._outcome import Estimate, History, Listener, Outcome, Progress, Step

FIRST_SHARE = 0.1
"""Of the tolerance, that each step of the first march may be off by."""

FINER = 1e-2
"""From march to march."""

FINEST = 1e-12
"""Below it, rounding in derivatives of polynomials is all that a step shows."""

ROUNDED = 1e-13
"""Of the largest unknown: what rounding leaves of one that is zero. That much is within the tolerance."""

NEWS_S = 0.5
"""Between two lines of news."""


def marchable(problem: Problem) -> bool:
    """Whether time is all there is, and initial values determine the solution: as many as every unknown has derivatives
    in time. Nothing else is asked for but, with unknown parameters, agreement with measurements."""
    space, interval = split_time(problem.domain)
    initial = [condition for condition in problem.conditions if isinstance(condition, Initial)]
    measured = [condition for condition in problem.conditions if isinstance(condition, Observations)]
    known = len(initial) + len(measured) == len(problem.conditions) and bool(measured) == bool(problem.parameters)
    if space is not None or interval is None or not known:
        return False
    started = [(unknown, condition) for condition in initial for unknown in condition.unknowns()]
    given = dict.fromkeys(problem.unknowns, 0) | {u: 1 if c.velocity is None else 2 for u, c in started}
    orders = dict.fromkeys(range(len(problem.unknowns)), 0)
    for form in Collocation(problem).equations:
        for atom in form.atoms:
            orders[atom.unknown] = max(orders[atom.unknown], *atom.orders)
    once = len(started) == len(dict(started)) and len(problem.residuals) == len(problem.unknowns)
    return once and list(given.values()) == list(orders.values())


@dataclass(frozen=True)
class Marching:
    """Chebyshev polynomials of the given degree in every step, fitted by least squares at Gauss points to what is left
    of the equations; a step is as long as its last coefficients and its residual elsewhere allow. March after march
    with a hundredth of the error in every step, until two agree to the tolerance.

    For problems in which there is only time, and initial values.
    """

    degree: int = 16
    newton: Newton = field(default_factory=lambda: Newton(steps=12))

    def __post_init__(self) -> None:
        check_whole(self, TAIL + 1, "degree")

    @property
    def name(self) -> str:
        """How solutions name their origin."""
        return "Chebyshev collocation in adaptive time steps"

    def run(
        self,
        problem: Problem,
        tol: float,
        seed: int = 0,
        budget_s: float | None = None,
        progress: Listener | None = None,
    ) -> MethodResult:
        """March until the tolerance is met; nothing in it is random, whatever the seed. Where the solution ends before
        its time (u' = u^2), so does the result, at `valid_until`, with the outcome DIVERGED.

        Raises SpecificationError where there is more than time and initial values, NumericalError where not even the
        first march came to an end within the budget, or could not begin.
        """
        if not marchable(problem) or problem.parameters:
            raise SpecificationError(
                "Marching: needs ordinary differential equations in time, one for each unknown, for each as many "
                "initial values as it has derivatives, and no unknown parameters; use LeastSquares()"
            )
        return Marches(self, problem, tol, budget_s, progress).run()


class Marches:
    """March after march, each judged by the next, finer one."""

    def __init__(
        self,
        method: Marching,
        problem: Problem,
        tol: float,
        budget_s: float | None,
        news: Listener | None,
        parameters: tuple[float, ...] = (),
    ) -> None:
        self.method, self.tol, self.news, self.parameters = method, tol, news, parameters
        self.whole = Collocation(problem)
        self.clock = problem.coordinates[-1].name
        self.began = self.told = time.perf_counter()
        self.deadline = math.inf if budget_s is None else self.began + budget_s
        self.steps: list[Step] = []

    def run(self) -> MethodResult:
        """Until two marches agree to the tolerance, or there is no finer one."""
        allowed = max(FIRST_SHARE * self.tol, FINEST / FINER)
        finer, found = self._march(allowed), None
        best, until = finer, finer.now
        while allowed > FINEST:
            allowed = max(FINER * allowed, FINEST)
            before = finer
            try:
                finer = self._march(allowed)
            except KeyboardInterrupt:
                return self._result(best, Outcome.INTERRUPTED, found)
            except OutOfTime:
                break
            best = before
            found, until = self._compare(best, finer)
            self._record(finer, found)
            if not finer.finished:
                return self._ended(finer, found, until)
            if best.finished and found.relative <= self.tol:
                return self._result(best, Outcome.CONVERGED, found)
        message = ""
        if found:
            reached = f"estimated relative error {found.relative:.1e}, tolerance {self.tol:.1e}"
            agreeing = f"up to {self.clock} = {until:.6g} two marches agree to it"
            message = f"{Outcome.TOLERANCE_NOT_REACHED.value}: {reached}; {agreeing}"
        return self._result(best, Outcome.TOLERANCE_NOT_REACHED, found, message)

    def _march(self, allowed: float) -> March:
        """Raises NumericalError where it cannot begin, OutOfTime where it does not end before the deadline."""
        # Another degree than the march before: at the same nodes both would be rounded alike.
        degree = self.method.degree + 2 * len(self.steps)
        march = March(self.whole, degree, self.method.newton, allowed, self.parameters, deadline=self.deadline)
        while not march.finished and march.advance():
            self._tell(march)
        if not march.parts:
            pairs = zip(self.whole.problem.parameters, self.parameters, strict=True)
            given = "".join(f", {p.name} = {value:g}" for p, value in pairs)
            raise NumericalError(f"no step from {self.clock} = {march.begin:g}{given} is short enough: {march.cause}")
        if not self.steps:
            self._record(march, None)
        return march

    def _tell(self, march: March) -> None:
        """News of a long march."""
        now = time.perf_counter()
        if self.news and now > self.told + NEWS_S:
            self.told = now
            message = f"{self.clock} = {march.now:.4g} of {march.end:g}"
            self.news(Progress(self.method.name, march.features, None, now - self.began, message))

    def _compare(self, first: March, second: March) -> tuple[Estimate, float]:
        """Until when the first is off by less than the tolerance; its error, until then where the solution ends."""
        ended = min(first.now, second.now)
        times, _ = second.quadrature(ended)
        values = second.field.values(times)
        size = values.abs().cummax(0).values
        zero = min(ROUNDED / self.tol, ZERO)
        size = torch.maximum(size, zero * size.amax(1, keepdim=True)).clamp_min(1e-300)
        apart = ((first.field.values(times) - values).abs() > self.tol * size).any(1).nonzero()
        until = ended if not len(apart) else float(times[max(int(apart[0]) - 1, 0)])
        times, weights = second.quadrature(until if ended < second.end else ended)
        judge = Judge(self.whole.problem, (), times, weights / weights.sum(), zero)
        return verified([Rung(judge.distance(first.field, second.field), first.allowed, second.allowed)]), until

    def _ended(self, march: March, found: Estimate, until: float) -> MethodResult:
        """The result of a solution that ends before its time."""
        message = f"the solution ends near {self.clock} = {march.now:.6g}: {march.cause}"
        result = self._result(march, Outcome.DIVERGED, found, message)
        return result._replace(field=march.field_until(until), valid_until=until)

    def _record(self, march: March, found: Estimate | None) -> None:
        seconds, relative = time.perf_counter() - self.began, found.relative if found else None
        note = f"{len(march.parts)} steps, {march.iterations} linear solves"
        self.steps.append(Step(march.features, march.rows, march.worst, relative, seconds, note))
        if self.news:
            self.news(Progress(self.method.name, march.features, relative, seconds))

    def _result(self, march: March, outcome: Outcome, found: Estimate | None, message: str = "") -> MethodResult:
        names = [p.name for p in self.whole.problem.parameters]
        found_parameters = dict(zip(names, self.parameters, strict=True))
        ended = None if march.finished else march.now
        history = History(tuple(self.steps))
        return MethodResult(march.field, found_parameters, history, outcome, message, found, valid_until=ended)
