"""Wind through faces from a stream function: it keeps air, closes the rim, and converges to the wind."""

import math

import numpy as np
import pytest
import torch
from planes import plane_graph

from physolve.air.operators import edge_wind, station_graph, stream_speeds

SIDE = 2e5  # m


def grid(n):
    """Stations in the middles of n x n cells of a square: there its sides are the graph's rim."""
    ticks = (np.arange(n) + 0.5) * SIDE / n
    points = np.stack(np.meshgrid(ticks, ticks, indexing="ij"), -1).reshape(-1, 2)
    return plane_graph(points).double(), torch.tensor(points)


def stream(points):
    """psi = sin(X) sin(2 Y) with zeros on the square's walls, m^2/s, and its wind."""
    k = math.pi / SIDE
    x, y = k * points.T
    psi = torch.sin(x) * torch.sin(2 * y) / k
    return psi, torch.stack([2 * torch.sin(x) * torch.cos(2 * y), -torch.cos(x) * torch.sin(2 * y)], dim=1)


def test_no_air_piles_up_in_any_cell_whatever_the_wind():
    """Flows out of every cell add up to nothing although winds of stations know nothing of each other."""
    rng = np.random.default_rng(0)
    graph = station_graph(39.6 + 0.7 * rng.random(40), 116 + 0.7 * rng.random(40)).double()
    wind = torch.tensor(rng.normal(0, 3, (40, 2)))
    forth = torch.einsum("pni,ni->p", stream_speeds(graph), wind)
    flows = torch.stack([forth, -forth], dim=-1).flatten() * graph.face
    left = torch.zeros(40, dtype=torch.float64).index_add(0, graph.sender, flows)
    assert left.abs().max() < 1e-8 * flows.abs().max()
    assert flows.abs().max() > 0.1 * 3 * graph.face.median()


def off(n):
    """Relative errors, at faces, of the stream function's wind and of the mean of both ends."""
    graph, points = grid(n)
    _, wind = stream(points)
    begin, end = (stream(graph.ends[::2, side])[0] for side in (0, 1))
    exact = (end - begin) / graph.face[::2]
    through = torch.einsum("pni,ni->p", stream_speeds(graph), wind)
    return [float((each - exact).norm() / exact.norm()) for each in (through, edge_wind(graph, wind)[::2])]


def test_it_converges_and_is_nearer_the_wind_than_the_mean_of_both_ends():
    """Of second order as the mean is, with a tenth of its error: 0.5 % where waves of four cells are 5.8 % off."""
    coarse, fine = off(6), off(12)
    assert coarse[0] < 0.1 * coarse[1]
    assert math.log2(coarse[0] / fine[0]) == pytest.approx(2.25, abs=0.25)
