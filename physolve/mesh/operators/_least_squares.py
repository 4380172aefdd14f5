"""Derivatives at nodes by fitting a polynomial to the neighbours.

At node i the derivatives p minimise sum_j |x_j - x_i|^-2 (u_j - u_i - phi(x_j - x_i) . p)^2, phi the terms of a Taylor
polynomial without its constant. Fits of degree 1 are exact for linear fields, with errors O(h) of the gradient; fits of
degree 2 for quadratic ones, with O(h^2) and, of second derivatives, O(h).
"""

import itertools

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray

from physolve.errors import SpecificationError

from .._augmentations import KHop
from ._stencil import NodeGradient, NodeLaplacian, Stencil

RANK_TOLERANCE = 1e-9  # of the smallest over the largest eigenvalue of a scaled normal matrix


def least_squares_gradient(
    points: Float[np.ndarray, "n dim"], mesh: Int[np.ndarray, "2 edges"], degree: int = 1
) -> NodeGradient:
    """The gradient by fits of degree 1 to the neighbours, or of degree 2 to neighbours' neighbours too.

    `mesh` holds every mesh edge in both directions. Raises SpecificationError for another degree, and for a node whose
    neighbours do not determine a fit (too few, or all on a line).
    """
    row, node, fits = _fits(points, mesh, degree)
    return NodeGradient(_stencil(row, node, fits[:, : points.shape[1]], len(points)))


def least_squares_laplacian(points: Float[np.ndarray, "n dim"], mesh: Int[np.ndarray, "2 edges"]) -> NodeLaplacian:
    """The Laplacian by fits of degree 2; arguments and errors as of `least_squares_gradient`."""
    row, node, fits = _fits(points, mesh, 2)
    pure = [k for k, axes in enumerate(_terms(points.shape[1], 2)) if len(axes) == 2 and axes[0] == axes[1]]
    return NodeLaplacian(_stencil(row, node, fits[:, pure].sum(1, keepdims=True), len(points)))


def _terms(dim: int, degree: int) -> list[tuple[int, ...]]:
    """Axes of every derivative that is fitted: (0,), (1,), then (0, 0), (0, 1), (1, 1)."""
    return [axes for d in range(1, degree + 1) for axes in itertools.combinations_with_replacement(range(dim), d)]


def _fits(points: NDArray[np.floating], mesh: NDArray[np.integer], degree: int) -> tuple[NDArray, NDArray, NDArray]:
    """Rows and nodes of the stencil, and the weight of the node's difference in every derivative (edges, terms)."""
    if degree not in (1, 2):
        raise SpecificationError(f"least-squares gradient: got degree {degree}, expected 1 or 2")
    points = np.asarray(points, dtype=np.float64)
    if not np.isfinite(points).all():
        node = int(np.argmin(np.isfinite(points).all(1)))
        raise SpecificationError(f"least-squares gradient: node {node} is at {points[node].tolist()}, expected numbers")
    edges = mesh if degree == 1 else KHop(2).edges(points, np.asarray(mesh, dtype=np.int64))
    edges = edges[:, edges[0] != edges[1]]
    row, node = edges[:, np.lexsort((edges[1], edges[0]))]
    step = points[node] - points[row]
    if (same := ~step.any(1)).any():
        first, second = int(row[same][0]), int(node[same][0])
        raise SpecificationError(
            f"least-squares gradient: nodes {first} and {second} are both at {points[first].tolist()}; join them"
        )
    size = _largest_step(row, step, len(points))
    terms = _terms(points.shape[1], degree)
    phi = _taylor(step / size[row, None], terms)
    weighted = phi / np.sum((step / size[row, None]) ** 2, 1, keepdims=True)
    normal = _sums(row, weighted[:, :, None] * phi[:, None, :], len(points))
    _check_rank(normal, points)
    fits = np.einsum("eij,ej->ei", np.linalg.inv(normal)[row], weighted)
    return row, node, fits / size[row, None] ** [len(axes) for axes in terms]


def _taylor(step: NDArray[np.float64], terms: list[tuple[int, ...]]) -> NDArray[np.float64]:
    """Terms of the polynomial, so that coefficients are derivatives: a pure square is halved."""
    columns = [step[:, list(axes)].prod(1) / (2 if len(axes) == 2 and axes[0] == axes[1] else 1) for axes in terms]
    return np.stack(columns, 1)


def _largest_step(row: NDArray[np.integer], step: NDArray[np.float64], nodes: int) -> NDArray[np.float64]:
    size = np.zeros(nodes)
    np.maximum.at(size, row, np.linalg.norm(step, axis=1))
    return np.where(size > 0, size, 1.0)


def _sums(row: NDArray[np.integer], values: NDArray[np.float64], nodes: int) -> NDArray[np.float64]:
    """Sums of the values of every row; rows ascend, and may be missing."""
    sums = np.zeros((nodes, *values.shape[1:]))
    there, first = np.unique(row, return_index=True)
    if len(there):
        sums[there] = np.add.reduceat(values, first, axis=0)
    return sums


def _check_rank(normal: NDArray[np.float64], points: NDArray[np.float64]) -> None:
    eigenvalues = np.linalg.eigvalsh(normal)
    bad = eigenvalues[:, 0] <= RANK_TOLERANCE * eigenvalues[:, -1]
    if bad.any():
        node = int(np.argmax(bad))
        raise SpecificationError(
            f"least-squares gradient: {int(bad.sum())} nodes have too few neighbours, or all on a line, first node"
            f" {node} at {points[node].tolist()}; remove nodes without cells, or lower the degree"
        )


def _stencil(row: NDArray, node: NDArray, weights: NDArray[np.float64], nodes: int) -> Stencil:
    """Differences u_j - u_i as a stencil: the node itself gets minus the sum."""
    itself = np.arange(nodes)
    rows, others = np.concatenate([row, itself]), np.concatenate([node, itself])
    together = np.concatenate([weights, -_sums(row, weights, nodes)])
    return Stencil(torch.from_numpy(rows).long(), torch.from_numpy(others).long(), torch.from_numpy(together), nodes)
