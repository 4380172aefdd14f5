"""Coefficients of a problem, linearised and frozen at sample points; if nonlinear, around a state of likely size."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from sympy.matrices import MatrixBase

from ..errors import PhysolveError
from ._atoms import Atom, Linearisation, linearise
from ._conditions import Dirichlet, Initial
from ._evaluate import Program
from ._inner_conditions import Observations, PointValue

if TYPE_CHECKING:
    from ._problem import Problem

SAMPLES = 24


@lru_cache(maxsize=64)
def _linearised_cached(residuals: tuple, unknowns: tuple, coordinates: tuple) -> tuple[Linearisation, ...]:
    return tuple(linearise(r, unknowns, coordinates) for r in residuals)


def linearised(problem: Problem) -> tuple[Linearisation, ...]:
    """The linearisation of every equation."""
    return _linearised_cached(problem.residuals, problem.unknowns, problem.coordinates)


def sample_points(problem: Problem) -> np.ndarray:
    """Two dozen points (n, dim) inside the domain, always the same."""
    lower, upper = problem.domain.bounds
    rng = np.random.default_rng(0)
    candidates = rng.uniform(lower, upper, (8 * SAMPLES, len(lower)))
    inside = candidates[problem.domain.contains(candidates)][:SAMPLES]
    return inside if len(inside) else problem.domain.sample_interior(SAMPLES, method="uniform").points


@lru_cache(maxsize=64)
def _scales_cached(values: tuple, coordinates: tuple, parameters: tuple, points: bytes) -> float:
    columns = np.frombuffer(points).reshape(-1, len(coordinates)).T
    computed = Program(values, (*coordinates, *parameters))(*columns, *(p.guess for p in parameters))
    sizes = [float(np.nanmax(np.abs(v))) for v in computed if np.isfinite(v).any()]
    return max(sizes, default=0.0)


def field_scale(problem: Problem, unknown: int) -> float:
    """Size of an unknown as Dirichlet, initial and point values and observations suggest; else 1.

    The components of a vector share its length evenly, the length being that of its largest component.
    """
    family = next((indices for _, indices in problem.groups if unknown in indices), (unknown,))
    return (max(_suggested_size(problem, i) for i in family) or 1.0) / float(np.sqrt(len(family)))


def _suggested_size(problem: Problem, unknown: int) -> float:
    u, points, values, sizes = problem.unknowns[unknown], sample_points(problem), [], []
    for condition in problem.conditions:
        if u not in condition.unknowns():
            continue
        if isinstance(condition, Observations):
            sizes.append(float(np.max(np.abs(condition.values))))
        elif isinstance(condition, (Dirichlet, Initial, PointValue)):
            value, k = condition.value, condition.unknowns().index(u)
            values.append(value[k] if isinstance(value, MatrixBase) else value)
    values = tuple(v for v in values if not v.has(*problem.unknowns))
    if values:
        with suppress(PhysolveError):  # grid data need not reach into the domain
            known = (problem.coordinates, problem.parameters, points.tobytes())
            sizes.append(_scales_cached(values, *known))
    return max(sizes, default=0.0)


class Coefficients:
    """Values of all coefficients at the sample points: `entry[k][atom]` is an array (n,)."""

    def __init__(self, problem: Problem, parts: tuple[Linearisation, ...]) -> None:
        keys = [(k, atom) for k, part in enumerate(parts) for atom in part.coefficients]
        placeholders = {s: atom for part in parts for s, atom in part.placeholders.items()}
        points = sample_points(problem)
        state = _state(problem, list(placeholders.values()), len(points))
        program = Program(
            [parts[k].coefficients[atom] for k, atom in keys],
            (*problem.coordinates, *problem.parameters, *placeholders),
        )
        values = program(*points.T, *(p.guess for p in problem.parameters), *state)
        self.count = len(points)
        self.entry: list[dict[Atom, np.ndarray]] = [{} for _ in parts]
        for (k, atom), value in zip(keys, values, strict=True):
            self.entry[k][atom] = np.nan_to_num(value, nan=0.0, posinf=0.0, neginf=0.0)


def _state(problem: Problem, atoms: list[Atom], n: int) -> list[np.ndarray]:
    """Values for the unknowns and their derivatives around which a nonlinear problem is judged."""
    if not atoms:
        return []
    rng, length = np.random.default_rng(1), length_of(problem)
    scales = [field_scale(problem, i) for i in range(len(problem.unknowns))]
    shapes = [rng.uniform(0.5, 1.0, n) if a.order else np.ones(n) for a in atoms]
    return [scales[a.unknown] / length**a.order * shape for a, shape in zip(atoms, shapes, strict=True)]


def length_of(problem: Problem) -> float:
    """Largest extent in space."""
    lower, upper = problem.domain.bounds
    extents = np.asarray(upper) - np.asarray(lower)
    return float(np.max(extents[: len(problem.space)] if problem.space else extents))


def frozen_matrices(problem: Problem, parts: tuple[Linearisation, ...]) -> list[dict[Any, np.ndarray]]:
    """{orders: matrix (equations, unknowns)} at every sample point, in coordinates of unit size; equal ones once."""
    values, size = Coefficients(problem, parts), len(problem.unknowns)
    lower, upper = problem.domain.bounds
    extents = np.asarray(upper) - np.asarray(lower)
    extents[: len(problem.space)] = length_of(problem)
    found: dict[bytes, dict] = {}
    for n in range(values.count):
        frozen: dict[tuple[int, ...], np.ndarray] = {}
        for k, entry in enumerate(values.entry):
            for atom, value in entry.items():
                matrix = frozen.setdefault(atom.orders, np.zeros((len(parts), size)))
                matrix[k, atom.unknown] += value[n] / np.prod(extents ** np.array(atom.orders))
        total = np.sum([np.abs(m) for m in frozen.values()], axis=0)
        rows = np.maximum(total.max(axis=1, keepdims=True), 1e-300)
        frozen = {orders: m / rows for orders, m in frozen.items()}
        found.setdefault(b"".join(m.tobytes() for m in frozen.values()), frozen)
    return list(found.values())
