"""The type of equations with frozen coefficients, from plane waves.

With M(lambda, k) the matrix of the equations on exp(i k.x + lambda t), frozen at a point:

- without time, the part of det M of highest degree in k is the principal symbol (for Douglis-Nirenberg systems too);
- with time, the roots lambda of det M = 0 for short waves tell: all decay ever faster - parabolic; all oscillate with
  lambda ~ |k| - hyperbolic; decaying and growing ones - elliptic; growing ones only - ill posed.

`frozen` maps the orders of a derivative to the matrix (equations, unknowns) of its coefficients.
"""

from itertools import product
from typing import Any

import numpy as np

TINY = 1e-9

WAVE_NUMBERS = (1e4, 2e4)
"""Of short waves, in units of one over the domain: diffusion of 1e-6 of the convection shows."""


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


def stationary_kind(frozen: dict, dim: int) -> str:
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


def wave_types(frozen: dict, dim: int) -> set[str]:
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
    if not order:
        return np.zeros(0, dtype=complex)  # nothing evolves
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


def evolution_kind(types: set[str]) -> str:
    """Type from how short waves behave."""
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
