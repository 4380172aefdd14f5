"""The abstract shape: what every geometry answers, and the operators that join shapes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from physolve._typing import ColumnArray, MaskArray, PointArray

from ._checks import as_points, text
from ._face import Face, Region
from ._samples import Corner, Hole, Samples

if TYPE_CHECKING:
    from ._csg import Difference, Intersection, Union
    from ._spacetime import SpaceTime
    from ._transform import Named, Rotated, Translated

Method: TypeAlias = Literal["sobol", "uniform", "grid"]
Where: TypeAlias = Callable[[PointArray], MaskArray]

ROUNDING = 1e-13
"""Of coordinates and signed distances, relative to the largest coordinate; sampled boundaries are within 3e-16."""

# The functions over shapes (sampling, corners, holes) know the concrete shapes, which know this module:
# hence the imports inside the methods.


class Shape(ABC):
    """A bounded region of 1 to 4 dimensions (time, if any, is the last). Immutable, equal by value.

    Join shapes with `|` (union), `&` (intersection), `-` (difference) and `*` (with a `TimeInterval`).
    """

    @property
    @abstractmethod
    def dim(self) -> int:
        """Number of coordinates."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper corner (dim,) of a box that contains the shape."""

    @abstractmethod
    def _distance(self, points: PointArray) -> ColumnArray:
        """Signed distance of checked points."""

    @abstractmethod
    def _faces(self) -> tuple[Face, ...]:
        """Charts that cover the boundary (and, in composites, more than that)."""

    @abstractmethod
    def _region(self) -> Region:
        """A chart that covers the interior."""

    @abstractmethod
    def _known_measure(self) -> float | None:
        """Length, area or volume in closed form, if there is one."""

    @property
    def size(self) -> float:
        """Diagonal of the bounding box."""
        lower, upper = self.bounds
        return float(np.linalg.norm(upper - lower))

    @property
    def rounding(self) -> float:
        """How far from the boundary points of it may lie, generously, because their coordinates are rounded."""
        return ROUNDING * float(np.abs(self.bounds).max())

    @property
    def measure(self) -> float:
        """Length, area or volume: exact for primitives and for most composites, else good to about 1e-3.

        Raises SpecificationError when the shape is empty.
        """
        from ._measure import measure

        return measure(self)

    def signed_distance(self, points: PointArray) -> ColumnArray:
        """Distance (n,) of points (n, dim) to the boundary, negative inside.

        Exact for primitives; for composites the sign is right and the size a lower bound of the distance.
        """
        return self._distance(as_points(points, self.dim))

    def contains(self, points: PointArray, tolerance: float = 0.0) -> MaskArray:
        """Which of the points (n, dim) lie in the closed shape, widened by `tolerance`."""
        return self.signed_distance(points) <= tolerance

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the boundary's parts, all usable in `on=`; 'boundary' is the whole of it."""
        from ._parts import parts

        return parts(self)

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Names of sub-shapes whose boundary lies inside this shape and nowhere on its boundary."""
        from ._parts import interfaces

        return interfaces(self)

    def has_part(self, name: str) -> bool:
        """Whether `on=name` means something here."""
        return name in self.parts or name in self.interfaces

    def sub_shape(self, name: str) -> "Shape | None":
        """The shape of this name that this shape is made of; None where there is none."""
        from ._parts import named_shapes

        return dict(reversed(named_shapes(self))).get(name)

    @property
    def corners(self) -> tuple[Corner, ...]:
        """Corners of a two-dimensional shape, those of composites included; empty in other dimensions."""
        from ._corners import corners

        return corners(self)

    def ends(
        self, on: "str | Shape | tuple[str | Shape, ...] | None" = None, where: Where | None = None
    ) -> tuple[Corner, ...]:
        """Where a part of a plane boundary ends within a smooth piece of it, as corners of opening pi. `on` and `where`
        as in `sample_boundary`; raises SpecificationError where they select nothing."""
        from ._boundary import select
        from ._corners import ends

        return ends(self, select(self, on, where))

    @property
    def holes(self) -> tuple[Hole, ...]:
        """Bodies removed from the inside; empty for products with time (ask their `space`)."""
        from ._holes import holes

        return holes(self)

    @property
    def features(self) -> tuple[Corner | Hole, ...]:
        """Corners and holes: where solutions vary fast."""
        return (*self.corners, *self.holes)

    def sample_interior(self, n: int, *, method: Method = "sobol", seed: int = 0, refine: float = 0.0) -> Samples:
        """Exactly n points inside.

        method  "sobol" (low discrepancy), "uniform" (independent) or "grid" (regular in the bounding box)
        refine  in [0, 1): share of the points drawn near corners and holes with density ~ 1/distance; the
                weights make up for it
        Raises SpecificationError when the shape is empty.
        """
        from ._interior import sample_interior

        return sample_interior(self, n, method, seed, refine)

    def sample_boundary(
        self,
        n: int,
        *,
        on: "str | Shape | tuple[str | Shape, ...] | None" = None,
        where: Where | None = None,
        method: Method = "sobol",
        seed: int = 0,
        inside: bool = False,
    ) -> Samples:
        """Exactly n points of the boundary with unit outward normals.

        on     a part's name, a shape, or a tuple of those; None is the whole boundary. A shape means the
               part of its boundary that lies on this one's boundary; if there is none, the part that lies
               inside this shape (an interface), with normals out of the given shape.
        where  keeps the points (m, dim) for which it answers True
        inside  whether shapes mean an interface even if a part of their boundary lies on this one's
        Every piece gets points in proportion to its measure, and at least one where n allows.
        Raises SpecificationError for an unknown part or an empty selection.
        """
        from ._boundary import sample_boundary

        return sample_boundary(self, n, on, where, method, seed, inside)

    def sample_corners(
        self,
        corners: Sequence[Corner],
        n: int,
        *,
        on: "str | Shape | tuple[str | Shape, ...] | None" = None,
        where: Where | None = None,
        seed: int = 0,
    ) -> Samples:
        """n points of every piece of boundary that ends in one of the corners, on the way to it: 0.1 to 1e-7 of the
        piece's length away, evenly in the logarithm. `on` and `where` as in `sample_boundary`; every weight is one."""
        from ._boundary import sample_corners

        return sample_corners(self, corners, n, on, where, seed)

    def boundary_measure(
        self,
        on: "str | Shape | tuple[str | Shape, ...] | None" = None,
        where: Where | None = None,
        *,
        inside: bool = False,
    ) -> float:
        """Measure of the boundary or of a part of it; the ends of an interval count one each."""
        from ._boundary import select

        return sum(piece.measure for piece in select(self, on, where, inside))

    def named(self, name: str) -> "Named":
        """The same shape with `name` added to all its boundary's labels."""
        from ._transform import Named

        return Named(self, name)

    def translated(self, vector: tuple[float, ...]) -> "Translated":
        """The shape moved by `vector`."""
        from ._transform import Translated

        return Translated(self, vector)

    def rotated(
        self, angle: float, about: tuple[float, ...] | None = None, axis: tuple[float, ...] | None = None
    ) -> "Rotated":
        """The shape turned by `angle` radians about a point (default: origin); in 3-D about an axis."""
        from ._transform import Rotated

        return Rotated(self, angle, about, axis)

    def __or__(self, other: "Shape") -> "Union":
        from ._csg import Union

        return Union(self, other) if isinstance(other, Shape) else NotImplemented

    def __and__(self, other: "Shape") -> "Intersection":
        from ._csg import Intersection

        return Intersection(self, other) if isinstance(other, Shape) else NotImplemented

    def __sub__(self, other: "Shape") -> "Difference":
        from ._csg import Difference

        return Difference(self, other) if isinstance(other, Shape) else NotImplemented

    def __mul__(self, other: "Shape") -> "SpaceTime":
        from ._spacetime import product

        return product(self, other) if isinstance(other, Shape) else NotImplemented

    def __repr__(self) -> str:
        values = [getattr(self, f.name) for f in fields(self)]  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(text(v) for v in values if v is not None)})"
