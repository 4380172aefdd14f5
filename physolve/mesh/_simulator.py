"""A learned simulator: from the state of a flow at one time to the state a step later."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physolve.errors import SpecificationError, UnsupportedError

from ._design import Design
from ._mesh_graph_net import MeshGraphNet
from ._sizes import TransformerSizes
from ._transformer import MeshTransformer
from .partition import transformed_by_parts

if TYPE_CHECKING:
    from torch_geometric.data import Data


class Scales(NamedTuple):
    """Means and standard deviations that bring a network's inputs and outputs to order one, column by column.

    mean, scale      of the state
    increment        standard deviation of what a step adds to the state of a predicted node
    output_mean, output_scale
    """

    mean: Float[Tensor, " state"]
    scale: Float[Tensor, " state"]
    increment: Float[Tensor, " state"]
    output_mean: Float[Tensor, " outputs"]
    output_scale: Float[Tensor, " outputs"]

    def to(self, device: torch.device) -> Scales:
        return Scales(*(values.to(device) for values in self))


class Advanced(NamedTuple):
    """The state a step later, and the outputs then."""

    state: Float[Tensor, "n state"]
    outputs: Float[Tensor, "n outputs"]


class Simulator(nn.Module):
    """A network with the scales of its data, which travel in its state dict.

    `checkpointing` trades a transformer's time for memory, see `MeshTransformer`.
    """

    def __init__(self, design: Design, *, checkpointing: bool = False) -> None:
        super().__init__()
        self.design = design
        inputs, outputs = design.state.count + design.features, design.state.count + design.outputs.count
        self.network: MeshTransformer | MeshGraphNet
        if isinstance(design.network, TransformerSizes):
            self.network = MeshTransformer(inputs, outputs, design.network, checkpointing=checkpointing)
        else:
            steps, width = design.network.steps, design.network.width
            self.network = MeshGraphNet(
                inputs, outputs, design.dim, steps=steps, width=width, edge_length=design.length
            )
        widths = (design.state.count,) * 3 + (design.outputs.count,) * 2
        for name, width, value in zip(Scales._fields, widths, (0.0, 1.0, 1.0, 0.0, 1.0), strict=True):
            self.register_buffer(name, torch.full((width,), value))

    @property
    def scales(self) -> Scales:
        return Scales(*(getattr(self, name) for name in Scales._fields))

    def set_scales(self, scales: Scales) -> None:
        """Raises SpecificationError for scales that are not positive or of another number of columns."""
        for name, values in scales._asdict().items():
            own = getattr(self, name)
            if own.shape != values.shape or (name not in ("mean", "output_mean") and not bool((values > 0).all())):
                raise SpecificationError(f"simulator: got {name} = {values.tolist()}, expected {len(own)} positive")
            own.copy_(values)

    def forward(self, state: Float[Tensor, "n state"], graph: Data) -> Float[Tensor, "n outputs"]:
        """What the network says, scaled: the increments of the state, then the outputs.

        A graph in parts (`partitioned`) and its state may be on another device than the simulator. Raises
        SpecificationError for a state that does not fit the graph or the design, UnsupportedError for a MeshGraphNet on
        a graph in parts.
        """
        if state.shape != (graph.num_nodes, self.design.state.count):
            raise SpecificationError(
                f"simulator: got a state of shape {tuple(state.shape)}, expected ({graph.num_nodes},"
                f" {self.design.state.count}): a row for each node of the mesh"
            )
        own = self.scales.to(state.device)
        x = torch.cat([(state - own.mean) / own.scale, graph.features], 1)
        if isinstance(self.network, MeshTransformer):
            positions = graph.pos / self.design.length if self.network.sizes.rotary else None
            if "partition" in graph:
                return transformed_by_parts(self.network, x, graph.partition, positions)
            return self.network(x, graph.mask, positions)
        if "partition" in graph:
            raise UnsupportedError(
                "simulator: got a mesh in parts for a MeshGraphNet, whose edges have states of their own; give the"
                " whole mesh, or take a transformer"
            )
        return self.network(x, graph.edge_index, graph.pos)

    def advance(
        self, state: Float[Tensor, "n state"], graph: Data, known: Float[Tensor, "n state"] | None = None
    ) -> Advanced:
        """The state a step later. Nodes that are known have the values of `known` then, without it those of now.

        Raises as `forward`.
        """
        return self.read(self(state, graph), state, graph, known)

    def read(self, said: Tensor, state: Tensor, graph: Data, known: Tensor | None) -> Advanced:
        """`advance` from what the network said."""
        own, columns = self.scales.to(state.device), self.design.state.count
        free = state + said[:, :columns].to(state.dtype) * own.increment
        following = torch.where(graph.known[:, None], state if known is None else known, free)
        return Advanced(following, own.output_mean + said[:, columns:].to(state.dtype) * own.output_scale)
