"""L-BFGS on the hidden layers of networks alone: for all hidden layers the last ones are the least-squares solution."""

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column
from physolve.errors import UnsupportedError
from physolve.jets import TANH
from physolve.nets import GeneratedBasis
from physolve.spec import Problem

from ._fitting import Clock, Goal, fitted
from ._lbfgs import lbfgs
from ._method import MethodResult, NetworkSystem, Sample, Start, Vector, network_of, network_system
from ._options import check_option, check_whole
from ._outcome import Listener, Step

ROUND = 25
"""Iterations of L-BFGS between looks at fresh rows."""

GAP = 4.0
"""Loss on fresh rows over loss on the fitted rows, above which twice as many rows are drawn: L-BFGS forgets, and takes
twice as long. With 1.3 the MSE was 5e-5 after 8 CPU s on PS-C, with 900 rows throughout 4e-7."""

RIDGE = 1e-13
"""On squared coefficients, in units of the squared lengths of the first columns."""


@dataclass(frozen=True, eq=False)
class Projection:
    """f(W) = min over c of |A(W) c - b|^2 + RIDGE |S c|^2: the columns of A are the last hidden layers and a constant.

    The best coefficients make the derivative of f in c zero, so that df/dW is the partial derivative with c held
    (Golub and Pereyra 1973). S, the lengths of the first columns, stays as it is: f is one function of W.
    """

    system: NetworkSystem
    sample: Sample
    lengths: Column

    @classmethod
    def of(cls, system: NetworkSystem, sample: Sample, hidden: Float[Tensor, "networks hidden"]) -> "Projection":
        """The projection with the columns' lengths at these hidden layers."""
        matrix, _ = _least_squares(system, sample, _basis(system, hidden))
        lengths = matrix.norm(dim=0)
        return cls(system, sample, lengths.clamp_min(1e-8 * float(lengths.max())))

    def network(self, hidden: Float[Tensor, "networks hidden"]) -> tuple[Float[Tensor, "networks count"], float]:
        """All weights, with the best last layers, and the ridge's share of f; a gradient flows to the hidden ones."""
        basis = _basis(self.system, hidden)
        matrix, right = _least_squares(self.system, self.sample, basis)
        ridge = torch.diag(math.sqrt(RIDGE) * self.lengths)
        zeros = right.new_zeros(len(ridge))
        stacked = torch.cat([matrix, ridge]), torch.cat([right, zeros])[:, None]
        found = torch.linalg.lstsq(*stacked, driver="gels").solution
        coefficients = found.reshape(self.system.model.outputs, basis.size).T
        last = basis.network(coefficients).weights[:, hidden.shape[1] :]
        return torch.cat([hidden, last], 1), float((ridge @ found).square().sum())

    def loss(self, hidden: Float[Tensor, "networks hidden"]) -> Float[Tensor, ""]:
        """f, differentiable."""
        weights, ridge = self.network(hidden)
        return self.system.residual(weights.flatten(), self.sample).square().sum() + ridge


@dataclass(frozen=True, eq=False)
class ProjectionState:
    """Hidden layers, the rows fitted, rows to check on, and the best vector met with its residual on the latter."""

    hidden: Float[Tensor, "networks hidden"]
    levels: tuple[float, ...]
    sample: Sample
    check: Sample
    best: Vector
    relative: float
    best_relative: float
    count: int
    stuck: bool = False
    steps: tuple[Step, ...] = ()
    stage: str = "L-BFGS"

    @property
    def done(self) -> int:
        """Iterations so far."""
        return ROUND * len(self.steps)


@dataclass(frozen=True)
class VariableProjection:
    """L-BFGS (strong Wolfe line search) on `Projection`, for linear problems of order two and less, in float64.

    `start` as in `GaussNewton`; of a network the hidden layers count. The rows are doubled, from `first_rows` up to
    `rows`, while fresh ones show a loss larger by GAP. An iteration costs a fifteenth of a step of Gauss-Newton.
    Raises SpecificationError for an option that is not of its kind.
    """

    start: Start
    rows: int = 3600
    first_rows: int = 900
    steps: int = 2000

    def __post_init__(self) -> None:
        check_whole(self, 1, "rows", "first_rows")
        check_whole(self, 0, "steps")
        check_option(self, "start", self.start is not None, "a network or a kind of network")
        network_of(self.start, type(self).__name__)

    @property
    def name(self) -> str:
        """How solutions name their origin."""
        return "L-BFGS on a network's hidden layers"

    def run(
        self,
        problem: Problem,
        tol: float,
        seed: int = 0,
        budget_s: float | None = None,
        progress: Listener | None = None,
    ) -> MethodResult:
        """Train until the estimated relative error is `tol`; outcomes and errors as of `GaussNewton.run`.

        Raises UnsupportedError for problems that are not linear, have unknown parameters or derivatives above the
        second, SpecificationError for a start that does not fit the problem.
        """
        clock = Clock.started(budget_s)
        system = network_system(problem, 0, 0, TANH, self.start)
        _check(system)
        return fitted(self, system, Goal.of_error(system, tol, seed), seed, clock, progress)

    def states(self, system: NetworkSystem, target: float, seed: int, clock: Clock) -> Iterator[ProjectionState]:
        state = self.init(system, seed)
        yield state
        yield from self.rounds(system, state, seed, clock.began)

    def spent(self, state: ProjectionState) -> str | None:
        over = state.stuck or state.done >= self.steps
        return "allow more iterations or use GaussNewton" if over else None

    def init(self, system: NetworkSystem, seed: int) -> ProjectionState:
        """The given network, or random hidden layers with the best last layers; rows as in `GaussNewton.init`."""
        vector, count = system.start(seed), min(self.first_rows, self.rows)
        levels = system.levels(vector, system.blocks(count, seed))
        sample, check = (system.sample(count, seed + k, levels) for k in (1, 2))
        weights, _ = system.split(vector)
        hidden = weights[:, : _hidden_count(system)].clone()
        if system.given is None:
            vector = Projection.of(system, sample, hidden).network(hidden)[0].flatten()
        relative = check.relative(system.loss(vector, check))
        return ProjectionState(hidden, levels, sample, check, vector, relative, relative, count)

    def rounds(
        self, system: NetworkSystem, state: ProjectionState, seed: int, began: float
    ) -> Iterator[ProjectionState]:
        """The state after every ROUND iterations, on more rows where it is time."""
        while True:
            state = yield from self._on_these_rows(system, state, began)
            count = min(2 * state.count, self.rows)
            fresh = system.sample(count, seed + 17 * (2 + len(state.steps)), state.levels)
            state = replace(state, sample=fresh, count=count)

    def _on_these_rows(
        self, system: NetworkSystem, state: ProjectionState, began: float
    ) -> Generator[ProjectionState, None, ProjectionState]:
        hidden = state.hidden.clone().requires_grad_()
        projection = Projection.of(system, state.sample, hidden)
        optimiser = lbfgs(hidden, ROUND)

        def closure() -> Float[Tensor, ""]:
            optimiser.zero_grad()
            loss = projection.loss(hidden)
            loss.backward()
            return loss

        while True:
            optimiser.step(closure)
            state, gap = _noted(projection, state, hidden.detach().clone(), began)
            yield state
            if gap and state.count < self.rows:
                return state


def _noted(
    projection: Projection, state: ProjectionState, hidden: Tensor, began: float
) -> tuple[ProjectionState, bool]:
    """The state with the hidden layers after a round (the best ones if they are), and whether the rows are too few."""
    system = projection.system
    vector = projection.network(hidden)[0].flatten()
    relative, on_these = (rows.relative(system.loss(vector, rows)) for rows in (state.check, state.sample))
    entry = Step(system.columns, state.sample.size, relative, None, time.monotonic() - began, "L-BFGS")
    stuck = torch.equal(hidden, state.hidden)
    state = replace(state, hidden=hidden, relative=relative, stuck=stuck, steps=(*state.steps, entry))
    if relative < state.best_relative:
        state = replace(state, best=vector, best_relative=relative)
    return state, relative**2 > GAP * on_these**2


def _least_squares(
    system: NetworkSystem, sample: Sample, basis: GeneratedBasis
) -> tuple[Float[Tensor, "rows columns"], Column]:
    """The scaled rows on a basis, unknown by unknown."""
    outputs = system.model.outputs
    parts = [rows.matrix(basis, outputs, None) for rows in sample.blocks]
    matrix = [factor[:, None] * part for factor, (part, _) in zip(sample.factors, parts, strict=True)]
    right = [factor * part for factor, (_, part) in zip(sample.factors, parts, strict=True)]
    return torch.cat(matrix), torch.cat(right)


def _basis(system: NetworkSystem, hidden: Float[Tensor, "networks hidden"]) -> GeneratedBasis:
    architecture = system.model.architecture
    last = hidden.new_zeros(len(hidden), architecture.count - hidden.shape[1])
    return GeneratedBasis.of(architecture, torch.cat([hidden.detach(), last], 1))


def _hidden_count(system: NetworkSystem) -> int:
    inner, outputs = system.model.architecture.layers[-1]
    return system.model.architecture.count - (inner + 1) * outputs


def _check(system: NetworkSystem) -> None:
    collocation = system.collocation
    why = None
    if not collocation.linear:
        why = "a problem that is not linear"
    elif collocation.problem.parameters:
        why = "a problem with unknown parameters"
    elif collocation.order > 2:
        why = f"an equation of order {collocation.order}"
    if why:
        raise UnsupportedError(
            f"VariableProjection: got {why}, expected a linear one of order 2; use GaussNewton(start=...)"
        )
