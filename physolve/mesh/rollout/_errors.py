"""How far a rollout is from the truth."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .._channels import Channels
from .._node_types import NodeType

MOMENTS = (1, 50)
"""Steps after which errors are told, beside those over the whole rollout."""


class RolloutErrors:
    """Root-mean-square errors over normal nodes, field by field, of a vector over its components.

    After a step the square error is averaged over nodes; over all steps it is averaged over nodes and steps before the
    root is taken, as in MeshGraphNets' "all-rollout" error.
    """

    def __init__(self, channels: Channels, node_type: Int[Tensor, " n"]) -> None:
        self.channels = channels
        self.normal = node_type == NodeType.NORMAL
        self.squares: list[Tensor] = []  # of every step, by column: they stay on the device until they are asked for

    def add(self, found: Float[Tensor, "n columns"], true: Float[Tensor, "n columns"]) -> None:
        """Of step 1, 2, ... in turn."""
        self.squares.append((found - true)[self.normal].double().square().mean(0))

    def figures(self) -> dict[str, float]:
        """Of every field: `velocity rmse 1`, `velocity rmse 50` where there are as many steps, `velocity rmse`."""
        squares = torch.stack(self.squares).cpu() if self.squares else torch.full((1, self.channels.count), math.nan)
        found = {}
        for name in self.channels.names:
            mean = squares[:, self.channels.columns(name)].mean(1)
            for moment in MOMENTS:
                if len(mean) >= moment:
                    found[f"{name} rmse {moment}"] = float(mean[moment - 1].sqrt())
            found[f"{name} rmse"] = float(mean.mean().sqrt())
        return found
