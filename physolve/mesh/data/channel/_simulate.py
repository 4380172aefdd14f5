"""From a case to the frames of its flow."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from physolve.errors import NumericalError
from physolve.reference.flow import Flow, Level, MeshSizes, Part, Stepper, channel_flow

from ..._node_types import NodeType
from ._case import ChannelCase
from ._settings import ChannelSettings

_RTOL = 1e-6  # of a step: far below what single precision keeps
_TRIES = 4  # at a mesh of the wanted size
_FASTEST = 6.0  # times the inflow's peak; obstacles that leave a third of the channel free make it about three


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


def simulated(case: ChannelCase, settings: ChannelSettings) -> Frames:
    """The flow from rest, kept from `settings.start` on.

    Raises NumericalError where it blows up or is not resolved in time, or its mesh cannot be made.
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
        _check(level, case, stepper.dt)
        for _ in range(settings.substeps if step + 1 < settings.steps else 0):
            level = stepper.step(level)
    times = before * stepper.dt + settings.interval * np.arange(settings.steps)
    return Frames(flow.space.vertices, flow.space.triangles, node_types(flow), times, velocity, pressure)


def _check(level: Level, case: ChannelCase, dt: float) -> None:
    fastest, allowed = float(np.abs(level.velocity).max()), _FASTEST * case.inflow.peak
    if not fastest <= allowed:
        raise NumericalError(
            f"flow: not resolved: at t = {level.time:g} it is as fast as {fastest:.3g}, expected at most {allowed:.3g};"
            f" take a shorter time step than {dt:g} (more substeps), or a finer mesh"
        )


def sized_flow(case: ChannelCase, settings: ChannelSettings) -> Flow:
    """On a mesh of about `settings.nodes` vertices, finer at the obstacles and behind them."""
    flow, scale = _flow(case, settings, 1.0), 1.0
    for _ in range(_TRIES):
        ratio = len(flow.space.vertices) / settings.nodes
        if abs(ratio - 1) < 0.05:
            break
        scale *= float(np.sqrt(ratio))
        flow = _flow(case, settings, scale)
    return flow


def _flow(case: ChannelCase, settings: ChannelSettings, scale: float) -> Flow:
    width = 2 * scale * min(case.radii)
    sizes = MeshSizes(0.085 * scale * settings.height, 0.09 * width, 0.2 * width, reach=8.0)
    return channel_flow(case.channel, sizes, settings.viscosity, case.inflow)


def node_types(flow: Flow) -> Int[np.ndarray, " n"]:
    """Of the vertices; where walls meet the ends they are wall."""
    types = np.full(len(flow.space.vertices), int(NodeType.NORMAL), dtype=np.int64)
    obstacles = [label for label in flow.velocities if label >= Part.OBSTACLE]
    parts = [(Part.OUTFLOW, NodeType.OUTFLOW), (Part.INFLOW, NodeType.INFLOW), (Part.WALL, NodeType.WALL)]
    for label, kind in [*parts, *((label, NodeType.OBSTACLE) for label in obstacles)]:
        nodes = flow.nodes_of(int(label))
        types[nodes[nodes < len(types)]] = int(kind)
    return types
