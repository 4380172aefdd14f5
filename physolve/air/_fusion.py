"""Source and wind over the horizon: Chebyshev convolutions along the terms of the equation, fused by a gate."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ._clock import CLOCK

Support = Callable[[Tensor], Tensor]
"""A linear operator on (..., n, channels) whose spectrum lies in the unit disk."""

LEADS = 4


class Outlook(NamedTuple):
    """At the knots, relative to their scales: sources (samples, batch, knots, n, latent), wind (batch, knots, n, 2)."""

    source: Float[Tensor, "samples batch knots n latent"]
    wind: Float[Tensor, "batch knots n 2"]


class Fusion(nn.Module):
    """One branch for each support, tanh(sum_k W_k T_k(A) f + V tau), T_k the Chebyshev polynomials, tau the instant.

    Branches are fused by gates that add up to one at every station and instant; a layer later they are the sources
    and what the wind will differ from the persistent one. Without supports there is one branch without neighbours.
    """

    def __init__(self, branches: int, features: int, hidden: int, latent: int, order: int, dropout: float) -> None:
        super().__init__()
        terms = order + 1 if branches else 1
        self.order, self.latent = terms - 1, latent
        count = max(1, branches)
        self.mix = nn.ModuleList(nn.Linear(terms * features, hidden) for _ in range(count))
        self.instant = nn.ModuleList(nn.Linear(CLOCK + LEADS, hidden, bias=False) for _ in range(count))
        self.gate = nn.Linear(count * hidden, count) if count > 1 else None
        self.layer = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, latent + 2)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        features: Float[Tensor, "samples batch n features"],
        clock: Float[Tensor, "batch knots clock"],
        supports: Sequence[Support],
    ) -> Outlook:
        instants = torch.cat([clock, leads(clock)], dim=-1)[:, :, None]
        kept = self.dropout(features)
        branches = [
            torch.tanh(mix(chebyshev(kept, support, self.order))[:, :, None] + instant(instants))
            for mix, instant, support in zip(self.mix, self.instant, supports or [_alone], strict=True)
        ]
        fused = self._fused(branches)
        kept = self.dropout(torch.ones_like(fused[:, :, :1]))  # the same units at all knots
        out = self.out(torch.tanh(self.layer(kept * fused)))
        return Outlook(out[..., : self.latent], out[..., self.latent :].mean(0))

    def _fused(self, branches: Sequence[Tensor]) -> Tensor:
        if self.gate is None:
            return branches[0]
        gates = self.gate(torch.cat([*branches], dim=-1)).softmax(dim=-1)
        return torch.stack([gates[..., k, None] * branch for k, branch in enumerate(branches)]).sum(0)


def chebyshev(x: Tensor, support: Support, order: int) -> Tensor:
    """T_0 x, ..., T_order x side by side: T_0 = 1, T_1 = A, T_k = 2 A T_(k-1) - T_(k-2)."""
    terms = [x, support(x)] if order else [x]
    for _ in range(order - 1):
        terms.append(2 * support(terms[-1]) - terms[-2])
    return torch.cat(terms, dim=-1)


def leads(clock: Float[Tensor, "batch knots clock"]) -> Float[Tensor, "batch knots leads"]:
    """How far ahead every knot lies: as a share of the horizon, and as decays over a half, a sixth and a twentieth."""
    lead = torch.linspace(0, 1, clock.shape[1], dtype=clock.dtype, device=clock.device)
    columns = torch.stack([lead, *((-lead * rate).exp() for rate in (2, 6, 20))], dim=-1)
    return columns.expand(len(clock), -1, -1)


def _alone(x: Tensor) -> Tensor:
    return x
