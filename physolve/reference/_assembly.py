"""Assembly of the weak form with quadratic elements on scikit-fem, and the sparse direct solution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sparse
import sympy

from ..errors import NumericalError
from ..spec import Program
from ._p2_field import P2Field
from ._trace import Trace, edge_trace, end_trace
from ._triangulation import Distance, Floats, Ints, Triangulation, projected
from ._weak import BoundaryForm, WeakForm, normals_of

_ORDER = 5  # of the quadrature in the elements


@dataclass(frozen=True, eq=False)
class Discretisation:
    """A scikit-fem mesh and quadratic element, with its boundary.

    `boundary` (k, 3) are the degrees of freedom of every boundary edge (start, end, middle; the domain to the
    left), or (2, 1) those of the ends of an interval; `labels` the number of the condition on each.
    """

    mesh: Any
    element: Any
    boundary: Ints
    labels: Ints

    def dofs_of(self, label: int) -> Ints:
        """Rows of `boundary` on which condition `label` holds."""
        return self.boundary[self.labels == label]


@dataclass(eq=False)
class System:
    """K u = f with u known at some degrees of freedom, equal at others, and perhaps one linear constraint."""

    matrix: sparse.csr_matrix
    load: Floats
    fixed: dict[int, float] = field(default_factory=dict)
    same: dict[int, int] = field(default_factory=dict)  # degree of freedom -> the one it equals
    constraint: tuple[Floats, float] | None = None


def curved(mesh: Triangulation, distance: Distance | None) -> Discretisation:
    """Quadratic triangles whose boundary edges' middles lie on the zero line of `distance` (None: straight)."""
    from dataclasses import replace

    from skfem import ElementTriP2, MeshTri1, MeshTri2

    made = MeshTri2.from_mesh(MeshTri1(np.ascontiguousarray(mesh.points.T), np.ascontiguousarray(mesh.triangles.T)))
    n = len(mesh.points)
    keys = np.sort(made.facets, axis=0).T @ [n, 1]
    order = np.argsort(keys)
    wanted = np.sort(mesh.boundary, axis=1) @ [n, 1]
    facets = order[np.searchsorted(keys[order], wanted)]
    middles = made.dofs.facet_dofs[0, facets]
    if distance is not None:
        locations = made.doflocs.copy()
        a, b = mesh.points[mesh.boundary[:, 0]], mesh.points[mesh.boundary[:, 1]]
        lengths = np.linalg.norm(b - a, axis=1)
        locations[:, middles] = projected((a + b) / 2, mesh.normals, lengths, distance).T
        made = replace(made, doflocs=locations)
    ends = made.dofs.nodal_dofs[0, mesh.boundary]
    return Discretisation(made, ElementTriP2(), np.column_stack([ends, middles]), mesh.labels)


def intervals(points: Floats, labels: Sequence[int]) -> Discretisation:
    """Quadratic elements between sorted points (n,) with the conditions of the left and the right end."""
    from skfem import ElementLineP2, MeshLine1

    k = np.arange(len(points) - 1)
    mesh = MeshLine1(np.ascontiguousarray(points[None, :]), np.stack([k, k + 1]))
    ends = mesh.dofs.nodal_dofs[0, [0, len(points) - 1]]
    return Discretisation(mesh, ElementLineP2(), ends[:, None], np.asarray(labels))


def assembled(space: Discretisation, weak: WeakForm, conditions: Sequence[BoundaryForm | None]) -> tuple[System, Any]:
    """The system of the weak form and the conditions (numbered as in `space.labels`), and scikit-fem's basis."""
    from skfem import Basis

    basis = Basis(space.mesh, space.element, intorder=_ORDER)
    system = System(*_interior(basis, weak))
    for label, condition in enumerate(conditions):
        dofs = space.dofs_of(label)
        if condition is None or len(dofs) == 0:
            continue
        if condition.is_dirichlet:
            _fix(system, basis, np.unique(dofs), weak, condition)
        else:
            _add_boundary(system, _trace(basis, dofs), weak, condition)
    return system, basis


def _columns(expressions: Sequence[sympy.Expr], symbols: Sequence[sympy.Symbol], arrays: Floats) -> list[Any]:
    """Each expression at the quadrature points: an array (elements, points), or None where it is zero."""
    wanted = [k for k, e in enumerate(expressions) if e != 0]
    found = Program([expressions[k] for k in wanted], symbols)(*arrays.reshape(len(arrays), -1))
    columns: list[Any] = [None] * len(expressions)
    for k, values in zip(wanted, found, strict=True):
        columns[k] = np.asarray(values, dtype=np.float64).reshape(arrays.shape[1:])
        if not np.isfinite(columns[k]).all():
            raise NumericalError(
                f"finite elements: the coefficient {expressions[k]} is not finite somewhere in the domain; "
                "remove its pole or the part of the domain that holds it"
            )
    return columns


def _interior(basis: Any, weak: WeakForm) -> tuple[sparse.csr_matrix, Floats]:
    from skfem import BilinearForm, LinearForm

    dim = range(len(weak.coordinates))
    pairs = [(i, j) for i in dim for j in dim]
    expressions = [*(weak.flux[i][j] for i, j in pairs), *weak.drift, weak.reaction, weak.source]
    values = _columns(expressions, weak.coordinates, np.asarray(basis.global_coordinates()))
    A, b = values[: len(pairs)], values[len(pairs) : -2]
    c, f = values[-2:]

    def operator(u: Any, v: Any, _: Any) -> Any:
        total = sum(-a * u.grad[j] * v.grad[i] for a, (i, j) in zip(A, pairs, strict=True) if a is not None)
        total += sum(b[i] * u.grad[i] * v for i in dim if b[i] is not None)
        return total if c is None else total + c * u * v

    matrix = BilinearForm(operator).assemble(basis)
    load = np.zeros(basis.N) if f is None else LinearForm(lambda v, _: f * v).assemble(basis)
    return matrix, load


def _fix(system: System, basis: Any, dofs: Ints, weak: WeakForm, condition: BoundaryForm) -> None:
    (values,) = _columns([condition.g / condition.alpha], weak.coordinates, basis.doflocs[:, dofs][:, :, None])
    flat = np.zeros(len(dofs)) if values is None else values[:, 0]
    system.fixed.update(zip(dofs.tolist(), flat.tolist(), strict=True))


def _trace(basis: Any, dofs: Ints) -> Trace:
    nodes = basis.doflocs.T
    if nodes.shape[1] == 2:
        return edge_trace(nodes, dofs)
    return end_trace(nodes, dofs, np.sign(nodes[dofs[:, 0], 0] - nodes.mean()))


def _add_boundary(system: System, trace: Trace, weak: WeakForm, condition: BoundaryForm) -> None:
    """Adds oint (n.A.grad u) v with n.A.grad(u) taken from alpha u + beta.grad(u) = g.

    With n, s the normal and the tangent: grad u = n u_n + s u_s, u_n = (g - alpha u - beta_s u_s) / beta_n,
    and n.A.grad u = q_n u_n + q_s u_s for q = A n.
    """
    n = normals_of(weak.coordinates)
    dim = range(len(n))
    q = [sum(weak.flux[i][j] * n[j] for j in dim) for i in dim]
    s = (-n[1], n[0]) if len(n) == 2 else ()
    q_s = sum((a * b for a, b in zip(q, s, strict=False)), sympy.S.Zero)
    beta_s = sum((a * b for a, b in zip(condition.beta, s, strict=False)), sympy.S.Zero)
    q_n = sum(a * b for a, b in zip(q, n, strict=True))
    beta_n = sum(a * b for a, b in zip(condition.beta, n, strict=True))
    arrays = np.concatenate([trace.points, trace.normals])
    expressions = [condition.alpha, condition.g, q_n, beta_n, q_s, beta_s]
    alpha, g, q_n, beta_n, q_s, beta_s = (
        np.zeros(arrays.shape[1:]) if c is None else c for c in _columns(expressions, (*weak.coordinates, *n), arrays)
    )
    if np.abs(beta_n).min() < 1e-10 * np.abs(beta_n).max() or not beta_n.any():
        raise NumericalError(
            "finite elements: the normal derivative's coefficient in a boundary condition vanishes somewhere; state a "
            "Dirichlet condition there"
        )
    ratio = q_n / beta_n
    slope = q_s - ratio * beta_s

    system.matrix = system.matrix + trace.matrix(-ratio * alpha, slope, len(system.load))
    system.load = system.load - trace.load(ratio * g, len(system.load))


def solved(system: System) -> tuple[Floats, float]:
    """All degrees of freedom, and the constraint's multiplier (0 without one).

    Raises NumericalError when the system is singular.
    """
    n = len(system.load)
    same = {a: b for a, b in system.same.items() if a not in system.fixed and b not in system.fixed}
    known = np.zeros(n)
    fixed = dict(system.fixed)
    fixed.update({a: fixed[b] for a, b in system.same.items() if b in fixed and a not in fixed})
    fixed.update({b: fixed[a] for a, b in system.same.items() if a in fixed and b not in fixed})
    known[list(fixed)] = list(fixed.values())
    root = np.arange(n)
    for a, b in same.items():
        root[a] = b
    for _ in range(3):  # corners of doubly periodic domains
        root = root[root]
    free = np.ones(n, bool)
    free[list(fixed)] = False
    masters = np.flatnonzero(free & (root == np.arange(n)))
    column = np.full(n, -1)
    column[masters] = np.arange(len(masters))
    rows = np.flatnonzero(free)
    T = sparse.csr_matrix((np.ones(len(rows)), (rows, column[root[rows]])), shape=(n, len(masters)))
    K, f = T.T @ system.matrix @ T, T.T @ (system.load - system.matrix @ known)
    if system.constraint is None:
        return known + T @ _direct(K, f), 0.0
    row, value = system.constraint
    border = sparse.csr_matrix((T.T @ row)[:, None])
    K = sparse.bmat([[K, border], [border.T, None]])
    y = _direct(K, np.append(f, value - row @ known))
    return known + T @ y[:-1], float(y[-1])


def _direct(matrix: Any, load: Floats) -> Floats:
    """Sparse LU; first with an ordering for symmetric patterns, then, if that is inaccurate, with full pivoting."""
    from scipy.sparse.linalg import splu

    A = sparse.csc_matrix(matrix)
    scale = np.abs(load).max() + abs(A).max() * 1e-30
    for options in (
        {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.01, "options": {"SymmetricMode": True}},
        {"permc_spec": "COLAMD"},
    ):
        try:
            factors = splu(A, **options)
        except RuntimeError:
            continue
        y = factors.solve(load)
        y = y + factors.solve(load - A @ y)
        if np.isfinite(y).all() and np.abs(load - A @ y).max() <= 1e-8 * scale + 1e-11 * abs(A).max() * np.abs(y).max():
            return y
    raise NumericalError(
        "finite elements: the linear system is singular; the problem has no unique solution "
        "(a missing condition, or an eigenvalue of the operator is hit)"
    )


def p2_field(basis: Any, values: Floats) -> P2Field:
    """The finite-element function as an object that evaluates itself."""
    return P2Field(basis.doflocs.T.copy(), basis.element_dofs.T.astype(np.int64), values)


def norm(basis: Any, values: Floats) -> float:
    """L2 norm over the domain of the finite-element function with these degrees of freedom."""
    return float(np.sqrt(np.sum(np.asarray(basis.interpolate(values)) ** 2 * basis.dx)))
