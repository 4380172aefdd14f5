"""A domain given by a mesh of simplices, or by a closed surface of triangles."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np

from physolve._typing import ColumnArray, MaskArray, PointArray
from physolve.errors import SpecificationError

from ._face import Face, Region, box_region
from ._mesh_boundary import Chain, boundary_facets, chains, facet_normals
from ._mesh_distance import FacetDistance
from ._shape import Shape

KINK = 0.35  # radians; smaller bends of a mesh's outline count as a smooth curve


@dataclass(frozen=True, repr=False, eq=False)
class MeshDomain(Shape):
    """The region covered by a mesh, in two or three dimensions.

    points (n, dim)       vertices
    cells  (m, dim + 1)   triangles or tetrahedra; none for a closed surface, of which `facets` is the whole
    facets (k, dim)       boundary edges or triangles, normals outward by their order
    names  k strings      part that each facet belongs to; '' for none
    source                the file it came from, for messages and for problem files

    Made by `MeshDomain.read(path)`, `MeshDomain.of(points, cells)` or `MeshDomain.surface(points, facets)`.
    """

    points: np.ndarray
    cells: np.ndarray
    facets: np.ndarray
    names: tuple[str, ...]
    source: str = ""

    def __post_init__(self) -> None:
        for name, kind in (("points", np.float64), ("cells", np.int64), ("facets", np.int64)):
            array = np.array(getattr(self, name), dtype=kind)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @classmethod
    def of(
        cls, points: object, cells: object, parts: Mapping[str, object] | None = None, source: str = ""
    ) -> "MeshDomain":
        """A mesh of plane triangles or of tetrahedra; parts: name -> facets (k, dim) of vertex numbers."""
        x, simplices = _checked(points, cells, source)
        facets = boundary_facets(x, simplices)
        domain = cls(x, simplices, facets, _facet_names(facets, parts or {}, source), source)
        middles = x[simplices[:: max(1, len(simplices) // 1000)]].mean(axis=1)
        if (domain._distance(middles) > 0).any():
            raise SpecificationError(
                f"{source or 'MeshDomain'}: cells overlap or share only parts of facets; mend the mesh"
            )
        return domain

    @classmethod
    def surface(
        cls, points: object, triangles: object, names: tuple[str, ...] | None = None, source: str = ""
    ) -> "MeshDomain":
        """The inside of a closed surface of triangles; equal points are merged, normals turned outward."""
        from ._mesh_boundary import closed_surface

        x, facets = closed_surface(np.asarray(points, dtype=np.float64), np.asarray(triangles), source)
        return cls(x, np.empty((0, 4)), facets, names or ("",) * len(facets), source)

    @classmethod
    def read(cls, path: str | Path) -> "MeshDomain":
        """A mesh file known to meshio (.msh, .vtu, .stl). Raises SpecificationError if it holds no domain.

        A mesh whose z is constant is taken as plane. Named facets (gmsh physical groups, cell sets, integer
        cell data on facets) become parts. A surface of triangles in space, closed, means its inside.
        """
        from ._mesh_read import read

        return read(path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MeshDomain) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @cached_property
    def _key(self) -> tuple[bytes, bytes, bytes, tuple[str, ...]]:
        return self.points.tobytes(), self.cells.tobytes(), self.facets.tobytes(), self.names

    def __repr__(self) -> str:
        if self.source:
            return f"MeshDomain.read({self.source!r})"
        return f"MeshDomain.of(<{len(self.points)} points>, <{len(self.cells)} cells>)"

    def __getstate__(self) -> dict[str, object]:
        """What is remembered of a computation is not copied."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def dim(self) -> int:
        return self.points.shape[1]

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return self._box

    @cached_property
    def _box(self) -> tuple[np.ndarray, np.ndarray]:
        used = self.points[np.unique(self.facets)]
        return used.min(axis=0), used.max(axis=0)

    @cached_property
    def _nearest(self) -> FacetDistance:
        return FacetDistance(self.points, self.facets)

    def _distance(self, points: PointArray) -> ColumnArray:
        return self._nearest(points)

    def _faces(self) -> tuple[Face, ...]:
        groups = [(n, np.flatnonzero(np.array(self.names) == n)) for n in dict.fromkeys(self.names)]
        return tuple(
            Face((name,) if name else (), _chain_chart(chain), chain.measure, self, kink=KINK)
            for name, index in groups
            for chain in chains(self.points, self.facets, index, KINK)
        )

    def _region(self) -> Region:
        return self._simplex_region if len(self.cells) else box_region(self)

    @cached_property
    def _simplex_region(self) -> Region:
        volumes = simplex_measures(self.points[self.cells])
        ends = np.cumsum(volumes)

        def propose(u: np.ndarray) -> tuple[PointArray, MaskArray]:
            k, first = _pick(u[:, 0], ends)
            rest = np.column_stack([first, u[:, 1:]])
            return _in_simplex(self.points[self.cells[k]], rest), np.ones(len(u), dtype=bool)

        return Region(float(ends[-1]), propose)

    def _known_measure(self) -> float:
        if len(self.cells):
            return float(simplex_measures(self.points[self.cells]).sum())
        normals, areas = facet_normals(self.points, self.facets)
        middles = self.points[self.facets].mean(axis=1) - self.points.mean(axis=0)
        return float(np.sum(areas * np.sum(middles * normals, axis=1)) / 3)


def simplex_measures(vertices: np.ndarray) -> ColumnArray:
    """Areas or volumes of simplices (m, dim + 1, dim)."""
    edges = vertices[:, 1:] - vertices[:, :1]
    return np.abs(np.linalg.det(edges)) / (2.0 if edges.shape[1] == 2 else 6.0)


def _pick(u: ColumnArray, ends: ColumnArray) -> tuple[np.ndarray, ColumnArray]:
    """Which of the pieces with cumulative measures `ends`, and where on it in the unit interval."""
    target = u * ends[-1]
    k = np.minimum(np.searchsorted(ends, target, side="right"), len(ends) - 1)
    start = np.where(k > 0, ends[k - 1], 0.0)
    return k, np.clip((target - start) / (ends[k] - start), 0.0, 1.0)


def _in_simplex(vertices: np.ndarray, u: np.ndarray) -> PointArray:
    """Uniform points in simplices (n, d + 1, dim) from the unit cube (n, d): the gaps of u sorted."""
    s = np.sort(u, axis=1)
    gaps = np.diff(s, axis=1, prepend=0.0, append=1.0)
    return np.einsum("nk,nkd->nd", gaps[:, ::-1], vertices)


def _chain_chart(chain: Chain):
    def chart(u: np.ndarray) -> tuple[PointArray, PointArray, MaskArray]:
        k, first = _pick(u[:, 0], chain.ends)
        rest = np.column_stack([first, u[:, 1:]])
        return _in_simplex(chain.vertices[k], rest), chain.normals[k], np.ones(len(u), dtype=bool)

    return chart


def _checked(points: object, cells: object, source: str) -> tuple[np.ndarray, np.ndarray]:
    item = source or "MeshDomain"
    x, simplices = np.asarray(points, dtype=np.float64), np.asarray(cells, dtype=np.int64)
    if x.ndim != 2 or x.shape[1] not in (2, 3) or not np.isfinite(x).all():
        raise SpecificationError(f"{item}: points must be finite and of shape (n, 2) or (n, 3), got {x.shape}")
    if simplices.ndim != 2 or simplices.shape[1] != x.shape[1] + 1 or not len(simplices):
        wanted = f"(m, {x.shape[1] + 1})"
        raise SpecificationError(f"{item}: cells must be of shape {wanted} with m > 0, got {simplices.shape}")
    if simplices.min() < 0 or simplices.max() >= len(x):
        raise SpecificationError(f"{item}: cells name vertex {simplices.max()}, but there are {len(x)} points")
    flat = simplex_measures(x[simplices]) <= 1e-14 * np.ptp(x, axis=0).max() ** x.shape[1]
    if flat.any():
        raise SpecificationError(f"{item}: cell {int(np.argmax(flat))} has no volume; clean the mesh first")
    return x, simplices


def _facet_names(facets: np.ndarray, parts: Mapping[str, object], source: str) -> tuple[str, ...]:
    """The part of every facet; a name with no facet on the boundary is refused."""
    where = {tuple(sorted(facet)): k for k, facet in enumerate(facets.tolist())}
    names = [""] * len(facets)
    for name, members in parts.items():
        keys = [tuple(sorted(f)) for f in np.asarray(members, dtype=np.int64).reshape(-1, facets.shape[1]).tolist()]
        found = [where[key] for key in keys if key in where]
        if not found:
            raise SpecificationError(f"{source or 'MeshDomain'}: part {name!r} has no facet on the mesh's boundary")
        for k in found:
            names[k] = name
    return tuple(names)
