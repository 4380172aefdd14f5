"""What a problem must satisfy to be one. Every failure is one line: the item, what was got, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import sympy
from sympy.core.function import AppliedUndef
from sympy.matrices import MatrixBase

from ..errors import PhysolveError, SpecificationError, UnsupportedError
from ._atoms import atoms_of
from ._check_conditions import check_condition
from ._condition import condition_label, is_shape
from ._data import GridData, grid_data_of
from ._evaluate import Program
from ._symbols import Parameter, check_coordinates, is_unknown, name_of, normal, unknowns_of

if TYPE_CHECKING:
    from ._problem import Problem

MAX_ORDER = 4


def check(problem: Problem) -> None:
    """Raises `SpecificationError` or `UnsupportedError` for the first thing that does not fit."""
    _check_unknowns(problem)
    _check_names(problem)
    _check_domain(problem)
    for i, equation in enumerate(problem.equations, 1):
        _check_equation(problem, equation, f"equation {i}")
    _check_matching(problem)
    for i, condition in enumerate(problem.conditions, 1):
        _check_condition(problem, condition, i)
    _check_exact(problem)
    _check_parameters(problem)
    _check_data(problem)


# --- unknowns and names ---------------------------------------------------------------------------------


def _check_unknowns(problem: Problem) -> None:
    first = problem.unknowns[0]
    for u in problem.unknowns:
        if u.func(*u.args).is_real is not True:
            raise SpecificationError(f"'{u}' is not an unknown made by physolve.unknown, nor data on a grid")
        if not all(isinstance(s, sympy.Symbol) for s in u.args):
            raise SpecificationError(
                f"unknown '{name_of(u)}' is taken at {u}: equations hold at every point; "
                "use a condition to say something at a place"
            )
    for u in problem.unknowns:
        check_coordinates(u.args, f"unknown '{name_of(u)}'")
        if u.args != first.args:
            raise SpecificationError(
                f"unknown '{name_of(u)}' depends on ({names(u.args)}) but '{name_of(first)}' on "
                f"({names(first.args)}): "
                "all unknowns must share the same coordinates"
            )


def _check_names(problem: Problem) -> None:
    """One name, one thing."""
    seen: dict[str, tuple[str, object]] = {}
    things: list[tuple[str, str, object]] = [("coordinate", s.name, s) for s in problem.coordinates]
    things += [("unknown", name_of(u), u) for u in problem.unknowns]
    things += [("parameter", p.name, p) for p in problem.parameters]
    things += [("data", g.name, g) for g in problem.data]
    things += [("normal", n.name, n) for n in normals_of(problem)]
    for kind, name, thing in things:
        other_kind, other = seen.setdefault(name, (kind, thing))
        if other is not thing and other != thing:
            what = f"two different {kind}s" if kind == other_kind else f"a {other_kind} and a {kind}"
            raise SpecificationError(
                f"the name '{name}' is used for {what.replace('datas', 'data')}; rename one of them"
            )


def _check_domain(problem: Problem) -> None:
    domain, coords = problem.domain, problem.coordinates
    if not is_shape(domain):
        raise SpecificationError(f"domain: expected a shape such as Rectangle((0, 0), (1, 1)), got {domain!r}")
    product = "; for a time-dependent problem multiply the domain in space by TimeInterval(t0, t1)"
    if domain.dim != len(coords):
        raise SpecificationError(
            f"domain: it has {domain.dim} dimension{'s' * (domain.dim != 1)}, but the unknowns depend on "
            f"{len(coords)} coordinate{'s' * (len(coords) != 1)} "
            f"({names(coords)}){product if problem.time else ''}"
        )
    timed = domain.has_part("initial") and domain.has_part("final")
    if problem.time is not None and not timed:
        raise SpecificationError(f"domain: the unknowns depend on the time t, but the domain has no time{product}")
    if problem.time is None and timed:
        raise SpecificationError(
            f"domain: it is a product with time, but the unknowns depend on ({names(coords)}); call the time 't'"
        )


# --- equations ------------------------------------------------------------------------------------------


def _check_equation(problem: Problem, equation: sympy.Eq, item: str) -> None:
    residual = equation.lhs - equation.rhs
    check_numbers(residual, item)
    check_orders(residual, problem, item)
    check_symbols(residual, problem.coordinates, item)
    if not unknowns_of(residual):
        _refuse_without_unknown(sympy.expand(residual), equation, item)
    check_computable(residual, problem, item)


def _refuse_without_unknown(rest: sympy.Expr, equation: sympy.Eq, item: str) -> None:
    if rest == 0:
        raise SpecificationError(f"{item}: it is always true, so it says nothing about the unknowns")
    if rest.is_number:
        raise SpecificationError(f"{item}: it is never true ({shorten(equation.lhs)} = {shorten(equation.rhs)})")
    raise SpecificationError(f"{item}: no unknown in it ({shorten(equation.lhs)} = {shorten(equation.rhs)})")


def check_numbers(expression: Any, item: str) -> None:
    """Refuses the imaginary unit and what is not finite."""
    if expression.has(sympy.I):
        raise UnsupportedError(f"{item}: complex numbers; write the real and the imaginary part as two real unknowns")
    if expression.has(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan):
        raise SpecificationError(f"{item}: a number in it is infinite or undefined")


def check_orders(expression: Any, problem: Problem, item: str) -> None:
    """Refuses derivatives above the fourth."""
    for atom in atoms_of(expression, problem.unknowns, problem.coordinates).values():
        if atom.order > MAX_ORDER:
            u = name_of(problem.unknowns[atom.unknown])
            raise UnsupportedError(
                f"{item}: a derivative of order {atom.order} of '{u}'; at most {MAX_ORDER} is supported"
            )


def check_symbols(expression: Any, allowed: Iterable[sympy.Symbol], item: str) -> None:
    """Every free symbol is allowed or a parameter."""
    allowed = tuple(allowed)
    for symbol in sorted(expression.free_symbols - set(allowed), key=str):
        if isinstance(symbol, Parameter):
            continue
        if symbol.name in {s.name for s in allowed}:
            raise SpecificationError(
                f"{item}: symbol '{symbol.name}' is not the coordinate '{symbol.name}' of the unknowns; "
                "use the one that physolve.coordinates returned"
            )
        if symbol.name.startswith("n_"):
            raise SpecificationError(f"{item}: the normal '{symbol.name}' has a meaning in a BoundaryEquation only")
        raise SpecificationError(
            f"{item}: symbol '{symbol.name}' is neither a coordinate nor a parameter; give it a value or declare it "
            f"with physolve.parameter('{symbol.name}')"
        )


def check_computable(expression: Any, problem: Problem, item: str) -> None:
    """Refuses functions that cannot be evaluated, naming them."""
    nodes = tuple(atoms_of(expression, problem.unknowns, problem.coordinates))
    symbols = tuple(sorted(expression.free_symbols, key=str))
    try:
        Program([expression], (*symbols, *nodes))
    except PhysolveError as error:
        raise type(error)(f"{item}: {error}") from None


def _check_matching(problem: Problem) -> None:
    """To every unknown its own equation: a maximum matching between unknowns and the equations that hold them."""
    holders = [[k for k, e in enumerate(problem.equations) if u in unknowns_of(e)] for u in problem.unknowns]
    for u, equations in zip(problem.unknowns, holders, strict=True):
        if not equations:
            raise SpecificationError(f"unknown '{name_of(u)}' has no equation: it appears in none of the equations")
    given = {}
    for i, u in enumerate(problem.unknowns):
        if not _augment(i, holders, given, set()):
            count, total = len(problem.equations), len(problem.unknowns)
            raise SpecificationError(
                f"unknown '{name_of(u)}' has no equation of its own: {total} unknowns "
                f"({names(problem.unknowns)}), "
                f"{count} equation{'s' * (count != 1)}; every unknown needs one"
            )


def _augment(i: int, holders: Sequence[Sequence[int]], given: dict[int, int], seen: set[int]) -> bool:
    """One step of Kuhn's algorithm: an equation for unknown i, moving others if need be."""
    for k in holders[i]:
        if k not in seen:
            seen.add(k)
            if k not in given or _augment(given[k], holders, given, seen):
                given[k] = i
                return True
    return False


# --- conditions and the rest ----------------------------------------------------------------------------


def _check_condition(problem: Problem, condition: Any, index: int) -> None:
    item = condition_label(index, condition)
    for u in condition.unknowns():
        _check_known(problem, u, item)
    check_condition(problem, condition, item)
    space_normals = normals_of(problem) if condition.kind == "boundary_equation" else ()
    for name in ("value", "velocity", "a", "b", "jump", "flux", "flux_jump", "equation"):
        value: Any = getattr(condition, name, None)
        for expression in tuple(value) if isinstance(value, (tuple, MatrixBase)) else (value,):
            if isinstance(expression, sympy.Basic):
                _check_value(problem, expression, (*problem.coordinates, *space_normals), item)


def _check_value(problem: Problem, value: Any, allowed: tuple[sympy.Symbol, ...], item: str) -> None:
    check_numbers(value, item)
    check_symbols(value, allowed, item)
    for u in unknowns_of(value):
        _check_known(problem, u, item)
    check_orders(value, problem, item)
    if isinstance(value, sympy.Eq) and not unknowns_of(value):
        _refuse_without_unknown(sympy.expand(value.lhs - value.rhs), value, item)
    check_computable(value.lhs - value.rhs if isinstance(value, sympy.Eq) else value, problem, item)


def _check_known(problem: Problem, u: AppliedUndef, item: str) -> None:
    if u in problem.unknowns:
        return
    if name_of(u) in map(name_of, problem.unknowns):
        raise SpecificationError(
            f"{item}: '{u}' is not the unknown '{name_of(u)}({names(problem.coordinates)})' of the equations"
        )
    raise SpecificationError(f"{item}: unknown '{name_of(u)}' has no equation; the equations hold {quoted(problem)}")


def _check_exact(problem: Problem) -> None:
    for u, value in (problem.exact or {}).items():
        item = f"exact solution of '{name_of(u) if isinstance(u, AppliedUndef) else u}'"
        if u not in problem.unknowns:
            raise SpecificationError(f"{item}: it is not an unknown of the problem, which has {quoted(problem)}")
        if unknowns_of(value):
            raise SpecificationError(f"{item}: it holds the unknown '{name_of(unknowns_of(value)[0])}'")
        _check_value(problem, value, problem.coordinates, item)


def _check_parameters(problem: Problem) -> None:
    used = {s for e in problem.equations for s in e.free_symbols}
    used |= {s for c in problem.conditions for e in c.equations(problem.coordinates) for s in e.free_symbols}
    for p in problem.parameters:
        if p not in used:
            raise SpecificationError(f"parameter '{p.name}' appears in no equation and no condition; remove it")


def _check_data(problem: Problem) -> None:
    """Grid data applied to plain coordinates covers the domain."""
    lower, upper = problem.domain.bounds
    expressions = (
        *problem.equations,
        *(e for c in problem.conditions for e in c.equations(problem.coordinates)),
    )
    for applied in {a for e in expressions for a in e.atoms(AppliedUndef) if not is_unknown(a)}:
        (data,) = grid_data_of(applied)
        for s, (lo, hi) in zip(applied.args, data.extent, strict=True) if isinstance(data, GridData) else ():
            if s in problem.coordinates:
                k = problem.coordinates.index(s)
                slack = 1e-9 * (hi - lo)
                if lower[k] < lo - slack or upper[k] > hi + slack:
                    raise SpecificationError(
                        f"data '{name_of(applied)}': it covers [{lo:g}, {hi:g}] along {s}, "
                        f"but the domain reaches from {lower[k]:g} to {upper[k]:g}"
                    )


def normals_of(problem: Problem) -> tuple[sympy.Symbol, ...]:
    """The symbols n_x, ... of the problem; none where there is no space."""
    return normal(*problem.coordinates) if problem.space else ()


def names(things: Iterable[Any]) -> str:
    """Names of coordinates or unknowns, with commas."""
    return ", ".join(s.name if isinstance(s, sympy.Symbol) else name_of(s) for s in things)


def quoted(problem: Problem) -> str:
    """The unknowns in quotes."""
    return ", ".join(f"'{name_of(u)}'" for u in problem.unknowns)


def shorten(expression: object) -> str:
    """On one line, at most 60 characters."""
    text = " ".join(str(expression).split())
    return text if len(text) <= 60 else text[:57] + "..."
