"""The graphs of a data set's meshes, on the device, and joined for a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .._design import Design
from .._simulation_graph import joined_graphs, moved, simulation_graph
from ..data import StoredMesh
from ..operators import NodeGradient, NodeLaplacian, Stencil, least_squares_gradient, least_squares_laplacian
from ..partition import Submesh, submesh_graph, submeshes
from ._settings import DataSettings, PhysicsWeights
from ._windows import graph_key

if TYPE_CHECKING:
    from torch_geometric.data import Data

OPERATORS = {"gradient": NodeGradient, "laplacian": NodeLaplacian}


class Graphs:
    """Made once for every mesh; the last batch's is kept, which is all there are where a data set has one mesh.

    Where physics losses count, every graph has its least-squares `gradient`, and for the momentum its `laplacian`.
    Where meshes are learned from in parts, there is a graph for each, and `nodes`, on the host, says which nodes of its
    mesh it has.
    """

    def __init__(
        self,
        meshes: Sequence[StoredMesh],
        design: Design,
        device: torch.device,
        physics: PhysicsWeights,
        data: DataSettings,
    ) -> None:
        self.each: dict[str, Data] = {}
        self.nodes: dict[str, Tensor] = {}
        for mesh in meshes:
            graph = _graph(mesh, design, physics)
            if data.parts == 1:
                self.each[mesh.key] = _on(device, graph)
                continue
            for part, piece in enumerate(submeshes(graph, data.parts, data.halo)):
                key = graph_key(mesh.key, part, data.parts)
                self.each[key], self.nodes[key] = _on(device, _piece(graph, piece)), piece.nodes
        self._last: tuple[tuple[str, ...], Data] | None = None

    def joined(self, keys: Sequence[str]) -> Data:
        """One graph of those with these keys, in order."""
        if self._last is None or self._last[0] != tuple(keys):
            graphs = [self.each[key] for key in keys]
            together = joined_graphs(graphs)
            for name, kind in OPERATORS.items():
                if name in graphs[0]:
                    together[name] = kind(_joined([graph[name].stencil for graph in graphs]))
            self._last = tuple(keys), together
        return self._last[1]


def _graph(mesh: StoredMesh, design: Design, physics: PhysicsWeights) -> Data:
    graph = simulation_graph(mesh.points, mesh.cells, mesh.node_type, design)
    edges = graph.edge_index.numpy()
    if physics.any:
        graph.gradient = least_squares_gradient(mesh.points, edges)
    if physics.momentum:
        graph.laplacian = least_squares_laplacian(mesh.points, edges)
    return graph


def _piece(graph: Data, piece: Submesh) -> Data:
    """With operators at its own nodes, which are those of the whole mesh."""
    part = submesh_graph(graph, piece)
    for name, kind in OPERATORS.items():
        if name in graph:
            part[name] = kind(graph[name].stencil.within(*piece))
    return part


def _on(device: torch.device, graph: Data) -> Data:
    there = moved(graph, device)
    for name in OPERATORS:
        if name in graph:
            there[name] = graph[name].to(device)
    return there


def _joined(stencils: Sequence[Stencil]) -> Stencil:
    """One below another."""
    rows, nodes, first = [], [], 0
    for stencil in stencils:
        rows.append(stencil.row + first)
        nodes.append(stencil.node + first)
        first += stencil.nodes
    return Stencil(torch.cat(rows), torch.cat(nodes), torch.cat([stencil.weights for stencil in stencils]), first)
