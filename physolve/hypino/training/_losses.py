"""What the hypernetwork is trained on: errors relative to the solution's own size, with and without the head.

For a labelled sample, with rho(e) = log((1 + e / SMALL_ERROR) / (1 + e)), for which halving a small error is worth as
much as halving a larger one, while errors far above 1 count no more, so that hopeless samples do not drown the others:

    sum over k = 0, 1, 2 of w_k rho(|D^k u - D^k u*| / |D^k u*|)  +  w_r rho(|A a - b| / |b|)

for the solution with the least-squares head a and, weighted by w_own, for the one with the head that the hypernetwork
wrote itself. Samples without a label have the residual term only. The published loss (2509.05117) is a Huber loss of
the absolute differences with the weights 1, 0.25, 0.25 and no head. Without the derivatives a loss relative to each
sample's size was seen to collapse to one basis for all problems (shared/methods/hypino.md), hence w_1 and w_2.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physolve.jets import Architecture

from .._batch import Labels, ProblemBatch
from .._head import applied, right_side
from .._projection import project

SMALL_ERROR = 0.03
"""Relative error below which a sample counts as solved."""


@dataclass(frozen=True)
class LossWeights:
    """w_0, w_1, w_2 (value, gradient, second derivatives), w_r and w_own."""

    value: float = 1.0
    gradient: float = 0.25
    curvature: float = 0.05
    residual: float = 0.25
    own_head: float = 0.25


@dataclass(frozen=True, eq=False)
class Losses:
    """The loss, and of every sample the relative errors of both heads and the least-squares head's residual.

    known   which samples have a label; the errors of the others are zero
    """

    total: Float[Tensor, ""]
    error: Float[Tensor, " batch"]
    own_error: Float[Tensor, " batch"]
    residual: Float[Tensor, " batch"]
    known: Bool[Tensor, " batch"]


def losses(
    target: Architecture, weights: Float[Tensor, "batch networks count"], batch: ProblemBatch, w: LossWeights
) -> Losses:
    """Judge generated weights on a scaled batch with labels."""
    labels = batch.labels
    if labels is None:
        raise ValueError("losses: the batch has no labels; the sampler makes them")
    found = project(target, weights, batch)
    right = right_side(batch, found.scale)

    def judged(solution: Tensor, trace: Tensor) -> _Judged:
        off = applied(batch, found.scale, solution, trace) - right
        residual = off.norm(dim=1) / right.norm(dim=1).clamp_min(1e-30)
        return _judged(solution, residual.to(solution.dtype), labels, w)

    best, own = judged(found.solution, found.trace), judged(found.own_solution, found.own_trace)
    total = (best.loss + w.own_head * own.loss).mean()
    return Losses(total, best.error.detach(), own.error.detach(), best.residual.detach(), labels.known)


class _Judged(NamedTuple):
    """Loss, relative error and relative residual of every sample."""

    loss: Float[Tensor, " batch"]
    error: Float[Tensor, " batch"]
    residual: Float[Tensor, " batch"]


def _judged(jet: Tensor, residual: Tensor, labels: Labels, w: LossWeights) -> _Judged:
    errors = [_relative_error(jet, labels, block) for block in (slice(0, 1), slice(1, 3), slice(3, 5))]
    weights = (w.value, w.gradient, w.curvature)
    labelled = torch.stack([weight * _rho(e) for weight, e in zip(weights, errors, strict=True)]).sum(0)
    loss = torch.where(labels.known, labelled, 0) + w.residual * _rho(residual)
    return _Judged(loss, torch.where(labels.known, errors[0], 0), residual)


def _relative_error(jet: Float[Tensor, "batch 5 points"], labels: Labels, block: slice) -> Float[Tensor, " batch"]:
    """Root-mean-square difference of some rows over the size of the label, which may be zero for derivatives."""
    off = (jet - labels.jet)[:, block].square().sum(1).mean(1)
    size = labels.jet[:, block].square().sum(1).mean(1)
    floor = 1e-3 * labels.jet[:, 0].square().mean(1) + 1e-20
    return ((off + 1e-12 * floor) / (size + floor)).sqrt()


def _rho(error: Tensor) -> Tensor:
    return torch.log1p(error / SMALL_ERROR) - torch.log1p(error)
