"""What a simulator is trained on, step by step of a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from .._simulator import Simulator
from ..operators import NodeGradient
from ._settings import PhysicsWeights

if TYPE_CHECKING:
    from torch_geometric.data import Data


def square_error(
    simulator: Simulator,
    said: Float[Tensor, "n columns"],
    state: Float[Tensor, "n state"],
    truth: Float[Tensor, "n columns"],
    graph: Data,
) -> Float[Tensor, ""]:
    """Mean square of scaled errors, column by column, then over columns.

    Of the state over nodes whose state is predicted, normal and outflow; of outputs over all nodes, because nobody
    knows a pressure at a wall.
    """
    own, columns = simulator.scales, state.shape[1]
    wanted = torch.cat(
        [(truth[:, :columns] - state) / own.increment, (truth[:, columns:] - own.output_mean) / own.output_scale], 1
    )
    squares = (said.to(wanted.dtype) - wanted).square()
    free = (~graph.known).to(squares.dtype)[:, None]
    of_state = (free * squares[:, :columns]).sum(0) / free.sum().clamp_min(1)
    return torch.cat([of_state, squares[:, columns:].mean(0)]).mean()


def physics_loss(
    weights: PhysicsWeights,
    gradient: NodeGradient,
    predicted: Float[Tensor, "n dim"],
    true: Float[Tensor, "n dim"],
    counted: Float[Tensor, " n"],
) -> Float[Tensor, ""]:
    """Of a predicted velocity, over the nodes that count; see `PhysicsWeights`."""
    found, wanted = gradient(predicted), gradient(true)
    counted = counted[:, None, None]
    size = (counted * wanted.square()).sum().clamp_min(1e-30)
    off = (counted * (found - wanted).square()).sum() / size
    trace = found.diagonal(dim1=-2, dim2=-1).sum(-1)
    return weights.gradient * off + weights.divergence * (counted[:, 0, 0] * trace.square()).sum() / size
