"""The graph on which a simulator works: a mesh with what its nodes see of themselves, and several as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from physolve.errors import SpecificationError

from ._design import Design
from ._graph import from_corner, mesh_graph
from ._mask import AttentionMask
from ._node_types import PREDICTED, TYPES, NodeType, one_hot
from ._pyg import new_data

if TYPE_CHECKING:
    from torch_geometric.data import Data

PER_NODE = ("pos", "node_type", "features", "known", "counted")
"""What a simulation graph has of every node."""

WALLS = (NodeType.OBSTACLE, NodeType.AIRFOIL, NodeType.WALL)


def simulation_graph(
    points: Float[np.ndarray, "n dim"],
    cells: Mapping[str, NDArray[np.integer]],
    node_type: Int[np.ndarray, " n"],
    design: Design,
) -> Data:
    """`mesh_graph` with `features` (n, design.features), `known` (n,): whose state is not predicted but given, and
    `counted` (n,): who is learned from, here all.

    Raises SpecificationError for a mesh of another dimension or unknown node types, and as `mesh_graph`.
    """
    if points.shape[1] != design.dim:
        raise SpecificationError(f"simulator: got a mesh in {points.shape[1]}-D, expected {design.dim}-D as trained")
    if len(node_type) and not 0 <= node_type.min() <= node_type.max() < TYPES:
        raise SpecificationError(f"simulator: got the node types {np.unique(node_type).tolist()}, expected 0 to 8")
    points = from_corner(points)
    graph = mesh_graph(points, cells, node_type, design.sight.augmentations())
    graph.features = torch.cat(_features(points, node_type, design), 1)
    graph.known = ~torch.isin(graph.node_type, torch.tensor(PREDICTED))
    graph.counted = torch.ones_like(graph.known)
    return graph


def _features(points: NDArray[np.floating], node_type: NDArray[np.integer], design: Design) -> list[torch.Tensor]:
    columns = [one_hot(torch.from_numpy(np.asarray(node_type)))]
    if design.positions:
        columns.append(torch.from_numpy(points / design.extent).float())
    if design.wall_distance:
        columns.append(torch.from_numpy(wall_distance(points, node_type) / design.extent).float()[:, None])
    return columns


def wall_distance(points: Float[np.ndarray, "n dim"], node_type: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """To the next node of a wall, an obstacle or an airfoil; zero everywhere where a mesh has none."""
    walls = np.isin(node_type, WALLS)
    return cKDTree(points[walls]).query(points)[0] if walls.any() else np.zeros(len(points))


def joined_graphs(graphs: Sequence[Data]) -> Data:
    """Several simulation graphs as one, none seeing the others. Raises SpecificationError for none."""
    mask = AttentionMask.block_diagonal([graph.mask for graph in graphs])
    first = np.cumsum([0, *(graph.num_nodes for graph in graphs)])
    edges = [graph.edge_index + int(at) for graph, at in zip(graphs, first[:-1], strict=True)]
    each = {name: torch.cat([graph[name] for graph in graphs]) for name in PER_NODE}
    return new_data(**each, edge_index=torch.cat(edges, 1), mask=mask, num_nodes=int(first[-1]))


def moved(graph: Data, device: torch.device | str) -> Data:
    """The same graph on a device; PyG moves tensors, not masks."""
    there = graph.clone().to(device)
    there.mask = graph.mask.to(device)
    return there
