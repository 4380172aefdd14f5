"""Weights of the terms of a loss: strategy objects. `update` takes the current weights and returns the next
ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from physolve._typing import Column, Points

from ._options import check_number, check_positive, check_whole

Gradient = Callable[[Tensor], Tensor]


class LossBalancing(Protocol):
    """Weights lambda_k of loss terms L_k; the sum lambda_k L_k is trained.

    `gradient(term)` is the term's gradient in all weights as one vector; called only where a strategy needs
    it.
    """

    def update(self, weights: Column, terms: Sequence[Tensor], step: int, gradient: Gradient) -> Column: ...


@dataclass(frozen=True)
class FixedBalancing:
    """The weights as they are (the rows are balanced at the start anyway)."""

    def update(self, weights: Column, terms: Sequence[Tensor], step: int, gradient: Gradient) -> Column:
        return weights


@dataclass(frozen=True)
class GradientNormBalancing:
    """lambda_k = sum_j |grad L_j| / |grad L_k|, averaged over time (Wang et al. 2023, 2308.08468, section
    5.1)."""

    every: int = 100
    memory: float = 0.9

    def __post_init__(self) -> None:
        check_whole(self, 1, "every")
        check_number(self, "memory", 0, 1)

    def update(self, weights: Column, terms: Sequence[Tensor], step: int, gradient: Gradient) -> Column:
        if step % self.every:
            return weights
        norms = torch.stack([gradient(term).norm() for term in terms])
        wanted = torch.where(norms > 0, norms.sum() / norms.clamp_min(1e-300), torch.ones_like(norms))
        return self.memory * weights + (1 - self.memory) * wanted


@dataclass(frozen=True)
class RelativeLossBalancing:
    """lambda_k = m softmax_k(L_k / (temperature max_j L_j)), averaged over time: the largest terms weigh
    most.

    A simplification of ReLoBRaLo (Bischof and Kraus 2021, 2110.09813), which compares each term with its own
    past:
    the rows here are balanced at the start, so that terms compare with each other.
    """

    every: int = 100
    memory: float = 0.9
    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_whole(self, 1, "every")
        check_number(self, "memory", 0, 1)
        check_positive(self, "temperature")

    def update(self, weights: Column, terms: Sequence[Tensor], step: int, gradient: Gradient) -> Column:
        if step % self.every:
            return weights
        losses = torch.stack([term.detach() for term in terms])
        share = losses / (self.temperature * losses.max().clamp_min(1e-300))
        return self.memory * weights + (1 - self.memory) * len(terms) * torch.softmax(share, 0)


@dataclass(frozen=True)
class CausalWeights:
    """w_i = exp(-epsilon sum_{k < i} L_k / L_0) for time bin i: later times wait until earlier ones are
    solved
    (Wang, Sankaran, Perdikaris 2022, 2203.07404, eq. 3.4; L_0, the loss of u = 0, makes epsilon free of
    units).

    Raises SpecificationError for fewer than two bins or a negative epsilon.
    """

    epsilon: float = 10.0
    bins: int = 16

    def __post_init__(self) -> None:
        check_whole(self, 2, "bins")
        check_number(self, "epsilon", 0)

    def weights(self, points: Points, squares: Column, scale: float) -> Column:
        """A factor for every squared residual (n,); time is the last coordinate of the points; no
        gradient."""
        t = points[:, -1]
        span = (t.max() - t.min()).clamp_min(1e-300)
        bin_of = ((t - t.min()) / span * self.bins).long().clamp_max(self.bins - 1)
        losses = squares.new_zeros(self.bins).index_add_(0, bin_of, squares.detach())
        before = losses.cumsum(0) - losses
        return torch.exp(-self.epsilon * before * self.bins / scale)[bin_of]
