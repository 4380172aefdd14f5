"""The boundary of a problem's space as sample points, and where the conditions on it hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import SpecificationError
from ._condition import is_shape
from ._conditions import Dirichlet
from ._selection import TIME_PARTS, predicate

if TYPE_CHECKING:
    from ._problem import Problem

POINTS_PER_PIECE = 64


class Wall(NamedTuple):
    """Points (n, dim) on one piece of the boundary of space, and the piece's names."""

    labels: tuple[str, ...]
    points: np.ndarray


def boundary_pieces(problem: Problem) -> tuple[Wall, ...]:
    """Sample points on every piece of the boundary, without 'initial' and 'final' where there is time."""
    from .geometry._pieces import pieces

    rng, dim = np.random.default_rng(0), len(problem.coordinates)
    walls = []
    for piece in pieces(problem.domain):
        if problem.time is not None and set(piece.labels) & set(TIME_PARTS):
            continue
        points, _, keep = piece.propose(rng.random((POINTS_PER_PIECE if dim > 1 else 1, dim - 1)))
        walls.append(Wall(piece.labels, points[keep]))
    return tuple(wall for wall in walls if len(wall.points))


def dirichlet_everywhere(problem: Problem, unknown: int) -> bool:
    """Whether Dirichlet conditions give the unknown's value at all points sampled on the boundary of space."""
    u = problem.unknowns[unknown]
    given = [c for c in problem.conditions if isinstance(c, Dirichlet) and u in c.unknowns()]
    covered = [
        np.any([holds_at(problem, c.on, wall, c.kind) for c in given], axis=0).all()
        for wall in boundary_pieces(problem)
    ]
    return bool(given) and bool(covered) and all(covered)


def holds_at(problem: Problem, on: Any, wall: Wall, item: str) -> np.ndarray:
    """At which of the wall's points a condition with this `on` holds; `item` names it in messages."""
    n = len(wall.points)
    if isinstance(on, tuple):
        return np.logical_or.reduce([holds_at(problem, each, wall, item) for each in on])
    if on is None or on == "boundary":
        return np.ones(n, dtype=bool)
    if isinstance(on, str):
        return np.full(n, on in wall.labels or _hidden(problem, on))
    if is_shape(on):
        lower, upper = problem.domain.bounds
        points = wall.points[:, : on.dim]
        return np.abs(on.signed_distance(points)) <= 1e-6 * float(np.linalg.norm(np.subtract(upper, lower)))
    mask = np.asarray(predicate(problem.domain, problem.coordinates, on)(wall.points))
    if mask.shape != (n,) or mask.dtype != bool:
        raise SpecificationError(
            f"{item}: 'on' must answer with one boolean per point, shape ({n},), got {mask.dtype} {mask.shape}"
        )
    return mask


def _hidden(problem: Problem, name: str) -> bool:
    """A name whose pieces coincide with others' and so are not listed: give it the benefit of the doubt."""
    from .geometry._pieces import pieces

    listed = {label for piece in pieces(problem.domain) for label in piece.labels}
    return name not in listed and name in problem.domain.parts
