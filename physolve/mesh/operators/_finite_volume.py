"""The gradient on median-dual volumes of a mesh of simplices, which conserves fluxes.

Around every node lies the volume V_i, a (dim + 1)-th of each simplex it belongs to. Gauss's theorem on it, with the
field linear on simplices, gives (grad u)_i = sum_T |T| grad u_T / sum_T |T| over the simplices T around node i. Exact
for linear fields, errors O(h), O(h^2) inside regular meshes. What it conserves: sum_i V_i (div v)_i is the flux of the
interpolated v through the mesh's boundary, to rounding.
"""

import math
from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from physolve.errors import SpecificationError

from ._stencil import NodeGradient, Stencil

_SIMPLEX = {1: "line", 2: "triangle", 3: "tetra"}


def finite_volume_gradient(
    points: Float[np.ndarray, "n dim"], cells: Mapping[str, NDArray[np.integer]]
) -> NodeGradient:
    """The gradient at nodes of a mesh of lines, triangles or tetrahedra.

    Raises SpecificationError for other cells, flat ones, and nodes without cells.
    """
    simplices, volumes, slopes = _simplices(points, cells)
    corners = simplices.shape[1]
    around = _around(simplices, volumes, len(points))
    row = np.repeat(simplices, corners, axis=1).ravel()
    node = np.tile(simplices, (1, corners)).ravel()
    weights = np.tile(volumes[:, None, None] * slopes, (1, corners, 1)).reshape(-1, points.shape[1]) / around[row, None]
    return NodeGradient(Stencil(torch.from_numpy(row), torch.from_numpy(node), torch.from_numpy(weights), len(points)))


def dual_volumes(points: Float[np.ndarray, "n dim"], cells: Mapping[str, NDArray[np.integer]]) -> Float[Tensor, " n"]:
    """V_i: the part of the domain that is a node's; their sum is the domain's volume. Raises as
    `finite_volume_gradient`."""
    simplices, volumes, _ = _simplices(points, cells)
    return torch.from_numpy(_around(simplices, volumes, len(points)) / simplices.shape[1])


def _simplices(
    points: NDArray[np.floating], cells: Mapping[str, NDArray[np.integer]]
) -> tuple[NDArray[np.signedinteger], NDArray[np.floating], NDArray[np.floating]]:
    """Simplices (m, dim + 1), their volumes (m,), and gradients of the corners' hat functions (m, dim + 1, dim)."""
    dim = points.shape[1]
    kind = _SIMPLEX[dim]
    lower = ("vertex", *list(_SIMPLEX.values())[:dim])  # a mesh may hold its boundary's cells as well
    others = [name for name, block in cells.items() if name not in lower and len(block)]
    if others or not len(cells.get(kind, ())):
        raise SpecificationError(
            f"finite-volume gradient: got the cells {', '.join(cells) or 'none'} in {dim}-D, expected {kind};"
            " triangulate, or take least_squares_gradient"
        )
    simplices = np.asarray(cells[kind], dtype=np.int64)
    x = np.asarray(points, dtype=np.float64)[simplices]
    edges = x[:, 1:] - x[:, :1]  # rows are edges
    volumes = np.abs(np.linalg.det(edges)) / math.factorial(dim)
    if not np.all(volumes > 1e-14 * volumes.max()):
        k = int(np.argmin(volumes))
        raise SpecificationError(f"finite-volume gradient: {kind} {k} of nodes {simplices[k].tolist()} is flat")
    slopes = np.linalg.inv(edges).transpose(0, 2, 1)  # hat functions of corners 1, 2, ...
    return simplices, volumes, np.concatenate([-slopes.sum(1, keepdims=True), slopes], 1)


def _around(simplices: NDArray[np.signedinteger], volumes: NDArray[np.floating], nodes: int) -> NDArray[np.floating]:
    """Volume of all simplices around every node."""
    around = np.zeros(nodes)
    np.add.at(around, simplices.ravel(), np.repeat(volumes, simplices.shape[1]))
    if not around.all():
        node = int(np.argmin(around))
        raise SpecificationError(f"finite-volume gradient: node {node} belongs to no cell; remove such nodes")
    return around
