"""The stationary flow, by Newton's method from the Stokes flow."""

from __future__ import annotations

import numpy as np

from ...errors import NumericalError
from ._flow import Flow
from ._saddle import Saddle, pair
from ._stepper import Level


def steady_flow(flow: Flow, time: float = 0.0, *, rtol: float = 1e-10, steps: int = 20) -> Level:
    """The stationary flow for the boundary values at `time`, to a relative change of `rtol`.

    Raises NumericalError where Newton's method does not converge in so many steps.
    """
    space, values = flow.space, flow.boundary_values(time)
    diffusion = pair(flow.viscosity * space.stiffness)
    stokes = Saddle(flow, diffusion)
    u, p = stokes.solve(np.zeros((2, len(space.points))), values)
    change = np.inf
    for _ in range(steps):
        # linearised at u: K w + c'(u) w + grad p = c'(u) u - c(u)
        slope = space.convection_slope(u)
        system = Saddle(flow, (diffusion + slope).tocsr(), coupled=True)
        load = (slope @ u.ravel()).reshape(2, -1) - space.convection(u)
        new, p = system.solve(load, values)
        change = float(np.abs(new - u).max() / max(np.abs(new).max(), 1e-300))
        u = new
        if change < rtol:
            convection = space.convection(u)
            return Level(time, u, p, stokes.reaction(-convection, u, p), convection)
    raise NumericalError(
        f"stationary flow: Newton's method changes the velocity by {change:.1e} after {steps} steps, expected"
        f" {rtol:.0e}: the flow may have no stable stationary state; take more viscosity, a finer mesh or time steps"
    )
