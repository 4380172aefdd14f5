"""The graphs of a data set's meshes, on the device, and joined for a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from .._design import Design
from .._simulation_graph import joined_graphs, moved, simulation_graph
from ..data import StoredMesh
from ..operators import NodeGradient, NodeLaplacian, Stencil, least_squares_gradient, least_squares_laplacian
from ._settings import PhysicsWeights

if TYPE_CHECKING:
    from torch_geometric.data import Data


class Graphs:
    """Made once for every mesh; the last batch's is kept, which is all there are where a data set has one mesh.

    Where physics losses count, every graph has its least-squares `gradient`, and for the momentum its `laplacian`.
    """

    def __init__(
        self, meshes: Sequence[StoredMesh], design: Design, device: torch.device, physics: PhysicsWeights
    ) -> None:
        self.each = {mesh.key: _graph(mesh, design, device, physics) for mesh in meshes}
        self._last: tuple[tuple[str, ...], Data] | None = None

    def joined(self, keys: Sequence[str]) -> Data:
        """One graph of the meshes with these keys, in order."""
        if self._last is None or self._last[0] != tuple(keys):
            graphs = [self.each[key] for key in keys]
            together = joined_graphs(graphs)
            if "gradient" in graphs[0]:
                together.gradient = NodeGradient(_joined([graph.gradient.stencil for graph in graphs]))
            if "laplacian" in graphs[0]:
                together.laplacian = NodeLaplacian(_joined([graph.laplacian.stencil for graph in graphs]))
            self._last = tuple(keys), together
        return self._last[1]


def _graph(mesh: StoredMesh, design: Design, device: torch.device, physics: PhysicsWeights) -> Data:
    graph = simulation_graph(mesh.points, mesh.cells, mesh.node_type, design)
    there, edges = moved(graph, device), graph.edge_index.numpy()
    if physics.any:
        there.gradient = least_squares_gradient(mesh.points, edges).to(device)
    if physics.momentum:
        there.laplacian = least_squares_laplacian(mesh.points, edges).to(device)
    return there


def _joined(stencils: Sequence[Stencil]) -> Stencil:
    """One below another."""
    rows, nodes, first = [], [], 0
    for stencil in stencils:
        rows.append(stencil.row + first)
        nodes.append(stencil.node + first)
        first += stencil.nodes
    return Stencil(torch.cat(rows), torch.cat(nodes), torch.cat([stencil.weights for stencil in stencils]), first)
