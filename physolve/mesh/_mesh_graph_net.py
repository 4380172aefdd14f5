"""MeshGraphNet (2010.03409), the baseline: messages along mesh edges, fifteen times."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from physolve.errors import SpecificationError

from ._layers import mlp

HIDDEN = 2  # layers of every MLP


class MessageStep(nn.Module):
    """e += MLP(e, sender, receiver), then v += MLP(v, sum of e over the edges that arrive)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.edge = mlp(3 * width, width, width, HIDDEN, nn.LayerNorm(width))
        self.node = mlp(2 * width, width, width, HIDDEN, nn.LayerNorm(width))

    def forward(
        self, v: Float[Tensor, "n width"], e: Float[Tensor, "edges width"], edge_index: Int[Tensor, "2 edges"]
    ) -> tuple[Float[Tensor, "n width"], Float[Tensor, "edges width"]]:
        sender, receiver = edge_index
        e = e + self.edge(torch.cat([e, v[sender], v[receiver]], -1))
        arrived = torch.zeros_like(v).index_add(0, receiver, e)
        return v + self.node(torch.cat([v, arrived], -1)), e


class MeshGraphNet(nn.Module):
    """Encoder of nodes and edges, `steps` message steps of `width`, decoder of nodes.

    Edges carry the difference of their ends' positions and its length, divided by `edge_length`, a typical one of the
    data set.
    """

    edge_length: Tensor

    def __init__(
        self, inputs: int, outputs: int, dim: int, *, steps: int = 15, width: int = 128, edge_length: float = 1.0
    ) -> None:
        super().__init__()
        self.inputs, self.dim = inputs, dim
        self.register_buffer("edge_length", torch.tensor(edge_length))
        self.node_encoder = mlp(inputs, width, width, HIDDEN, nn.LayerNorm(width))
        self.edge_encoder = mlp(dim + 1, width, width, HIDDEN, nn.LayerNorm(width))
        self.steps = nn.ModuleList(MessageStep(width) for _ in range(steps))
        self.decoder = mlp(width, width, outputs, HIDDEN)

    def forward(
        self, x: Float[Tensor, "n inputs"], edge_index: Int[Tensor, "2 edges"], positions: Float[Tensor, "n dim"]
    ) -> Float[Tensor, "n outputs"]:
        """Outputs of all nodes; edges are pairs (sender, receiver), both directions of every mesh edge.

        Raises SpecificationError for inputs or positions that do not fit the network.
        """
        if x.shape[1:] != (self.inputs,) or positions.shape != (len(x), self.dim):
            raise SpecificationError(
                f"MeshGraphNet: got inputs {tuple(x.shape)} and positions {tuple(positions.shape)}, expected"
                f" (nodes, {self.inputs}) and (nodes, {self.dim})"
            )
        step = (positions[edge_index[1]] - positions[edge_index[0]]).to(x.dtype) / self.edge_length
        length = torch.linalg.vector_norm(step, dim=-1, keepdim=True)
        v, e = self.node_encoder(x), self.edge_encoder(torch.cat([step, length], -1))
        for message_step in self.steps:
            v, e = message_step(v, e, edge_index)
        return self.decoder(v)
