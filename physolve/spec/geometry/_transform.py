"""A shape moved, turned or named."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from physolve._typing import ColumnArray, MaskArray, PointArray
from physolve.errors import SpecificationError

from ._checks import Vector, number, vector
from ._face import Chart, Face, Proposal, Region
from ._shape import Shape

Map = Callable[[np.ndarray], np.ndarray]


def _moved_chart(chart: Chart, move: Map, turn: Map) -> Chart:
    def moved(u: np.ndarray) -> tuple[PointArray, PointArray, MaskArray]:
        points, normals, keep = chart(u)
        return move(points), turn(normals), keep

    return moved


def _moved_region(region: Region, move: Map) -> Region:
    def propose(u: np.ndarray) -> tuple[PointArray, MaskArray]:
        points, keep = region.propose(u)
        return move(points), keep

    moved: Proposal = propose
    return Region(region.extent, moved)


@dataclass(frozen=True, repr=False)
class Translated(Shape):
    """A shape moved by a vector."""

    shape: Shape
    vector: tuple[float, ...]

    def __post_init__(self) -> None:
        _refuse_time(self.shape, "translation")
        object.__setattr__(self, "vector", vector(self.vector, "translation", self.shape.dim))

    @property
    def dim(self) -> int:
        return self.shape.dim

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        lower, upper = self.shape.bounds
        return self._move(lower), self._move(upper)

    def _move(self, points: np.ndarray) -> np.ndarray:
        return points + np.array(self.vector)

    def _distance(self, points: PointArray) -> ColumnArray:
        return self.shape._distance(points - np.array(self.vector))

    def _faces(self) -> tuple[Face, ...]:
        return tuple(
            replace(
                face,
                chart=_moved_chart(face.chart, self._move, lambda n: n),
                owner=Translated(face.owner, self.vector),
            )
            for face in self.shape._faces()
        )

    def _region(self) -> Region:
        return _moved_region(self.shape._region(), self._move)

    def _known_measure(self) -> float | None:
        return self.shape._known_measure()


@dataclass(frozen=True, repr=False)
class Rotated(Shape):
    """A shape turned by `angle` radians, counter-clockwise in 2-D about a point (default: the origin), by the
    right hand about an axis (default: z) through that point in 3-D."""

    shape: Shape
    angle: float
    about: tuple[float, ...] | None = None
    axis: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        dim = self.shape.dim
        _refuse_time(self.shape, "rotation")
        if dim not in (2, 3):
            raise SpecificationError(f"rotation needs a shape of 2 or 3 dimensions, got a {dim}-D shape")
        if dim == 2 and self.axis is not None:
            raise SpecificationError("rotation in 2-D has no axis; give angle and about")
        object.__setattr__(self, "angle", number(self.angle, "rotation angle"))
        about = (0.0,) * dim if self.about is None else self.about
        object.__setattr__(self, "about", vector(about, "rotation about", dim))
        if dim == 3:
            object.__setattr__(self, "axis", _unit(self.axis))

    @property
    def dim(self) -> int:
        return self.shape.dim

    @property
    def _matrix(self) -> np.ndarray:
        """Rotation matrix (dim, dim); in 3-D by Rodrigues' formula. Exact for multiples of a quarter turn."""
        quarter = self.angle / (np.pi / 2)
        exact = abs(quarter - round(quarter)) < 1e-14
        c, s = (round(f(self.angle)) if exact else float(f(self.angle)) for f in (np.cos, np.sin))
        if self.dim == 2:
            return np.array([[c, -s], [s, c]], dtype=float)
        x, y, z = self.axis or (0.0, 0.0, 1.0)
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        return np.eye(3) + s * cross + (1 - c) * cross @ cross

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        lower, upper = self.shape.bounds
        corners = self._move(np.array(list(itertools.product(*zip(lower, upper, strict=True)))))
        return corners.min(axis=0), corners.max(axis=0)

    def _move(self, points: np.ndarray) -> np.ndarray:
        return (points - np.array(self.about)) @ self._matrix.T + np.array(self.about)

    def _distance(self, points: PointArray) -> ColumnArray:
        back = (points - np.array(self.about)) @ self._matrix + np.array(self.about)
        return self.shape._distance(back)

    def _faces(self) -> tuple[Face, ...]:
        matrix = self._matrix
        return tuple(
            replace(
                face,
                chart=_moved_chart(face.chart, self._move, lambda n: n @ matrix.T),
                owner=Rotated(face.owner, self.angle, self.about, self.axis),
            )
            for face in self.shape._faces()
        )

    def _region(self) -> Region:
        return _moved_region(self.shape._region(), self._move)

    def _known_measure(self) -> float | None:
        return self.shape._known_measure()


def _refuse_time(shape: Shape, name: str) -> None:
    from ._spacetime import has_time  # which knows this module

    if has_time(shape):
        raise SpecificationError(f"{name} is for shapes in space; move or turn the shape before multiplying with time")


def _unit(axis: Vector | None) -> Vector:
    result = (0.0, 0.0, 1.0) if axis is None else vector(axis, "rotation axis", 3)
    length = float(np.linalg.norm(result))
    if length == 0:
        raise SpecificationError("rotation axis must not be zero")
    return result if abs(length - 1) < 1e-15 else tuple(float(c) / length for c in result)


@dataclass(frozen=True, repr=False)
class Named(Shape):
    """A shape whose boundary answers to `name`, and each of its parts to 'name.part', too."""

    shape: Shape
    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise SpecificationError(f"a shape's name must be a non-empty string, got {self.name!r}")
        if self.name == "boundary":
            raise SpecificationError("a shape cannot be named 'boundary': that is every shape's whole boundary")

    @property
    def dim(self) -> int:
        return self.shape.dim

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return self.shape.bounds

    def _distance(self, points: PointArray) -> ColumnArray:
        return self.shape._distance(points)

    def _faces(self) -> tuple[Face, ...]:
        return tuple(replace(face, labels=self._labels(face.labels)) for face in self.shape._faces())

    def _labels(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        return (*labels, self.name, *(f"{self.name}.{label}" for label in labels))

    def _region(self) -> Region:
        return self.shape._region()

    def _known_measure(self) -> float | None:
        return self.shape._known_measure()
