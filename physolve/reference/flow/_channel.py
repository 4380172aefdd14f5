"""A channel with obstacles, as a shape of the specification, and its mesh."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ...errors import SpecificationError
from ...spec.geometry import Rectangle, Shape
from .._assembly import Discretisation, curved
from .._fitted import settled
from .._meshing import mesh_shape
from .._triangulation import Floats, Triangulation, relabelled, triangulation


class Part(IntEnum):
    """Labels of the boundary; the obstacle number k has the label OBSTACLE + k."""

    INFLOW = 0
    OUTFLOW = 1
    WALL = 2
    OBSTACLE = 3


@dataclass(frozen=True)
class Channel:
    """The rectangle [0, length] x [0, height], flown through from left to right, without its obstacles.

    Raises SpecificationError for sizes that are not positive and an obstacle that is not inside, clear of the boundary.
    """

    length: float
    height: float
    obstacles: tuple[Shape, ...] = ()

    def __post_init__(self) -> None:
        for name in ("length", "height"):
            if not 0 < getattr(self, name) < np.inf:
                raise SpecificationError(f"channel: {name}: got {getattr(self, name)}, expected a positive number")
        for k, obstacle in enumerate(self.obstacles):
            self._check(k, obstacle)

    def _check(self, k: int, obstacle: Shape) -> None:
        if obstacle.dim != 2:
            raise SpecificationError(f"channel: obstacle {k}: got a {obstacle.dim}-D shape, expected a plane one")
        lower, upper = obstacle.bounds
        if not ((np.asarray(lower) > 0).all() and (np.asarray(upper) < [self.length, self.height]).all()):
            raise SpecificationError(
                f"channel: obstacle {k} reaches from {_told(lower)} to {_told(upper)}, expected inside"
                f" (0, 0) to ({self.length:g}, {self.height:g}), clear of the walls"
            )

    @property
    def shape(self) -> Shape:
        """What the fluid fills."""
        shape: Shape = Rectangle((0.0, 0.0), (self.length, self.height))
        for obstacle in self.obstacles:
            shape = shape - obstacle
        return shape


@dataclass(frozen=True)
class MeshSizes:
    """Lengths of edges: anywhere, at the obstacles, and in their wakes, as far as `reach` heights of an obstacle.

    Raises SpecificationError for lengths that are not positive.
    """

    anywhere: float
    obstacle: float
    wake: float = np.inf
    reach: float = 6.0

    def __post_init__(self) -> None:
        for name in ("anywhere", "obstacle", "wake"):
            if not getattr(self, name) > 0:
                raise SpecificationError(f"mesh sizes: {name}: got {getattr(self, name)}, expected a positive number")


def channel_mesh(channel: Channel, sizes: MeshSizes) -> Discretisation:
    """Quadratic triangles, curved at round obstacles, with the labels of `Part` on the boundary."""
    shape = channel.shape
    fine = [place for obstacle in channel.obstacles for place in _fine(obstacle, channel, sizes)]
    corners = np.array([corner.point for corner in shape.corners], dtype=np.float64).reshape(-1, 2)
    mesh = settled(triangulation(*mesh_shape(shape, sizes.anywhere, fine)), shape, corners)
    return curved(_labelled(mesh, channel), shape.signed_distance)


def _fine(obstacle: Shape, channel: Channel, sizes: MeshSizes) -> list[tuple[tuple[float, float], float]]:
    """Points at which edges are short: around the obstacle, and along its wake, which spreads."""
    (x0, y0), (x1, y1) = (np.asarray(bound, dtype=np.float64) for bound in obstacle.bounds)
    around = max(16, int(np.ceil(2 * (x1 - x0 + y1 - y0) / sizes.obstacle)))
    found = [((float(x), float(y)), sizes.obstacle) for x, y in obstacle.sample_boundary(around, method="grid").points]
    if sizes.wake >= sizes.anywhere:
        return found
    end = min(channel.length, x1 + sizes.reach * (y1 - y0))
    for x in np.arange(x1, end, sizes.wake):
        spread = 0.25 * (y1 - y0) + 0.05 * (x - x1)
        inside = np.arange(max(y0 - spread, 0.0), min(y1 + spread, channel.height), sizes.wake)
        found += [((float(x), float(y)), sizes.wake) for y in inside]
    return found


def _labelled(mesh: Triangulation, channel: Channel) -> Triangulation:
    middles = mesh.points[mesh.boundary].mean(axis=1)
    x, y = middles.T
    labels = np.full(len(middles), int(Part.OBSTACLE))
    if channel.obstacles:
        labels += np.argmin([np.abs(o.signed_distance(middles)).ravel() for o in channel.obstacles], axis=0)
    labels[(y == 0.0) | (y == channel.height)] = Part.WALL
    labels[x == 0.0] = Part.INFLOW
    labels[x == channel.length] = Part.OUTFLOW
    return relabelled(mesh, mesh.boundary, labels)


def _told(point: Floats) -> str:
    return "(" + ", ".join(f"{value:.3g}" for value in np.asarray(point)) + ")"
