"""Which condition holds on which boundary edge, and where the solution is singular."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import UnsupportedError
from ..spec import Condition, Problem, is_predicate, predicate
from ..spec.geometry import Shape
from ._triangulation import (
    Distance,
    Floats,
    Ints,
    Triangulation,
    projected,
    relabelled,
    triangulation,
)

Mask = NDArray[np.bool_]
Predicate = Callable[[Floats], Mask]

_SHARES = np.array([0.003, 0.2, 0.4, 0.6, 0.8, 0.997])  # along an edge, where predicates are asked


def predicate_of(problem: Problem, condition: Condition) -> Predicate | None:
    """The condition's `on` as a function of points, if it is a sympy condition or a callable."""
    on = condition.on
    return predicate(problem.domain, problem.coordinates, on) if is_predicate(on) else None


def on_part(domain: Shape, on: Any, middles: Floats, normals: Floats, lengths: Floats) -> Mask:
    """Which boundary edges (their middles, outward normals and lengths) lie on a part, a sub-shape or several.

    The part is sampled more finely than the edges; an edge belongs to it when a sample is near with the same normal.
    """
    from scipy.spatial import cKDTree

    n = int(np.clip(16 * domain.boundary_measure(on) / lengths.min(), 64, 100_000))
    samples = domain.sample_boundary(n, on=on, method="grid")
    if np.abs(domain.signed_distance(samples.points)).max() > 1e-6 * domain.size:
        raise UnsupportedError(
            f"finite elements: a condition on {on!r}, which lies inside the domain; "
            "the reference takes conditions on the outer boundary and on holes"
        )
    distances, nearest = cKDTree(samples.points).query(middles)
    same_way = np.einsum("ij,ij->i", cast(Floats, samples.normals)[nearest], normals) > 0.7
    return (distances < 0.3 * lengths) & same_way


def with_changes(
    mesh: Triangulation, predicates: Sequence[Predicate], fixed: Floats, distance: Distance
) -> Triangulation:
    """`mesh` with a vertex on the boundary wherever one of the predicates changes its answer along it.

    `fixed` (k, 2) are points (corners) that must stay.
    """
    for holds in predicates:
        for _ in range(64):
            found = _first_change(mesh, holds, distance)
            if found is None:
                break
            mesh = _with_vertex(mesh, *found, fixed)
            fixed = np.vstack([fixed, found[2]])
    return mesh


def _first_change(mesh: Triangulation, predicate: Predicate, distance: Distance) -> tuple[int, float, Floats] | None:
    """(boundary edge, share of its length, point) of a change of answer inside an edge."""
    a, b = mesh.points[mesh.boundary[:, 0]], mesh.points[mesh.boundary[:, 1]]
    lengths = np.linalg.norm(b - a, axis=1)

    def points(edges: Ints, shares: Floats) -> Floats:
        chord = a[edges] + shares[:, None] * (b - a)[edges]
        return projected(chord, mesh.normals[edges], lengths[edges], distance)

    m, k = len(a), len(_SHARES)
    answers = predicate(points(np.repeat(np.arange(m), k), np.tile(_SHARES, m))).reshape(m, k)
    changes = answers[:, 1:] != answers[:, :-1]
    if not changes.any():
        return None
    edge = int(np.argmax(changes.any(axis=1)))
    at = int(np.argmax(changes[edge]))
    lo, hi = _SHARES[at], _SHARES[at + 1]
    for _ in range(48):
        middle = (lo + hi) / 2
        same = predicate(points(np.array([edge]), np.array([middle])))[0] == answers[edge, at]
        lo, hi = (middle, hi) if same else (lo, middle)
    return edge, float(lo), points(np.array([edge]), np.array([lo]))[0]


def _with_vertex(mesh: Triangulation, edge: int, share: float, place: Floats, fixed: Floats) -> Triangulation:
    """The nearer end of the edge moved to the place, or the edge split there if that end is far or stays."""
    ends = mesh.boundary[edge]
    near = int(ends[0] if share < 0.5 else ends[1])
    stays = len(fixed) > 0 and np.linalg.norm(fixed - mesh.points[near], axis=1).min() < 1e-9
    if min(share, 1 - share) < 0.35 and not stays:
        points = mesh.points.copy()
        points[near] = place
        return triangulation(points, mesh.triangles)
    row = int(np.argmax(np.isin(mesh.triangles, ends).sum(axis=1) == 2))
    apex = int(mesh.triangles[row][~np.isin(mesh.triangles[row], ends)][0])
    new = len(mesh.points)
    halves = [[ends[0], new, apex], [new, ends[1], apex]]
    return triangulation(np.vstack([mesh.points, place]), np.vstack([np.delete(mesh.triangles, row, 0), halves]))


def labelled(mesh: Triangulation, masks: Sequence[Mask], names: Sequence[str]) -> Triangulation:
    """The number of its condition on every boundary edge.

    Raises UnsupportedError where there is none or more than one.
    """
    counts = np.sum(masks, axis=0) if masks else np.zeros(len(mesh.boundary), int)
    middles = mesh.points[mesh.boundary].mean(axis=1)
    if (counts != 1).any():
        worst = int(np.argmax(counts != 1))
        near = ", ".join(f"{c:.4g}" for c in middles[worst])
        which = " and ".join(name for name, mask in zip(names, masks, strict=True) if mask[worst])
        what = f"{which} meet on the same part" if counts[worst] else "no condition is given"
        raise UnsupportedError(
            f"finite elements: {what} of the boundary near ({near}); give exactly one condition everywhere"
        )
    return relabelled(mesh, mesh.boundary, np.argmax(masks, axis=0).astype(np.int64))


def graded(mesh: Triangulation, corners: Sequence[Any], is_dirichlet: Sequence[bool]) -> Triangulation:
    """`mesh` with the splitting fractions kappa of its singular boundary points.

    At a corner of angle omega the solution behaves as r^lambda with lambda = pi / omega, or half of that where a
    Dirichlet condition meets another kind; kappa = 2^(-1.75 / lambda), for which the observed order is best.
    """
    from dataclasses import replace

    angle = np.full(len(mesh.points), np.pi)
    for corner in corners:
        distances = np.linalg.norm(mesh.points - np.asarray(corner.point), axis=1)
        angle[int(np.argmin(distances))] = corner.angle
    kinds = np.asarray(is_dirichlet, dtype=bool)[mesh.labels]
    count = np.zeros(len(mesh.points), int)
    dirichlet = np.zeros(len(mesh.points), int)
    for side in mesh.boundary.T:
        np.add.at(count, side, 1)
        np.add.at(dirichlet, side, kinds.astype(int))
    mixed = (dirichlet > 0) & (dirichlet < count)
    exponent = np.pi / angle * np.where(mixed, 0.5, 1.0)
    singular = (count > 0) & ((np.abs(angle - np.pi) > 1e-9) | mixed)
    kappa = np.where(singular, np.clip(2.0 ** (-1.75 / exponent), 1 / 32, 0.5), 0.5)
    return replace(mesh, kappa=kappa)
