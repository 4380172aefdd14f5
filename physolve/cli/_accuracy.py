"""How far a solution is from a reference, over the domain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import NumericalError, SpecificationError

if TYPE_CHECKING:
    from ..spec import Problem

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]
"""Points (n, dim) to values (n, components); NaN outside the domain."""

POINTS = 16384


@dataclass(frozen=True)
class Deviation:
    """Of one unknown (a vector is one): ||u - reference|| / ||reference|| in L2 over the domain, and the root
    mean square and largest magnitude of u - reference in units of u."""

    unknown: str
    relative: float
    rms: float
    largest: float


def differences(problem: Problem, solution: Function, reference: Function, points: int = POINTS) -> list[Deviation]:
    """Compare two functions at quasi-random points of the domain, weighted to integrate.

    Raises:
        NumericalError: one of them has no value at most of the points.
    """
    samples = problem.domain.sample_interior(points, seed=1)
    truth, found = reference(samples.points), solution(samples.points)
    known = np.isfinite(truth).all(axis=1) & np.isfinite(found).all(axis=1)
    if 2 * known.sum() < points:
        raise NumericalError(f"compare: only {known.sum()} of {points} points of the domain have a finite value")
    weights = samples.weights[known, None] / samples.weights[known].sum()
    return [
        _difference(name, found[known][:, indices], truth[known][:, indices], weights)
        for name, indices in _groups(problem)
    ]


def exact_function(problem: Problem) -> Function:
    """The exact solution of the problem.

    Raises:
        SpecificationError: none is given, or not for every unknown.
    """
    from ..spec import Program

    exact = problem.exact or {}
    missing = [str(u) for u in problem.unknowns if u not in exact]
    if missing:
        raise SpecificationError(f"compare: the problem has no exact solution for {', '.join(missing)}")
    program = Program([exact[u] for u in problem.unknowns], problem.coordinates)
    return lambda points: np.stack([np.broadcast_to(c, len(points)) for c in program(*points.T)], axis=1)


def _difference(name: str, found: Floats, truth: Floats, weights: Floats) -> Deviation:
    gap = found - truth
    rms = float(np.sqrt((weights * gap**2).sum()))
    size = float(np.sqrt((weights * truth**2).sum()))
    largest = float(np.sqrt((gap**2).sum(axis=1)).max())
    return Deviation(name, rms / size if size > 0 else float("nan"), rms, largest)


def _groups(problem: Problem) -> Iterator[tuple[str, list[int]]]:
    """Vectors whole, then the other unknowns."""
    for name, indices in problem.groups:
        yield name, list(indices)
    inside = {i for _, indices in problem.groups for i in indices}
    for i, u in enumerate(problem.unknowns):
        if i not in inside:
            yield u.func.__name__, [i]
