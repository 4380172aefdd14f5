"""`solve` as users call it: the ladder, and the moving frame first for what is carried far."""

import math
from dataclasses import replace

from .lagrangian import Lagrangian, lowered, travel, unbounded, why_not
from .nets import Field
from .solve import FunctionSource, Listener, Method, Outcome, Solution, Tries, check_arguments
from .solve import solve as climb
from .spec import Problem

FAR = 4.0
"""Domain lengths travelled from which the moving frame is tried first. A sine carried once or more around a periodic
interval, to 1e-3, s on one thread: random features need 0.6 for 1.6 lengths, 1.8 for 3.2, 9 for 4.8, 47 for 8, and fail
for 16; the moving frame 1 to 2 for all of them."""

UNFINISHED = (Outcome.CHARACTERISTICS_CROSS, Outcome.TOLERANCE_NOT_REACHED, Outcome.DIVERGED)
"""Of the moving frame: the ladder goes on, where it can."""


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
    method     how to solve: `LeastSquares()`, `GaussNewton()`, `AdamLBFGS()`, `Lagrangian()`, ...; None takes least
               squares on random features, inside Newton's iteration for nonlinear problems; the moving frame first for
               convection-dominated problems that are carried FAR, for those whose characteristics are known to cross,
               and for windows of unbounded space
    seed       of features and points: the same seed gives the same solution
    budget_s   seconds after which no new rung is begun
    progress   called with a `Progress` at every rung
    start      a field near the solution, from which Newton's iteration starts
    source     of functions made for the problem, with which the default method begins: `physolve.hypino.HyPINO.load()`

    Where the moving frame does not reach the tolerance, the default method takes over if it can; where characteristics
    come too close, if diffusion keeps the solution smooth; `message` says so. With `method=Lagrangian()` too. Half of a
    budget is kept for it.

    Ctrl-C returns the best solution so far with the outcome INTERRUPTED, once there is one. Raises
    SpecificationError for an argument of another kind, such as a tolerance that is no positive number,
    UnsupportedError for a problem that the method cannot take, NumericalError where not even a first solution could
    be computed.
    """
    check_arguments(problem, tol, method, seed, budget_s, start, source)
    if method is None and start is None and source is None and _for_the_moving_frame(problem):
        method = Lagrangian()
    moving, first = isinstance(method, Lagrangian), budget_s
    if moving and budget_s is not None and not _nothing_else_helps(problem):
        first = budget_s / 2
    tries = Tries[Solution](budget_s)
    tries.attempt(
        lambda _: climb(
            problem, tol, method=method, seed=seed, budget_s=first, progress=progress, start=start, source=source
        )
    )
    if moving and _the_ladder_may_help(problem, tries.found[0].outcome):
        tries.attempt(lambda left: climb(problem, tol, seed=seed, budget_s=left, progress=progress))
    solution = _better(*tries.found) if len(tries.found) > 1 else tries.found[0]
    if tries.interrupted and solution.outcome is not Outcome.INTERRUPTED:
        message = f"{Outcome.INTERRUPTED.value}; {solution.message}"
        return replace(solution, outcome=Outcome.INTERRUPTED, message=message)
    return solution


def _for_the_moving_frame(problem: Problem) -> bool:
    """Whether it is the first to be tried."""
    if not unbounded(problem) and (problem.time is None or not problem.classification.convection_dominated):
        return False
    return why_not(problem) is None and (_nothing_else_helps(problem) or travel(problem) >= FAR)


def _nothing_else_helps(problem: Problem) -> bool:
    """Whether the ladder cannot take the problem, or would not notice that characteristics cross."""
    return unbounded(problem) or lowered(problem).breaks


def _the_ladder_may_help(problem: Problem, outcome: Outcome) -> bool:
    """Whether the domain has sides to state conditions on, and where characteristics cross, whether diffusion keeps the
    solution smooth."""
    smooth = outcome is not Outcome.CHARACTERISTICS_CROSS or _diffusive(problem)
    return outcome in UNFINISHED and smooth and not unbounded(problem)


def _diffusive(problem: Problem) -> bool:
    peclet = problem.classification.peclet
    return peclet is not None and peclet < math.inf


def _better(moving: Solution, other: Solution) -> Solution:
    """The solution at all times if it is one; else the one with the smaller estimate; what was tried is said."""
    reason = moving.message
    whole = moving.valid_until is None
    if whole and moving.estimate and (not other.estimate or moving.estimate.relative <= other.estimate.relative):
        return moving
    if not whole and other.outcome is not Outcome.CONVERGED and (not other.estimate or other.estimate.relative > 1):
        return moving
    return replace(other, message=f"{other.message}; solved in the plain frame, because in the moving one {reason}")
