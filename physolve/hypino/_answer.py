"""What the hypernetwork answers: generated networks and a head on them, for a batch of problems."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from physolve.jets import Architecture, JetLayout, network_jet

from ._head import hidden_weights

VALUE = JetLayout(2)


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
        """u at points of the square; float32 is twice as fast and good to about 1e-6 of the largest part of the sum."""
        return self.jet(points.to(dtype), VALUE)[:, 0]

    def jet(self, points: Float[Tensor, "*batch n 2"], layout: JetLayout) -> Float[Tensor, "batch rows n"]:
        """u and its derivatives at points of the square, the same for all problems or of each; in the points' dtype."""
        points = points.unsqueeze(1) if points.ndim == 3 else points
        found = network_jet(self.target, self._networks().to(points.dtype), points, layout)[..., 0].sum(1)
        found[:, 0] += self.head[:, -1:].to(points.dtype)
        return found

    def _networks(self) -> Float[Tensor, "batch networks count"]:
        """The networks with the head as their last layers; the constant is left out."""
        hidden = hidden_weights(self.target, self.weights)
        last = self.head[:, :-1].unflatten(1, (hidden.shape[1], -1))
        return torch.cat([hidden, last, torch.zeros_like(last[..., :1])], -1)
