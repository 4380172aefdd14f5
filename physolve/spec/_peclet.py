"""How strong convection is against diffusion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import sympy

from ._atoms import Atom, Linearisation
from ._evaluate import Program
from ._frozen import Coefficients, length_of, sample_points

if TYPE_CHECKING:
    from ._problem import Problem

TINY = 1e-9


def peclet_number(problem: Problem, parts: tuple[Linearisation, ...]) -> float | None:
    """Largest |b| L / diffusion over the equations that carry an unknown along and diffuse the same unknown."""
    if not problem.space or len(problem.equations) != len(problem.unknowns):
        return None
    entries, unknowns = Coefficients(problem, parts).entry, range(len(problem.unknowns))
    pairs = zip(parts, entries, strict=True)
    found = [_peclet_of(problem, part, entry, i) for part, entry in pairs for i in unknowns]
    numbers = [f for f in found if f is not None]
    return max(numbers, default=None)


def _peclet_of(problem: Problem, part: Linearisation, entry: dict[Atom, np.ndarray], i: int) -> float | None:
    """Of one equation and one unknown; None where it is not carried along."""
    space, dim = range(len(problem.space)), len(problem.coordinates)
    own = {a: v for a, v in entry.items() if a.unknown == i}
    if any(a.order > 2 for a in entry) or any(
        sum(a.orders) > 1 and a.orders[-1] for a in own if problem.time is not None
    ):
        return None
    speed = np.sqrt(sum((_drift(problem, part, own, i, j) ** 2 for j in space), np.zeros(1)))
    diffusion = sum((np.abs(own.get(Atom(i, _unit(dim, j, j)), np.zeros(1))) for j in space), np.zeros(1)) / len(space)
    if not np.any(speed > TINY):
        return None
    if not np.any(diffusion):
        carried = Atom(i, _unit(dim, dim - 1)) in own if problem.time is not None else len(problem.unknowns) == 1
        return float("inf") if carried and not any(a.order > 1 for a in entry) else None
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.nanmax(np.where(diffusion > 0, speed * length_of(problem) / diffusion, np.nan)))


def _drift(problem: Problem, part: Linearisation, own: dict[Atom, np.ndarray], i: int, j: int) -> np.ndarray:
    """Convection along coordinate j with the operator written in divergence form: b_j - sum_k d A_jk / d x_k."""
    dim, points = len(problem.coordinates), sample_points(problem)
    drift = own.get(Atom(i, _unit(dim, j)), np.zeros(len(points)))
    for k in range(len(problem.space)):
        A = part.coefficients.get(Atom(i, _unit(dim, j, k)), sympy.S.Zero)
        slope = sympy.diff(A, problem.coordinates[k]) / (1 if j == k else 2)
        if slope != 0 and not slope.free_symbols & part.placeholders.keys():
            program = Program([slope], (*problem.coordinates, *problem.parameters))
            drift = drift - program(*points.T, *(p.guess for p in problem.parameters))[0]
    return drift


def _unit(dim: int, *axes: int) -> tuple[int, ...]:
    return tuple(axes.count(k) for k in range(dim))
