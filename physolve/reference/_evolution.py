"""A periodic problem read as an evolution equation du_i/dt = F_i(x, t, u and its derivatives in space)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

import numpy as np
import sympy
from numpy.typing import NDArray

from ..errors import UnsupportedError
from ..spec import (
    Box,
    Initial,
    Interval,
    Named,
    Periodic,
    Problem,
    Program,
    Rectangle,
    Shape,
    atoms_of,
    split_time,
    stated_values,
)

Floats = NDArray[np.float64]
Orders = tuple[int, ...]
"""Of a derivative, along each axis of space."""


class Derivative(NamedTuple):
    """D^orders of unknown number `unknown`."""

    unknown: int
    orders: Orders


@dataclass(frozen=True, eq=False)
class Evolution:
    """du_i/dt = sum_a linear[i][a] D^a u_i + rest_i on the periodic box [lower, upper], from `start` to `end`.

    `linear` are the constant coefficients of the unknown itself and its derivatives. `rest` is a program of the
    coordinates, time last, and of `derivatives`; `initial` one of the coordinates.
    """

    lower: Floats
    upper: Floats
    start: float
    end: float
    linear: tuple[Mapping[Orders, float], ...]
    derivatives: tuple[Derivative, ...]
    rest: Program
    initial: Program

    @property
    def lengths(self) -> Floats:
        """Of the box along every axis."""
        return self.upper - self.lower


def evolution_of(problem: Problem) -> Evolution:
    """Raises UnsupportedError with the reason where the problem is none of this kind."""
    time = split_time(problem.domain)[1]
    if problem.time is None or time is None:
        refuse("the problem has no time")
    if problem.parameters:
        refuse(f"the parameter {problem.parameters[0]} is not known; put its value in its place")
    lower, upper = _box(problem).bounds
    initial = _initial(problem)
    rates, symbols = _rates(problem)
    linear, rests = zip(*(_split(rate, i, symbols) for i, rate in enumerate(rates)), strict=True)
    used = {a: s for a, s in symbols.items() if any(rest.has(s) for rest in rests)}
    rest = Program(rests, (*problem.coordinates, *used.values()))
    start = Program(initial, problem.coordinates)
    return Evolution(lower, upper, time.t0, time.t1, linear, tuple(used), rest, start)


def refuse(reason: str) -> NoReturn:
    """Every refusal of the spectral reference begins alike."""
    raise UnsupportedError(f"spectral reference: {reason}")


# --- domain and conditions ------------------------------------------------------------------------------


def _box(problem: Problem) -> Shape:
    """The space of the problem, every unknown periodic along all its axes."""
    shape = split_time(problem.domain)[0]
    while isinstance(shape, Named):
        shape = shape.shape
    if not isinstance(shape, (Interval, Rectangle, Box)):
        refuse(f"the domain must be an interval, a rectangle or a box over one span of time, got {problem.domain!r}")
    for i, c in enumerate(problem.conditions, 1):
        if not isinstance(c, (Periodic, Initial)):
            refuse(f"condition {i} is of kind '{c.kind}'; only periodic and initial ones are possible")
    given = {(u, c.along) for c in problem.conditions if isinstance(c, Periodic) for u in c.unknowns()}
    for u in problem.unknowns:
        for s in problem.space:
            if (u, s) not in given:
                refuse(f"{u.func} is not periodic along {s}; add Periodic({u.func}, {s})")
    return shape


def _initial(problem: Problem) -> list[sympy.Expr]:
    """The initial values, in the order of the unknowns."""
    values = stated_values(problem.conditions, Initial)
    missing = [u for u in problem.unknowns if u not in values]
    if missing:
        refuse(f"{missing[0].func} has no initial value")
    return [values[u] for u in problem.unknowns]


# --- equations ------------------------------------------------------------------------------------------


def _rates(problem: Problem) -> tuple[list[sympy.Expr], dict[Derivative, sympy.Symbol]]:
    """F_i in the order of the unknowns, with a symbol for every derivative in space."""
    if len(problem.equations) != len(problem.unknowns):
        refuse(f"{len(problem.equations)} equations for {len(problem.unknowns)} unknowns")
    symbols: dict[Derivative, sympy.Symbol] = {}
    slopes = [sympy.Symbol(f"_dt{i}", real=True) for i in range(len(problem.unknowns))]
    found: dict[int, sympy.Expr] = {}
    for number, residual in enumerate(problem.residuals, 1):
        expression = _placed(f"equation {number}", residual.doit(), problem, slopes, symbols)
        mine = [i for i, slope in enumerate(slopes) if expression.has(slope)]
        if len(mine) != 1 or mine[0] in found:
            refuse(
                f"equation {number}: each equation must hold the time derivative of one unknown, each of another one; "
                f"here stand those of {', '.join(str(problem.unknowns[i].func) for i in mine) or 'none'}"
            )
        found[mine[0]] = _solved(f"equation {number}", expression, slopes[mine[0]], set(symbols.values()))
    return [found[i] for i in range(len(slopes))], symbols


def _placed(
    item: str,
    expression: sympy.Expr,
    problem: Problem,
    slopes: Sequence[sympy.Symbol],
    symbols: dict[Derivative, sympy.Symbol],
) -> sympy.Expr:
    """The expression with symbols in the places of the unknowns and their derivatives; new ones join `symbols`."""
    places: dict[sympy.Basic, sympy.Symbol] = {}
    for node, (unknown, (*orders, rate)) in atoms_of(expression, problem.unknowns, problem.coordinates).items():
        if rate > 1 or (rate and any(orders)):
            refuse(f"{item}: {node}; only first derivatives in time alone are possible")
        if rate:
            places[node] = slopes[unknown]
        else:
            new = sympy.Symbol(f"_u{len(symbols)}", real=True)
            places[node] = symbols.setdefault(Derivative(unknown, tuple(orders)), new)
    return expression.xreplace(places)


def _solved(item: str, residual: sympy.Expr, slope: sympy.Symbol, state: set[sympy.Symbol]) -> sympy.Expr:
    """The time derivative from an equation that is affine in it."""
    factor = sympy.diff(residual, slope)
    if factor.free_symbols & {slope, *state}:
        refuse(f"{item}: the factor of the time derivative depends on the unknowns")
    return -residual.xreplace({slope: sympy.S.Zero}) / factor


def _split(
    rate: sympy.Expr, unknown: int, symbols: Mapping[Derivative, sympy.Symbol]
) -> tuple[Mapping[Orders, float], sympy.Expr]:
    """Constant coefficients of the unknown's own derivatives, and what is left."""
    linear: dict[Orders, float] = {}
    for derivative, symbol in symbols.items():
        coefficient = sympy.diff(rate, symbol)
        if derivative.unknown == unknown and coefficient.is_number:
            linear[derivative.orders] = float(coefficient)
            rate = rate.xreplace({symbol: sympy.S.Zero})
    return linear, rate
