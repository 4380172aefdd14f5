"""The right side of the graph's equation, as rates at the knots of the horizon."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from .operators import Exchange, StationGraph


class Rates(NamedTuple):
    """Per step of the series, at the knots; in between they are linear in time.

    gain      (batch, knots, edges) what a receiver gets of its sender's concentration
    loss      (batch, knots, n) what a station loses of its own
    source    (samples, batch, knots, n, channels), None where the equation has none
    decay     what every station loses by deposition, None where the equation has none
    unmixing  (n, n) what changes by exchange are multiplied with, None for nothing
    """

    gain: Float[Tensor, "batch knots edges"]
    loss: Float[Tensor, "batch knots n"]
    source: Float[Tensor, "samples batch knots n channels"] | None
    decay: Float[Tensor, ""] | None = None
    unmixing: Float[Tensor, "n n"] | None = None

    @torch.no_grad()
    def fastest(self, receiver: Int[Tensor, " edges"]) -> float:
        """What no eigenvalue of the right side exceeds (Gershgorin): twice the largest loss where D is alone."""
        reach = self.loss.abs().index_add(-1, receiver, self.gain.abs())
        if self.unmixing is not None:
            reach = reach @ self.unmixing.abs().T
        return float(reach.max()) + (0.0 if self.decay is None else float(self.decay))

    def leaves(self) -> tuple[Tensor, ...]:
        return tuple(each for each in (self.gain, self.loss, self.source, self.decay) if each is not None)


@dataclass(frozen=True)
class Between:
    """An instant between two knots."""

    knot: int
    share: Float[Tensor, ""]

    def of(self, values: Tensor, dim: int) -> Tensor:
        first, second = values.select(dim, self.knot), values.select(dim, self.knot + 1)
        return torch.lerp(first, second, self.share)


class RightSide(nn.Module):
    """dz/dt of all samples and channels at once. It holds rates, no weights: it is made for one batch."""

    def __init__(self, graph: StationGraph, rates: Rates, every: int) -> None:
        super().__init__()
        self.graph, self.rates, self.every = graph, rates, every

    def forward(
        self, t: Float[Tensor, ""], z: Float[Tensor, "samples batch n channels"]
    ) -> Float[Tensor, "samples batch n channels"]:
        now = self._between(t)
        moved = Exchange(self.graph, now.of(self.rates.gain, 1), now.of(self.rates.loss, 1))(z)
        if self.rates.unmixing is not None:
            moved = self.rates.unmixing @ moved
        if self.rates.decay is not None:
            moved = moved - self.rates.decay * z
        return moved if self.rates.source is None else moved + now.of(self.rates.source, 2)

    def _between(self, t: Float[Tensor, ""]) -> Between:
        place = t / self.every
        knot = min(max(int(place), 0), self.rates.gain.shape[1] - 2)
        return Between(knot, place - knot)
