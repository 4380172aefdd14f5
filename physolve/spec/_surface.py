"""Derivatives of functions with branches: branch by branch, and a `Jump` where these may not meet."""

from __future__ import annotations

from typing import Any, cast

import sympy
from sympy.core.relational import Equality, Relational, Unequality

STEPS = (sympy.sign, sympy.Heaviside, sympy.floor, sympy.ceiling)
"""Constant between their jumps."""

BRANCHED = (sympy.Piecewise, sympy.Abs, sympy.Min, sympy.Max, *STEPS)


class Jump(sympy.Function):
    """The jump of an expression across surface = 0 times the delta function of that surface, or with a third argument
    above 0 part of a derivative of it. It is zero away from the surface, and zero everywhere if the branches meet.
    """

    is_real = True

    @property
    def expression(self) -> sympy.Expr:
        """What may jump."""
        return cast(sympy.Expr, self.args[0])

    @property
    def surface(self) -> sympy.Expr:
        """Zero where it may."""
        return cast(sympy.Expr, self.args[1])

    def _eval_derivative(self, s: sympy.Symbol) -> sympy.Expr:
        expression, surface, order = self.args
        return Jump(expression, surface, order + 1) if surface.has_free(s) else sympy.S.Zero  # type: ignore[operator]


def derivative(expression: sympy.Expr, *coords: sympy.Symbol | int) -> sympy.Expr:
    """The partial derivative, along coordinates that an order may follow, with its `Jump`s."""
    if not expression.has(*BRANCHED):
        return sympy.diff(expression, *coords)
    for s in _one_by_one(coords):
        expression = _once(expression, s)
    return expression


def branches(expression: Any) -> Any:
    """The expression or matrix without its jumps, as it is within the branches."""
    found = expression.atoms(Jump) if expression.has(Jump) else ()
    return expression.xreplace(dict.fromkeys(found, sympy.S.Zero)) if found else expression


def _one_by_one(coords: tuple[sympy.Symbol | int, ...]) -> list[sympy.Symbol]:
    along: list[sympy.Symbol] = []
    for c in coords:
        if isinstance(c, sympy.Symbol):
            along.append(c)
        else:
            along[-1:] = along[-1:] * int(c)
    return along


def _once(expression: sympy.Expr, s: sympy.Symbol) -> sympy.Expr:
    # Steps are constants within a branch; sympy would leave delta functions even of x*sign(x), which is continuous.
    constants = {node: sympy.Dummy(real=True) for node in expression.atoms(*STEPS)}
    within = sympy.diff(expression.xreplace(constants), s)
    within = within.xreplace({constant: node for node, constant in constants.items()})
    plain = branches(expression)
    jumps = (Jump(plain, surface, 0) for surface in surfaces(plain) if surface.has_free(s))
    return sympy.Add(within, *jumps)


def surfaces(expression: sympy.Expr) -> list[sympy.Expr]:
    """What is zero where the expression may go over to another branch."""
    found = [node.args[0] for node in expression.atoms(sympy.sign, sympy.Heaviside)]
    found += [sympy.sin(sympy.pi * node.args[0]) for node in expression.atoms(sympy.floor, sympy.ceiling)]
    for cases in expression.atoms(sympy.Piecewise):
        for _, condition in cases.args:
            for r in condition.atoms(Relational):
                if not isinstance(r, Equality | Unequality):  # another value at single points is no jump
                    found.append(r.lhs - r.rhs)  # type: ignore[operator]
    unique = {-g if g.could_extract_minus_sign() else g for g in found}
    return sorted(unique, key=sympy.default_sort_key)
