"""Iterative refinement: the network is asked again, for what its answer leaves of equation and conditions.

    D = g - u,  N = h - du/dn,  r = f - L u;   u <- u + du,  du the answer to (D, N, r) with the same operator

(2509.05117, section 4). There u may get worse. Here a step is kept only where the residual falls at points that the
least squares did not see, and how much of the answer is added is found by least squares: of one number (the problem is
linear, so the best step length has a closed form), of the new functions, or of all functions generated so far.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physolve.jets import Architecture

from ._answer import Answer
from ._batch import LAYOUT, Boundary, ProblemBatch
from ._growing import GrowingLeastSquares
from ._head import Features, hidden_jets, least_squares_head, operator_columns, own_head, rows_of
from ._held_out import Split
from ._raster import draw, grid_nodes

FIRST_RIDGES = {torch.float64: 1e-13, torch.float32: 1e-12}
"""Of the normal equations, by the functions' dtype; they are enough for one answer and three times as fast as QR. Rows
in float32 are off by 1e-6 of their entries at most, and squared that is 1e-12."""

FINE_RIDGE = 1e-20
"""On squared coefficients of columns of length one, for jets in float64. Answers to what is left of a problem resemble
the first one, and it is the small differences of such functions that count: ten refinements of the wave problem had the
MSE 5e-3 by normal equations with 1e-13, 4e-6 by QR with 1e-15, 1e-9 with 1e-20."""

Writer = Callable[[ProblemBatch], Float[Tensor, "batch networks count"]]


class Step(Enum):
    """What is fitted in a step: the own head of the new networks times one number, the coefficients of all their
    functions, or those of all functions generated so far."""

    LENGTH = "step length"
    NEW = "new functions"
    ALL = "all functions"


class Fit:
    """A batch of problems with the functions generated for it so far, and the answer on them.

    `trial` is the head found last, which the next question is about: the same question again would teach nothing.
    `head` is the best so far. `left` and `trial_left` are what they leave of the right sides of all rows, `known` and
    `found` the shares of those held out.
    """

    def __init__(
        self, target: Architecture, batch: ProblemBatch, weights: Float[Tensor, "batch networks count"]
    ) -> None:
        self.target, self.batch, self.weights = target, batch, weights
        self.rows = rows_of(Features.of(target, weights.to(batch.source), batch), batch)
        self.split = Split.of(batch)
        self.all: GrowingLeastSquares | None = None
        self.drawn: Tensor | None = None
        self.head = self.trial = torch.zeros_like(self.rows.matrix[:, 0])
        self.left = self.trial_left = self.rows.right
        self.known = self.found = torch.ones_like(self.head[:, 0])  # u = 0 meets nothing

    @property
    def answer(self) -> Answer:
        """The best so far."""
        return Answer(self.target, self.weights, self.head, self.known)

    def residual(self, left: Float[Tensor, "batch rows"]) -> Float[Tensor, " batch"]:
        """Share of the data that is not met at the points held out."""
        right = self.split.unseen_of(self.rows.right)
        return self.split.unseen_of(left).norm(dim=1) / right.norm(dim=1).clamp_min(1e-300)

    def take_own_heads(self) -> None:
        """The heads that the hypernetwork wrote."""
        self._take(own_head(self.target, self.weights))

    def solve(self) -> None:
        """The least-squares head on the first functions."""
        seen, right = self.split.seen_of(self.rows.matrix), self.split.seen_of(self.rows.right)
        self._take(least_squares_head(seen, right, FIRST_RIDGES[self.batch.source.dtype]).coefficients)

    def _take(self, head: Float[Tensor, "batch columns"]) -> None:
        """This is the answer, whatever was before."""
        self.head = self.trial = head
        self.left = self.trial_left = self.rows.right - _product(self.rows.matrix, head)
        self.known = self.found = self.residual(self.left)

    def add(self, weights: Float[Tensor, "batch networks count"], step: Step) -> Bool[Tensor, " batch"]:
        """Take more networks in, and change the answer of those problems whose residual falls by it: which they are."""
        new = rows_of(Features.of(self.target, weights, self.batch), self.batch, self.rows.scale).matrix
        before = _with_more_columns(self.head, new.shape[-1] - 1)
        if step is Step.ALL:
            self.trial = self._of_all(self.split.seen_of(new))
        else:
            change = self._of_new(new) if step is Step.NEW else self._along(new, weights)
            self.trial = _sum_of_heads(before, change)
        self.weights = torch.cat([self.weights, weights], 1)
        self.rows = replace(self.rows, matrix=torch.cat([self.rows.matrix[..., :-1], new], -1))
        if self.drawn is not None:
            self.drawn = torch.cat([self.drawn[..., :-1], self._drawn_functions(weights)], -1)
        self.trial_left = self.rows.right - _product(self.rows.matrix, self.trial)
        self.found = self.residual(self.trial_left)
        better = self.found < self.known
        self.head, self.left = (
            torch.where(better[:, None], new, old) for new, old in ((self.trial, before), (self.trial_left, self.left))
        )
        self.known = torch.where(better, self.found, self.known)
        return better

    def _of_all(self, seen: Float[Tensor, "batch rows columns"]) -> Float[Tensor, "batch more"]:
        """The head on all functions with these new ones, whose rows the least squares see."""
        if self.all is None:
            self.all = GrowingLeastSquares(self.split.seen_of(self.rows.right), FINE_RIDGE)
            self.all.append(self.split.seen_of(self.rows.matrix.roll(1, -1)))  # the constant first
        self.all.append(seen[..., :-1])
        return self.all.solve().roll(-1, -1)

    def _of_new(self, new: Float[Tensor, "batch rows columns"]) -> Float[Tensor, "batch columns"]:
        """The head on new functions alone, for what is left."""
        found = GrowingLeastSquares(self.split.seen_of(self.left), FINE_RIDGE)
        found.append(self.split.seen_of(new))
        return found.solve()

    def _along(self, new: Tensor, weights: Tensor) -> Float[Tensor, "batch columns"]:
        """The new networks' own heads times the best length."""
        direction = own_head(self.target, weights)
        along = self.split.seen_of(_product(new, direction))
        length = (along * self.split.seen_of(self.left)).sum(1) / along.square().sum(1).clamp_min(1e-300)
        return length[:, None] * direction

    def remainder(self) -> ProblemBatch:
        """The problem that the error of `trial` solves, posed at the same points and drawn on the same grid."""
        batch, edge, scale = self.batch, self.batch.boundary, self.rows.scale
        counts = [batch.source.shape[1], edge.points.shape[1], edge.points.shape[1]]
        source, dirichlet, neumann = self.trial_left.split(counts, 1)
        left = replace(
            edge,
            dirichlet=torch.where(edge.on_dirichlet, dirichlet / scale.dirichlet, 0),
            neumann=torch.where(edge.on_neumann, neumann / scale.neumann, 0),
        )
        if self.drawn is None:
            self.drawn = self._drawn_functions(self.weights)
        n = batch.raster.shape[-1]
        operator = _product(self.drawn, self.trial).unflatten(1, (n, n))
        channels = [
            batch.raster[:, :2],
            *_drawn(left, n),
            torch.where(batch.inside, batch.raster[:, 4] - operator, 0)[:, None],
        ]
        return replace(batch, raster=torch.cat(channels, 1), source=source / scale.equation, boundary=left, labels=None)

    def _drawn_functions(self, weights: Float[Tensor, "batch networks count"]) -> Float[Tensor, "batch nodes columns"]:
        """L phi of networks' functions and of the constant on the nodes of the grid: kept, since every remainder of
        an answer on all functions asks for them."""
        c = self.batch.coefficients
        nodes = grid_nodes(self.batch.raster.shape[-1], c.dtype, c.device).flatten(0, 1).expand(len(c), -1, -1)
        return operator_columns(hidden_jets(self.target, weights, nodes, LAYOUT), c)


def refined(fit: Fit, write: Writer, steps: int, step: Step = Step.ALL) -> Iterator[Answer]:
    """The answers after each of `steps` refinements; none is worse than the one before at the points held out."""
    for _ in range(steps):
        fit.add(write(fit.remainder()), step)
        yield fit.answer


def _drawn(edge: Boundary, n: int) -> list[Float[Tensor, "batch 1 n n"]]:
    """Channels of the values on the boundaries."""
    dirichlet = draw(edge.points, edge.dirichlet, edge.on_dirichlet, n).values
    neumann = draw(edge.points, edge.neumann, edge.on_neumann, n).values
    return [dirichlet[:, None], neumann[:, None]]


def _product(matrix: Float[Tensor, "batch rows columns"], head: Float[Tensor, "batch columns"]) -> Tensor:
    return (matrix @ head.unsqueeze(-1)).squeeze(-1)


def _with_more_columns(head: Float[Tensor, "batch columns"], count: int) -> Float[Tensor, "batch more"]:
    """The same function on more functions: zeros before the constant."""
    return torch.cat([head[:, :-1], head.new_zeros(len(head), count), head[:, -1:]], 1)


def _sum_of_heads(
    head: Float[Tensor, "batch more"], last: Float[Tensor, "batch columns"]
) -> Float[Tensor, "batch more"]:
    """A head plus one on the last functions and the constant."""
    return torch.cat([head[:, : -last.shape[1]], head[:, -last.shape[1] :] + last], 1)
