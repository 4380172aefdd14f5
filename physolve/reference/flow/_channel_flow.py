"""The flow through a channel, and the forces on what stands in it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ._channel import Channel, MeshSizes, Part, channel_mesh
from ._flow import Flow, Velocity, at_rest
from ._stepper import Level
from ._taylor_hood import TaylorHood


def channel_flow(channel: Channel, sizes: MeshSizes, viscosity: float, inflow: Velocity) -> Flow:
    """The inflow on the left, no slip on walls and obstacles, free outflow on the right."""
    space = TaylorHood.on(channel_mesh(channel, sizes))
    standing = {int(Part.OBSTACLE) + k: at_rest for k in range(len(channel.obstacles))}
    return Flow(space, viscosity, {int(Part.INFLOW): inflow, int(Part.WALL): at_rest, **standing})


def force_on(flow: Flow, level: Level, obstacle: int = 0) -> Float[np.ndarray, " 2"]:
    """Drag and lift, in the x and y directions, that the fluid exerts on an obstacle, per density and depth.

    From the weak form of the momentum balance at the obstacle's nodes, not from derivatives at its surface.
    """
    rows = np.searchsorted(flow.known, flow.nodes_of(int(Part.OBSTACLE) + obstacle))
    return -level.reaction[:, rows].sum(axis=1)
