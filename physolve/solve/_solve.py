"""`solve`: from a problem and a tolerance to a solution, by the rung of the ladder that gets there."""

import math
import time
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from physolve.errors import NumericalError, SpecificationError
from physolve.nets import Field
from physolve.spec import Problem

from ._climb import OutOfTime
from ._error import error_of
from ._ladder import LeastSquares
from ._marching import Marching, marchable
from ._method import MethodResult
from ._outcome import Cost, Estimate, Listener, Outcome
from ._rough_data import rough_data
from ._shooting import Shooting
from ._solution import Solution
from ._source import FunctionSource
from ._stretching import stretchable
from ._tries import Tries, best_of

SLABS = 8

STRETCHED_SLABS = 8
"""A coordinate follows a layer along a straight line through each of them. Burgers with 400 features a slab: 1.2e-4
with 8, 1.5e-5 with 16."""

STRETCHED_SLOPE = 15.0
"""Slopes of features in a stretched coordinate, in which all solutions look alike (10 to 20 differ by a third)."""

SLABS_ABOVE = 0.05
"""Estimated relative error above which a stalled climb over all times at once makes room for time slabs."""

SEEDS = 2**32
"""Seeds stay below it, so that those derived from them, up to 1,000,003 times as large, fit the generators."""


class Method(Protocol):
    """A rung of the ladder: a frozen configuration that can be run."""

    @property
    def name(self) -> str:
        """How the solution names its origin."""
        ...

    def run(
        self,
        problem: Problem,
        tol: float,
        seed: int = 0,
        budget_s: float | None = None,
        progress: Listener | None = None,
    ) -> MethodResult:
        """Solve."""
        ...


def solve(
    problem: Problem,
    tol: float = 1e-3,
    *,
    method: Method | None = None,
    seed: int = 0,
    budget_s: float | None = None,
    progress: Listener | None = None,
    start: Field | None = None,
    source: FunctionSource | None = None,
) -> Solution:
    """Solve a problem until the estimated relative error is below `tol`, or say how far it came.

    tol        relative root-mean-square error over the domain
    method     a rung of the ladder (`LeastSquares()`, `GaussNewton()`, `AdamLBFGS()`); None takes least squares on
               random features, inside Newton's iteration for nonlinear problems; for ordinary differential equations
               with initial values `Marching()`, with unknown parameters `Shooting()`
    seed       of features and points: the same seed gives the same solution
    budget_s   seconds after which no new rung is begun, and a march is given up
    progress   called with a `Progress` at every rung
    start      a field near the solution, from which Newton's iteration starts
    source     of functions made for the problem, with which the default method begins: `physolve.hypino.HyPINO.load()`

    Ctrl-C returns the best solution so far with the outcome INTERRUPTED, once there is one. Raises
    SpecificationError for an argument of another kind, such as a tolerance or budget that is no positive number,
    NumericalError where not even a first solution could be computed.
    """
    check_arguments(problem, tol, method, seed, budget_s, start, source)
    seed = int(seed)  # of numpy's integers, derived ones would overflow
    began = time.perf_counter()
    if method is None:
        if start is None and source is not None and not problem.classification.linear:
            start = source.guess(problem)
        result = _climb(problem, tol, seed, budget_s, progress, start, source)
    elif isinstance(method, LeastSquares):
        result = _run(method, problem, tol, seed, budget_s, progress, start)
    else:
        result = _run(method, problem, tol, seed, budget_s, progress)
    estimate = result.estimate
    if estimate is None and result.outcome is not Outcome.ILL_POSED:  # what is not determined has no error
        estimate = error_of(problem, result.field, result.parameters, seed)
    return _solution(problem, result, estimate, tol, time.perf_counter() - began)


def _climb(
    problem: Problem,
    tol: float,
    seed: int,
    budget_s: float | None,
    progress: Listener | None,
    start: Field | None,
    source: FunctionSource | None,
) -> MethodResult:
    """The ladder as it is climbed by default: initial values of ordinary differential equations by a march; else the
    whole domain at once; a problem in time that does not yield to that, in slabs; if these fail too, the whole domain
    again with no regard to how slow it is. The best by its own estimate.
    """
    if start is None and marchable(problem):
        if problem.parameters:
            return _run(Shooting(), problem, tol, seed, budget_s, progress)
        try:
            return _run(Marching(), problem, tol, seed, budget_s, progress)
        except OutOfTime:
            raise
        except NumericalError:
            pass  # it cannot begin, as where u u' = 1 begins at zero, which least squares may still come near
    slabs_possible = problem.time is not None and not problem.parameters
    whole = LeastSquares(give_up=SLABS_ABOVE if slabs_possible else math.inf, source=source)
    tries = Tries[MethodResult](budget_s)
    tries.attempt(lambda left: _run(whole, problem, tol, seed, left, progress, start))
    first = tries.found[0].history
    next_size = round(first.steps[-1].features * whole.growth) if len(first) else whole.first
    others = (_in_slabs(problem), LeastSquares(first=next_size)) if slabs_possible else ()
    for other in others:
        if all(map(_far, tries.found)):
            method = replace(other, patient=False)
            tries.attempt(lambda left, method=method: _run(method, problem, tol, seed, left, progress))
    return best_of(tries)


def _run(method: Method, *arguments: Any) -> MethodResult:
    return method.run(*arguments)._replace(method=method.name)


def _far(result: MethodResult) -> bool:
    """Whether a climb has ended without anything like a solution."""
    far = result.estimate is None or result.estimate.relative > SLABS_ABOVE
    return far and result.outcome is Outcome.TOLERANCE_NOT_REACHED


def _in_slabs(problem: Problem) -> LeastSquares:
    """Time slabs, in which the one coordinate of a problem on an interval is stretched where the solution is steep."""
    largest = 1000 * len(problem.unknowns)
    if not stretchable(problem):
        return LeastSquares(slabs=SLABS, first=250, largest=largest, give_up=SLABS_ABOVE)
    return LeastSquares(
        slabs=STRETCHED_SLABS,
        first=280,
        growth=1.5,
        largest=largest,
        scales=(STRETCHED_SLOPE,),
        focused=False,
        stretched=True,
        give_up=SLABS_ABOVE,
    )


def _solution(
    problem: Problem, result: MethodResult, estimate: Estimate | None, tol: float, seconds: float
) -> Solution:
    outcome = result.outcome
    met = estimate is not None and estimate.relative <= tol
    if outcome in (Outcome.CONVERGED, Outcome.TOLERANCE_NOT_REACHED):
        outcome = Outcome.CONVERGED if met else Outcome.TOLERANCE_NOT_REACHED
    steps = result.history.steps
    last = steps[-1] if steps else None
    cost = Cost(seconds, last.features if last else 0, last.rows if last else 0, len(steps))
    noisy = bool(result.deviations) and last is not None and (last.estimate or math.inf) <= tol
    message = result.message or _message(outcome, estimate, tol, noisy)
    if outcome is Outcome.TOLERANCE_NOT_REACHED and (rough := rough_data(problem)):
        message += f"; {rough}"
    return Solution(
        problem,
        result.field,
        outcome,
        message,
        estimate,
        result.method,
        cost,
        result.parameters,
        result.history,
        result.deviations,
        result.valid_until,
    )


def _message(outcome: Outcome, estimate: Estimate | None, tol: float, noisy: bool) -> str:
    reached = f"estimated relative error {estimate.relative:.1e}" if estimate else "no estimate of the error"
    if outcome is Outcome.ILL_POSED:
        return (
            "two solutions satisfy all equations and conditions to rounding and yet differ; likely causes: a missing "
            "boundary or initial condition, or a solution fixed only up to a constant (add MeanValue or PointValue)"
        )
    why = "; the noise in the data allows no better" if noisy and outcome is Outcome.TOLERANCE_NOT_REACHED else ""
    return f"{outcome.value}: {reached}, tolerance {tol:.1e}{why}"


def check_arguments(
    problem: object, tol: object, method: object, seed: object, budget_s: object, start: object, source: object
) -> None:
    """Raises SpecificationError for the first argument of `solve` that is not of its kind."""
    if not isinstance(problem, Problem):
        raise SpecificationError(
            f"solve: the problem must be a physolve.Problem, got {problem!r}; physolve.read_problem(path) reads a file"
        )
    if method is not None and (isinstance(method, type) or not callable(getattr(method, "run", None))):
        raise SpecificationError(
            f"solve: method must be an object such as LeastSquares(), GaussNewton() or AdamLBFGS(), got {method!r}"
        )
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= int(seed) < SEEDS:
        raise SpecificationError(f"solve: seed must be a whole number from 0 to {SEEDS - 1}, got {seed!r}")
    _check_positive("tol", tol)
    if budget_s is not None:
        _check_positive("budget_s", budget_s)
    if start is not None and not isinstance(start, Field):
        raise SpecificationError(f"solve: start must be a field, such as the `field` of a solution, got {start!r}")
    if start is not None and method is not None and not isinstance(method, LeastSquares):
        raise SpecificationError(
            f"solve: start is for least squares, not for {method!r}; methods that train a network have an option start"
        )
    if source is not None and not callable(getattr(source, "guess", None)):
        raise SpecificationError(f"solve: source must make functions, as HyPINO.load() does, got {source!r}")
    if source is not None and method is not None:
        raise SpecificationError("solve: source is for the default method; LeastSquares(source=...) has one of its own")


def _check_positive(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not (0 < value < math.inf):
        raise SpecificationError(f"solve: {name} must be a positive number, got {value!r}")
