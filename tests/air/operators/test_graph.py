"""The station graph: cells, edges in both directions, bad stations."""

import numpy as np
import pytest
import torch
from planes import plane_graph

from physolve.air.operators import station_graph
from physolve.errors import SpecificationError


def test_a_regular_grid_has_square_cells():
    points = np.stack(np.meshgrid(np.arange(4.0), np.arange(3.0), indexing="ij"), -1).reshape(-1, 2) * 1000
    graph = plane_graph(points)
    assert torch.allclose(graph.area, torch.tensor(1e6))
    assert torch.allclose(graph.face, torch.tensor(1000.0))
    assert graph.pairs == 3 * 3 + 4 * 2
    assert len(graph.wall) == 2 * (4 + 3)


def test_edges_come_in_opposite_twins():
    rng = np.random.default_rng(0)
    graph = station_graph(39 + rng.random(30), 116 + rng.random(30))
    assert torch.equal(graph.sender[::2], graph.receiver[1::2])
    assert torch.equal(graph.normal[::2], -graph.normal[1::2])
    turn = (graph.bearing[::2] - graph.bearing[1::2]).abs()
    assert torch.allclose(turn, torch.tensor(torch.pi), atol=0.02)  # meridians converge by 0.7 degrees here


def test_cells_are_closed_polygons():
    rng = np.random.default_rng(1)
    graph = station_graph(39 + rng.random(30), 116 + rng.random(30))
    out = (graph.face[:, None] * graph.normal).double()
    total = torch.zeros(30, 2, dtype=torch.float64).index_add(0, graph.sender, out)
    total = total.index_add(0, graph.wall, (graph.wall_face[:, None] * graph.wall_normal).double())
    assert total.abs().max() < 1e-6 * graph.face.max()


def test_known_walls_bound_the_cells():
    """Stations on a quarter of a degree at the equator, in a region of one degree: its area is theirs."""
    longitude, latitude = (0.25 * x.ravel() for x in np.meshgrid([1.0, 2, 3], [0.5, 2, 3.5]))
    graph = station_graph(latitude, longitude, (0, 0, 1, 1))
    assert float(graph.area.sum()) == pytest.approx(111_195.0**2, rel=1e-3)
    assert float(graph.wall_face.sum()) == pytest.approx(4 * 111_195.0, rel=1e-3)
    assert float(graph.ends.max()) == pytest.approx(111_195.0 / 2, rel=1e-3)


def test_walls_with_a_station_outside_are_refused():
    with pytest.raises(SpecificationError, match="walls: got west, south, east, north"):
        station_graph(np.array([0.2, 0.4, 0.9]), np.array([0.1, 0.8, 1.2]), (0, 0, 1, 1))


@pytest.mark.parametrize(
    ("latitude", "message"),
    [([39.0, 39.5], "got 2 stations, expected at least 3"), ([39.0, 39.5, 39.5], "stations 1 and 2 are less than 1 m")],
)
def test_bad_stations(latitude, message):
    with pytest.raises(SpecificationError, match=message):
        station_graph(np.array(latitude), np.full(len(latitude), 116.0))
