"""The unknowns and their derivatives in an expression, as (unknown, orders per coordinate)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sympy
from sympy.core.function import AppliedUndef

from ._symbols import is_unknown


class Atom(NamedTuple):
    """Derivative of the unknown `unknown` (an index), `orders[k]` times along coordinate k."""

    unknown: int
    orders: tuple[int, ...]

    @property
    def order(self) -> int:
        return sum(self.orders)


def atoms_of(
    expressions: Any, unknowns: Sequence[AppliedUndef], coords: Sequence[sympy.Symbol]
) -> dict[sympy.Expr, Atom]:
    """Every unknown and every derivative of one in the expressions, by its sympy node, in order of appearance.

    A derivative contains its unknown only if the unknown also stands by itself.
    """
    index = {u: i for i, u in enumerate(unknowns)}
    found: dict[sympy.Expr, Atom] = {}
    for expression in expressions if isinstance(expressions, (tuple, list)) else (expressions,):
        walk = sympy.preorder_traversal(expression)
        for node in walk:
            if isinstance(node, sympy.Derivative) and node.expr in index:
                counts = dict(node.variable_count)
                found.setdefault(node, Atom(index[node.expr], tuple(int(counts.get(s, 0)) for s in coords)))
                walk.skip()
            elif is_unknown(node) and node in index:
                found.setdefault(node, Atom(index[node], (0,) * len(coords)))
                walk.skip()
    return found


class Linearisation(NamedTuple):
    """Gateaux derivative of an expression: the coefficient of every atom, in placeholder symbols of the atoms."""

    coefficients: dict[Atom, sympy.Expr]
    placeholders: dict[sympy.Symbol, Atom]

    @property
    def linear(self) -> bool:
        """Whether the expression is affine in all unknowns together."""
        return not any(c.free_symbols & self.placeholders.keys() for c in self.coefficients.values())


def linearise(
    expression: sympy.Expr, unknowns: Sequence[AppliedUndef], coords: Sequence[sympy.Symbol]
) -> Linearisation:
    """Derivatives of `expression` with respect to every atom in it."""
    atoms = atoms_of(expression, unknowns, coords)
    symbols = {node: sympy.Dummy(f"a{i}", real=True) for i, node in enumerate(atoms)}
    plain = expression.xreplace(symbols)
    own = set(symbols.values())
    coefficients = {}
    for node, atom in atoms.items():
        coefficient = sympy.diff(plain, symbols[node])
        if coefficient.free_symbols & own:
            coefficient = sympy.expand(coefficient)  # what cancels, as in (u + 1)^2 - u^2, is linear
        if coefficient != 0:
            coefficients[atom] = coefficient
    return Linearisation(coefficients, {symbols[node]: atom for node, atom in atoms.items()})
