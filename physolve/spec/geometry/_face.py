"""Building blocks of sampling: measure-preserving charts of pieces of boundary and of regions."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from physolve._typing import MaskArray, PointArray

if TYPE_CHECKING:
    from ._shape import Shape

Chart = Callable[[np.ndarray], tuple[PointArray, PointArray, MaskArray]]
Proposal = Callable[[np.ndarray], tuple[PointArray, MaskArray]]


@dataclass(frozen=True, eq=False)
class Face:
    """A piece of the boundary of a primitive shape.

    labels   names by which `on=` finds it
    chart    unit cube (n, dim - 1) -> points, unit normals out of the owner, and which of them are on the
             face; uniform: equal areas of the cube go to equal measures
    measure  of the face; extent: of all the chart's points, where some of them are off the face
    owner    the primitive in its place (moved as the face is), whose signed distance vanishes on the face
    kink     angle below which a bend between this face and another is a rounding of a smooth curve (meshes)
    """

    labels: tuple[str, ...]
    chart: Chart
    measure: float
    owner: "Shape"
    extent: float = 0.0
    kink: float = 1e-5

    @property
    def fraction(self) -> float:
        """Share of the chart's points that lie on the face."""
        return self.measure / self.extent if self.extent else 1.0


@dataclass(frozen=True, eq=False)
class Region:
    """A uniform chart of the interior: unit cube (n, dim) -> points, which count; extent: of them all."""

    extent: float
    propose: Proposal = field(repr=False)


def box_region(shape: "Shape") -> Region:
    """The bounding box, with points outside the shape rejected."""
    lower, upper = shape.bounds

    def propose(u: np.ndarray) -> tuple[PointArray, MaskArray]:
        points = lower + u * (upper - lower)
        return points, shape._distance(points) < 0

    return Region(float(np.prod(np.maximum(upper - lower, 0.0))), propose)
