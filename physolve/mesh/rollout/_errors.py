"""How far a rollout is from the truth."""

import math

import torch
from jaxtyping import Bool, Float, Int
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
        # of every step, summed by column, and the nodes: they stay on the device until they are asked for
        self.squares: list[Tensor] = []
        self.counts: list[Tensor] = []

    def add(
        self,
        found: Float[Tensor, "n columns"],
        true: Float[Tensor, "n columns"],
        going: Bool[Tensor, " n"] | None = None,
    ) -> None:
        """Of step 1, 2, ... in turn; of the nodes that still go on, where some do not."""
        here = self.normal if going is None else self.normal & going
        self.squares.append((found - true)[here].double().square().sum(0))
        self.counts.append(here.sum())

    def figures(self) -> dict[str, float]:
        """Of every field: `velocity rmse 1`, `velocity rmse 50` where there are as many steps, `velocity rmse`."""
        if not self.squares:
            return {f"{name} rmse": math.nan for name in self.channels.names}
        squares, counts = torch.stack(self.squares).cpu(), torch.stack(self.counts).cpu()
        found = {}
        for name in self.channels.names:
            sums = squares[:, self.channels.columns(name)].mean(1)
            for moment in MOMENTS:
                if len(sums) >= moment:
                    found[f"{name} rmse {moment}"] = float((sums[moment - 1] / counts[moment - 1]).sqrt())
            found[f"{name} rmse"] = float((sums.sum() / counts.sum()).sqrt())
        return found
