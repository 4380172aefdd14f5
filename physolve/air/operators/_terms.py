"""Which physics a problem's equation holds: the terms that a station graph has operators for.

    dt(c) + div(a w c) = D laplacian(c) - k c + s        or        dt(c) + a w . grad(c) = ...

with the wind w and the source s as data at stations, a, D and k numbers or parameters, any of the terms absent.
"""

from dataclasses import dataclass
from typing import Literal

import sympy
from sympy.core.function import AppliedUndef

from physolve.errors import UnsupportedError
from physolve.spec import Parameter, Problem, StationData, StationSet, grid_data_of, split_time, transport_form

FORM = "dt(c) + div(a*c*[wind_x, wind_y]) = D*laplacian(c) - k*c + source"


@dataclass(frozen=True)
class Coefficient:
    """A number of the equation: known, or a parameter that is learned from `value`."""

    value: float
    learned: bool


@dataclass(frozen=True)
class Advection:
    """div(a w c), or w . grad(c) where it is not conservative; they differ where the wind diverges.

    response    a, the share of the measured wind with which the concentration is carried
    """

    conservative: bool
    response: Coefficient


@dataclass(frozen=True)
class Terms:
    """The terms of an equation, None or False where it lacks them.

    diffusion    D, m^2/s
    advection    by the wind
    deposition   k, 1/s
    source       "varying" s(x, y, t), or "steady" s(x, y)
    """

    diffusion: Coefficient | None
    advection: Advection | None
    deposition: Coefficient | None
    source: Literal["steady", "varying"] | None


def lower(problem: Problem) -> Terms:
    """The terms of a problem for one concentration at stations.

    Raises UnsupportedError with the term for an equation of another form, and for a domain that is no set of stations.
    """
    if not isinstance(split_time(problem.domain)[0], StationSet):
        raise UnsupportedError(f"air: domain: got {problem.domain!r}, expected stations([[longitude, latitude], ...])")
    if len(problem.unknowns) != 1:
        raise UnsupportedError(f"air: got {len(problem.unknowns)} unknowns, expected one concentration")
    c, (x, y) = problem.unknowns[0], problem.space
    velocity, right = _transported(problem)
    slopes = {sympy.diff(c, s, 2): sympy.Dummy(f"c_{s}{s}") for s in (x, y)}
    rest = sympy.expand(right.xreplace(slopes))
    across = [rest.coeff(symbol) for symbol in slopes.values()]
    if across[0] != across[1]:
        raise UnsupportedError(f"air: diffusion: got {across[0]} along {x} and {across[1]} along {y}, expected one")
    rest = sympy.expand(rest - sum(a * s for a, s in zip(across, slopes.values(), strict=True)))
    proportional = rest.coeff(c)
    outflow = sympy.diff(velocity[0], x) + sympy.diff(velocity[1], y)
    conservative = outflow != 0 and sympy.expand(proportional + outflow).atoms(sympy.Derivative) == set()
    lost = -sympy.expand(proportional + (outflow if conservative else 0))
    return Terms(
        _coefficient("diffusion", across[0]),
        _advection(velocity, conservative),
        _coefficient("deposition", lost),
        _source(sympy.expand(rest - proportional * c), c),
    )


def _transported(problem: Problem) -> tuple[tuple[sympy.Expr, ...], sympy.Expr]:
    """Velocity and the rest of the equation; without advection the velocity is zero."""
    c, time = problem.unknowns[0], problem.time
    if time is None or len(problem.space) != 2:
        raise UnsupportedError(f"air: got the coordinates {problem.coordinates}, expected x, y, t")
    gradient = {sympy.diff(c, s) for s in problem.space}
    (residual,) = problem.residuals
    if gradient & residual.atoms(sympy.Derivative):
        form = transport_form(problem)
        return form.velocity, form.sources[0]
    rate = sympy.diff(c, time)
    factor = sympy.expand(residual).coeff(rate)
    if factor == 0 or factor.free_symbols:
        raise UnsupportedError(f"air: got {residual} = 0, expected {FORM}")
    return (sympy.S.Zero,) * 2, sympy.expand(rate - residual / factor)


def _coefficient(item: str, value: sympy.Expr) -> Coefficient | None:
    if value == 0:
        return None
    if isinstance(value, Parameter):
        return Coefficient(_positive(item, value.guess), learned=True)
    if value.is_number:
        return Coefficient(_positive(item, float(value)), learned=False)
    raise UnsupportedError(f"air: {item}: got the factor {value}, expected a number or a parameter; {FORM}")


def _positive(item: str, value: float) -> float:
    if not value > 0:
        raise UnsupportedError(f"air: {item}: got the factor {value:g}, expected a positive one; {FORM}")
    return value


def _advection(velocity: tuple[sympy.Expr, ...], conservative: bool) -> Advection | None:
    if all(v == 0 for v in velocity):
        return None
    winds, factors = zip(*(_wind_and_factor(v) for v in velocity), strict=True)
    response = _coefficient("wind", factors[0])
    if winds[0] == winds[1] or factors[0] != factors[1] or response is None:
        raise UnsupportedError(f"air: wind: got {velocity}, expected one factor and two different data; {FORM}")
    return Advection(conservative, response)


def _wind_and_factor(velocity: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    winds = [each for each in velocity.atoms(AppliedUndef) if _at_stations(each)]
    if len(winds) != 1 or (velocity / winds[0]).has(winds[0]):
        raise UnsupportedError(f"air: wind: got {velocity}, expected data at stations such as wind_x(x, y, t)")
    return winds[0], velocity / winds[0]


def _source(value: sympy.Expr, c: AppliedUndef) -> Literal["steady", "varying"] | None:
    if value == 0:
        return None
    if value.has(c) or not _at_stations(value):
        raise UnsupportedError(f"air: source: got {value}, expected data at stations such as source(x, y, t); {FORM}")
    return "varying" if c.args[-1] in value.free_symbols else "steady"


def _at_stations(value: sympy.Expr) -> bool:
    return isinstance(value, AppliedUndef) and all(isinstance(data, StationData) for data in grid_data_of(value))
