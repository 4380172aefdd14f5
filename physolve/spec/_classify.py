"""What kind of problem this is: order, linearity, type, and how strong convection is.

The type comes from plane waves. With M(lambda, k) the matrix of the equations on exp(i k.x + lambda t),
frozen at a point (and, for a nonlinear problem, at a state of the size the conditions suggest):

- without time, the part of det M of highest degree in k is the principal symbol (for Douglis-Nirenberg systems too);
- with time, the roots lambda of det M = 0 for short waves tell: all decay ever faster - parabolic; all oscillate with
  lambda ~ |k| - hyperbolic; decaying and growing ones - elliptic; growing ones only - ill posed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import sympy
from sympy.matrices import MatrixBase

from ..errors import PhysolveError
from ._atoms import Atom, Linearisation, linearise
from ._conditions import Dirichlet, Initial, Observations, PointValue
from ._data import grid_data_of
from ._evaluate import Program
from ._symbols import name_of

if TYPE_CHECKING:
    from ._problem import Problem

Kind: TypeAlias = Literal["elliptic", "parabolic", "hyperbolic", "mixed", "ordinary", "other"]

SAMPLES = 24
DOMINATED = 50.0  # Péclet number from which convection is called dominant: layers thinner than 2 % of the domain
TINY = 1e-9
WAVE_NUMBERS = (
    1e4,
    2e4,
)  # of short waves, in units of one over the domain: diffusion of 1e-6 of the convection shows


@dataclass(frozen=True)
class Classification:
    """The class of a problem.

    - `order`: highest order of a derivative; `time_order`: of a time derivative.
    - `linear`: equations and conditions are affine in all unknowns together (parameters count as known);
      `linear_in`: (name, whether the equations are affine in this unknown with the others held).
    - `constant_coefficients`: linear, and no coefficient depends on a coordinate or on data.
    - `kind`: "mixed" when the type changes within the domain or between the fields; "ordinary" with derivatives along
      one coordinate only; "other" for what is none of these (dispersive equations, for one).
    - `peclet`: |b| L / (diffusion), L the largest extent in space, at its largest; infinite for pure
      transport, None where nothing is convected.
    """

    order: int
    linear: bool
    constant_coefficients: bool
    kind: Kind
    time_dependent: bool
    convection_dominated: bool
    peclet: float | None
    time_order: int = 0
    linear_in: tuple[tuple[str, bool], ...] = ()


def classify(problem: Problem) -> Classification:
    """The class of a problem; the type is judged at two dozen points of the domain."""
    parts = _linearised(problem)
    atoms = {a for part in parts for a in part.coefficients}
    linear = all(p.linear for p in parts)
    peclet = _peclet(problem, parts)
    coordinates = set(problem.coordinates)
    coefficients = [c for p in parts for c in p.coefficients.values()]
    return Classification(
        order=max((a.order for a in atoms), default=0),
        linear=linear and _conditions_linear(problem),
        constant_coefficients=linear and not any(c.free_symbols & coordinates or grid_data_of(c) for c in coefficients),
        kind=_kind(problem, parts),
        time_dependent=problem.time is not None,
        convection_dominated=peclet is not None and peclet >= DOMINATED,
        peclet=peclet,
        time_order=max((a.orders[-1] for a in atoms), default=0) if problem.time is not None else 0,
        linear_in=tuple(
            (name_of(u), not any(p.depends_on_unknown(i) for p in parts)) for i, u in enumerate(problem.unknowns)
        ),
    )


def grows(problem: Problem) -> bool:
    """Whether short waves grow without bound in time with nothing to balance them: an ill-posed evolution."""
    if problem.time is None or not problem.space:
        return False
    some = _frozen(problem, _linearised(problem))[:6]
    return any(_wave_types(m, len(problem.coordinates)) == {"growing"} for m in some)


# --- linearisation at sample points ---------------------------------------------------------------------


@lru_cache(maxsize=64)
def _linearised_cached(residuals: tuple, unknowns: tuple, coordinates: tuple) -> tuple[Linearisation, ...]:
    return tuple(linearise(r, unknowns, coordinates) for r in residuals)


def _linearised(problem: Problem) -> tuple[Linearisation, ...]:
    return _linearised_cached(problem.residuals, problem.unknowns, problem.coordinates)


def _conditions_linear(problem: Problem) -> bool:
    expressions = [e for c in problem.conditions for e in c.equations(problem.coordinates)]
    return all(linearise(e, problem.unknowns, problem.coordinates).linear for e in expressions)


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


class _Coefficients:
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
    rng, length = np.random.default_rng(1), _length(problem)
    scales = [field_scale(problem, i) for i in range(len(problem.unknowns))]
    shapes = [rng.uniform(0.5, 1.0, n) if a.order else np.ones(n) for a in atoms]
    return [scales[a.unknown] / length**a.order * shape for a, shape in zip(atoms, shapes, strict=True)]


def _length(problem: Problem) -> float:
    lower, upper = problem.domain.bounds
    extents = np.asarray(upper) - np.asarray(lower)
    return float(np.max(extents[: len(problem.space)] if problem.space else extents))


# --- type -----------------------------------------------------------------------------------------------


def _kind(problem: Problem, parts: tuple[Linearisation, ...]) -> Kind:
    used = {k for p in parts for a in p.coefficients for k, order in enumerate(a.orders) if order}
    if len(used) <= 1:
        return "ordinary"
    if len(problem.equations) != len(problem.unknowns):
        return "other"
    frozen = _frozen(problem, parts)
    if problem.time is None or len(problem.coordinates) - 1 not in used:
        kinds = {_stationary_kind(m, len(problem.coordinates)) for m in frozen}
    else:
        kinds = {_evolution_kind(_wave_types(m, len(problem.coordinates))) for m in frozen}
    kinds.discard("degenerate")
    if len(kinds) == 1:
        return kinds.pop()  # type: ignore[return-value]
    return "mixed" if kinds else "other"


def _frozen(problem: Problem, parts: tuple[Linearisation, ...]) -> list[dict[Any, np.ndarray]]:
    """{orders: matrix (equations, unknowns)} at every sample point, in coordinates of unit size; equal ones once."""
    values, size = _Coefficients(problem, parts), len(problem.unknowns)
    lower, upper = problem.domain.bounds
    extents = np.asarray(upper) - np.asarray(lower)
    extents[: len(problem.space)] = _length(problem)
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


def _determinants(frozen: dict, directions: np.ndarray, degree: int) -> np.ndarray:
    """Coefficients (directions, degree + 1) of det M(s d) as a polynomial in s, by interpolation on the unit circle."""
    nodes = np.exp(2j * np.pi * np.arange(degree + 1) / (degree + 1))
    matrices: Any = 0.0
    for orders, m in frozen.items():
        factor = np.prod(directions[:, None, :] ** np.array(orders), axis=2) * nodes[None, :] ** sum(orders)
        matrices = matrices + factor[:, :, None, None] * m
    return np.fft.fft(np.linalg.det(matrices), axis=1) / (degree + 1)


def _directions(dim: int) -> np.ndarray:
    """Unit vectors: the axes, the diagonals and some more."""
    if dim == 2:
        angles = np.pi * np.arange(64) / 64
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)
    lattice = np.array([v for v in product((-2, -1, 0, 1, 2), repeat=dim) if any(v)], dtype=float)
    return lattice / np.linalg.norm(lattice, axis=1, keepdims=True)


def _degree(frozen: dict) -> int:
    size = next(iter(frozen.values())).shape[1]
    return size * max(sum(orders) for orders in frozen)


def _stationary_kind(frozen: dict, dim: int) -> str:
    """Type from the principal symbol: without real zeros elliptic, touching zero parabolic, crossing hyperbolic."""
    coefficients = np.real(_determinants(frozen, _directions(dim) * (1 + 0j), _degree(frozen)))
    sizes = np.abs(coefficients).max(axis=0)
    top = np.flatnonzero(sizes > TINY * sizes.max()) if sizes.max() else np.array([], dtype=int)
    if not len(top):
        return "degenerate"
    symbol = coefficients[:, top[-1]] / sizes[top[-1]]
    if symbol.max() > TINY and symbol.min() < -TINY:
        return "hyperbolic"
    return "elliptic" if np.abs(symbol).min() > TINY else "parabolic"


def _wave_types(frozen: dict, dim: int) -> set[str]:
    """How short waves behave in time: a subset of decaying, growing, oscillating, dispersive, still."""
    space = dim - 1
    found: set[str] = set()
    for direction in np.eye(space) if space > 1 else np.ones((1, 1)):
        tilted = direction + 0.31 * np.arange(1, space + 1) * (space > 1)
        roots = [np.sort_complex(_roots(frozen, s * tilted)) for s in WAVE_NUMBERS]
        if len(roots[0]) != len(roots[1]):
            return {"dispersive"}
        found |= {_wave_type(a, b) for a, b in zip(*roots, strict=True)}
    return found


def _wave_type(a: complex, b: complex) -> str:
    """From the root at one wave number and at twice that."""
    size = abs(b)
    if size < 1e-3:
        return "still"
    if abs(b.real) > 1e-9 * size and abs(b.real - a.real) > 0.2 * abs(b.real) > 1e-3:
        return "decaying" if b.real < 0 else "growing"
    if abs(b.imag - a.imag) <= 0.05 * abs(b.imag) or abs(b) < 1.0:
        return "still"
    return "oscillating" if abs(b) < 2.5 * abs(a) else "dispersive"


def _roots(frozen: dict, k: np.ndarray) -> np.ndarray:
    """Roots lambda of det M(lambda, i k) = 0, by a linearised generalised eigenvalue problem."""
    import scipy.linalg

    order = max(orders[-1] for orders in frozen)
    size = next(iter(frozen.values())).shape[1]
    blocks = [np.zeros((size, size), dtype=complex) for _ in range(order + 1)]
    for orders, m in frozen.items():
        blocks[orders[-1]] += np.prod((1j * k) ** np.array(orders[:-1])) * m
    unit = _time_scale(blocks)
    blocks = [b * unit**j for j, b in enumerate(blocks)]
    scale = np.maximum(sum(np.abs(b) for b in blocks).max(axis=1, keepdims=True), 1e-300)  # type: ignore[union-attr]
    blocks = [b / scale for b in blocks]
    A, B = np.zeros((size * order,) * 2, dtype=complex), np.eye(size * order, dtype=complex)
    A[: size * (order - 1), size:] = np.eye(size * (order - 1))
    A[size * (order - 1) :] = -np.hstack(blocks[:-1])
    B[size * (order - 1) :, size * (order - 1) :] = blocks[-1]
    alpha, beta = scipy.linalg.eig(A, B, right=False, homogeneous_eigvals=True)
    finite = np.abs(beta) > 1e-13 * np.maximum(np.abs(alpha), 1e-300)
    return unit * alpha[finite] / beta[finite]


def _time_scale(blocks: list[np.ndarray]) -> float:
    """A unit for lambda in which the first and the last coefficient are of one size."""
    first, last = (float(np.abs(b).max()) for b in (blocks[0], blocks[-1]))
    return (first / last) ** (1 / (len(blocks) - 1)) if first and last else 1.0


def _evolution_kind(types: set[str]) -> str:
    types = types - {"still"}
    if not types:
        return "ordinary"
    if types == {"decaying"}:
        return "parabolic"
    if types == {"oscillating"}:
        return "hyperbolic"
    if types == {"decaying", "growing"}:
        return "elliptic"
    if types <= {"decaying", "oscillating"}:
        return "mixed"
    return "other"


# --- convection -----------------------------------------------------------------------------------------


def _peclet(problem: Problem, parts: tuple[Linearisation, ...]) -> float | None:
    """Largest |b| L / diffusion over the equations that carry an unknown along and diffuse the same unknown."""
    if not problem.space or len(problem.equations) != len(problem.unknowns):
        return None
    entries, unknowns = _Coefficients(problem, parts).entry, range(len(problem.unknowns))
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
        return float(np.nanmax(np.where(diffusion > 0, speed * _length(problem) / diffusion, np.nan)))


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
