"""Residuals of Navier-Stokes at nodes: of an exact solution they vanish with the declared order."""

import numpy as np
import pytest
import torch
from test_mesh_operators import mesh

from physolve.errors import SpecificationError
from physolve.mesh.operators import NavierStokesResidual, least_squares_gradient, least_squares_laplacian

NU = 0.05


def taylor_green(points, t):
    """Velocity (n, 2) and pressure (n,) of the decaying vortex on the unit square."""
    x, y = np.pi * torch.from_numpy(points).T
    fall = np.exp(-2 * np.pi**2 * NU * t)
    velocity = fall * torch.stack([torch.sin(x) * torch.cos(y), -torch.cos(x) * torch.sin(y)], 1)
    return velocity, 0.25 * fall**2 * (torch.cos(2 * x) + torch.cos(2 * y))


def residual_of(points, edges):
    return NavierStokesResidual(least_squares_gradient(points, edges, 2), least_squares_laplacian(points, edges), NU)


def rms(side):
    points, _, edges = mesh(side)
    residual, dt = residual_of(points, edges), 0.5 / side
    (before, _), (after, _), (_, pressure) = (taylor_green(points, t) for t in (0, dt, dt / 2))
    momentum = residual.momentum(before, after, pressure, dt)
    return np.array([float(r.square().mean().sqrt()) for r in (momentum, residual.continuity(after))])


def test_an_exact_flow_leaves_residuals_of_the_declared_order():
    """One for the momentum, through the Laplacian; two for the divergence."""
    orders = np.log(rms(17) / rms(65)) / np.log(4)
    assert orders[0] > 0.75
    assert orders[1] > 1.75


def test_a_wrong_flow_leaves_what_is_wrong():
    points, _, edges = mesh(17)
    residual, still = residual_of(points, edges), torch.zeros(len(points), 2, dtype=torch.float64)
    pushed = residual.momentum(still, still, torch.from_numpy(2 * points[:, 0]), 0.1)
    assert torch.allclose(pushed, torch.tensor([2.0, 0.0], dtype=torch.float64).expand_as(pushed), rtol=0, atol=1e-9)


def test_what_does_not_fit():
    points, _, edges = mesh(5)
    residual, v = residual_of(points, edges), torch.zeros(len(points), 2, dtype=torch.float64)
    with pytest.raises(SpecificationError, match="got the step 0"):
        residual.momentum(v, v, v[:, 0], 0)
    with pytest.raises(SpecificationError, match="got the viscosity -1"):
        NavierStokesResidual(residual.gradient, residual.laplacian, -1)
