"""Stations as a domain: finitely many places on the Earth."""

from dataclasses import dataclass

import numpy as np

from physolve._typing import ColumnArray, MaskArray, PointArray
from physolve.errors import SpecificationError

from ._checks import Vector, vector
from ._face import Face, Region
from ._shape import Shape


@dataclass(frozen=True, repr=False)
class StationSet(Shape):
    """Places (longitude, latitude) in degrees; the equation's coordinates are metres east and north of their middle.

    A graph with a finite volume around every station stands for the region between them (`physolve.air.operators`), so
    that there is no boundary to state conditions on. Points of this shape are places in degrees; its measure is how
    many there are.

    Raises SpecificationError for fewer than three places, a place given twice, and what is not a place on Earth.
    """

    places: tuple[Vector, ...]

    def __post_init__(self) -> None:
        places = tuple(vector(place, f"StationSet: place {k}", 2) for k, place in enumerate(self.places, 1))
        if len(places) < 3:
            raise SpecificationError(f"StationSet: got {len(places)} places, expected at least 3")
        for k, (longitude, latitude) in enumerate(places, 1):
            if abs(longitude) > 360 or abs(latitude) > 90:
                raise SpecificationError(
                    f"StationSet: place {k}: got {(longitude, latitude)}, expected (longitude, latitude) in degrees"
                )
        if len(set(places)) < len(places):
            twice = next(place for k, place in enumerate(places) if place in places[:k])
            raise SpecificationError(f"StationSet: the place {twice} is given twice")
        object.__setattr__(self, "places", places)

    @property
    def dim(self) -> int:
        return 2

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        places = np.array(self.places)
        return places.min(axis=0), places.max(axis=0)

    def _distance(self, points: PointArray) -> ColumnArray:
        return np.linalg.norm(points[:, None] - np.array(self.places)[None], axis=-1).min(axis=1)

    def _faces(self) -> tuple[Face, ...]:
        return ()

    def _region(self) -> Region:
        places = np.array(self.places)

        def propose(u: np.ndarray) -> tuple[PointArray, MaskArray]:
            chosen = np.minimum((u[:, 0] * len(places)).astype(int), len(places) - 1)
            return places[chosen], np.ones(len(u), dtype=bool)

        return Region(float(len(places)), propose)

    def _known_measure(self) -> float:
        return float(len(self.places))
