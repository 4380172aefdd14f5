"""Union, intersection and difference of two shapes."""

from dataclasses import dataclass

import numpy as np

from physolve._typing import ColumnArray, MaskArray, PointArray

from ._checks import same_dimension
from ._face import Face, Region
from ._shape import Shape


@dataclass(frozen=True, repr=False)
class Union(Shape):
    """The points of a or of b."""

    a: Shape
    b: Shape

    def __post_init__(self) -> None:
        same_dimension(self.a.dim, self.b.dim, "union")

    @property
    def dim(self) -> int:
        return self.a.dim

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        (lower_a, upper_a), (lower_b, upper_b) = self.a.bounds, self.b.bounds
        return np.minimum(lower_a, lower_b), np.maximum(upper_a, upper_b)

    def _distance(self, points: PointArray) -> ColumnArray:
        return np.minimum(self.a._distance(points), self.b._distance(points))

    def _faces(self) -> tuple[Face, ...]:
        return (*self.a._faces(), *self.b._faces())

    def _region(self) -> Region:
        """A share of the first coordinate's range goes to a, the rest to what of b is not in a."""
        a, b = self.a._region(), self.b._region()
        share = a.extent / (a.extent + b.extent)

        def propose(u: np.ndarray) -> tuple[PointArray, MaskArray]:
            points, keep = np.empty(u.shape), np.zeros(len(u), dtype=bool)
            first = u[:, 0] < share
            for region, chosen, start, width in ((a, first, 0.0, share), (b, ~first, share, 1 - share)):
                stretched = u[chosen].copy()
                stretched[:, 0] = (stretched[:, 0] - start) / width
                points[chosen], keep[chosen] = region.propose(stretched)
            keep[~first] &= self.a._distance(points[~first]) > 0
            return points, keep

        return Region(a.extent + b.extent, propose)

    def _known_measure(self) -> None:
        return None


@dataclass(frozen=True, repr=False)
class Intersection(Shape):
    """The points of both a and b."""

    a: Shape
    b: Shape

    def __post_init__(self) -> None:
        same_dimension(self.a.dim, self.b.dim, "intersection")

    @property
    def dim(self) -> int:
        return self.a.dim

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        (lower_a, upper_a), (lower_b, upper_b) = self.a.bounds, self.b.bounds
        lower = np.maximum(lower_a, lower_b)
        return lower, np.maximum(lower, np.minimum(upper_a, upper_b))

    def _distance(self, points: PointArray) -> ColumnArray:
        return np.maximum(self.a._distance(points), self.b._distance(points))

    def _faces(self) -> tuple[Face, ...]:
        return (*self.a._faces(), *self.b._faces())

    def _region(self) -> Region:
        a, b = self.a._region(), self.b._region()
        inner, other = (a, self.b) if a.extent <= b.extent else (b, self.a)

        def propose(u: np.ndarray) -> tuple[PointArray, MaskArray]:
            points, keep = inner.propose(u)
            return points, keep & (other._distance(points) < 0)

        return Region(inner.extent, propose)

    def _known_measure(self) -> None:
        return None


@dataclass(frozen=True, repr=False)
class Difference(Shape):
    """The points of a that are not in b."""

    a: Shape
    b: Shape

    def __post_init__(self) -> None:
        same_dimension(self.a.dim, self.b.dim, "difference")

    @property
    def dim(self) -> int:
        return self.a.dim

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return self.a.bounds

    def _distance(self, points: PointArray) -> ColumnArray:
        return np.maximum(self.a._distance(points), -self.b._distance(points))

    def _faces(self) -> tuple[Face, ...]:
        return (*self.a._faces(), *self.b._faces())

    def _region(self) -> Region:
        a = self.a._region()

        def propose(u: np.ndarray) -> tuple[PointArray, MaskArray]:
            points, keep = a.propose(u)
            return points, keep & (self.b._distance(points) > 0)

        return Region(a.extent, propose)

    def _known_measure(self) -> None:
        return None
