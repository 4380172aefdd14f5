"""The package's own operators on the shipped basin, dc/dt + a w . grad(c) = D laplacian(c) - k c + s."""

from pathlib import Path

import numpy as np
import pytest
import torch

from physolve.air.data import read_series
from physolve.air.operators import conductance, divergence, edge_wind, exchange, rim_wind, station_graph

D, K, HOURS, PIECES = 120e6 / 3600, 0.04 / 3600, 3.0, 3
"""m^2/s, 1/s; a step, and into how many it is cut."""


@pytest.fixture(scope="module")
def basin():
    """Concentrations, winds and the graph, in float64."""
    series = read_series(Path(__file__).resolve().parents[3] / "data" / "air" / "basin.h5")
    graph = station_graph(series.stations.latitude, series.stations.longitude)
    graph = graph.map(lambda t: t.double() if t.is_floating_point() else t)
    return torch.tensor(series.values[..., 0]).double(), torch.tensor(series.wind).double(), graph


def rate(graph, p, wind):
    """dc/dt as a function of c at one wind; nothing passes the walls."""
    carrier = p[1] * wind
    across = torch.full((graph.pairs,), float(p[0] * D), dtype=torch.float64)
    moved = exchange(graph, conductance(graph, across, edge_wind(graph, carrier)))
    loss = moved.loss + p[2] * K - divergence(graph, carrier) + rim_wind(graph, carrier) / graph.area
    emitted = torch.tensor(p[3:]) / 3600
    return lambda c: (-loss * c).index_add(-1, graph.receiver, moved.gain * c[..., graph.sender]) + emitted


def step(graph, p, c, w0, w1):
    """p = (D and a and k over the truth, s per hour): classical Runge-Kutta, the wind linear in time."""
    h = 3600 * HOURS / PIECES
    rates = [rate(graph, p, torch.lerp(w0, w1, m / (2 * PIECES))) for m in range(2 * PIECES + 1)]
    for m in range(PIECES):
        begin, middle, end = rates[2 * m : 2 * m + 3]
        k1 = begin(c)
        k2 = middle(c + h / 2 * k1)
        k3 = middle(c + h / 2 * k2)
        c = c + h / 6 * (k1 + 2 * k2 + 2 * k3 + end(c + h * k3))
    return c


def fitted(basin, free):
    """Gauss-Newton on single steps of the first 70 %; `free`: which of D, a and k are fitted besides the sources."""
    c, wind, graph = basin
    at = np.arange(0, 1100, 10)
    p = np.ones(3 + len(graph))
    for _ in range(3):
        error = step(graph, p, c[at], wind[at], wind[at + 1]) - c[at + 1]
        J = torch.zeros(error.numel(), len(p), dtype=torch.float64)
        for m in (*free, *range(3, len(p))):
            moved = p + 1e-4 * np.eye(len(p))[m]
            J[:, m] = ((step(graph, moved, c[at], wind[at], wind[at + 1]) - c[at + 1] - error) / 1e-4).flatten()
        p = p - np.linalg.lstsq(J.numpy(), error.flatten().numpy(), rcond=None)[0]
    return p


@pytest.fixture(scope="module")
def with_the_wind_as_it_is(basin):
    return fitted(basin, free=(0, 2))


def test_diffusivity_is_recovered_within_a_tenth(with_the_wind_as_it_is):
    assert with_the_wind_as_it_is[0] == pytest.approx(1, abs=0.1)  # 0.98


def test_diffusivity_and_response_to_the_wind_are_recovered_together(basin):
    p = fitted(basin, free=(0, 1, 2))
    assert p[0] == pytest.approx(1, abs=0.12)  # 1.09
    assert p[1] == pytest.approx(1, abs=0.12)  # 1.11: the scheme carries short waves too slowly


def test_forecasts_with_known_wind_stay_within_a_twentieth_of_the_equation(basin, with_the_wind_as_it_is):
    c, wind, graph = basin
    p, starts, now = with_the_wind_as_it_is, np.arange(1121, len(c) - 24, 24), []
    state = c[starts]
    for m in range(24):
        state = step(graph, p, state, wind[starts + m], wind[starts + m + 1])
        now.append(state)
    truth = torch.stack([c[starts + m] for m in range(1, 25)])
    assert (torch.stack(now) - truth).norm() / truth.norm() < 0.05  # 0.026
