"""A made-up flow on a small mesh: a wave that travels, from an inflow that is known."""

import numpy as np

from physolve.mesh import NodeType
from physolve.mesh.data import Fields, Series, writing

WAVES, SPEED, DT = 2 * np.pi, 0.5, 0.1


def square(side=6):
    """Points of the unit square, two triangles a square, node types: inflow, outflow, walls."""
    axis = np.linspace(0, 1, side)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    corner = np.array([side * i + j for i in range(side - 1) for j in range(side - 1)])
    lower = np.stack([corner, corner + side, corner + side + 1], 1)
    x, y = points.T
    types = np.select(
        [x == 0, (y == 0) | (y == 1), x == 1], [NodeType.INFLOW, NodeType.WALL, NodeType.OUTFLOW], NodeType.NORMAL
    )
    return points, np.concatenate([lower, np.stack([corner, corner + side + 1, corner + 1], 1)]), types


def frame(points, time, phase):
    """Velocity (n, 2), which is divergence-free and a solution of v_t + SPEED v_x = 0, and pressure (n,)."""
    x, y = points.T
    along = np.sin(WAVES * (x - SPEED * time) + phase)
    return {"velocity": np.stack([1 + 0 * y, along], 1).astype(np.float32), "pressure": (along**2).astype(np.float32)}


def write_flows(path, trajectories=3, steps=8, sides=(6, 7), test=1):
    """A data set; the last `test` trajectories validate."""
    with writing(path) as writer:
        for k in range(trajectories):
            points, triangles, types = square(sides[k % len(sides)])
            series = Series(
                f"flow{k}",
                "made up",
                points,
                {"triangle": triangles},
                DT * np.arange(steps),
                lambda step, points=points, k=k: frame(points, DT * step, 0.7 * k),
            )
            writer.add(series, types, Fields({}))
        writer.assign({f"flow{k}": "validation" for k in range(trajectories - test, trajectories)})
    return path
