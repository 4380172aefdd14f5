"""What geometry hands out: samples with quadrature weights, corners, holes."""

from dataclasses import dataclass

import numpy as np

from physolve._typing import ColumnArray, PointArray


@dataclass(frozen=True, eq=False)
class Samples:
    """Points drawn from a shape or from its boundary.

    points  (n, dim)
    weights (n,) quadrature weights; their sum is the measure of what was sampled
    normals (n, dim) unit outward normals, None for interior samples
    """

    points: PointArray
    weights: ColumnArray
    normals: PointArray | None = None

    def __len__(self) -> int:
        return len(self.points)

    def joined(self, others: "Samples") -> "Samples":
        """With others, whose weights are in units of the average one here; all together weigh what these do."""
        weights = np.concatenate([self.weights, self.weights.mean() * others.weights])
        normals = [n for n in (self.normals, others.normals) if n is not None]
        return Samples(
            np.concatenate([self.points, others.points]),
            weights * (self.weights.sum() / weights.sum()),
            np.concatenate(normals) if normals else None,
        )


@dataclass(frozen=True)
class Corner:
    """A corner of a two-dimensional shape.

    The interior near `point` is the sector of directions start .. start + angle, counter-clockwise, in
    radians; angle > pi is a reentrant corner, where solutions behave like r**(pi / angle).
    """

    point: tuple[float, float]
    angle: float
    start: float


@dataclass(frozen=True)
class Hole:
    """A body removed from the inside of a shape: its centre, and the radius of the disk (ball) as large."""

    center: tuple[float, ...]
    radius: float
