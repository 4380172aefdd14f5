"""Adam, then L-BFGS, on a dense network: the familiar baseline."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column, Points
from physolve.jets import TANH, Activation
from physolve.spec import Problem

from ._fitting import Clock, Goal, fitted
from ._lbfgs import lbfgs
from ._loss_balancing import CausalWeights, GradientNormBalancing, LossBalancing
from ._method import MethodResult, Start, network_of, network_system
from ._options import check_option, check_positive, check_whole
from ._outcome import Listener, Step
from ._trainable import Sample, TrainableSystem, Vector

REPORT_EVERY = 50
LBFGS_ROUND = 25
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-12


@dataclass(frozen=True)
class AdamSchedule:
    """Adam's number of steps, first and last learning rate (exponential in between), steps between fresh points."""

    steps: int = 5000
    rate: float = 3e-3
    last_rate: float = 1e-4
    resample_every: int = 100

    def __post_init__(self) -> None:
        check_whole(self, 0, "steps")
        check_whole(self, 1, "resample_every")
        check_positive(self, "rate", "last_rate")

    def rate_at(self, step: int) -> float:
        return self.rate * (self.last_rate / self.rate) ** (step / max(1, self.steps))


@dataclass(frozen=True, eq=False)
class AdamState:
    """Trainable vector, Adam's two moments, weights of the loss terms, rows in use, the best vector met."""

    vector: Vector
    mean: Vector
    square: Vector
    balance: Column
    levels: tuple[float, ...]
    sample: Sample
    best: Vector
    best_relative: float
    relative: float
    number: int = 0
    steps: tuple[Step, ...] = ()

    @property
    def done(self) -> int:
        return self.number

    @property
    def stage(self) -> str:
        return self.steps[-1].note


@dataclass(frozen=True)
class AdamLBFGS:
    """`adam.steps` of Adam on fresh points now and then, then `lbfgs_steps` of L-BFGS (strong Wolfe line search) on
    fixed points. `balancing` weighs the terms, `causal` (where the problem has time) the equations' rows in time;
    `start` as in `GaussNewton`: a good one is worth no step of Adam, `AdamSchedule(steps=0)`. Raises SpecificationError
    for an option that is not of its kind.
    """

    width: int = 32
    depth: int = 4
    activation: Activation = TANH
    rows: int = 2500
    adam: AdamSchedule = field(default_factory=AdamSchedule)
    lbfgs_steps: int = 1000
    balancing: LossBalancing = field(default_factory=GradientNormBalancing)
    causal: CausalWeights | None = None
    start: Start = None

    def __post_init__(self) -> None:
        check_whole(self, 1, "width", "depth", "rows")
        check_whole(self, 0, "lbfgs_steps")
        check_option(self, "activation", isinstance(self.activation, Activation), "one of physolve.jets, such as TANH")
        check_option(self, "adam", isinstance(self.adam, AdamSchedule), "an AdamSchedule")
        balances = callable(getattr(self.balancing, "update", None))
        check_option(self, "balancing", balances, "an object such as FixedBalancing() or GradientNormBalancing()")
        check_option(self, "causal", isinstance(self.causal, CausalWeights | None), "CausalWeights or None")
        network_of(self.start, type(self).__name__)

    @property
    def name(self) -> str:
        """How solutions name their origin."""
        return "Adam and L-BFGS"

    def run(
        self,
        problem: Problem,
        tol: float,
        seed: int = 0,
        budget_s: float | None = None,
        progress: Listener | None = None,
    ) -> MethodResult:
        """Train from `start` until the estimated relative error is `tol`; outcomes and errors as of `GaussNewton.run`.

        L-BFGS begins once Adam has brought the residual down to `tol` of that of u = 0, or has had its steps, or half
        of the budget. Deterministic in `seed`; float64.
        """
        clock = Clock.started(budget_s)
        system = network_system(problem, self.width, self.depth, self.activation, self.start)
        return fitted(self, system, Goal.of_error(system, tol, seed), seed, clock, progress)

    def train(
        self,
        system: TrainableSystem,
        tol: float,
        seed: int = 0,
        budget_s: float | None = None,
        progress: Listener | None = None,
    ) -> MethodResult:
        """The training alone, of a problem that is posed already: until the residual is `tol`, without estimates."""
        return fitted(self, system, Goal(tol), seed, Clock.started(budget_s), progress)

    def states(self, system: TrainableSystem, target: float, seed: int, clock: Clock) -> Iterator[AdamState]:
        state = self.init(system, seed)
        while self._adam_goes_on(state, target, clock):
            yield state
            state = self.step(system, state, seed)
            if state.number % REPORT_EVERY == 0:
                state = _reported(state, clock, "Adam")
        state = self._fresh(system, state, seed)
        yield state
        for after in self.refine(system, state):
            state = _reported(replace(after, steps=state.steps), clock, "L-BFGS")
            yield state

    def spent(self, state: AdamState) -> str | None:
        over = state.number >= self.adam.steps + self.lbfgs_steps
        return "allow more steps or use GaussNewton" if over else None

    def init(self, system: TrainableSystem, seed: int) -> AdamState:
        """Given or random weights, balanced rows, unit weights of the terms."""
        vector = system.start(seed)
        levels = system.levels(vector, system.blocks(min(self.rows, 400), seed))
        sample = system.sample(self.rows, seed, levels)
        nothing = torch.zeros_like(vector)
        ones = vector.new_ones(len(levels))
        relative = sample.relative(system.loss(vector, sample))
        return AdamState(vector, nothing, nothing, ones, levels, sample, vector, relative, relative)

    def step(self, system: TrainableSystem, state: AdamState, seed: int) -> AdamState:
        """One Adam step (Kingma and Ba 2015), with fresh points and new term weights when it is time."""
        if state.number and state.number % self.adam.resample_every == 0:
            state = replace(state, sample=system.sample(self.rows, seed + 17 * state.number, state.levels))
        vector = state.vector.detach().requires_grad_()
        squares = self.squares(system, vector, state.sample)
        terms = self.terms(system, squares, state.sample)
        balance = self.balancing.update(state.balance, terms, state.number, _gradient_in(vector))
        total = (balance * torch.stack(terms)).sum()
        loss = sum(float(part.detach().sum()) for part in squares)
        state = _noted(replace(state, balance=balance), state.sample.relative(loss))
        return self._advance(state, torch.autograd.grad(total, vector)[0])

    def _advance(self, state: AdamState, gradient: Vector) -> AdamState:
        k = state.number + 1
        mean = BETA1 * state.mean + (1 - BETA1) * gradient
        square = BETA2 * state.square + (1 - BETA2) * gradient.square()
        direction = mean / (1 - BETA1**k) / ((square / (1 - BETA2**k)).sqrt() + EPSILON)
        vector = state.vector - self.adam.rate_at(state.number) * direction
        return replace(state, vector=vector, mean=mean, square=square, number=k)

    def refine(self, system: TrainableSystem, state: AdamState) -> Iterator[AdamState]:
        """L-BFGS on the present rows and term weights: the state after every round of LBFGS_ROUND iterations."""
        vector = state.vector.detach().clone().requires_grad_()
        optimiser = lbfgs(vector, LBFGS_ROUND)

        def closure() -> Float[Tensor, ""]:
            optimiser.zero_grad()
            squares = self.squares(system, vector, state.sample)
            total = (state.balance * torch.stack(self.terms(system, squares, state.sample))).sum()
            total.backward()
            return total

        while True:
            optimiser.step(closure)
            reached = vector.detach().clone()
            relative = state.sample.relative(system.loss(reached, state.sample))
            state = _noted(replace(state, vector=reached, number=state.number + LBFGS_ROUND), relative)
            yield state

    def squares(self, system: TrainableSystem, vector: Vector, sample: Sample) -> list[Column]:
        """Scaled squared residuals of every block of rows, differentiable in the vector."""
        return [residual.square() for residual in system.residuals(vector, sample)]

    def terms(self, system: TrainableSystem, squares: Sequence[Column], sample: Sample) -> list[Float[Tensor, ""]]:
        """The loss of every block, causal weights included."""
        pairs = zip(sample.blocks, squares, strict=True)
        return [(self._in_time(system.in_time(rows), part, sample) * part).sum() for rows, part in pairs]

    def _in_time(self, points: Points | None, squares: Column, sample: Sample) -> Column | float:
        if self.causal is None or points is None:
            return 1.0
        return self.causal.weights(points, squares, sample.zero)

    def _fresh(self, system: TrainableSystem, state: AdamState, seed: int) -> AdamState:
        """Fixed rows for L-BFGS, from the best vector; the best is measured anew on them."""
        sample = system.sample(self.rows, seed + 1, state.levels)
        relative = sample.relative(system.loss(state.best, sample))
        return replace(state, sample=sample, vector=state.best, best_relative=relative, relative=relative)

    def _adam_goes_on(self, state: AdamState, target: float, clock: Clock) -> bool:
        """L-BFGS, where there is any, takes over at the target: it gets on faster."""
        share, enough = (0.5, state.best_relative <= target) if self.lbfgs_steps else (1.0, False)
        over = enough or state.number >= self.adam.steps or clock.late(share)
        return math.isfinite(state.relative) and not over


def _noted(state: AdamState, relative: float) -> AdamState:
    """The state with the residual of its vector; the vector becomes the best one if it is."""
    state = replace(state, relative=relative)
    if relative < state.best_relative:
        return replace(state, best=state.vector.detach(), best_relative=relative)
    return state


def _reported(state: AdamState, clock: Clock, stage: str) -> AdamState:
    seconds = time.monotonic() - clock.began
    entry = Step(len(state.vector), state.sample.size, state.relative, None, seconds, stage)
    return replace(state, steps=(*state.steps, entry))


def _gradient_in(vector: Vector) -> Callable[[Tensor], Vector]:
    def gradient(term: Tensor) -> Vector:
        return torch.autograd.grad(term, vector, retain_graph=True)[0]

    return gradient
