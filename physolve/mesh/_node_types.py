"""What a node is to the flow: the types of MeshGraphNets' data sets, one-hot in a network's inputs."""

from enum import IntEnum

import torch
from jaxtyping import Float, Int
from torch import Tensor


class NodeType(IntEnum):
    """Two numbers are spare."""

    NORMAL = 0
    OBSTACLE = 1
    AIRFOIL = 2
    HANDLE = 3
    INFLOW = 4
    OUTFLOW = 5
    WALL = 6


TYPES = 9
PREDICTED = (NodeType.NORMAL, NodeType.OUTFLOW)
"""Types whose values a network predicts; those of the others are known and overwrite the prediction."""


def one_hot(node_type: Int[Tensor, " n"], dtype: torch.dtype = torch.float32) -> Float[Tensor, "n 9"]:
    """Types as inputs."""
    return torch.nn.functional.one_hot(node_type.long(), TYPES).to(dtype)
