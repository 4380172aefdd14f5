"""The graphs of a data set's meshes, on the device, and joined for a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from .._design import Design
from .._simulation_graph import joined_graphs, moved, simulation_graph
from ..data import StoredMesh
from ..operators import NodeGradient, Stencil, least_squares_gradient

if TYPE_CHECKING:
    from torch_geometric.data import Data


class Graphs:
    """Made once for every mesh; the last batch's is kept, which is all there are where a data set has one mesh.

    `gradients` adds `gradient` to every graph, its least-squares `NodeGradient`.
    """

    def __init__(self, meshes: Sequence[StoredMesh], design: Design, device: torch.device, gradients: bool) -> None:
        self.each = {mesh.key: moved(_graph(mesh, design, gradients), device) for mesh in meshes}
        if gradients:
            for graph in self.each.values():
                graph.gradient = graph.gradient.to(device)
        self._last: tuple[tuple[str, ...], Data] | None = None

    def joined(self, keys: Sequence[str]) -> Data:
        """One graph of the meshes with these keys, in order."""
        if self._last is None or self._last[0] != tuple(keys):
            graphs = [self.each[key] for key in keys]
            together = joined_graphs(graphs)
            if "gradient" in graphs[0]:
                together.gradient = _joined_gradients([graph.gradient for graph in graphs])
            self._last = tuple(keys), together
        return self._last[1]


def _graph(mesh: StoredMesh, design: Design, gradients: bool) -> Data:
    graph = simulation_graph(mesh.points, mesh.cells, mesh.node_type, design)
    if gradients:
        graph.gradient = least_squares_gradient(mesh.points, graph.edge_index.numpy())
    return graph


def _joined_gradients(gradients: Sequence[NodeGradient]) -> NodeGradient:
    stencils, rows, nodes, first = [gradient.stencil for gradient in gradients], [], [], 0
    for stencil in stencils:
        rows.append(stencil.row + first)
        nodes.append(stencil.node + first)
        first += stencil.nodes
    weights = torch.cat([stencil.weights for stencil in stencils])
    return NodeGradient(Stencil(torch.cat(rows), torch.cat(nodes), weights, first))
