"""The surfaces on which expressions go over from one branch to another, and points on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sympy

from physolve._typing import PointArray

from ..errors import PhysolveError
from ._evaluate import Program
from ._surface import derivative, surfaces
from ._symbols import unknowns_of

if TYPE_CHECKING:
    from ._problem import Problem

STARTS = 256
STEPS = 60
MOST = 16
"""Surfaces whose crossings are looked for; more are those of floor and the like, which no points can follow."""


@dataclass(frozen=True, eq=False)
class Switches:
    """Points (n, dim) beside the surfaces on which equations change branches, and which branches hold where."""

    points: PointArray
    surfaces: Program

    def branches(self, points: PointArray) -> np.ndarray:
        """A number for every point, alike where it lies on the same side of all surfaces."""
        sides = np.array(self.surfaces(*points.T)) > 0
        return (2 ** np.arange(len(sides))) @ sides


def switches(problem: Problem) -> Switches | None:
    """Of the surfaces that are given by the coordinates alone; None without one in the domain."""
    known = set(problem.coordinates)
    found = dict.fromkeys(g for r in problem.residuals for g in surfaces(r))
    fixed = [g for g in found if g.free_symbols <= known and not unknowns_of(g)]
    given = [(g, level) for g in fixed if (level := levels(g, problem.coordinates)) is not None][:MOST]
    if not given:
        return None
    random = np.random.default_rng(0)
    start = problem.domain.sample_interior(STARTS, seed=0).points
    near = _beside(problem, [level for _, level in given], start, random)
    if not len(near):
        return None
    chosen = near[random.permutation(len(near))[:STARTS]]
    both = _beside(problem, [level for _, level in given], chosen, random)  # beside two surfaces, where they cross
    return Switches(np.concatenate([near, both]), Program([g for g, _ in given], problem.coordinates))


def _beside(problem: Problem, given: Sequence[Program], start: PointArray, random: np.random.Generator) -> PointArray:
    """From every start, points on both sides of every surface, 1e-6 to 1e-2 sizes of the domain away."""
    found = [np.empty((0, start.shape[1]))]
    for level in given:
        state, normals = on_surface(level, start.T)
        distance = problem.domain.size * 10 ** random.uniform(-6, -2, len(start))
        found += [(state + sign * distance * normals).T for sign in (1, -1)]
    points = np.concatenate(found)
    points = points[np.isfinite(points).all(1)]
    return points[problem.domain.contains(points)]


def levels(
    surface: sympy.Expr, variables: Sequence[sympy.Symbol], parameters: Sequence[sympy.Symbol] = ()
) -> Program | None:
    """A program of the surface's expression and its gradient; None where it cannot be evaluated."""
    try:
        return Program((surface, *(derivative(surface, v) for v in variables)), (*variables, *parameters))
    except PhysolveError:
        return None


def on_surface(level: Program, start: np.ndarray, theta: Sequence[float] = ()) -> tuple[np.ndarray, np.ndarray]:
    """States (variables, n) on the surface by Newton's iteration along the gradient, and unit normals; NaN where it
    fails."""
    state, step, gradient = start, start, start
    with np.errstate(all="ignore"):
        for _ in range(STEPS):
            height, *slopes = level(*state, *theta)
            gradient = np.array(slopes)
            step = height * gradient / np.square(gradient).sum(0)
            state = state - step
        found = np.linalg.norm(step, axis=0) <= 1e-10 * np.linalg.norm(start - state, axis=0)
        return np.where(found, state, np.nan), gradient / np.linalg.norm(gradient, axis=0)
