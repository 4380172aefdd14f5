"""Meshes of a box in 2-D and 3-D, and simulators on them."""

import itertools

import numpy as np
import torch

from physolve.mesh import Channels, Design, NodeType, Scales, Sight, Simulator, TransformerSizes, simulation_graph

SIGHTS = {
    "neighbours": Sight(),
    "window": Sight(reach=2, dilation=5),
    "global nodes": Sight(global_nodes=2),
    "hops": Sight(hops=2),
    "random edges": Sight(random_edges=2),
    "all of them": Sight(hops=2, reach=2, dilation=5, global_nodes=2, random_edges=1),
}


def box(dim, side):
    """Points of a grid, moved a little; its quads or hexahedra; inflow on the left."""
    points = np.array(list(itertools.product(range(side), repeat=dim)), dtype=float)
    corner = np.array(list(itertools.product(range(side - 1), repeat=dim))) @ side ** np.arange(dim)[::-1]
    around = [(0, 0), (1, 0), (1, 1), (0, 1)]
    if dim == 3:
        around = [(*c, z) for z in (0, 1) for c in around]
    cells = {{2: "quad", 3: "hexahedron"}[dim]: corner[:, None] + np.array(around) @ side ** np.arange(dim)[::-1]}
    types = np.where(points[:, 0] == 0, NodeType.INFLOW, NodeType.NORMAL)
    return points + np.random.default_rng(0).uniform(-0.2, 0.2, points.shape), cells, types


def simulated(dim, side, sight, network=None, **options):
    """A simulator in float64, its graph of a box and a state; increments are of order one."""
    torch.manual_seed(0)
    network = network or TransformerSizes(blocks=3, width=16, heads=2, rotary=dim, gated=True)
    state = Channels(("velocity",), (dim,))
    design = Design(state, Channels(("pressure",), (0,)), dim, 0.1, 1.0, float(side), network, sight)
    simulator = Simulator(design, **options).double()
    ones = torch.ones(dim, dtype=torch.float64)
    simulator.set_scales(Scales(0 * ones, ones, ones, torch.zeros(1), torch.ones(1)))
    graph = simulation_graph(*box(dim, side), design)
    graph.features, graph.pos = graph.features.double(), graph.pos.double()
    return simulator, graph, torch.randn(graph.num_nodes, dim, dtype=torch.float64)
