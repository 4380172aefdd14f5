"""Gauss-Newton with Levenberg-Marquardt damping on all weights of a compact network."""

import math
import time
from dataclasses import dataclass, replace

import torch

from physolve.jets import TANH, Activation
from physolve.spec import Problem

from ._damped_system import DampedSystem
from ._method import MethodResult, NetworkSystem, Sample, Vector, network_system
from ._outcome import History, Listener, Outcome, Progress, Step

TRIALS = 12
"""Dampings tried at one linearisation before the step is given up."""

PATIENCE = 10
"""Fresh samples without halving the best relative residual, after which a gap to the fitted rows means: more
rows."""

GAP = 1.15
"""Loss on fresh rows over loss on the rows just fitted, above which the rows are too few for the weights."""

DAMPING_RANGE = (1e-14, 1e12)


@dataclass(frozen=True, eq=False)
class GaussNewtonState:
    """Where the iteration is: trainable vector, its last step, damping, the rows in use and their number,
    and the
    best vector met with its relative residual on fresh rows."""

    vector: Vector
    drift: Vector
    damping: float
    count: int
    levels: tuple[float, ...]
    sample: Sample
    relative: float
    best: Vector
    best_relative: float
    milestone: float
    waited: int = 0
    gap: float = 1.0
    stuck: int = 0
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class GaussNewton:
    """Levenberg-Marquardt on rows drawn afresh every `resample_every` steps, in float64.

    Every step solves min |J d + r|^2 + mu |d - momentum d_last|^2 in the dual form while there are fewer
    rows than
    weights. The gain ratio (actual over predicted decrease) moves mu; a step that does not decrease the loss
    is
    rejected and repeated with a larger mu at the same Gram matrix. Rows grow from `first_rows` to `rows`
    when the
    network fits its rows much better than fresh ones and no longer improves on these. Rows are balanced at
    the
    start and whenever they grow.
    The momentum term is that of SPRING (Goldshlager et al. 2024, 2401.10190): it carries over what earlier
    rows said.
    """

    width: int = 32
    depth: int = 6
    activation: Activation = TANH
    rows: int = 4800
    first_rows: int = 400
    resample_every: int = 1
    steps: int = 400
    momentum: float = 0.9

    def run(
        self,
        problem: Problem,
        tol: float,
        seed: int = 0,
        budget_s: float | None = None,
        progress: Listener | None = None,
    ) -> MethodResult:
        """Train from a random start until the residual of fresh rows is `tol` of that of u = 0.

        Ends as TOLERANCE_NOT_REACHED after `steps` steps or `budget_s` seconds, as DIVERGED when the
        residual is
        not finite at the start or no damping gives a finite loss, as INTERRUPTED on KeyboardInterrupt; the
        field is
        always the best one met. Deterministic in `seed` (for a fixed number of threads). float64.
        """
        began = time.monotonic()
        system = network_system(problem, self.width, self.depth, self.activation)
        state = self.init(system, seed)
        try:
            while (ending := self._ending(state, tol, began, budget_s)) is None:
                state = self.step(system, state, seed, began)
                if progress is not None:
                    progress(_news(system, state))
        except KeyboardInterrupt:
            ending = (Outcome.INTERRUPTED, "interrupted")
        return self._result(system, state, *ending, seed)

    def init(self, system: NetworkSystem, seed: int) -> GaussNewtonState:
        """Random weights, the first rows, balanced."""
        vector = system.start(seed)
        levels = system.levels(vector, system.blocks(self.first_rows, seed))
        sample = system.sample(self.first_rows, _sample_seed(seed, 0), levels)
        relative = _relative(system.loss(vector, sample), sample)
        return GaussNewtonState(
            vector=vector,
            drift=torch.zeros_like(vector),
            damping=1e-2,
            count=self.first_rows,
            levels=levels,
            sample=sample,
            relative=relative,
            best=vector,
            best_relative=relative,
            milestone=relative,
        )

    def step(
        self, system: NetworkSystem, state: GaussNewtonState, seed: int, began: float
    ) -> GaussNewtonState:
        """One linearisation, one accepted step (or none), then fresh rows if it is time."""
        moved, fitted = self._move(system, state)
        number = len(state.steps) + 1
        if number % self.resample_every == 0:
            moved = self._resample(system, moved, fitted, _sample_seed(seed, number))
        else:
            moved = replace(moved, relative=fitted)
        if moved.relative < moved.best_relative:
            moved = replace(moved, best=moved.vector, best_relative=moved.relative)
        note = f"damping {moved.damping:.1e}"
        entry = Step(system.columns, state.sample.size, moved.relative, None, time.monotonic() - began, note)
        return replace(moved, steps=(*state.steps, entry))

    def _move(self, system: NetworkSystem, state: GaussNewtonState) -> tuple[GaussNewtonState, float]:
        """The damped step with its trials; also the relative residual on the fitted rows."""
        residual, jacobian = system.linearize(state.vector, state.sample)
        loss, damping, carried = float(residual.square().sum()), state.damping, self.momentum * state.drift
        equations = DampedSystem.of(jacobian)
        for _ in range(TRIALS):
            correction = equations.step(residual + jacobian @ carried, damping)
            if correction is not None:
                step = carried + correction
                predicted = loss - float((residual + jacobian @ step).square().sum())
                reached = system.loss(state.vector + step, state.sample)
                gain = (loss - reached) / predicted if predicted > 0 else -math.inf
                if math.isfinite(reached) and gain > 1e-2:
                    damping = min(max(damping * _damping_factor(gain), DAMPING_RANGE[0]), DAMPING_RANGE[1])
                    done = replace(state, vector=state.vector + step, drift=step, damping=damping, stuck=0)
                    return done, _relative(reached, state.sample)
            damping, carried = min(4 * damping, DAMPING_RANGE[1]), torch.zeros_like(carried)
        still = replace(state, drift=torch.zeros_like(state.drift), damping=damping, stuck=state.stuck + 1)
        return still, _relative(loss, state.sample)

    def _resample(
        self, system: NetworkSystem, state: GaussNewtonState, fitted: float, seed: int
    ) -> GaussNewtonState:
        sample = system.sample(state.count, seed, state.levels)
        relative = _relative(system.loss(state.vector, sample), sample)
        gap = math.sqrt(state.gap * (relative / fitted) ** 2) if fitted > 0 else math.inf
        state = replace(state, sample=sample, relative=relative, gap=gap, waited=state.waited + 1)
        if relative < state.milestone / 2:
            return replace(state, milestone=relative, waited=0)
        if state.waited >= PATIENCE and gap > GAP and state.count < self.rows:
            return self._grow(system, state, seed)
        return state

    def _grow(self, system: NetworkSystem, state: GaussNewtonState, seed: int) -> GaussNewtonState:
        """Twice the rows, balanced anew."""
        levels = system.levels(state.vector, system.blocks(self.first_rows, seed))
        count = min(2 * state.count, self.rows)
        sample = system.sample(count, seed, levels)
        relative = _relative(system.loss(state.vector, sample), sample)
        return replace(
            state,
            count=count,
            levels=levels,
            sample=sample,
            relative=relative,
            milestone=relative,
            best=state.vector,
            best_relative=relative,
            waited=0,
            gap=1.0,
        )

    def _ending(
        self, state: GaussNewtonState, tol: float, began: float, budget_s: float | None
    ) -> tuple[Outcome, str] | None:
        reached = f"relative residual {state.best_relative:.2e} after {len(state.steps)} steps"
        if not math.isfinite(state.relative):
            return Outcome.DIVERGED, (
                f"Gauss-Newton: the residual is not finite after {len(state.steps)} steps; likely causes: an"
                " expression undefined in the domain (log, sqrt, division), or a singular coefficient"
            )
        if state.relative <= tol:
            return Outcome.CONVERGED, f"Gauss-Newton: {reached}"
        if state.stuck >= 3:
            return (
                Outcome.TOLERANCE_NOT_REACHED,
                f"Gauss-Newton: no damping decreases the residual, {reached}",
            )
        if len(state.steps) >= self.steps:
            return (
                Outcome.TOLERANCE_NOT_REACHED,
                f"Gauss-Newton: {reached}; allow more steps, rows or a wider network",
            )
        if budget_s is not None and time.monotonic() - began >= budget_s:
            return (
                Outcome.TOLERANCE_NOT_REACHED,
                f"Gauss-Newton: the budget of {budget_s:g} s is spent, {reached}",
            )
        return None

    def _result(
        self, system: NetworkSystem, state: GaussNewtonState, outcome: Outcome, message: str, seed: int
    ) -> MethodResult:
        """The better of the best and the last vector on one more fresh sample."""
        sample = system.sample(state.count, _sample_seed(seed, -1), state.levels)
        losses = [_finite(system.loss(vector, sample)) for vector in (state.best, state.vector)]
        vector = state.best if losses[0] <= losses[1] else state.vector
        return MethodResult(
            system.field(vector), system.parameters(vector), History(state.steps), outcome, message
        )


def _damping_factor(gain: float) -> float:
    """Marquardt's rule with a dead band: good predictions lower the damping, poor ones raise it."""
    if gain > 0.75:
        return 0.2
    if gain > 0.5:
        return 0.5
    return 2.0 if gain < 0.25 else 1.0


def _relative(loss: float, sample: Sample) -> float:
    """Residual over that of u = 0 (itself where the zero field solves the problem)."""
    return math.sqrt(loss / sample.zero) if sample.zero > 0 and math.isfinite(loss) else _root(loss)


def _root(loss: float) -> float:
    return math.sqrt(loss) if loss >= 0 else loss


def _finite(loss: float) -> float:
    return loss if math.isfinite(loss) else math.inf


def _sample_seed(seed: int, number: int) -> int:
    return (seed * 1_000_003 + 31 * (number + 2)) % 2**31


def _news(system: NetworkSystem, state: GaussNewtonState) -> Progress:
    last = state.steps[-1]
    message = (
        f"step {len(state.steps)}: relative residual {last.residual:.2e} on {last.rows} rows, {last.note}"
    )
    return Progress("Gauss-Newton", system.columns, None, last.seconds, message)
