"""Convection-diffusion-reaction problems recognised: what is carried, by which velocity, and what changes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import sympy

from ..errors import UnsupportedError
from ._atoms import Atom, atoms_of
from ._symbols import name_of, unknowns_of

if TYPE_CHECKING:
    from ._problem import Problem


@dataclass(frozen=True)
class Transport:
    """dt(u_i) + velocity . grad(u_i) = sources_i for every unknown.

    velocity   one expression a space coordinate, in coordinates and unknowns
    sources    one an unknown: diffusion, reaction and all the rest, derivatives in space up to order 2
    diffusive  one an unknown: whether its source holds second derivatives of it
    """

    velocity: tuple[sympy.Expr, ...]
    sources: tuple[sympy.Expr, ...]
    diffusive: tuple[bool, ...]

    @property
    def prescribed(self) -> bool:
        """Whether the velocity is known beforehand: it depends on coordinates alone."""
        return not unknowns_of(*self.velocity)


class _Carried(NamedTuple):
    """One equation: which unknown, its velocity, its source."""

    unknown: int
    velocity: tuple[sympy.Expr, ...]
    source: sympy.Expr
    diffusive: bool


def transport_form(problem: Problem) -> Transport:
    """The problem as transport along one velocity.

    Raises UnsupportedError with the reason where it is none: no time, derivatives in time of another order than one,
    an equation that advances two unknowns, derivatives in space above order 2, a velocity that depends on gradients
    or differs between the unknowns, or none at all.
    """
    if problem.time is None:
        raise UnsupportedError("transport: the problem has no time; expected dt(u) + a . grad(u) = ...")
    if len(problem.equations) != len(problem.unknowns):
        got, wanted = len(problem.equations), len(problem.unknowns)
        raise UnsupportedError(f"transport: got {got} equations for {wanted} unknowns, expected one for each")
    carried = [_carried(problem, k, residual) for k, residual in enumerate(problem.residuals, 1)]
    by_unknown = {each.unknown: each for each in carried}
    if len(by_unknown) < len(carried):
        twice = next(c.unknown for c in carried if sum(c.unknown == d.unknown for d in carried) > 1)
        raise UnsupportedError(f"transport: two equations advance '{name_of(problem.unknowns[twice])}', expected one")
    ordered = [by_unknown[i] for i in range(len(carried))]
    _check_one_velocity(problem, ordered)
    return Transport(ordered[0].velocity, tuple(c.source for c in ordered), tuple(c.diffusive for c in ordered))


def _carried(problem: Problem, number: int, residual: sympy.Expr) -> _Carried:
    item, dim = f"equation {number}", len(problem.coordinates)
    atoms = atoms_of((residual,), problem.unknowns, problem.coordinates)
    _check_orders(item, atoms)
    rates = {node: atom for node, atom in atoms.items() if atom.orders[-1]}
    if len(rates) != 1:
        raise UnsupportedError(f"{item}: expected the time derivative of one unknown, got {len(rates)}; solve for each")
    ((rate, advanced),) = rates.items()
    symbols = {node: sympy.Dummy(f"a{k}", real=True) for k, node in enumerate(atoms)}
    plain, every = residual.xreplace(symbols), set(symbols.values())
    factor = _settled(sympy.diff(plain, symbols[rate]), every)
    if factor.free_symbols & every:
        raise UnsupportedError(f"{item}: the factor of {rate} depends on the unknowns; divide the equation by it")
    rest = plain.xreplace({symbols[rate]: sympy.S.Zero}) / factor
    own = {atom.orders: symbols[node] for node, atom in atoms.items() if atom.unknown == advanced.unknown}
    slopes = [own.get(tuple(int(j == k) for j in range(dim))) for k in range(dim - 1)]
    velocity = [sympy.S.Zero if s is None else _settled(sympy.diff(rest, s), every) for s in slopes]
    derivatives = {symbols[node] for node, atom in atoms.items() if atom.order}
    if any(a.free_symbols & derivatives for a in velocity):
        raise UnsupportedError(f"{item}: it is not linear in the gradient of the unknown, so it has no velocity")
    source = _settled(-_without(rest, {s for s in slopes if s is not None}), every)
    diffusive = any(sum(orders) == 2 and source.has(symbol) for orders, symbol in own.items())
    back = {symbol: node for node, symbol in symbols.items()}
    return _Carried(advanced.unknown, tuple(a.xreplace(back) for a in velocity), source.xreplace(back), diffusive)


def _settled(expression: sympy.Expr, symbols: set[sympy.Symbol]) -> sympy.Expr:
    """The expression without those of the symbols that cancel; a number where that is all it is, else as it was
    written: multiplied out, exp(-(x - 9)^2) overflows and (x - 1000)^6 loses its digits."""
    number = sympy.expand(expression) if not expression.is_number else expression
    if number.is_number:
        return number
    idle = {s for s in symbols & expression.free_symbols if sympy.expand(sympy.diff(expression, s)) == 0}
    return _without(expression, idle)


def _without(expression: sympy.Expr, symbols: set[sympy.Symbol]) -> sympy.Expr:
    """The expression where the symbols are zero; multiplied out if it cannot be evaluated there as it was written."""
    zeros = dict.fromkeys(symbols, sympy.S.Zero)
    found = expression.xreplace(zeros)
    undefined = found.has(sympy.nan, sympy.zoo) and not expression.has(sympy.nan, sympy.zoo)
    return sympy.expand(expression).xreplace(zeros) if undefined else found


def _check_orders(item: str, atoms: dict[sympy.Expr, Atom]) -> None:
    for node, atom in atoms.items():
        if atom.orders[-1] > 1 or (atom.orders[-1] and atom.order > 1):
            raise UnsupportedError(f"{item}: got {node}, expected time derivatives of order one only")
        if sum(atom.orders[:-1]) > 2:
            raise UnsupportedError(f"{item}: got {node}, expected derivatives in space up to order 2")


def _check_one_velocity(problem: Problem, carried: list[_Carried]) -> None:
    first = carried[0]
    for other in carried[1:]:
        differences = [sympy.simplify(a - b) for a, b in zip(first.velocity, other.velocity, strict=True)]
        if any(difference != 0 for difference in differences):
            u, v = (name_of(problem.unknowns[c.unknown]) for c in (first, other))
            raise UnsupportedError(
                f"transport: '{u}' is carried with the velocity {_column(first)} and '{v}' with {_column(other)};"
                " expected one velocity for all unknowns"
            )
    if all(a == 0 for a in first.velocity):
        raise UnsupportedError("transport: no unknown is carried along: the equations have no term a . grad(u)")


def _column(carried: _Carried) -> str:
    return "(" + ", ".join(map(str, carried.velocity)) + ")"
