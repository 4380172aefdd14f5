"""The method: characteristics and state trained together, judged by the error equation, marked where they cross."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch

from physolve.jets import TANH, Activation
from physolve.solve import (
    Clock,
    Estimate,
    GaussNewton,
    History,
    Listener,
    MethodResult,
    Outcome,
    Step,
    Vector,
    check_option,
    check_whole,
    with_fitted_output,
)
from physolve.spec import Problem

from ._crossing import Crossing, confirmed, first_crossing, mislearned
from ._estimate import estimated
from ._field import LagrangianField
from ._frame import lowered
from ._model import MovingModel
from ._system import MovingSystem

FIRST_TARGET = 0.5
NEXT_TARGET = 0.3
"""Residual to which the networks are first trained, in tolerances, and after every estimate that is still too large, in
the last target: the estimate is the judge, the residual only what can be trained on."""

ROUNDS = 12
"""Most trainings, each followed by an estimate."""

WORTH = 0.7
"""A training that misses its target and leaves more of the estimate than this is the last one."""

SAFE, GROWTH = 0.9, 1.15
"""Where characteristics would cross without diffusion, the time is won step by step: first up to SAFE of the time at
which they would, then GROWTH as far, until they are seen to come too close or the end is reached."""

KEPT = 0.95
"""Of the time up to which they do not, this is kept: near its end the equations are nearly singular."""

FIRST_ROWS = 600
FOLLOWED = 0.01
"""Distance from the pilot, relative, at which networks follow it closely enough to be trained by the equations."""

SCOUTED = 0.05
"""Residual of a step: whether characteristics come too close shows long before the solution is exact."""


class Trainer(Protocol):
    """`GaussNewton` or `AdamLBFGS`."""

    def train(
        self,
        system: MovingSystem,
        tol: float,
        seed: int = 0,
        budget_s: float | None = None,
        progress: Listener | None = None,
    ) -> MethodResult: ...


@dataclass(frozen=True)
class Lagrangian:
    """Lagrangian PINN (Mojgani, Balajewicz and Hassanzadeh 2023, 2205.02902): a network for the characteristics and one
    for the state, `depth` hidden layers `width` wide each, trained by `trainer`; by `scout` while it is looked for the
    time at which characteristics come too close.

        X_t = a(W, X, t),   W_t = source at X,   X and W as given where characteristics begin

    Differs from the paper: two separate networks, initial and entering values exact by construction, derivatives in
    space with the Jacobian of the map, Gauss-Newton. For a velocity that is constant the map is exact before any
    training.

    Where characteristics come too close the solution ends: its field is NaN from then on and its outcome
    CHARACTERISTICS_CROSS. `physolve.solve` then turns to the default method if diffusion keeps the solution smooth.
    Where they do so in the trained map only, and not by what is known of them (those of a prescribed velocity never
    cross), the map has not been learned, and the outcome is TOLERANCE_NOT_REACHED.

    Raises SpecificationError for an option that is not of its kind.
    """

    width: int = 16
    depth: int = 2
    activation: Activation = TANH
    trainer: Trainer = field(default_factory=lambda: GaussNewton(steps=40))
    scout: Trainer = field(default_factory=lambda: GaussNewton(steps=30))

    def __post_init__(self) -> None:
        check_whole(self, 1, "width", "depth")
        check_option(self, "activation", isinstance(self.activation, Activation), "one of physolve.jets, such as TANH")
        for option in ("trainer", "scout"):
            trainer = getattr(self, option)
            trains = callable(getattr(trainer, "train", None)) and not isinstance(trainer, type)
            check_option(self, option, trains, "an object such as GaussNewton() or AdamLBFGS()")

    @property
    def name(self) -> str:
        """How solutions name their origin."""
        return "Lagrangian PINN"

    def run(
        self,
        problem: Problem,
        tol: float,
        seed: int = 0,
        budget_s: float | None = None,
        progress: Listener | None = None,
    ) -> MethodResult:
        """Train until the estimated relative error is `tol`.

        Ends as TOLERANCE_NOT_REACHED where training does or the map is not learned, as CHARACTERISTICS_CROSS with a
        solution up to then, as INTERRUPTED on KeyboardInterrupt, which is raised again before there is a solution.
        Raises UnsupportedError with the reason for a problem that is no transport along one velocity.
        """
        clock = Clock.started(budget_s)
        model = MovingModel.of(lowered(problem), self.width, self.depth, self.activation)
        system = self._started(MovingSystem(model), seed, clock, progress)
        system, crossing = self._scouted(system, seed, clock, progress)
        rounds = list(self._rounds(system, tol, seed, clock, progress))
        best = min(rounds, key=lambda each: each.estimate.relative)
        last = rounds[-1]
        best = replace(best, crossing=best.crossing or crossing, trained=last.trained, steps=last.steps)
        return best.result()

    def _started(self, system: MovingSystem, seed: int, clock: Clock, progress: Listener | None) -> MovingSystem:
        """The system with networks that follow the pilot, where random ones with fitted outputs are no start: over long
        times the equations alone lead to other solutions of X_t = a, which end in one point."""
        rows = system.sample(FIRST_ROWS, seed, (1.0,))
        if system.loss(with_fitted_output(system, system.start(seed), rows), rows) <= 1:
            return system
        threat = system.model.frame.pilot.crossing
        follower = replace(system, following=True, horizon=threat if system.model.frame.second else None)
        vector = self._scout_trained(follower, FOLLOWED, seed, clock, progress)
        return replace(system, given=with_fitted_output(system, vector, rows))

    def _scouted(
        self, system: MovingSystem, seed: int, clock: Clock, progress: Listener | None
    ) -> tuple[MovingSystem, Crossing | None]:
        """The system up to the time at which characteristics come too close, if they threaten to; without diffusion
        their crossing does not disturb the training."""
        frame = system.model.frame
        start, end, threat = frame.labels.start, frame.labels.end, frame.pilot.crossing
        if threat is None or not frame.second or clock.late():
            return system, None
        horizon = start + SAFE * (threat - start)
        while horizon < end and not clock.late():
            vector = self._scout_trained(replace(system, horizon=horizon), SCOUTED, seed, clock, progress)
            system = replace(system, given=vector)
            if crossing := first_crossing(system.model, vector, horizon):
                if mislearned(crossing, frame):
                    break
                close = start + KEPT * (crossing.close - start)
                return replace(system, horizon=close), replace(crossing, close=close)
            horizon = start + GROWTH * (horizon - start)
        return system, None

    def _scout_trained(
        self, system: MovingSystem, tol: float, seed: int, clock: Clock, progress: Listener | None
    ) -> Vector:
        """Weights that the scout found. Ctrl-C is passed on: there is no solution yet."""
        trained = self.scout.train(system, tol, seed, clock.left(), progress)
        if trained.outcome is Outcome.INTERRUPTED:
            raise KeyboardInterrupt
        assert isinstance(trained.field, LagrangianField)
        return trained.field.vector

    def _rounds(
        self, system: MovingSystem, tol: float, seed: int, clock: Clock, progress: Listener | None
    ) -> Iterator["_Round"]:
        """Trainings to ever smaller residuals, until the estimate meets the tolerance or no more can be had."""
        model, target, steps, before = system.model, FIRST_TARGET * tol, (), math.inf
        for _ in range(ROUNDS):
            trained = self.trainer.train(system, target, seed, clock.left(), progress)
            assert isinstance(trained.field, LagrangianField)
            vector, steps = trained.field.vector, (*steps, *_shifted(trained.history.steps, clock))
            found = first_crossing(model, vector, system.horizon)
            crossing = confirmed(found, model.frame)
            estimate = estimated(model, vector, seed + 7, crossing.close if crossing else system.horizon)
            unlearned = mislearned(found, model.frame) and not estimate.relative <= tol
            if unlearned and not model.frame.foreseen:
                crossing, estimate = None, estimated(model, vector, seed + 7, system.horizon)
            yield _Round(model, vector, crossing, found if unlearned else None, estimate, trained, steps)
            reached = trained.outcome is Outcome.CONVERGED
            broken = trained.outcome in (Outcome.INTERRUPTED, Outcome.DIVERGED)
            stalled = not reached and not estimate.relative <= WORTH * before
            hopeless = unlearned and crossing is None and model.frame.foreseen
            if estimate.relative <= tol or broken or stalled or hopeless or clock.late():
                return
            system, before = replace(system, given=vector), estimate.relative
            target *= NEXT_TARGET if reached else 1


@dataclass(frozen=True, eq=False)
class _Round:
    """Networks after a training, and what was found out about them: when characteristics cross, and when they only seem
    to because the map has not been learned."""

    model: MovingModel
    vector: Vector
    crossing: Crossing | None
    unlearned: Crossing | None
    estimate: Estimate
    trained: MethodResult
    steps: tuple[Step, ...]

    def result(self) -> MethodResult:
        until = None if self.crossing is None else self.crossing.close
        field = LagrangianField(self.model, self.vector, until)
        outcome, message = self.trained.outcome, self.trained.message
        if outcome not in (Outcome.INTERRUPTED, Outcome.DIVERGED):
            message = ""
        if self.crossing is not None and bool(torch.isfinite(self.vector).all()):
            outcome = Outcome.CHARACTERISTICS_CROSS
            message = f"{self.crossing}; the solution is valid up to t = {until:.6g}, {self.estimate}"
        elif self.unlearned is not None and outcome not in (Outcome.INTERRUPTED, Outcome.DIVERGED):
            outcome = Outcome.TOLERANCE_NOT_REACHED
            message = (
                "the map of the characteristics was not learned: in it they come too close at"
                f" t = {self.unlearned.close:.3g}, which they do not; {self.estimate}; use the default method, or wider"
                " networks, Lagrangian(width=...)"
            )
        return MethodResult(field, {}, History(self.steps), outcome, message, self.estimate, valid_until=until)


def _shifted(steps: tuple[Step, ...], clock: Clock) -> tuple[Step, ...]:
    """Steps of a training that has just ended, timed from the beginning of the method."""
    spent = time.monotonic() - clock.began - (steps[-1].seconds if steps else 0.0)
    return tuple(replace(step, seconds=step.seconds + spent) for step in steps)
