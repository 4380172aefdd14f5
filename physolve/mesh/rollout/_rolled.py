"""A simulator's steps, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from .._simulator import Advanced, Simulator

if TYPE_CHECKING:
    from torch_geometric.data import Data


def rolled(
    simulator: Simulator,
    graph: Data,
    state: Float[Tensor, "n state"],
    known: Callable[[int], Float[Tensor, "n state"]] | None,
    steps: int,
) -> Iterator[Advanced]:
    """`steps` steps from a state, each from the one before; of `known(step)` the known nodes take their values.

    Without it, they keep those they begin with. Nothing is checked: see `run_rollout` for rollouts that may blow up.
    """
    for step in range(1, steps + 1):
        with torch.no_grad():
            following = simulator.advance(state, graph, None if known is None else known(step))
        yield following
        state = following.state
