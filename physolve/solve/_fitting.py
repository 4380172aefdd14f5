"""How trainings of networks go on until an error is small enough, and what they say at their end."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from ._error import error_of
from ._method import MethodResult, NetworkSystem
from ._outcome import Estimate, History, Listener, Outcome, Progress, Step
from ._trainable import TrainableSystem, Vector

NEARER = 0.8
"""The error estimated goes down with the residual, roughly: the next residual aimed at is this part of the one that
would do if it did so exactly."""

FURTHEST = 0.3
"""The next residual aimed at is at least this part of the one reached: an estimate may be far too large, and going on
without need costs more than another one. (With 0.1 L-BFGS on a small network that was good enough after 400 iterations
went on for 2,000.)"""


@dataclass(frozen=True)
class Clock:
    """Seconds since a training began, and those that it has (None: all)."""

    began: float
    budget_s: float | None = None

    @classmethod
    def started(cls, budget_s: float | None) -> "Clock":
        return cls(time.monotonic(), budget_s)

    def late(self, share: float = 1.0) -> bool:
        """Whether this share of the budget is spent."""
        return self.budget_s is not None and time.monotonic() - self.began >= share * self.budget_s

    def left(self) -> float | None:
        """Seconds that are left; None: all."""
        return None if self.budget_s is None else max(0.0, self.budget_s - (time.monotonic() - self.began))


class TrainingState(Protocol):
    """Where a training is. Residuals are relative to that of u = 0."""

    @property
    def best(self) -> Vector:
        """The vector with the smallest residual so far."""
        ...

    @property
    def best_relative(self) -> float: ...

    @property
    def relative(self) -> float:
        """Residual of the present vector."""
        ...

    @property
    def done(self) -> int:
        """Steps so far."""
        ...

    @property
    def stage(self) -> str:
        """What the last step was one of."""
        ...

    @property
    def steps(self) -> tuple[Step, ...]:
        """Those that are reported."""
        ...


State = TypeVar("State", bound=TrainingState)
System = TypeVar("System", bound=TrainableSystem, contravariant=True)


class Training(Protocol[System, State]):
    """A method that trains one vector."""

    @property
    def name(self) -> str: ...

    def states(self, system: System, target: float, seed: int, clock: Clock) -> Iterator[State]:
        """The state before the first step, and after every one, without end; `target` is the residual looked for."""
        ...

    def spent(self, state: State) -> str | None:
        """Why there are no more steps, and what to do about it; None while there are."""
        ...


@dataclass(frozen=True, eq=False)
class Goal:
    """The `residual` to be reached, or, where a judge tells errors, a relative error: then a residual that does not
    stand for it makes room for a smaller one. `estimate` is that of the vector `judged`."""

    residual: float
    tol: float = math.inf
    judge: Callable[[Vector], Estimate | None] | None = None
    judged: Vector | None = None
    estimate: Estimate | None = None

    @classmethod
    def of_error(cls, system: NetworkSystem, tol: float, seed: int) -> "Goal":
        """An error estimated to be `tol`, by the estimate that `solve` makes."""
        problem = system.collocation.problem
        return cls(tol, tol, lambda vector: error_of(problem, system.field(vector), system.parameters(vector), seed))

    def after(self, state: TrainingState) -> "Goal":
        """With the error of the best vector, estimated once."""
        if self.judge is None or self.judged is state.best or not math.isfinite(state.best_relative):
            return self
        found = self.judge(state.best)
        goal = replace(self, judged=state.best, estimate=found)
        if found is None or found.relative <= self.tol:
            return goal
        smaller = max(FURTHEST, NEARER * self.tol / found.relative) * state.best_relative
        return replace(goal, residual=min(self.residual, smaller))

    def estimate_of(self, vector: Vector) -> Estimate | None:
        return self.estimate if self.judged is vector else None

    def met(self, state: TrainingState) -> bool:
        """Whether the best vector is good enough; by its residual where there is no estimate."""
        estimate = self.estimate_of(state.best)
        return state.best_relative <= self.residual if estimate is None else estimate.relative <= self.tol


def fitted(
    training: Training[System, State],
    system: System,
    goal: Goal,
    seed: int,
    clock: Clock,
    progress: Listener | None,
) -> MethodResult:
    """Train until the goal is met, or there are no steps or no time left.

    The error is estimated whenever the residual aimed at is reached, and at the end. KeyboardInterrupt after the first
    state ends as INTERRUPTED.
    """
    states = training.states(system, goal.residual, seed, clock)
    state = next(states)
    try:
        while True:
            why = training.spent(state) or _late(clock)
            if why or state.best_relative <= goal.residual:
                goal = goal.after(state)
            if (ending := _ending(training.name, state, goal, why)) is not None:
                break
            before, state = state, next(states)
            if progress is not None and len(state.steps) > len(before.steps):
                progress(_news(system, state, goal))
    except KeyboardInterrupt:
        ending = Outcome.INTERRUPTED, "interrupted"
    parameters, history = system.parameters(state.best), History(state.steps)
    return MethodResult(system.field(state.best), parameters, history, *ending, goal.estimate_of(state.best))


def _late(clock: Clock) -> str | None:
    return f"the budget of {clock.budget_s:g} s is spent" if clock.late() else None


def _ending(name: str, state: TrainingState, goal: Goal, why: str | None) -> tuple[Outcome, str] | None:
    if not math.isfinite(state.relative):
        return Outcome.DIVERGED, (
            f"{name}: the residual is not finite after {state.done} steps; likely causes: an expression undefined in"
            " the domain (log, sqrt, division), a singular coefficient, or steps that are too long"
        )
    estimate = goal.estimate_of(state.best)
    error = f", estimated relative error {estimate.relative:.1e}" if estimate else ""
    reached = f"{name}: relative residual {state.best_relative:.2e}{error} after {state.done} steps"
    if goal.met(state):
        return Outcome.CONVERGED, reached
    return None if why is None else (Outcome.TOLERANCE_NOT_REACHED, f"{reached}; {why}")


def _news(system: TrainableSystem, state: TrainingState, goal: Goal) -> Progress:
    last, error = state.steps[-1], goal.estimate.relative if goal.estimate else None
    message = f"step {state.done}: relative residual {last.residual:.2e} on {last.rows} rows"
    return Progress(state.stage, system.columns, error, last.seconds, message)
