"""From a problem's domain to a labelled, graded triangulation: the coarsest of a family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from ..errors import NumericalError, UnsupportedError
from ..spec import Condition, Periodic, Problem
from ..spec.geometry import Shape
from ._boundary import graded, labelled, on_part, predicate_of, with_changes
from ._meshing import mesh_shape
from ._triangulation import Floats, Ints, Triangulation, projected, triangulation


def fitted_mesh(
    problem: Problem, conditions: Sequence[Condition], is_dirichlet: Sequence[bool], h: float
) -> Triangulation:
    """A triangulation whose edges carry the number of their condition in `conditions`, graded to singular points.

    Raises UnsupportedError where no condition, or more than one, is given on the boundary.
    """
    domain: Shape = problem.domain
    mesh = _fitted(problem, conditions, is_dirichlet, mesh_shape(domain, h))
    singular = np.flatnonzero(mesh.kappa < 0.5)
    if len(singular) == 0:
        return mesh
    fine = [(tuple(mesh.points[k].tolist()), h * float(mesh.kappa[k]) ** 2) for k in singular]
    return _fitted(problem, conditions, is_dirichlet, mesh_shape(domain, h, fine))


def _fitted(
    problem: Problem, conditions: Sequence[Condition], is_dirichlet: Sequence[bool], raw: tuple[Floats, Ints]
) -> Triangulation:
    domain: Shape = problem.domain
    corners = np.array([c.point for c in domain.corners], dtype=np.float64).reshape(-1, 2)
    mesh = settled(triangulation(*raw), domain, corners)
    predicates = [p for c in conditions if (p := predicate_of(problem, c)) is not None]
    mesh = with_changes(mesh, predicates, corners, domain.signed_distance)
    names = [f"condition {1 + problem.conditions.index(c)} ({c.kind})" for c in conditions]
    masks = [_mask(problem, condition, mesh) for condition in conditions]
    for condition, mask in zip(conditions, masks, strict=True):
        if isinstance(condition, Periodic) and not mask.any():
            raise UnsupportedError(
                f"finite elements: periodic along {condition.along} needs a rectangle or an interval"
            )
    return graded(labelled(mesh, masks, names), domain.corners, is_dirichlet)


def _mask(problem: Problem, condition: Condition, mesh: Triangulation) -> np.ndarray:
    a, b = mesh.points[mesh.boundary[:, 0]], mesh.points[mesh.boundary[:, 1]]
    middles, lengths = (a + b) / 2, np.linalg.norm(b - a, axis=1)
    if isinstance(condition, Periodic):
        return _is_end(problem, condition, a, b)
    if condition.on is None:
        return np.ones(len(a), bool)
    predicate = predicate_of(problem, condition)
    middles = projected(middles, mesh.normals, lengths, problem.domain.signed_distance)
    return predicate(middles) if predicate else on_part(problem.domain, condition.on, middles, mesh.normals, lengths)


def _is_end(problem: Problem, condition: Periodic, a: Floats, b: Floats) -> np.ndarray:
    k = problem.coordinates.index(condition.along)
    lower, upper = problem.domain.bounds
    return ((a[:, k] == lower[k]) & (b[:, k] == lower[k])) | ((a[:, k] == upper[k]) & (b[:, k] == upper[k]))


def settled(mesh: Triangulation, domain: Shape, corners: Floats) -> Triangulation:
    """`mesh` with vertices exactly at the corners and the other boundary vertices exactly on the boundary."""
    points = mesh.points.copy()
    on_boundary = np.unique(mesh.boundary)
    at_corner = np.zeros(0, np.int64)
    if len(corners):
        distances, nearest = cKDTree(points[on_boundary]).query(corners)
        if distances.max() > 0.3 * mesh.h:
            raise NumericalError(
                "mesh: a corner of the domain has no vertex near; the mesh is too coarse: give a smaller h"
            )
        at_corner = on_boundary[nearest]
        points[at_corner] = corners
    mesh = replace(mesh, points=points)
    rest = np.setdiff1d(on_boundary, at_corner)
    directions, lengths = np.zeros_like(points), np.full(len(points), np.inf)
    sides = np.linalg.norm(points[mesh.boundary[:, 0]] - points[mesh.boundary[:, 1]], axis=1)
    for end in mesh.boundary.T:
        np.add.at(directions, end, mesh.normals)
        np.minimum.at(lengths, end, sides)
    directions = directions[rest] / np.linalg.norm(directions[rest], axis=1, keepdims=True)
    if len(rest):
        points[rest] = projected(points[rest], directions, lengths[rest], domain.signed_distance)
    points[on_boundary] = _snapped(points[on_boundary], np.vstack([corners, *domain.bounds]), domain.size)
    return replace(mesh, points=points)


def _snapped(points: Floats, marks: Floats, size: float) -> Floats:
    """Coordinates that are those of a corner but for rounding, made equal: predicates may then say x <= 0."""
    for k in range(points.shape[1]):
        values = np.unique(marks[:, k])
        nearest = values[np.abs(points[:, k, None] - values).argmin(axis=1)]
        points[:, k] = np.where(np.abs(points[:, k] - nearest) < 1e-12 * size, nearest, points[:, k])
    return points
