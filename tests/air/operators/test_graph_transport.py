"""Physics of the operators: what stays, what is conserved, where it goes, how fast the error falls."""

import math

import numpy as np
import pytest
import torch
from planes import plane_graph

from physolve.air.operators import (
    conductance,
    divergence,
    edge_wind,
    exchange,
    mass,
    rim_wind,
    station_graph,
)

SIDE = 1e5  # m
D = 4e4  # m^2/s
WIND = (3.0, -2.0)  # m/s


def grid(n):
    """A regular grid of n x n cells over a square, in double precision."""
    ticks = (np.arange(n) + 0.5) * SIDE / n
    points = np.stack(np.meshgrid(ticks, ticks, indexing="ij"), -1).reshape(-1, 2)
    return plane_graph(points).double(), torch.from_numpy(points)


def scattered(n=25, seed=0):
    rng = np.random.default_rng(seed)
    return station_graph(39.6 + 0.7 * rng.random(n), 116 + 0.7 * rng.random(n)).double()


def uniform(graph, wind=WIND):
    return torch.tensor(wind, dtype=torch.float64).expand(len(graph), 2)


def diffusivity(graph, value=D):
    return torch.full((graph.pairs,), value, dtype=torch.float64)


def operators(graph, wind, scheme="fitted", rim=True):
    """Diffusion, advection, and both together."""
    speed, out = edge_wind(graph, wind), rim_wind(graph, wind) if rim else None
    return {
        "diffusion": exchange(graph, conductance(graph, diffusivity(graph), None)),
        "advection": exchange(graph, conductance(graph, None, speed), out),
        "both": exchange(graph, conductance(graph, diffusivity(graph), speed, scheme), out),
    }


@pytest.mark.parametrize("scheme", ["fitted", "central", "compact"])
@pytest.mark.parametrize("name", ["diffusion", "advection", "both"])
def test_a_constant_stays_in_uniform_wind(name, scheme):
    graph = scattered()
    rate = operators(graph, uniform(graph), scheme)[name](torch.ones(len(graph), 1, dtype=torch.float64))
    fastest = operators(graph, uniform(graph), scheme)[name].loss.max()
    assert rate.abs().max() < 1e-7 * fastest  # the graph's float32 geometry


def test_a_turning_wind_without_divergence_keeps_a_constant():
    """A solid rotation: the mean of both ends is its value at the face, and closed polygons feel no net flow."""
    graph, points = grid(12)
    middle = points - SIDE / 2
    wind = 1e-4 * torch.stack([-middle[:, 1], middle[:, 0]], dim=1)
    assert divergence(graph, wind).abs().max() < 1e-6 * 1e-4


@pytest.mark.parametrize("name", ["diffusion", "advection", "both"])
def test_mass_is_conserved_behind_closed_rims(name):
    graph = scattered()
    generator = torch.Generator().manual_seed(1)
    wind = 4 * torch.randn(8, len(graph), 2, generator=generator, dtype=torch.float64)
    c = torch.rand(8, len(graph), 3, generator=generator, dtype=torch.float64)
    rate = operators(graph, wind, rim=False)[name](c)
    turned_over = (graph.area[:, None] * rate.abs()).sum(-2)
    assert ((graph.area[:, None] * rate).sum(-2).abs() < 1e-12 * turned_over).all()


def test_what_leaves_over_the_rim_is_what_is_lost():
    graph = scattered()
    wind, c = uniform(graph), torch.rand(len(graph), 1, dtype=torch.float64)
    lost = -(graph.area[:, None] * operators(graph, wind)["both"](c)).sum()
    assert torch.isclose(lost, (rim_wind(graph, wind) * c[:, 0]).sum(), rtol=1e-6)


@pytest.mark.parametrize("degrees", [0, 45, 135, 250])
def test_a_peak_moves_down_wind(degrees):
    """The centre of mass goes along the wind, and with the wind's speed: first-order upwind is exact in the mean."""
    graph, points = grid(21)
    angle = math.radians(degrees)
    wind = uniform(graph, (2 * math.sin(angle), 2 * math.cos(angle)))
    c = torch.exp(-(points - SIDE / 2).square().sum(1) / (2 * (SIDE / 12) ** 2))[:, None]
    rate = operators(graph, wind)["advection"](c)
    drift = (graph.area[:, None] * points * rate).sum(0) / (graph.area[:, None] * c).sum()
    assert torch.allclose(drift, wind[0], atol=1e-4)


def test_the_bearing_is_that_of_the_flow():
    """Wind towards the south-west carries along edges that leave their sender between south and west."""
    graph = scattered()
    speed = edge_wind(graph, uniform(graph, (-1.0, -1.0)))
    best = int(speed.argmax())
    assert 200 < math.degrees(float(graph.bearing[best])) < 250
    drawn = torch.stack([graph.bearing.sin(), graph.bearing.cos()], dim=1)
    assert (drawn * graph.normal).sum(1).min() > math.cos(math.radians(0.5))


@pytest.mark.parametrize(
    ("name", "scheme", "order"),
    [("diffusion", "fitted", 2), ("advection", "fitted", 1), ("both", "fitted", 2), ("both", "central", 2)],
)
def test_observed_order_on_regular_grids(name, scheme, order):
    """Inside, against the equation's own right side for a product of cosines."""
    errors = []
    for n in (16, 32, 64):
        graph, points = grid(n)
        k = 2 * math.pi / SIDE
        (cx, cy), (sx, sy) = torch.cos(k * points).T, torch.sin(k * points).T
        laplacian, carried = -2 * k**2 * cx * cy, -k * (WIND[0] * sx * cy + WIND[1] * cx * sy)
        exact = {"diffusion": D * laplacian, "advection": -carried, "both": D * laplacian - carried}[name]
        found = operators(graph, uniform(graph), scheme)[name]((cx * cy)[:, None])[:, 0]
        inner = ((points - SIDE / 2).abs() < SIDE / 2 - 2 * SIDE / n).all(1)
        errors.append(float((found - exact)[inner].abs().max()))
    assert math.log2(errors[1] / errors[2]) == pytest.approx(order, abs=0.1)


def test_the_compact_scheme_spreads_waves_with_fourth_order():
    """Along an axis of a regular grid; central differences alone are of second order, see above."""
    errors = []
    for n in (12, 24):
        graph, points = grid(n)
        k = 2 * math.pi / SIDE
        wave = torch.cos(k * points[:, 0])
        moved = exchange(graph, conductance(graph, diffusivity(graph), None, "compact"))(wave[:, None])[:, 0]
        exact = mass(graph) @ (-(k**2) * D * wave)
        inner = ((points - SIDE / 2).abs() < SIDE / 2 - 2 * SIDE / n).all(1)
        errors.append(float((moved - exact)[inner].abs().max()))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.2)


def test_mass_keeps_constants_and_totals_and_is_never_far_from_one():
    """Its inverse is bounded by 3: every row's diagonal is larger than the rest of it by 1/3 or more."""
    graph = scattered(60)
    m, area = mass(graph), graph.area
    assert torch.allclose(m.sum(1), torch.ones(60, dtype=torch.float64))
    assert torch.allclose(area @ m, area)
    assert torch.linalg.inv(m).abs().sum(1).max() <= 3.01


def test_fitted_fluxes_are_upwind_where_the_wind_is_strong():
    graph = scattered()
    speed = edge_wind(graph, uniform(graph))
    weak = conductance(graph, diffusivity(graph, 1e-3), speed)
    assert torch.allclose(weak, conductance(graph, None, speed), rtol=1e-5, atol=1e-3)


def test_gradients_of_conductance():
    graph = scattered(5)
    inputs = (diffusivity(graph, 3e3).requires_grad_(), uniform(graph).clone().requires_grad_())
    assert torch.autograd.gradcheck(lambda d, w: conductance(graph, d / 1, edge_wind(graph, w)), inputs, rtol=1e-3)


def test_all_samples_at_once_are_each_by_itself():
    graph = scattered()
    generator = torch.Generator().manual_seed(2)
    wind = torch.randn(3, len(graph), 2, generator=generator, dtype=torch.float64)
    c = torch.rand(3, len(graph), 2, generator=generator, dtype=torch.float64)
    together = operators(graph, wind)["both"](c)
    alone = torch.stack([operators(graph, w)["both"](each) for w, each in zip(wind, c, strict=True)])
    assert torch.allclose(together, alone)
