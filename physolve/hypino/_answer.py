"""What the hypernetwork answers: generated networks and a head on them, for a batch of problems."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from physolve.jets import Architecture, JetLayout, network_jet

from ._head import hidden_weights

VALUE = JetLayout(2)

CHEBYSHEV = 36
"""Points a side from which a field is interpolated: they resolve waves of up to 11 periods."""


@dataclass(frozen=True, eq=False)
class Answer:
    """u_i = sum_kj a_ikj h_ikj + a_i, with the last hidden layers h of generated networks, in the square of problem i.

    weights   of the generated networks, in the flat order of `target`; float64
    head      network by network, then the constant, as `least_squares_head` orders them; float64
    residual  share of the data that is not met, |A a - b| / |b|, at points that the head did not see
    """

    target: Architecture
    weights: Float[Tensor, "batch networks count"]
    head: Float[Tensor, "batch columns"]
    residual: Float[Tensor, " batch"]

    def __len__(self) -> int:
        return len(self.head)

    def part(self, rows: Int[Tensor, " some"] | slice) -> "Answer":
        """The answers to some of the problems."""
        return Answer(self.target, self.weights[rows], self.head[rows], self.residual[rows])

    def values(
        self, points: Float[Tensor, "*batch n 2"], dtype: torch.dtype = torch.float64
    ) -> Float[Tensor, "batch n"]:
        """u at points of the square. float32 is twice as fast, but the sum's parts are larger than the sum: its values
        were off by 1e-4 of the largest one on most random problems, by 5e-3 on some."""
        return self.jet(points.to(dtype), VALUE)[:, 0]

    def jet(self, points: Float[Tensor, "*batch n 2"], layout: JetLayout) -> Float[Tensor, "batch rows n"]:
        """u and its derivatives at points of the square, the same for all problems or of each; in the points' dtype."""
        points = points.unsqueeze(1) if points.ndim == 3 else points
        found = network_jet(self.target, self._networks().to(points.dtype), points, layout)[..., 0].sum(1)
        found[:, 0] += self.head[:, -1:].to(points.dtype)
        return found

    def on_grid(self, n: int, nodes: int = CHEBYSHEV) -> Float[Tensor, "batch n n"]:
        """u on `grid_nodes(n)`: evaluated at `nodes` x `nodes` Chebyshev points and interpolated between them.

        For n = 224 a fortieth of the evaluations. Generated functions are analytic, and on 64 random problems no value
        differed from that of `values` by more than 2e-5 of the largest; with 48 nodes it was 5e-8.
        """
        at = torch.cos(torch.pi * torch.arange(nodes, dtype=torch.float64) / (nodes - 1))
        y, x = torch.meshgrid(at, at, indexing="ij")
        coarse = self.values(torch.stack([x, y], -1).flatten(0, 1)).unflatten(1, (nodes, nodes))
        between = interpolation(at, torch.linspace(-1, 1, n, dtype=torch.float64))
        return between.flip(0) @ coarse @ between.T

    def _networks(self) -> Float[Tensor, "batch networks count"]:
        """The networks with the head as their last layers; the constant is left out."""
        hidden = hidden_weights(self.target, self.weights)
        last = self.head[:, :-1].unflatten(1, (hidden.shape[1], -1))
        return torch.cat([hidden, last, torch.zeros_like(last[..., :1])], -1)


def interpolation(nodes: Float[Tensor, " k"], points: Float[Tensor, " n"]) -> Float[Tensor, "n k"]:
    """Values at Chebyshev points of the second kind to values at others: the barycentric formula (Berrut and Trefethen
    2004, equations 4.2 and 5.4)."""
    weights = torch.ones_like(nodes)
    weights[1::2] = -1
    weights[0] /= 2
    weights[-1] /= 2
    away = points[:, None] - nodes
    hit = away == 0
    matrix = weights / torch.where(hit, 1.0, away)
    matrix = matrix / matrix.sum(1, keepdim=True)
    return torch.where(hit.any(1, keepdim=True), hit.to(nodes), matrix)
