"""A problem in words and in LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean
from sympy.matrices import MatrixBase
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from ._condition import condition_subject, is_shape
from ._conditions import BoundaryEquation, Dirichlet, Initial, Interface, Neumann, Periodic, Robin, Unbounded
from ._inner_conditions import MeanValue, Observations, PointValue
from ._station_data import StationData
from ._symbols import is_unknown, name_of

if TYPE_CHECKING:
    from ._classify import Classification
    from ._problem import Problem


# --- words ----------------------------------------------------------------------------------------------


def describe(problem: Problem) -> str:
    """What is to be found, where, under which conditions, of which class, and what seems to be missing."""
    lines = [problem.name] if problem.name else []
    lines += [problem.description.strip()] if problem.description.strip() else []
    lines.append(f"Find {_fields(problem)} such that")
    lines += [f"    {plain(e.lhs)} = {plain(e.rhs)}" for e in problem.equations]
    lines.append(f"in {problem.domain!r},")
    lines += [f"    {condition_in_words(c)}" for c in problem.conditions] or ["    with no conditions"]
    if problem.parameters:
        guesses = ", ".join(f"{p.name} (first guess {p.guess:g})" for p in problem.parameters)
        lines.append(f"Parameters to be found: {guesses}.")
    lines += [f"Data: {g!r}." for g in problem.data]
    if any(isinstance(data, StationData) for data in problem.data):
        lines.append("The type is not judged: coefficients are known at stations only.")
    else:
        lines.append(_class_in_words(problem.classification))
    lines += [f"Exact solution: {name_of(u)} = {plain(value)}" for u, value in (problem.exact or {}).items()]
    return "\n".join([*lines, *(f"Missing? {hint}" for hint in problem.hints)])


def _fields(problem: Problem) -> str:
    coords = ", ".join(s.name for s in problem.coordinates)
    grouped = {i: name for name, indices in problem.groups for i in indices}
    names: dict[str, list[str]] = {}
    for i, u in enumerate(problem.unknowns):
        names.setdefault(grouped.get(i, name_of(u)), []).append(name_of(u))
    words = [n if parts == [n] else f"the vector {n} = ({', '.join(parts)})" for n, parts in names.items()]
    return f"{', '.join(words)} of ({coords})"


def _class_in_words(c: Classification) -> str:
    kind = {"other": "of no classical type", "mixed": "of mixed type"}.get(c.kind, c.kind)
    size = {1: "first", 2: "second", 3: "third", 4: "fourth"}.get(c.order, "zeroth")
    linear = "linear" if c.linear else "nonlinear"
    coefficients = (
        " with constant coefficients" if c.constant_coefficients else " with variable coefficients"
    ) * c.linear
    time = f", of order {c.time_order} in time" if c.time_dependent else ", stationary" if c.kind != "ordinary" else ""
    if c.peclet is None:
        convection = ""
    else:
        strength = "dominates" if c.convection_dominated else "does not dominate"
        convection = f"; convection {strength} (Péclet number {c.peclet:.3g})"
    return f"Class: {linear}{coefficients}, {size} order, {kind}{time}{convection}."


def condition_in_words(condition: Any) -> str:
    """One condition in one line."""
    u = condition_subject(condition)
    match condition:
        case Dirichlet():
            return f"{u} = {plain(condition.value)} {_place(condition.on)}"
        case Neumann():
            return f"d{u}/dn = {plain(condition.value)} {_place(condition.on)}"
        case Robin(a=a, b=b):
            return f"{_factor(a)}{u} + {_factor(b)}d{u}/dn = {plain(condition.value)} {_place(condition.on)}"
        case Periodic():
            return f"{u} and its derivatives up to order {condition.order} are periodic along {condition.along}"
        case Unbounded():
            return f"{u} continues outside the domain, which is a window of unbounded space"
        case Initial(velocity=None):
            return f"{u} = {plain(condition.value)} at the start"
        case Initial():
            return f"{u} = {plain(condition.value)} and d{u}/dt = {plain(condition.velocity)} at the start"
        case PointValue():
            point = ", ".join(f"{c:g}" for c in condition.point)
            return f"{u} = {plain(condition.value)} at the point ({point})"
        case MeanValue():
            where = "the domain" if condition.over is None else repr(condition.over)
            return f"the mean of {u} over {where} is {plain(condition.value)}"
        case Interface():
            flux = "grad " + u if condition.flux is None else plain(condition.flux)
            jumps = f"jumps by {plain(condition.jump)}, the normal part of {flux} by {plain(condition.flux_jump)}"
            return f"{u} {jumps}, {_place(condition.on)}"
        case BoundaryEquation():
            equations = " and ".join(f"{plain(e.lhs)} = {plain(e.rhs)}" for e in condition.equation)
            return f"{equations} {_place(condition.on)}"
        case Observations():
            noise = "" if condition.noise is None else f", noise {condition.noise:g}"
            count = len(condition.points)
            return f"{u} is observed at {count} point{'s' * (count != 1)}{noise}"
    return repr(condition)


def _factor(value: Any) -> str:
    """A coefficient before what it multiplies: nothing for 1, brackets round a sum or product."""
    if value == 1:
        return ""
    return f"{plain(value)} " if value.is_Atom and not value.could_extract_minus_sign() else f"({plain(value)}) "


def _tex_factor(value: Any) -> str:
    if value == 1:
        return ""
    return (
        f"{tex(value)} " if value.is_Atom and not value.could_extract_minus_sign() else rf"\left({tex(value)}\right) "
    )


def _place(on: Any) -> str:
    if on is None:
        return "on the whole boundary"
    if isinstance(on, str):
        return f"on '{on}'"
    if isinstance(on, tuple):
        return "on " + ", ".join(f"'{each}'" if isinstance(each, str) else repr(each) for each in on)
    if isinstance(on, Boolean):
        return f"where {plain(on)}"
    return f"on the boundary of {on!r}" if is_shape(on) else "where a Python function says so"


class _Words(StrPrinter):
    """u instead of u(x, y), and d(u, x, x) for derivatives."""

    def _print_Function(self, expr: Any) -> str:
        return name_of(expr) if is_unknown(expr) else super()._print_Function(expr)

    def _print_Derivative(self, expr: Any) -> str:
        along = ", ".join(", ".join([str(s)] * int(k)) for s, k in expr.variable_count)
        return f"d({self._print(expr.expr)}, {along})"


def plain(value: Any) -> str:
    """An expression on one line, unknowns without their arguments; a vector as [a, b]."""
    if isinstance(value, MatrixBase):
        rows = [[plain(e) for e in value.row(i)] for i in range(value.rows)]
        return "[" + ", ".join(r[0] if value.cols == 1 else f"[{', '.join(r)}]" for r in rows) + "]"
    return _Words().doprint(value)


# --- LaTeX ----------------------------------------------------------------------------------------------


class _Latex(LatexPrinter):
    """Unknowns without their arguments, derivatives with partial d."""

    def _print_Function(self, expr: Any, exp: Any = None) -> str:
        if not isinstance(expr, AppliedUndef):
            return super()._print_Function(expr, exp)
        name = self._print(sympy.Symbol(name_of(expr)))
        arguments = "" if is_unknown(expr) else rf"\left({', '.join(map(self._print, expr.args))}\right)"
        return name + arguments if exp is None else f"{name}^{{{exp}}}{arguments}"

    def _print_Derivative(self, expr: Any) -> str:
        order = sum(int(k) for _, k in expr.variable_count)
        below = " ".join(rf"\partial {self._print(s)}" + (f"^{{{k}}}" if k > 1 else "") for s, k in expr.variable_count)
        above = r"\partial" + (f"^{{{order}}}" if order > 1 else "")
        return rf"\frac{{{above} {self._print(expr.expr)}}}{{{below}}}"


def latex(problem: Problem) -> str:
    """The whole statement as one displayed block."""
    rows = [rf"{tex(e.lhs)} &= {tex(e.rhs)} && \text{{in }} \Omega" for e in problem.equations]
    rows += [row for c in problem.conditions for row in condition_in_latex(c)]
    return "$$\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}$$"


def condition_in_latex(condition: Any) -> list[str]:
    """Rows of an aligned block, one for each equation of the condition."""
    u = _subject(condition)
    place = _place_in_latex(condition.on)
    match condition:
        case Dirichlet():
            return [f"{u} &= {tex(condition.value)} && {place}"]
        case Neumann():
            return [rf"\frac{{\partial {u}}}{{\partial n}} &= {tex(condition.value)} && {place}"]
        case Robin():
            slope = rf"\frac{{\partial {u}}}{{\partial n}}"
            return [
                f"{_tex_factor(condition.a)}{u} + {_tex_factor(condition.b)}{slope} &= "
                f"{tex(condition.value)} && {place}"
            ]
        case Periodic():
            note = rf"\text{{periodic along }} {tex(condition.along)}"
            return [rf"\partial_{{{tex(condition.along)}}}^k {u}, \; k \le {condition.order} &&& {note}"]
        case Unbounded():
            return [rf"{u} &&& \text{{continues in unbounded space}}"]
        case Initial():
            start = r"\text{at the start}"
            rows = [f"{u} &= {tex(condition.value)} && {start}"]
            velocity = condition.velocity
            return rows if velocity is None else [*rows, rf"\partial_t {u} &= {tex(velocity)} && {start}"]
        case PointValue():
            point = ", ".join(f"{c:g}" for c in condition.point)
            return [rf"{u} &= {tex(condition.value)} && \text{{at }} ({point})"]
        case MeanValue():
            over = r"\Omega" if condition.over is None else rf"\text{{{_text(repr(condition.over))}}}"
            return [rf"\left\langle {u} \right\rangle &= {tex(condition.value)} && \text{{over }} {over}"]
        case Interface():
            flux = rf"\nabla {u}" if condition.flux is None else tex(condition.flux)
            rows = ((u, condition.jump), (rf"n \cdot {flux}", condition.flux_jump))
            return [rf"\left[ {left} \right] &= {tex(right)} && {place}" for left, right in rows]
        case BoundaryEquation():
            return [f"{tex(e.lhs)} &= {tex(e.rhs)} && {place}" for e in condition.equation]
        case Observations():
            where = r"\text{where observed}, i = 1, \dots, " + str(len(condition.points))
            return [rf"{u}(x_i) &\approx u_i && {where}"]
    return []


def tex(value: Any) -> str:
    """An expression or matrix in LaTeX."""
    return _Latex().doprint(value)


def _subject(condition: Any) -> str:
    return tex(sympy.Symbol(condition_subject(condition))) if getattr(condition, "u", None) is not None else ""


def _place_in_latex(on: Any) -> str:
    if on is None:
        return r"\text{on } \partial\Omega"
    return rf"\text{{where }} {tex(on)}" if isinstance(on, Boolean) else rf"\text{{{_text(_place(on))}}}"


def _text(words: str) -> str:
    return words.replace("_", r"\_")
