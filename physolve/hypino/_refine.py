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
from ._head import SLOPES, Features, least_squares_head, own_head, rows_of
from ._held_out import Split
from ._raster import draw, grid_nodes

FIRST_RIDGE = 1e-13
"""Of the normal equations, which are enough for the functions of one answer and three times as fast as QR."""

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
    `head` is the best so far. `found` and `known` are their residuals. Of rows that the least squares see, only those
    of the first functions are kept, and what the best head leaves; of later ones what `Step.ALL` needs.
    """

    def __init__(
        self, target: Architecture, batch: ProblemBatch, weights: Float[Tensor, "batch networks count"]
    ) -> None:
        self.target, self.batch, self.weights = target, batch, weights
        rows = rows_of(Features.of(target, weights, batch), batch)
        self.scale, self.split = rows.scale, Split.of(batch)
        self.seen, self.unseen = self.split.parts(rows.matrix)
        self.left, self.right_unseen = self.split.parts(rows.right)
        self.all = GrowingLeastSquares(self.left, FINE_RIDGE)
        self.head = self.trial = torch.zeros_like(rows.matrix[:, 0])
        self.known = self.found = torch.ones_like(self.head[:, 0])  # u = 0 meets nothing

    @property
    def answer(self) -> Answer:
        """The best so far."""
        return Answer(self.target, self.weights, self.head, self.known)

    @property
    def tried(self) -> Answer:
        """What was found last."""
        return Answer(self.target, self.weights, self.trial, self.found)

    def residual(self, head: Float[Tensor, "batch columns"]) -> Float[Tensor, " batch"]:
        """Share of the data that is not met at the points held out."""
        off = _product(self.unseen, head) - self.right_unseen
        return off.norm(dim=1) / self.right_unseen.norm(dim=1).clamp_min(1e-300)

    def take_own_heads(self) -> None:
        """The heads that the hypernetwork wrote."""
        self._take(own_head(self.target, self.weights))

    def solve(self) -> None:
        """The least-squares head on the first functions."""
        self._take(least_squares_head(self.seen, self.left, FIRST_RIDGE).coefficients)

    def _take(self, head: Float[Tensor, "batch columns"]) -> None:
        """This is the answer, whatever was before."""
        self.head = self.trial = head
        self.known = self.found = self.residual(head)
        self.left = self.left - _product(self.seen, head)

    def add(self, weights: Float[Tensor, "batch networks count"], step: Step) -> Bool[Tensor, " batch"]:
        """Take more networks in, and change the answer of those problems whose residual falls by it: which they are."""
        rows = rows_of(Features.of(self.target, weights, self.batch), self.batch, self.scale)
        seen, unseen = self.split.parts(rows.matrix)
        self.unseen, self.weights = torch.cat([self.unseen[..., :-1], unseen], -1), torch.cat([self.weights, weights], 1)
        before = _with_more_columns(self.head, seen.shape[-1] - 1)
        if step is Step.ALL:
            self.trial, left = self._of_all(seen)
        else:
            change = self._of_new(seen) if step is Step.NEW else self._along(seen, weights)
            self.trial, left = _sum_of_heads(before, change), self.left - _product(seen, change)
        self.found = self.residual(self.trial)
        better = self.found < self.known
        self.head = torch.where(better[:, None], self.trial, before)
        self.left = torch.where(better[:, None], left, self.left)
        self.known = torch.where(better, self.found, self.known)
        return better

    def _of_all(self, seen: Float[Tensor, "batch rows columns"]) -> tuple[Tensor, Tensor]:
        """The head on all functions with these new ones, and what it leaves."""
        first = self.seen.shape[-1]
        if not self.all.columns:
            self.all.append(self.seen)
        self.all.append(seen[..., :-1])
        found = self.all.solve()  # the constant comes after the first functions
        return torch.cat([found[:, : first - 1], found[:, first:], found[:, first - 1 : first]], 1), self.all.left

    def _of_new(self, seen: Float[Tensor, "batch rows columns"]) -> Float[Tensor, "batch columns"]:
        """The head on new functions alone, for what is left."""
        new = GrowingLeastSquares(self.left, FINE_RIDGE)
        new.append(seen)
        return new.solve()

    def _along(self, seen: Tensor, weights: Tensor) -> Float[Tensor, "batch columns"]:
        """The new networks' own heads times the best length."""
        direction = own_head(self.target, weights)
        along = _product(seen, direction)
        length = (along * self.left).sum(1) / along.square().sum(1).clamp_min(1e-300)
        return length[:, None] * direction


def refined(fit: Fit, write: Writer, steps: int, step: Step = Step.ALL) -> Iterator[Answer]:
    """The answers after each of `steps` refinements; none is worse than the one before at the points held out."""
    for _ in range(steps):
        fit.add(write(remainder(fit.batch, fit.tried)), step)
        yield fit.answer


def remainder(batch: ProblemBatch, answer: Answer) -> ProblemBatch:
    """The problem that the error of an answer solves, posed at the same points and drawn on the same grid."""
    n = batch.raster.shape[-1]
    edge, c = batch.boundary, batch.coefficients
    nodes = grid_nodes(n, c.dtype, c.device).flatten(0, 1).expand(len(batch), -1, -1)
    operator = torch.einsum("br,brn->bn", c, answer.jet(torch.cat([batch.interior, nodes], 1), LAYOUT))
    at_points, at_nodes = operator.split([batch.interior.shape[1], nodes.shape[1]], 1)
    trace = answer.jet(edge.points, SLOPES)
    left = replace(
        edge,
        dirichlet=torch.where(edge.on_dirichlet, edge.dirichlet - trace[:, 0], 0),
        neumann=torch.where(edge.on_neumann, edge.neumann - (edge.normals * trace[:, 1:].mT).sum(-1), 0),
    )
    source = torch.where(batch.inside, batch.raster[:, 4] - at_nodes.unflatten(1, (n, n)), 0)
    channels = [batch.raster[:, :2], *_drawn(left, n), source[:, None]]
    return replace(batch, raster=torch.cat(channels, 1), source=batch.source - at_points, boundary=left, labels=None)


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


def _sum_of_heads(head: Float[Tensor, "batch more"], last: Float[Tensor, "batch columns"]) -> Float[Tensor, "batch more"]:
    """A head plus one on the last functions and the constant."""
    return torch.cat([head[:, : -last.shape[1]], head[:, -last.shape[1] :] + last], 1)
