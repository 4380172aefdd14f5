"""Stationary flows: exact ones, orders of convergence, the DFG benchmark 2D-1, the balance of momentum."""

import numpy as np
import pytest
from flows import DFG, divergence, enclosed, kovasznay, velocity_error

from physolve.errors import NumericalError
from physolve.reference.flow import Channel, Inflow, MeshSizes, Part, at_rest, channel_flow, force_on, steady_flow

COARSE = MeshSizes(anywhere=0.06, obstacle=0.01, wake=0.028)


@pytest.fixture(scope="module")
def dfg_2d1():
    flow = channel_flow(DFG, COARSE, 1e-3, Inflow(0.41, peak=0.3))
    return flow, steady_flow(flow)


def test_poiseuille_is_exact():
    flow = channel_flow(Channel(1.0, 0.5), MeshSizes(0.12, 0.12), 0.01, Inflow(0.5, peak=0.3))
    level = steady_flow(flow)
    y, x = flow.space.points[:, 1], flow.space.vertices[:, 0]
    np.testing.assert_allclose(level.velocity[0], 4 * 0.3 * y * (0.5 - y) / 0.25, atol=1e-11)
    np.testing.assert_allclose(level.pressure, 8 * 0.01 * 0.3 / 0.25 * (1 - x), atol=1e-11)


def test_kovasznay_converges_with_the_orders_of_the_elements():
    velocity, pressure = kovasznay()
    errors = []
    for h in (0.2, 0.1):
        flow = enclosed(((-0.5, -0.5), (1.0, 1.5)), h, 1 / 40, velocity)
        level = steady_flow(flow)
        off = level.pressure - pressure(flow.space.vertices)
        errors.append((velocity_error(flow, level, velocity), np.std(off)))
    orders = np.log2(np.divide(*errors))
    assert orders[0] > 2.7  # 3 for quadratic velocities
    assert orders[1] > 1.7  # 2 for linear pressures


def test_drag_of_the_dfg_benchmark_within_half_a_percent(dfg_2d1):
    flow, level = dfg_2d1
    drag, _ = 2 * force_on(flow, level) / (0.2**2 * 0.1)
    assert drag == pytest.approx(5.57953524, rel=5e-3)


def test_velocity_has_no_divergence_against_any_pressure(dfg_2d1):
    assert divergence(*dfg_2d1) < 1e-13  # integrals of size 1e-2, to rounding


def test_convection_has_its_slope():
    """c(u + s v) = c(u) + s c'(u) v + s^2 c(v), as c is quadratic."""
    space = enclosed(((0.0, 0.0), (1.0, 1.0)), 0.5, 1.0, at_rest).space
    u, v = np.random.default_rng(0).normal(size=(2, 2, len(space.points)))
    moved = space.convection(u + v) - space.convection(u) - space.convection(v)
    np.testing.assert_allclose((space.convection_slope(u) @ v.ravel()).reshape(2, -1), moved, atol=1e-13)


def test_what_enters_leaves_or_pushes(dfg_2d1):
    """Forces on all solid parts and the inflow's pressure make up what the outflow carries away less what enters.

    But for the divergence between the pressures' nodes; the force on the cylinder alone is half of what enters.
    """
    flow, level = dfg_2d1
    held = level.reaction[0].sum()
    carried = _flux(flow, level, Part.OUTFLOW) - _flux(flow, level, Part.INFLOW)
    assert held == pytest.approx(carried, abs=5e-4 * _flux(flow, level, Part.INFLOW))


def _flux(flow, level, part):
    """The integral of u_x^2 over an end of the channel, by Simpson's rule on every edge."""
    dofs = flow.space.space.dofs_of(int(part))
    u = level.velocity[0, dofs] ** 2
    lengths = np.abs(np.diff(flow.space.points[dofs[:, :2], 1], axis=1)[:, 0])
    return float(np.sum(lengths * (u[:, 0] + u[:, 1] + 4 * u[:, 2]) / 6))


def test_no_stationary_flow_is_said():
    flow = channel_flow(DFG, COARSE, 1e-3, Inflow(0.41, peak=0.3))
    with pytest.raises(NumericalError, match=r"changes the velocity by .* after 1 steps"):
        steady_flow(flow, steps=1)
