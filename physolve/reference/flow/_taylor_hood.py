"""Quadratic velocities and linear pressures on curved triangles, as sparse operators to the quadrature points.

With V (values), D_x, D_y (slopes) and W (weights) at the quadrature points, every form is a product of
sparse matrices: the mass V'WV, the stiffness D_x'WD_x + D_y'WD_y, and the transport V'W (u_x D_x + u_y D_y), which
is applied without being assembled.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sparse
from jaxtyping import Float

from .._assembly import Discretisation
from .._triangulation import Floats, Ints

_ORDER = 5  # of the quadrature: u (2) times grad u (1) times the test function (2) on straight triangles


@dataclass(frozen=True, eq=False)
class TaylorHood:
    """P2-P1 on a mesh; n velocity nodes, of which the first m are the vertices, where the pressure lives.

    Attributes:
        space: mesh, quadratic element, and boundary with its labels.
        points: (n, 2) places of the velocity nodes.
        values, pressures: (q, n), (q, m) values at the quadrature points.
        slopes: two (q, n), derivatives by x and y there.
        weights: (q,) of the quadrature.
    """

    space: Discretisation
    points: Floats
    values: sparse.csr_matrix
    pressures: sparse.csr_matrix
    slopes: tuple[sparse.csr_matrix, sparse.csr_matrix]
    weights: Floats

    @classmethod
    def on(cls, space: Discretisation) -> TaylorHood:
        """The operators on a mesh of quadratic triangles."""
        from skfem import Basis, ElementTriP1

        basis = Basis(space.mesh, space.element, intorder=_ORDER)
        linear = basis.with_element(ElementTriP1())
        return cls(
            space,
            np.ascontiguousarray(basis.doflocs.T),
            _operator(basis, lambda f: np.asarray(f)),
            _operator(linear, lambda f: np.asarray(f)),
            (_operator(basis, lambda f: f.grad[0]), _operator(basis, lambda f: f.grad[1])),
            np.asarray(basis.dx).ravel(),
        )

    @property
    def vertices(self) -> Floats:
        """(m, 2)."""
        return self.points[: self.pressures.shape[1]]

    @property
    def triangles(self) -> Ints:
        """(cells, 3) numbers of the vertices."""
        return np.ascontiguousarray(self.space.mesh.t.T, dtype=np.int64)

    @cached_property
    def mass(self) -> sparse.csr_matrix:
        """(n, n), of one component."""
        return (self.tested @ self.values).tocsr()

    @cached_property
    def stiffness(self) -> sparse.csr_matrix:
        """(n, n), of one component."""
        dx, dy = (d.T @ sparse.diags(self.weights) @ d for d in self.slopes)
        return (dx + dy).tocsr()

    @cached_property
    def divergence(self) -> sparse.csr_matrix:
        """(m, 2 n): minus the divergence against every pressure; its transpose is the pressure's gradient."""
        weighted = self.pressures.T @ sparse.diags(-self.weights)
        return sparse.hstack([weighted @ d for d in self.slopes]).tocsr()

    def transport(self, u: Float[np.ndarray, "2 n"]) -> sparse.csr_matrix:
        """(q, n): (u . grad) v + (div u) v / 2 at the quadrature points, for a component v.

        The second term is zero for the exact solution; with it transport keeps the energy also by velocities that are
        free of divergence only against the pressures (Temam 1968).
        """
        at, (dx, dy) = self._at_points(u)
        factors = at[:, 0], at[:, 1], 0.5 * (dx[:, 0] + dy[:, 1])
        lengths = np.diff(self.values.indptr)
        entries = sum(
            np.repeat(factor, lengths) * operator.data
            for factor, operator in zip(factors, (*self.slopes, self.values), strict=True)
        )
        return sparse.csr_matrix((entries, self.values.indices, self.values.indptr), shape=self.values.shape)

    @cached_property
    def tested(self) -> sparse.csr_matrix:
        """(n, q): values at the quadrature points against every test function."""
        return (self.values.T @ sparse.diags(self.weights)).tocsr()

    def convection(self, u: Float[np.ndarray, "2 n"]) -> Float[np.ndarray, "2 n"]:
        """u transported by itself, against every test function."""
        return np.ascontiguousarray((self.tested @ (self.transport(u) @ u.T)).T)

    def convection_slope(self, u: Float[np.ndarray, "2 n"]) -> sparse.csr_matrix:
        """(2 n, 2 n): the derivative of `convection` at u."""
        at, along = self._at_points(u)
        of_wind = [
            [self._tested(along[j][:, i], self.values) + self._tested(0.5 * at[:, i], self.slopes[j]) for j in range(2)]
            for i in range(2)
        ]
        moved = self.tested @ self.transport(u)
        return (sparse.bmat(of_wind) + sparse.block_diag([moved, moved])).tocsr()

    def _at_points(self, u: Floats) -> tuple[Floats, tuple[Floats, Floats]]:
        """Velocity (q, 2), and its derivatives by x and y, each (q, 2)."""
        nodes = np.ascontiguousarray(u.T)
        return self.values @ nodes, (self.slopes[0] @ nodes, self.slopes[1] @ nodes)

    def _tested(self, factor: Floats, operator: sparse.csr_matrix) -> sparse.csr_matrix:
        return self.tested @ sparse.diags(factor) @ operator


def _operator(basis: Any, of: Any) -> sparse.csr_matrix:
    """(q, n) from the basis functions' fields: what `of` takes of them at every quadrature point."""
    cells, points = basis.dx.shape
    rows = np.arange(cells * points).reshape(cells, points)
    entries = [np.broadcast_to(of(function[0]), (cells, points)).ravel() for function in basis.basis]
    columns = [np.repeat(dofs, points) for dofs in basis.element_dofs]
    shape = (cells * points, basis.N)
    where = (np.tile(rows.ravel(), len(entries)), np.concatenate(columns))
    made = sparse.csr_matrix((np.concatenate(entries), where), shape=shape)
    made.sort_indices()  # so that the operators of one space have their entries in the same places
    return made
