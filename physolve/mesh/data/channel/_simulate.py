"""From a case to the frames of its flow."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from physolve.reference.flow import Flow, MeshSizes, Part, Stepper, channel_flow

from ..._node_types import NodeType
from ._case import Case
from ._settings import ChannelSettings

_RTOL = 1e-6  # of a step: far below what single precision keeps
_TRIES = 5  # at a mesh of the wanted size


@dataclass(frozen=True, eq=False)
class Frames:
    """A trajectory on the vertices of its mesh.

    points (n, 2), triangles (m, 3), node_type (n,), times (steps,), velocity (steps, n, 2), pressure (steps, n)
    """

    points: Float[np.ndarray, "n 2"]
    triangles: Int[np.ndarray, "m 3"]
    node_type: Int[np.ndarray, " n"]
    times: Float[np.ndarray, " steps"]
    velocity: Float[np.ndarray, "steps n 2"]
    pressure: Float[np.ndarray, "steps n"]


def simulated(case: Case, settings: ChannelSettings) -> Frames:
    """The flow from rest, kept from `settings.start` on.

    Raises NumericalError where it blows up, or its mesh cannot be made.
    """
    flow = sized_flow(case, settings)
    stepper = Stepper(flow, settings.interval / settings.substeps, _RTOL)
    level = stepper.start()
    n = len(flow.space.vertices)
    before = round(settings.start / stepper.dt)
    for _ in range(before):
        level = stepper.step(level)
    velocity = np.empty((settings.steps, n, 2), dtype=np.float32)
    pressure = np.empty((settings.steps, n), dtype=np.float32)
    for step in range(settings.steps):
        velocity[step], pressure[step] = level.velocity[:, :n].T, level.pressure
        for _ in range(settings.substeps if step + 1 < settings.steps else 0):
            level = stepper.step(level)
    times = before * stepper.dt + settings.interval * np.arange(settings.steps)
    return Frames(flow.space.vertices, flow.space.triangles, node_types(flow), times, velocity, pressure)


def sized_flow(case: Case, settings: ChannelSettings) -> Flow:
    """On a mesh of about `settings.nodes` vertices, finer at the obstacles and behind them."""
    scale, width = 1.0, 2 * min(case.radii)
    for attempt in range(_TRIES):
        sizes = MeshSizes(scale * 0.085 * settings.height, scale * 0.09 * width, scale * 0.2 * width, reach=8.0)
        flow = channel_flow(case.channel, sizes, settings.viscosity, case.inflow)
        ratio = len(flow.space.vertices) / settings.nodes
        if abs(ratio - 1) < 0.05 or attempt + 1 == _TRIES:
            return flow
        scale *= np.sqrt(ratio)
    raise AssertionError("not reached")


def node_types(flow: Flow) -> Int[np.ndarray, " n"]:
    """Of the vertices; where walls meet the ends they are wall."""
    types = np.full(len(flow.space.vertices), int(NodeType.NORMAL), dtype=np.int64)
    obstacles = [label for label in flow.velocities if label >= Part.OBSTACLE]
    parts = [(Part.OUTFLOW, NodeType.OUTFLOW), (Part.INFLOW, NodeType.INFLOW), (Part.WALL, NodeType.WALL)]
    for label, kind in [*parts, *((label, NodeType.OBSTACLE) for label in obstacles)]:
        nodes = flow.nodes_of(int(label))
        types[nodes[nodes < len(types)]] = int(kind)
    return types
