"""A plain triangulation of a plane domain with labelled boundary edges, and its graded refinement.

Refinement splits every triangle into four. An edge that ends at a singular point (a reentrant corner, a
change of the kind of boundary condition) is split not at its middle but at the fraction kappa from that
point; a solution that behaves as r^lambda there keeps the order of quadratic elements if kappa is about
2^(-1.75/lambda). Points that appear on a curved boundary are moved onto it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import NumericalError

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Distance: TypeAlias = Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False)
class Triangulation:
    """Attributes:
    points: (n, 2).
    triangles: (m, 3) indices, counter-clockwise.
    labels: (k,) one number per boundary edge, in the order of `boundary`.
    kappa: (n,) fraction at which edges leaving the point are split; 1/2 at regular points.
    """

    points: Floats
    triangles: Ints
    labels: Ints
    kappa: Floats

    @cached_property
    def _edges(self) -> tuple[Ints, Ints]:
        """(e, 2) edges with their ends sorted, and (m, 3) numbers of the edges (0,1), (1,2), (2,0) of each triangle."""
        ends = np.sort(self.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        edges, inverse = np.unique(ends, axis=0, return_inverse=True)
        return edges, inverse.reshape(-1, 3)

    @cached_property
    def boundary(self) -> Ints:
        """(k, 2) boundary edges in counter-clockwise direction: the domain lies to the left of each."""
        return boundary_edges(self.triangles)

    @cached_property
    def normals(self) -> Floats:
        """(k, 2) outward unit normals of the (straight) boundary edges."""
        along = self.points[self.boundary[:, 1]] - self.points[self.boundary[:, 0]]
        return np.stack([along[:, 1], -along[:, 0]], axis=1) / np.linalg.norm(along, axis=1, keepdims=True)

    @property
    def h(self) -> float:
        """Length of the longest edge."""
        edges, _ = self._edges
        return float(np.linalg.norm(self.points[edges[:, 0]] - self.points[edges[:, 1]], axis=1).max())


def triangulation(points: Floats, triangles: Ints) -> Triangulation:
    """A triangulation with counter-clockwise triangles, labels 0 and no singular point."""
    points = np.asarray(points, dtype=np.float64)
    triangles = np.array(triangles, dtype=np.int64)
    a, b, c = (points[triangles[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    triangles[area < 0] = triangles[area < 0][:, ::-1]
    k = len(boundary_edges(triangles))
    return Triangulation(points, triangles, np.zeros(k, np.int64), np.full(len(points), 0.5))


def boundary_edges(triangles: Ints) -> Ints:
    """(k, 2) directed edges that belong to one triangle only, sorted by their first point."""
    directed = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    ends = np.sort(directed, axis=1)
    _, first, counts = np.unique(ends, axis=0, return_index=True, return_counts=True)
    edges = directed[first[counts == 1]]
    return edges[np.lexsort(edges.T[::-1])]


def refined(mesh: Triangulation, distance: Distance | None) -> Triangulation:
    """Every triangle split into four; new boundary points put on the zero line of `distance` (None: left)."""
    edges, of_triangle = mesh._edges
    n = len(mesh.points)
    points = np.vstack([mesh.points, _split_points(mesh, edges)])
    ends = np.sort(mesh.boundary, axis=1)
    middle = n + np.searchsorted(edges @ [n, 1], ends @ [n, 1])  # the edges are sorted
    if distance is not None:
        points[middle] = projected(points[middle], mesh.normals, _lengths(mesh), distance)
    a, b, c = mesh.triangles.T
    ab, bc, ca = (of_triangle + n).T
    triangles = np.vstack([np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    halves = np.vstack([np.stack([mesh.boundary[:, 0], middle], 1), np.stack([middle, mesh.boundary[:, 1]], 1)])
    kappa = np.concatenate([mesh.kappa, np.full(len(edges), 0.5)])
    return relabelled(Triangulation(points, triangles, np.zeros(0, np.int64), kappa), halves, np.tile(mesh.labels, 2))


def relabelled(mesh: Triangulation, edges: Ints, labels: Ints) -> Triangulation:
    """`mesh` with these labels for these directed boundary edges (all of them, in any order)."""
    return replace(mesh, labels=labels[np.lexsort(edges.T[::-1])])


def _split_points(mesh: Triangulation, edges: Ints) -> Floats:
    a, b = mesh.points[edges[:, 0]], mesh.points[edges[:, 1]]
    ka, kb = mesh.kappa[edges[:, 0]], mesh.kappa[edges[:, 1]]
    share = np.where(ka < kb, ka, np.where(kb < ka, 1 - kb, 0.5))  # of the way from a to b
    return a + share[:, None] * (b - a)


def _lengths(mesh: Triangulation) -> Floats:
    return np.linalg.norm(mesh.points[mesh.boundary[:, 0]] - mesh.points[mesh.boundary[:, 1]], axis=1)


def projected(points: Floats, directions: Floats, lengths: Floats, distance: Distance) -> Floats:
    """Points moved along `directions` to where `distance` is zero, by the secant method.

    Raises NumericalError when a point would have to move further than 0.4 of its `lengths`: the mesh is too coarse.
    """
    size = np.ptp(points, axis=0).max() + lengths.max()
    s0, d0 = np.zeros(len(points)), distance(points)
    s1 = -d0
    for _ in range(30):
        active = np.abs(d0) > 1e-14 * size
        if not active.any():
            break
        d1 = distance(points + s1[:, None] * directions)
        slope = np.where(np.abs(s1 - s0) > 0, (d1 - d0) / np.where(s1 == s0, 1, s1 - s0), 1.0)
        slope = np.where(np.abs(slope) > 0.2, slope, 1.0)
        s0, s1, d0 = np.where(active, s1, s0), np.where(active, s1 - d1 / slope, s1), np.where(active, d1, d0)
    if (np.abs(d0) > 1e-9 * size).any() or (np.abs(s0) > 0.4 * lengths).any():
        raise NumericalError(
            "mesh: a boundary edge could not be moved onto the curved boundary; "
            "the mesh is too coarse there: give a smaller h"
        )
    return points + s0[:, None] * directions
