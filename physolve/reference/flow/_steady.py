"""The stationary flow, by Newton's method from the Stokes flow."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse

from ...errors import NumericalError
from .._triangulation import Floats
from ._flow import Flow
from ._saddle import pair, saddle, solved
from ._stepper import Level


def steady_flow(flow: Flow, time: float = 0.0, *, rtol: float = 1e-10, steps: int = 20) -> Level:
    """The stationary flow for the boundary values at `time`, to a relative change of `rtol`.

    Raises NumericalError where Newton's method does not converge in so many steps.
    """
    space, values = flow.space, flow.boundary_values(time)
    n, nothing = len(space.points), np.zeros(2 * len(space.points) + len(space.vertices))
    diffusion = pair(flow.viscosity * space.stiffness)
    stokes = saddle(flow, diffusion)
    x, change = solved(flow, stokes, nothing, values), np.inf
    for _ in range(steps):
        # linearised at u: K w + c'(u) w + grad p = c'(u) u - c(u)
        u = x[: 2 * n].reshape(2, n)
        slope = space.convection_slope(u)
        load = nothing.copy()
        load[: 2 * n] = slope @ u.ravel() - space.convection(u).ravel()
        x = solved(flow, saddle(flow, (diffusion + slope).tocsr()), load, values, coupled=True)
        change = float(np.abs(x[: 2 * n] - u.ravel()).max() / max(np.abs(x[: 2 * n]).max(), 1e-300))
        if change < rtol:
            return _level(flow, stokes, x, time)
    raise NumericalError(
        f"stationary flow: Newton's method changes the velocity by {change:.1e} after {steps} steps, expected"
        f" {rtol:.0e}: the flow may have no stable stationary state; take more viscosity, a finer mesh or time steps"
    )


def _level(flow: Flow, stokes: sparse.csr_matrix, x: Floats, time: float) -> Level:
    n = len(flow.space.points)
    velocity = x[: 2 * n].reshape(2, n)
    balance = stokes @ x
    balance[: 2 * n] += flow.space.convection(velocity).ravel()
    return Level(time, velocity, x[2 * n :], balance[flow.known_rows].reshape(2, -1))
