"""Iterative refinement: the network is asked again, for what its answer leaves of equation and conditions.

    D = g - u,  N = h - du/dn,  r = f - L u;   u <- u + du,  du the answer to (D, N, r) with the same operator

(2509.05117, section 4). There u may get worse. Here a step is kept only where the residual falls at points that the
least squares did not see, and how much of the answer is added is found by least squares: of one number (the problem is
linear, so the best step length has a closed form), of the new functions, or of all functions generated so far.
"""

import dataclasses
from collections.abc import Callable, Iterator
from enum import Enum

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physolve.jets import Architecture

from ._answer import Answer
from ._batch import LAYOUT, Boundary, ProblemBatch
from ._head import (
    SLOPES,
    Features,
    Rows,
    RowScale,
    applied,
    least_squares_head,
    own_head,
    right_side,
    rows_of,
)
from ._raster import draw, grid_nodes

HELD_OUT = 5
"""Every fifth point is kept from the least squares, to measure the residual at."""

FINE_RIDGE = 1e-13
"""For jets in float64."""

Writer = Callable[[ProblemBatch], Float[Tensor, "batch networks count"]]


class Step(Enum):
    """What is fitted in a step: the own head of the new networks times one number, the coefficients of all their
    functions, or those of all functions generated so far."""

    LENGTH = "step length"
    NEW = "new functions"
    ALL = "all functions"


class Fit:
    """A batch of problems with the functions generated for it so far, and the answer on them."""

    def __init__(
        self, target: Architecture, batch: ProblemBatch, weights: Float[Tensor, "batch networks count"]
    ) -> None:
        self.target, self.batch, self.weights = target, batch, weights
        self.features = Features.of(target, weights, batch)
        self.rows = rows_of(self.features, batch)
        self.scale = self.rows.scale
        self.head = torch.zeros_like(self.rows.matrix[:, 0])

    @property
    def answer(self) -> Answer:
        return Answer(self.target, self.weights, self.head, self.residual(self.head))

    def residual(self, head: Float[Tensor, "batch columns"]) -> Float[Tensor, " batch"]:
        """Share of the data that is not met at the points held out."""
        right = right_side(self.batch, self.scale)
        off = applied(self.batch, self.scale, self.features.solution(head), self.features.trace(head)) - right
        unseen = self._held_out()
        return off[:, unseen].norm(dim=1) / right[:, unseen].norm(dim=1).clamp_min(1e-300)

    def take_own_heads(self) -> None:
        """The heads that the hypernetwork wrote."""
        self.head = own_head(self.target, self.weights)

    def solve(self) -> None:
        """The least-squares head on all functions."""
        seen = ~self._held_out()
        matrix, right = self.rows.matrix[:, seen], self.rows.right[:, seen]
        self.head = least_squares_head(Rows(matrix, right, self.scale), FINE_RIDGE).coefficients

    def add(self, weights: Float[Tensor, "batch networks count"], step: Step) -> Bool[Tensor, " batch"]:
        """Take more networks in, and change the answer of those problems whose residual falls by it: which they are."""
        before, known = self.head, self.residual(self.head)
        more = Features.of(self.target, weights, self.batch)
        new = _scaled_rows(more, self.batch, self.scale)
        width = new.matrix.shape[-1] - 1
        self.features, self.weights = self.features.beside(more), torch.cat([self.weights, weights], 1)
        old = self.rows.matrix
        self.rows = dataclasses.replace(self.rows, matrix=torch.cat([old[..., :-1], new.matrix], -1))
        before = torch.cat([before[:, :-1], before.new_zeros(len(before), width), before[:, -1:]], 1)
        if step is Step.ALL:
            self.solve()
        else:
            self.head = before + self._correction(
                new, before, own_head(self.target, weights) if step is Step.LENGTH else None
            )
        better = self.residual(self.head) < known
        self.head = torch.where(better[:, None], self.head, before)
        return better

    def _correction(self, new: Rows, before: Tensor, direction: Tensor | None) -> Float[Tensor, "batch columns"]:
        """The best change on the new functions, or along one direction among them."""
        seen = ~self._held_out()
        left = (self.rows.right - (self.rows.matrix @ before.unsqueeze(-1)).squeeze(-1))[:, seen]
        matrix = new.matrix[:, seen]
        if direction is None:
            change = least_squares_head(Rows(matrix, left, self.scale), FINE_RIDGE).coefficients
        else:
            along = (matrix @ direction.unsqueeze(-1)).squeeze(-1)
            length = (along * left).sum(1) / along.square().sum(1).clamp_min(1e-300)
            change = length[:, None] * direction
        return torch.cat([torch.zeros_like(before[:, change.shape[1] :]), change], 1)

    def _held_out(self) -> Bool[Tensor, " rows"]:
        points, edge = self.batch.interior.shape[1], self.batch.boundary.points.shape[1]
        number = torch.cat([torch.arange(points), torch.arange(edge), torch.arange(edge)])
        return (number % HELD_OUT == 0).to(self.batch.source.device)


def refined(fit: Fit, write: Writer, steps: int, step: Step = Step.ALL) -> Iterator[Answer]:
    """The answers after each of `steps` refinements; none is worse than the one before at the points held out."""
    for _ in range(steps):
        fit.add(write(remainder(fit.batch, fit.answer)), step)
        yield fit.answer


def remainder(batch: ProblemBatch, answer: Answer) -> ProblemBatch:
    """The problem that the error of an answer solves, posed at the same points and drawn on the same grid."""
    n = batch.raster.shape[-1]
    edge, c = batch.boundary, batch.coefficients
    nodes = grid_nodes(n, c.dtype, c.device).flatten(0, 1).expand(len(batch), -1, -1)
    operator = torch.einsum("br,brn->bn", c, answer.jet(torch.cat([batch.interior, nodes], 1), LAYOUT))
    at_points, at_nodes = operator.split([batch.interior.shape[1], nodes.shape[1]], 1)
    trace = answer.jet(edge.points, SLOPES)
    left = dataclasses.replace(
        edge,
        dirichlet=torch.where(edge.on_dirichlet, edge.dirichlet - trace[:, 0], 0),
        neumann=torch.where(edge.on_neumann, edge.neumann - (edge.normals * trace[:, 1:].mT).sum(-1), 0),
    )
    source = torch.where(batch.inside, batch.raster[:, 4] - at_nodes.unflatten(1, (n, n)), 0)
    channels = [batch.raster[:, :2], *_drawn(left, n), source[:, None]]
    return dataclasses.replace(
        batch, raster=torch.cat(channels, 1), source=batch.source - at_points, boundary=left, labels=None
    )


def _drawn(edge: Boundary, n: int) -> list[Float[Tensor, "batch 1 n n"]]:
    """Channels of the values on the boundaries."""
    dirichlet = draw(edge.points, edge.dirichlet, edge.on_dirichlet, n).values
    neumann = draw(edge.points, edge.neumann, edge.on_neumann, n).values
    return [dirichlet[:, None], neumann[:, None]]


def _scaled_rows(features: Features, batch: ProblemBatch, scale: RowScale) -> Rows:
    """Rows of more functions with the factors that the first ones set."""
    own = rows_of(features, batch)
    factors = [
        torch.where(mine > 0, first / mine.clamp_min(1e-300), 0)
        for first, mine in zip(_factors(scale), _factors(own.scale), strict=True)
    ]
    return Rows(own.matrix * torch.cat(factors, 1).unsqueeze(-1), right_side(batch, scale), scale)


def _factors(scale: RowScale) -> list[Tensor]:
    return [scale.equation, scale.dirichlet, scale.neumann]
