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

from ._lbfgs import lbfgs
from ._loss_balancing import CausalWeights, GradientNormBalancing, LossBalancing
from ._method import MethodResult, Start, network_system
from ._outcome import History, Listener, Outcome, Progress, Step
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
    relative: float = math.inf
    number: int = 0
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class AdamLBFGS:
    """`adam.steps` of Adam on fresh points now and then, then `lbfgs_steps` of L-BFGS (strong Wolfe line search) on
    fixed points. `balancing` weighs the terms, `causal` (where the problem has time) the equations' rows in time;
    `start` as in `GaussNewton`: a good one is worth no step of Adam, `AdamSchedule(steps=0)`.
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
        """Train from `start` until the residual is `tol` of that of u = 0; outcomes as in
        `GaussNewton.run`.

        Of a budget Adam takes at most half. Deterministic in `seed`; float64.
        """
        system = network_system(problem, self.width, self.depth, self.activation, self.start)
        return self.train(system, tol, seed, budget_s, progress)

    def train(
        self,
        system: TrainableSystem,
        tol: float,
        seed: int = 0,
        budget_s: float | None = None,
        progress: Listener | None = None,
    ) -> MethodResult:
        """`run` for a problem that is posed already."""
        began = time.monotonic()
        state = self.init(system, seed)
        try:
            while self._adam_goes_on(state, tol, began, budget_s):
                state = self._report(self.step(system, state, seed), began, progress, "Adam")
            state = self._fresh(system, state, seed)
            rounds = self.refine(system, state)
            while self._lbfgs_goes_on(state, tol, began, budget_s):
                after = replace(next(rounds), steps=state.steps)
                state = self._report(after, began, progress, "L-BFGS")
            ending = self._ending(state, tol)
        except KeyboardInterrupt:
            ending = (Outcome.INTERRUPTED, "interrupted")
        return MethodResult(system.field(state.best), system.parameters(state.best), History(state.steps), *ending)

    def init(self, system: TrainableSystem, seed: int) -> AdamState:
        """Given or random weights, balanced rows, unit weights of the terms."""
        vector = system.start(seed)
        levels = system.levels(vector, system.blocks(min(self.rows, 400), seed))
        sample = system.sample(self.rows, seed, levels)
        nothing = torch.zeros_like(vector)
        ones = vector.new_ones(len(levels))
        return AdamState(vector, nothing, nothing, ones, levels, sample, vector, math.inf)

    def step(self, system: TrainableSystem, state: AdamState, seed: int) -> AdamState:
        """One Adam step (Kingma and Ba 2015), with fresh points and new term weights when it is time."""
        if state.number and state.number % self.adam.resample_every == 0:
            state = replace(state, sample=system.sample(self.rows, seed + 17 * state.number, state.levels))
        vector = state.vector.detach().requires_grad_()
        squares = self.squares(system, vector, state.sample)
        terms = self.terms(system, squares, state.sample)
        balance = self.balancing.update(state.balance, terms, state.number, _gradient_in(vector))
        total = (balance * torch.stack(terms)).sum()
        state = _noted(replace(state, balance=balance), _relative(squares, state.sample))
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
            with torch.no_grad():
                relative = _relative(self.squares(system, reached, state.sample), state.sample)
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
        if self.causal is None or points is None or not sample.zero > 0:
            return 1.0
        return self.causal.weights(points, squares, sample.zero)

    def _fresh(self, system: TrainableSystem, state: AdamState, seed: int) -> AdamState:
        """Fixed rows for L-BFGS, from the best vector; the best is measured anew on them."""
        sample = system.sample(self.rows, seed + 1, state.levels)
        relative = math.sqrt(system.loss(state.best, sample) / (sample.zero or 1.0))
        return replace(state, sample=sample, vector=state.best, best_relative=relative, relative=relative)

    def _adam_goes_on(self, state: AdamState, tol: float, began: float, budget_s: float | None) -> bool:
        share = None if budget_s is None or not self.lbfgs_steps else budget_s / 2
        enough = state.number >= self.adam.steps or state.best_relative <= tol
        broken = state.number > 0 and not math.isfinite(state.relative)
        return not enough and not broken and not _late(began, share if share is not None else budget_s)

    def _lbfgs_goes_on(self, state: AdamState, tol: float, began: float, budget_s: float | None) -> bool:
        enough = state.number >= self.adam.steps + self.lbfgs_steps or state.best_relative <= tol
        return not enough and math.isfinite(state.relative) and not _late(began, budget_s)

    def _ending(self, state: AdamState, tol: float) -> tuple[Outcome, str]:
        reached = f"Adam + L-BFGS: relative residual {state.best_relative:.2e} after {state.number} steps"
        if not math.isfinite(state.best_relative):
            return Outcome.DIVERGED, (
                "Adam + L-BFGS: the residual is not finite; likely causes: an expression undefined in the"
                " domain (log, sqrt, division), or a learning rate that is too large"
            )
        if state.best_relative <= tol:
            return Outcome.CONVERGED, reached
        return Outcome.TOLERANCE_NOT_REACHED, f"{reached}; allow more steps or use GaussNewton"

    def _report(self, state: AdamState, began: float, progress: Listener | None, stage: str) -> AdamState:
        if state.number % REPORT_EVERY and stage == "Adam":
            return state
        seconds = time.monotonic() - began
        entry = Step(len(state.vector), state.sample.size, state.relative, None, seconds, stage)
        if progress is not None:
            message = f"step {state.number}: relative residual {state.relative:.2e}"
            progress(Progress(stage, len(state.vector), None, seconds, message))
        return replace(state, steps=(*state.steps, entry))


def _noted(state: AdamState, relative: float) -> AdamState:
    """The state with the residual of its vector; the vector becomes the best one if it is."""
    state = replace(state, relative=relative)
    if relative < state.best_relative:
        return replace(state, best=state.vector.detach(), best_relative=relative)
    return state


def _relative(squares: Sequence[Column], sample: Sample) -> float:
    """Residual over that of u = 0, without causal weights."""
    return math.sqrt(sum(float(part.detach().sum()) for part in squares) / (sample.zero or 1.0))


def _gradient_in(vector: Vector) -> Callable[[Tensor], Vector]:
    def gradient(term: Tensor) -> Vector:
        return torch.autograd.grad(term, vector, retain_graph=True)[0]

    return gradient


def _late(began: float, budget_s: float | None) -> bool:
    return budget_s is not None and time.monotonic() - began >= budget_s
