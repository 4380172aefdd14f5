"""Quadrature along the boundary of a quadratic mesh.

The trace of a quadratic function on an edge depends on the edge's three nodes only, and so does its
tangential derivative. (Tried scikit-fem's facet bases: they invert the element's mapping by Newton's method
to an absolute tolerance, which fails on the tiny elements of graded meshes.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from ._p2_field import line_shapes, line_slopes
from ._triangulation import Floats, Ints

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(4)


@dataclass(frozen=True, eq=False)
class Trace:
    """Attributes:
    dofs: (k, 3) numbers of the start, end and middle of each edge, or (k, 1) for end points of intervals.
    points, normals: (dim, k, q) at the quadrature points.
    weights: (k, q).
    shapes, slopes: (k, q, nodes) shape functions and their tangential derivatives.
    """

    dofs: Ints
    points: Floats
    normals: Floats
    weights: Floats
    shapes: Floats
    slopes: Floats

    def matrix(self, c: Floats, slope: Floats, n: int) -> sparse.csr_matrix:
        """oint (c u + slope u_s) v as an (n, n) matrix; coefficients (k, q)."""
        trial = c[..., None] * self.shapes + slope[..., None] * self.slopes
        local = np.einsum("kq,kqi,kqj->kij", self.weights, self.shapes, trial)
        rows = np.broadcast_to(self.dofs[:, :, None], local.shape).ravel()
        columns = np.broadcast_to(self.dofs[:, None, :], local.shape).ravel()
        return sparse.coo_matrix((local.ravel(), (rows, columns)), shape=(n, n)).tocsr()

    def load(self, g: Floats, n: int) -> Floats:
        """oint g v as an (n,) vector."""
        local = np.einsum("kq,kq,kqi->ki", self.weights, g, self.shapes)
        return np.bincount(self.dofs.ravel(), local.ravel(), minlength=n).astype(np.float64)


def edge_trace(nodes: Floats, dofs: Ints) -> Trace:
    """Of edges (k, 3) that have the domain to their left; `nodes` (n, 2)."""
    s, w = (_POINTS + 1) / 2, _WEIGHTS / 2
    N, dN = line_shapes(s), line_slopes(s)
    points = np.einsum("qn,kni->ikq", N, nodes[dofs])
    along = np.einsum("qn,kni->ikq", dN, nodes[dofs])
    speed = np.hypot(*along)
    normals = np.stack([along[1], -along[0]]) / speed
    shapes = np.broadcast_to(N, (len(dofs), *N.shape))
    return Trace(dofs, points, normals, w * speed, shapes, dN / speed[..., None])


def end_trace(nodes: Floats, dofs: Ints, outward: Floats) -> Trace:
    """Of end points (k, 1) with outward directions (k,) of +1 or -1; `nodes` (n, 1)."""
    k = len(dofs)
    one = np.ones((k, 1, 1))
    return Trace(dofs, nodes[dofs].transpose(2, 0, 1), outward[None, :, None], np.ones((k, 1)), one, 0 * one)
