"""Graphs of meshes far from the origin, such as those in map coordinates."""

import numpy as np
import pytest
import torch
from waves import square

from physolve.mesh import Channels, Design, NodeType, Sight, TransformerSizes, mesh_graph, simulation_graph
from physolve.mesh._simulation_graph import wall_distance

DESIGN = Design(
    Channels(("velocity",), (2,)), Channels((), ()), 2, 0.1, 0.2, 1.0, TransformerSizes(1, 8, 2), Sight(reach=2)
)
FAR = np.array([500_000.0, 5_300_000.0])


def graph_at(corner):
    points, triangles, types = square(9)
    return simulation_graph(points * 0.37 + corner, {"triangle": triangles}, types, DESIGN)


@pytest.mark.parametrize("corner", [FAR, -FAR])
def test_it_is_the_same_graph_there(corner):
    """To the rounding of map coordinates in float64, 1e-9 of 0.37."""
    here, there = graph_at(np.zeros(2)), graph_at(corner)
    assert torch.allclose(there.pos, here.pos, rtol=0, atol=1e-8)
    assert torch.allclose(there.features, here.features, rtol=0, atol=1e-8)
    assert torch.equal(there.mask.node, here.mask.node)


def test_meshes_that_begin_at_the_origin_are_seen_as_they_are():
    """Bit for bit: the shipped weights were trained on such."""
    points, triangles, types = square(9)
    points = points * 0.37
    graph = graph_at(np.zeros(2))
    assert torch.equal(graph.pos, torch.from_numpy(points).float())
    assert torch.equal(graph.pos, mesh_graph(points, {"triangle": triangles}, types).pos)
    distance = torch.from_numpy(wall_distance(points, types)).float()
    place = torch.cat([torch.from_numpy(points).float(), distance[:, None]], 1)
    assert torch.equal(graph.features[:, -3:], place)
    assert not distance[types == NodeType.WALL].any()
