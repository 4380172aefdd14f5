"""Flows with known solutions, and the channel of the DFG benchmark."""

import numpy as np

from physolve.reference._assembly import curved
from physolve.reference._meshing import mesh_shape
from physolve.reference._triangulation import triangulation
from physolve.reference.flow import Channel, Flow, TaylorHood
from physolve.spec.geometry import Disk, Rectangle

DFG = Channel(2.2, 0.41, (Disk((0.2, 0.2), 0.05),))


def enclosed(rectangle, h, viscosity, velocity):
    """A rectangle with the velocity given all around."""
    space = TaylorHood.on(curved(triangulation(*mesh_shape(Rectangle(*rectangle), h)), None))
    return Flow(space, viscosity, {0: velocity})


def kovasznay(reynolds=40.0):
    """Velocity and pressure behind a grid (Kovasznay 1948), a stationary solution."""
    rate = reynolds / 2 - np.sqrt(reynolds**2 / 4 + 4 * np.pi**2)

    def velocity(points, t):
        x, y = points.T
        decay, turn = np.exp(rate * x), 2 * np.pi * y
        return np.stack([1 - decay * np.cos(turn), rate / (2 * np.pi) * decay * np.sin(turn)], axis=1)

    return velocity, lambda points: -np.exp(2 * rate * points[:, 0]) / 2


def taylor_green(viscosity):
    """The velocity of decaying vortices (Taylor, Green 1937)."""

    def velocity(points, t):
        x, y = np.pi * points.T
        return np.exp(-2 * np.pi**2 * viscosity * t) * np.stack([-np.cos(x) * np.sin(y), np.sin(x) * np.cos(y)], axis=1)

    return velocity


def norm(space, u):
    """L2 norm of a velocity (2, n)."""
    return float(np.sqrt(sum(part @ (space.mass @ part) for part in u)))


def velocity_error(flow, level, velocity):
    exact = velocity(flow.space.points, level.time).T
    return norm(flow.space, level.velocity - exact)


def divergence(flow, level):
    """The largest against a pressure."""
    return np.abs(flow.space.divergence @ level.velocity.ravel()).max()
