"""From a problem's residual to the coefficients of its weak form, symbolically.

The residual of a linear scalar problem of second order is

    A_ij u_ij + B_i u_i + C u - f,    A symmetric,

with coefficients that depend on the coordinates. Multiplied by v and integrated by parts it is

    int -A_ij u_j v_i + (B_i - d_j A_ij) u_i v + C u v  +  oint (n_i A_ij u_j) v  =  int f v.

A boundary condition alpha u + beta . grad(u) = g is read the same way; where it has a part of beta along the
normal it gives n.A.grad(u), else it is a Dirichlet condition u = g / alpha.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy
from sympy.core.function import AppliedUndef

from ..errors import UnsupportedError
from ..spec import Condition, Problem, normal

Exprs = tuple[sympy.Expr, ...]


@dataclass(frozen=True)
class WeakForm:
    """Coefficients above as expressions in the coordinates: `flux` = A (dim x dim), `drift` = B - div A."""

    coordinates: tuple[sympy.Symbol, ...]
    flux: tuple[Exprs, ...]
    drift: Exprs
    reaction: sympy.Expr
    source: sympy.Expr


@dataclass(frozen=True)
class BoundaryForm:
    """alpha u + beta . grad(u) = g on the boundary, in the coordinates and the normal's components."""

    alpha: sympy.Expr
    beta: Exprs
    g: sympy.Expr

    @property
    def is_dirichlet(self) -> bool:
        """Whether no derivative occurs."""
        return all(b == 0 for b in self.beta)


def weak_form(problem: Problem) -> WeakForm:
    """The weak form of a linear scalar second-order problem in space.

    Raises UnsupportedError with the reason for any other problem.
    """
    u = _single_unknown(problem)
    coords = tuple(problem.coordinates)
    terms = _linear_terms(problem.residuals[0], u, "the equation")
    if any(sum(orders) > 2 for orders in terms.coefficients):
        raise UnsupportedError("finite elements: the equation has derivatives of order 3 or more; P2 elements do 2")
    A = _second_order(terms, coords)
    if all(a == 0 for row in A for a in row):
        raise UnsupportedError("finite elements: the equation has no second derivative; P2 elements need one")
    B = [terms.coefficient(_unit(coords, i)) for i in range(len(coords))]
    drift = tuple(
        sympy.expand(B[i] - sum(sympy.diff(A[i][j], coords[j]) for j in range(len(coords)))) for i in range(len(coords))
    )
    return WeakForm(coords, A, drift, terms.coefficient((0,) * len(coords)), -terms.rest)


def boundary_form(condition: Condition, u: AppliedUndef, coords: tuple[sympy.Symbol, ...]) -> BoundaryForm:
    """The single equation of a boundary condition; raises UnsupportedError for one that is not of first order."""
    equations = condition.equations(coords)
    if len(equations) != 1:
        raise UnsupportedError(
            f"finite elements: a {condition.kind} condition of {len(equations)} equations; expected 1"
        )
    terms = _linear_terms(equations[0], u, f"the {condition.kind} condition")
    if any(sum(orders) > 1 for orders in terms.coefficients):
        raise UnsupportedError(
            f"finite elements: the {condition.kind} condition has second derivatives; expected first"
        )
    beta = tuple(terms.coefficient(_unit(coords, i)) for i in range(len(coords)))
    form = BoundaryForm(terms.coefficient((0,) * len(coords)), beta, -terms.rest)
    if form.is_dirichlet and form.alpha == 0:
        raise UnsupportedError(f"finite elements: the {condition.kind} condition does not contain the unknown")
    return form


def normals_of(coords: tuple[sympy.Symbol, ...]) -> tuple[sympy.Symbol, ...]:
    """Symbols of the outward normal's components."""
    return normal(*coords)


def _single_unknown(problem: Problem) -> AppliedUndef:
    if problem.time is not None:
        raise UnsupportedError("finite elements: the problem depends on time; the reference solves steady ones")
    if len(problem.unknowns) != 1 or len(problem.residuals) != 1:
        raise UnsupportedError(
            f"finite elements: {len(problem.residuals)} equations for {len(problem.unknowns)} unknowns; "
            "the reference solves one equation for one scalar"
        )
    if problem.parameters:
        names = ", ".join(p.name for p in problem.parameters)
        raise UnsupportedError(f"finite elements: unknown parameters ({names}); the reference solves forward problems")
    if len(problem.coordinates) > 2:
        raise UnsupportedError("finite elements: three space dimensions; the reference solves one and two")
    return problem.unknowns[0]


@dataclass(frozen=True)
class _Terms:
    """sum_orders coefficient * (derivative of u of these orders) + rest."""

    coefficients: dict[tuple[int, ...], sympy.Expr]
    rest: sympy.Expr

    def coefficient(self, orders: tuple[int, ...]) -> sympy.Expr:
        return self.coefficients.get(orders, sympy.S.Zero)


def _linear_terms(expression: sympy.Expr, u: AppliedUndef, item: str) -> _Terms:
    """Splits an expression that is linear in u and its derivatives."""
    expression = sympy.sympify(expression).doit()
    atoms = [a for a in expression.atoms(sympy.Derivative) if a.expr == u]
    symbols = {atom: sympy.Dummy(f"j{k}", real=True) for k, atom in enumerate([*atoms, u])}
    # derivatives first: u is inside them
    plain = expression.xreplace({a: symbols[a] for a in atoms}).xreplace({u: symbols[u]})
    found = {_orders(atom, u): sympy.diff(plain, symbol) for atom, symbol in symbols.items()}
    if any(c.has(*symbols.values()) for c in map(sympy.expand, found.values())):
        raise UnsupportedError(
            f"finite elements: {item} is not linear in the unknown; the reference solves linear problems"
        )
    rest = plain.xreplace(dict.fromkeys(symbols.values(), sympy.S.Zero))
    return _Terms({orders: sympy.expand(c) for orders, c in found.items() if sympy.expand(c) != 0}, rest)


def _orders(atom: sympy.Expr, u: AppliedUndef) -> tuple[int, ...]:
    counts = dict(atom.variable_count) if isinstance(atom, sympy.Derivative) else {}
    return tuple(int(counts.get(s, 0)) for s in u.args)


def _unit(coords: Sequence[sympy.Symbol], i: int, j: int | None = None) -> tuple[int, ...]:
    return tuple(int(k == i) + int(k == j) for k in range(len(coords)))


def _second_order(terms: _Terms, coords: Sequence[sympy.Symbol]) -> tuple[Exprs, ...]:
    dim = range(len(coords))
    return tuple(tuple(terms.coefficient(_unit(coords, i, j)) / (1 if i == j else 2) for j in dim) for i in dim)
