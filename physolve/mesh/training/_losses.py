"""What a simulator is trained on, step by step of a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .._simulator import Simulator
from ..operators import NavierStokesResidual, NodeGradient
from ._settings import PhysicsWeights

if TYPE_CHECKING:
    from torch_geometric.data import Data

TINY = 1e-30  # a flow at rest has no size


def square_error(
    simulator: Simulator,
    said: Float[Tensor, "n columns"],
    state: Float[Tensor, "n state"],
    truth: Float[Tensor, "n columns"],
    graph: Data,
) -> Float[Tensor, ""]:
    """Mean square of scaled errors over nodes that are counted, column by column, then over columns.

    Of the state over nodes whose state is predicted, normal and outflow; of outputs over the others too, because nobody
    knows a pressure at a wall.
    """
    own, columns = simulator.scales, state.shape[1]
    wanted = torch.cat(
        [(truth[:, :columns] - state) / own.increment, (truth[:, columns:] - own.output_mean) / own.output_scale], 1
    )
    squares = (said.to(wanted.dtype) - wanted).square()
    of_state = _mean_over(graph.counted & ~graph.known, squares[:, :columns])
    return torch.cat([of_state, _mean_over(graph.counted, squares[:, columns:])]).mean()


class FlowStep(NamedTuple):
    """What physics says something of: velocities before and after, the pressure half-way."""

    before: Float[Tensor, "n dim"]
    after: Float[Tensor, "n dim"]
    pressure: Float[Tensor, " n"]


def gradient_losses(
    weights: PhysicsWeights,
    gradient: NodeGradient,
    predicted: Float[Tensor, "n dim"],
    true: Float[Tensor, "n dim"],
    counted: Float[Tensor, " n"],
) -> Float[Tensor, ""]:
    """Of the gradient and the divergence of a predicted velocity, over the nodes that count; see `PhysicsWeights`."""
    found, wanted = gradient(predicted), gradient(true)
    size = _counted(wanted, counted)
    off = _counted(found - wanted, counted) / size
    trace = found.diagonal(dim1=-2, dim2=-1).sum(-1)
    return weights.gradient * off + weights.divergence * _counted(trace, counted) / size


def momentum_loss(
    residual: NavierStokesResidual, predicted: FlowStep, true: FlowStep, dt: float, counted: Float[Tensor, " n"]
) -> Float[Tensor, ""]:
    """The residual of a predicted step, over the size of the true acceleration."""
    size = _counted((true.after - true.before) / dt, counted)
    return _counted(residual.momentum(*predicted, dt), counted) / size


def _mean_over(chosen: Bool[Tensor, " n"], values: Float[Tensor, "n columns"]) -> Float[Tensor, " columns"]:
    share = chosen.to(values.dtype)[:, None]
    return (share * values).sum(0) / share.sum().clamp_min(1)


def _counted(values: Float[Tensor, "n ..."], counted: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """The sum of squares over the nodes that count."""
    return (counted * values.square().flatten(1).sum(1) if values.ndim > 1 else counted * values.square()).sum() + TINY
