"""Gauss-Newton with Levenberg-Marquardt damping on all weights of a compact network."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from physolve.errors import UnsupportedError
from physolve.jets import TANH, Activation
from physolve.spec import Problem

from ._damped_system import DampedStep, DampedSystem
from ._fitting import Clock, Goal, fitted
from ._method import MethodResult, Start, network_of, network_system
from ._options import check_option, check_whole
from ._outcome import Listener, Step
from ._trainable import Sample, TrainableSystem, Vector

TRIALS = 12
"""Dampings tried at one linearisation before the step is given up."""

GAP = 1.3
"""Loss on fresh rows over loss on the fitted rows, above which the rows are too few for the weights."""

REST = 3
"""Steps on the same rows before they may be drawn anew: fresh rows disturb the fast phase."""

PAYS = 0.5
"""Residual over that at the last draw, below which drawing as many rows again is enough. CPU s until the residual is
1e-5, against doubling every time: HZ 8, 10, 9 (seeds 0 to 2) against 22, 20, 23; the wave equation 26 against 46."""

BEND = 0.75
"""Largest length of the second-order part of a step, in halves of the first-order part."""

PROBE = 0.1
"""Part of a step over which the second derivative along it is taken."""

STIFFNESS = 1e4
"""Damping of the corrections after a step, over that of the step. Measured on HZ, rows up to 2,400, seeds 0 to 2, CPU s
until the residual is 1e-5: 27, 21, 33 with 1e3; 19, 18, 19 with 1e4; 20, 16, 24 with 1e5. With 1 the corrections
diverge; without corrections 1e-5 takes 200 s."""

CORRECTIONS = 6
"""Most corrections after one step."""

WORTH = 0.7
"""A correction that leaves more of the loss than this is the last one."""

LARGEST_ORDER = 3
"""Measured on the beam (order 4, 52 rows, 10 x 2 network): 1.7 CPU s a step, residual still 0.75 after 9 steps."""

FIRST_DAMPING, GIVEN_DAMPING = 1.0, 1e-4
"""Of random weights and of given ones. Relative residual of networks that a hypernetwork wrote for the problems of
2509.05117 after three steps (1.5 CPU s) with 1, 1e-4 and 1e-6: HT 5e-4, not run, 4e-6; HZ 5e-2, 1e-3, 4e-4; WV 8e-2,
3e-2, 6e-2; PS-C 0.1, 5e-2, 8e-2; PS-L 0.3, 0.2, 0.2; PS-G 0.2, 3e-2, 3e-2; HZ-G 0.2, 0.1, 0.1. The last layers damped a
thousandfold or a millionfold less (Kaufman's variable projection at the limit) was no faster."""

DAMPING_RANGE = (1e-14, 1e12)


@dataclass(frozen=True, eq=False)
class GaussNewtonState:
    """Where the iteration is: trainable vector, damping (in units of the mean diagonal entry of J^T J), rows fitted,
    rows to check on, and the best vector met with its relative residual on the latter. `jacobian` is the last one, only
    kept for its memory."""

    vector: Vector
    damping: float
    levels: tuple[float, ...]
    sample: Sample
    check: Sample
    relative: float
    best: Vector
    best_relative: float
    count: int
    drawn_relative: float
    age: int = 0
    stuck: int = 0
    steps: tuple[Step, ...] = ()
    jacobian: Float[Tensor, "rows columns"] | None = None
    stage: str = "Gauss-Newton"

    @property
    def done(self) -> int:
        return len(self.steps)


@dataclass(frozen=True)
class GaussNewton:
    """Levenberg-Marquardt with geodesic acceleration and corrections on fixed rows, in float64.

    A step is d + a / 2: d minimises |J d + r|^2 + mu |d|^2, and a the same with r replaced by the second derivative of
    the residual along d (Transtrum and Sethna 2012, 1201.5885); both come from one Cholesky factorisation, in the dual
    form while there are fewer rows than weights. Then chord steps with the same J and a damping larger by STIFFNESS
    mend what the linearisation missed in the directions that the residual depends on strongly (not in the paper; see
    `_corrected`), so mu can fall ninefold at most steps. A step that does not decrease the loss even so, or bends too
    much, is repeated with a larger mu at the same Gram matrix.

    The rows stay the same until fresh ones show a loss larger by GAP; then new ones are drawn: as many, or, where the
    residual has not fallen to PAYS of what it was at the last draw, twice as many, from `first_rows` up to `rows`.
    `resample_every` steps (None: never) they are drawn anew anyway.

    `start` is a network (or a solution that is one) to go on from, or a kind of network to be given random weights;
    without one the network is plain, `depth` hidden layers `width` wide, on the domain's box. Raises SpecificationError
    for an option that is not of its kind.

    Measured on HZ, 5,409 weights (benchmarks/gauss_newton.py), CPU s on one thread until the relative L2 error is 1e-5:
    7 to 13 after 22 to 28 steps (seeds 0 to 3); 18 to 29 where the rows double at every draw; without corrections 77
    with `rows` 2400, over 200 with 4800. Tried and no faster: conditions weighted 3 or 10 times more, a step halved
    instead of damped more, mu not lowered after a repeated step, corrections without the second-order part (twice the
    steps); before the corrections, damping in units of J's columns.
    """

    width: int = 32
    depth: int = 6
    activation: Activation = TANH
    rows: int = 2400
    first_rows: int = 900
    resample_every: int | None = None
    steps: int = 400
    start: Start = None

    def __post_init__(self) -> None:
        check_whole(self, 1, "width", "depth", "rows", "first_rows")
        check_whole(self, 0, "steps")
        if self.resample_every is not None:
            check_whole(self, 1, "resample_every")
        check_option(self, "activation", isinstance(self.activation, Activation), "one of physolve.jets, such as TANH")
        network_of(self.start, type(self).__name__)

    @property
    def name(self) -> str:
        """How solutions name their origin."""
        return "Gauss-Newton on a network"

    def run(
        self,
        problem: Problem,
        tol: float,
        seed: int = 0,
        budget_s: float | None = None,
        progress: Listener | None = None,
    ) -> MethodResult:
        """Train from `start` until the estimated relative error is `tol`.

        It is estimated once the residual of fresh rows is `tol` of that of u = 0; where it is larger, training goes on
        to a smaller residual.

        Ends as TOLERANCE_NOT_REACHED after `steps` steps or `budget_s` seconds, as DIVERGED when the residual is not
        finite, as INTERRUPTED on KeyboardInterrupt; the field is always the best one met. Deterministic in `seed` (for
        a fixed number of threads). float64. Raises UnsupportedError for equations above order 3, NumericalError where
        an equation or condition is not finite at the start.
        """
        clock = Clock.started(budget_s)
        system = network_system(problem, self.width, self.depth, self.activation, self.start)
        if (order := system.collocation.order) > LARGEST_ORDER:
            raise UnsupportedError(
                f"GaussNewton: got an equation of order {order}, expected at most {LARGEST_ORDER}, because derivatives"
                " above it are nested and slow; use LeastSquares(), or write it as a system of lower order"
            )
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

    def states(self, system: TrainableSystem, target: float, seed: int, clock: Clock) -> Iterator[GaussNewtonState]:
        state = self.init(system, seed)
        while True:
            yield state
            state = self.step(system, state, seed, clock.began)

    def spent(self, state: GaussNewtonState) -> str | None:
        if state.stuck >= 3:
            return "no damping decreases the residual"
        return "allow more steps, rows or a wider network" if state.done >= self.steps else None

    def init(self, system: TrainableSystem, seed: int) -> GaussNewtonState:
        """The weights that were given, or random ones with a fitted output layer; the first rows, balanced."""
        vector, count = system.start(seed), min(self.first_rows, self.rows)
        levels = system.levels(vector, system.blocks(count, seed))
        sample = system.sample(count, _sample_seed(seed, 0), levels)
        check = system.sample(count, _sample_seed(seed, -1), levels)
        if system.given is None:
            vector = with_fitted_output(system, vector, sample)
        relative = check.relative(system.loss(vector, check))
        best = vector, relative
        damping = FIRST_DAMPING if system.given is None else GIVEN_DAMPING
        return GaussNewtonState(vector, damping, levels, sample, check, relative, *best, count, relative)

    def step(self, system: TrainableSystem, state: GaussNewtonState, seed: int, began: float) -> GaussNewtonState:
        """One linearisation, one accepted step (or none), then fresh rows if it is time."""
        moved, fitted = self._move(system, state)
        relative = moved.check.relative(system.loss(moved.vector, moved.check))
        number = len(state.steps) + 1
        note = f"damping {moved.damping:.1e}"
        entry = Step(system.columns, state.sample.size, relative, None, time.monotonic() - began, note)
        moved = replace(moved, relative=relative, age=moved.age + 1, steps=(*state.steps, entry))
        if relative < moved.best_relative:
            moved = replace(moved, best=moved.vector, best_relative=relative)
        gap = relative**2 > GAP * fitted**2 and moved.age >= REST
        due = self.resample_every is not None and number % self.resample_every == 0
        if not (gap or due):
            return moved
        grow = gap and relative > PAYS * moved.drawn_relative
        count = min(2 * moved.count, self.rows) if grow else moved.count
        fresh = system.sample(count, _sample_seed(seed, number), moved.levels)
        return replace(moved, sample=fresh, count=count, drawn_relative=relative, age=0)

    def _move(self, system: TrainableSystem, state: GaussNewtonState) -> tuple[GaussNewtonState, float]:
        """The damped step with its trials; also the relative residual on the fitted rows."""
        residual, jacobian = system.linearize(state.vector, state.sample, state.jacobian)
        state = replace(state, jacobian=jacobian)
        loss, damping = float(residual.square().sum()), state.damping
        equations = DampedSystem.of(jacobian)
        scale = equations.scale
        stiff = equations.damped(STIFFNESS * damping * scale)
        for _ in range(TRIALS):
            solver = equations.damped(damping * scale)
            found = solver and _bent_step(system, state, residual, solver)
            if found is not None:
                step, predicted = found
                vector, reached = _corrected(system, state.sample, state.vector + step, stiff)
                gain = (loss - reached) / predicted if predicted > 0 else -math.inf
                if gain > 1e-2:
                    damping = _clamped(damping * _damping_factor(gain))
                    return replace(state, vector=vector, damping=damping, stuck=0), state.sample.relative(reached)
            damping = _clamped(2 * damping)
        return replace(state, damping=damping, stuck=state.stuck + 1), state.sample.relative(loss)


def _bent_step(
    system: TrainableSystem, state: GaussNewtonState, residual: Vector, solver: DampedStep
) -> tuple[Vector, float] | None:
    """The step with its second-order part, and the decrease of the loss that the linearisation predicts; None where
    the second-order part is too long or not finite."""
    first = solver(residual)
    slope = solver.system.jacobian @ first
    with torch.no_grad():
        probe = system.residual(state.vector + PROBE * first, state.sample)
    second = solver(2 / PROBE * ((probe - residual) / PROBE - slope))
    if not float(second.norm()) <= BEND * float(first.norm()):
        return None
    predicted = float(residual.square().sum() - (residual + slope).square().sum())
    return first + second / 2, predicted


def _corrected(
    system: TrainableSystem, sample: Sample, vector: Vector, solver: DampedStep | None
) -> tuple[Vector, float]:
    """The vector after chord steps v - (J^T J + m I)^-1 J^T r(v) with the old J, and its loss (inf if not finite).

    After a long step the loss is often a thousandfold, all of it in directions that depend strongly on the weights; in
    the others, which the step was for, it has fallen as predicted. Chord steps mend the former. Their damping m must be
    far above that of the step: in the others the old J is of no use any more, and chord steps would diverge there.
    """
    with torch.no_grad():
        residual = system.residual(vector, sample)
        loss = _finite(residual)
        for _ in range(CORRECTIONS):
            if solver is None or loss == math.inf:
                break
            candidate = vector + solver(residual)
            residual = system.residual(candidate, sample)
            before, after = loss, _finite(residual)
            if after < loss:
                vector, loss = candidate, after
            if after > WORTH * before:
                break
    return vector, loss


def with_fitted_output(system: TrainableSystem, vector: Vector, sample: Sample) -> Vector:
    """The vector after one damped Gauss-Newton step in the output layers alone, taken where it lowers the loss."""
    residual, jacobian = system.linearize(vector, sample)
    if not bool(torch.isfinite(jacobian).all() and torch.isfinite(residual).all()):
        return vector
    columns = system.last_layers
    equations = DampedSystem.of(jacobian[:, columns])
    solver = equations.damped(1e-6 * equations.scale)
    if solver is None:
        return vector
    moved = vector.clone()
    moved[columns] += solver(residual)
    return moved if system.loss(moved, sample) < float(residual.square().sum()) else vector


def _damping_factor(gain: float) -> float:
    """Marquardt's rule with a dead band: good predictions lower the damping, poor ones raise it."""
    if gain > 0.9:
        return 1 / 9
    if gain > 0.5:
        return 1 / 3
    return 2.0 if gain < 0.2 else 1.0


def _clamped(damping: float) -> float:
    return min(max(damping, DAMPING_RANGE[0]), DAMPING_RANGE[1])


def _finite(residual: Vector) -> float:
    """Sum of squares, inf where it is not a number."""
    loss = float(residual.square().sum())
    return loss if math.isfinite(loss) else math.inf


def _sample_seed(seed: int, number: int) -> int:
    return (seed * 1_000_003 + 31 * (number + 2)) % 2**31
