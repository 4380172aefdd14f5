"""Burgers' equation on a ring by the transformation of Cole and Hopf: a quotient of two integrals."""

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import sympy
from jaxtyping import Float
from numpy import ndarray

from ..errors import SpecificationError, UnsupportedError
from ..spec import Initial, Periodic, Problem, Program, d, dt, split_time

CHUNK = 4_000_000
"""Values of the integrand at once."""

NEGLIGIBLE = 45.0
"""exp(-45) = 3e-20."""

STEP = 0.2
"""Between nodes, in widths of the narrowest integrand there can be: the error is about exp(-(pi / STEP)^2)."""

SAMPLES = 4096
"""Of the initial values, for their extremes."""


@dataclass(frozen=True, eq=False)
class ColeHopf:
    """The exact solution of u_t + u u_x = nu u_xx, u(x, 0) = u0(x), periodic with mean m, by quadrature to rounding.

    In the frame that moves with m, with U' = u0 - m and y = x - m t - sqrt(4 nu t) z,

        u = m + int (u0(y) - m) E dz / int E dz,    E = exp(-z^2 - U(y) / (2 nu)).

    Both integrals by the trapezoidal rule, exponentially accurate here, at `nodes` points |z| <= `reach`, beyond which
    E is negligible; E is divided by its largest value, so that nothing overflows. `wave` gives u0 - m and U.
    """

    viscosity: float
    mean: float
    wave: Program
    reach: float
    nodes: int

    def __call__(self, points: Float[ndarray, "n 2"]) -> Float[ndarray, "n 1"]:
        """Values at points (x, t); NaN before t = 0."""
        points = np.asarray(points, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2:
            raise SpecificationError(f"points: got shape {points.shape}, expected (n, 2)")
        parts = np.array_split(points, max(1, len(points) * self.nodes // CHUNK))
        return np.concatenate([self._values(part) for part in parts])[:, None]

    def _values(self, points: Float[ndarray, "n 2"]) -> Float[ndarray, " n"]:
        x, t = points[:, :1], np.where(points[:, 1:] >= 0, points[:, 1:], np.nan)
        z = np.linspace(-self.reach, self.reach, self.nodes)
        u, U = self.wave(x - self.mean * t - np.sqrt(4 * self.viscosity * t) * z)
        exponent = -(z**2) - U / (2 * self.viscosity)
        E = np.exp(exponent - exponent.max(axis=1, keepdims=True))
        return self.mean + (E * u).sum(axis=1) / E.sum(axis=1)


def cole_hopf(problem: Problem) -> ColeHopf:
    """The exact solution of a periodic problem of Burgers' equation in one dimension, which starts at t = 0.

    Raises UnsupportedError with the reason for any other problem, and for initial values whose antiderivative sympy
    does not find.
    """
    viscosity, (u0, x) = _viscosity(problem), _initial(problem)
    (low, _), (high, last) = problem.domain.bounds
    antiderivative = sympy.integrate(u0, x)
    if antiderivative.has(sympy.Integral):
        _refuse(f"no antiderivative of the initial value {u0} is known")
    ends = Program([antiderivative], [x])(np.array([low, high]))[0]
    mean = float(ends[1] - ends[0]) / (high - low)
    wave = Program([u0 - mean, antiderivative - mean * x], [x])
    samples = np.linspace(low, high, SAMPLES)
    slope = Program([sympy.diff(u0, x)], [x])(samples)[0]
    reach = float(np.sqrt(np.ptp(wave(samples)[1]) / (2 * viscosity) + NEGLIGIBLE))
    width = 1 / np.sqrt(1 + last * np.abs(slope).max())  # E is exp(-(1 + t u0') z^2) nearby
    return ColeHopf(viscosity, mean, wave, reach, 1 + 2 * int(np.ceil(reach / (STEP * width))))


def _viscosity(problem: Problem) -> float:
    """nu of a problem that is Burgers' equation on an interval."""
    if len(problem.unknowns) == len(problem.equations) == len(problem.space) == 1 and problem.time is not None:
        (u,), (x,) = problem.unknowns, problem.space
        burgers = dt(u) + u * d(u, x)
        for sign in (1, -1):
            rest = sympy.expand(sign * problem.residuals[0].doit() - burgers)
            nu = -rest.coeff(d(u, x, 2))
            if nu.is_number and nu > 0 and sympy.expand(rest + nu * d(u, x, 2)) == 0:
                return float(nu)
    _refuse(f"the equation must be u_t + u u_x = nu u_xx with a positive number nu, got {problem.equations[0]}")


def _initial(problem: Problem) -> tuple[sympy.Expr, sympy.Symbol]:
    """u0 and its coordinate, of a problem with a periodic and an initial condition and no other."""
    initial = [c for c in problem.conditions if isinstance(c, Initial)]
    periodic = [c for c in problem.conditions if isinstance(c, Periodic)]
    if len(initial) != 1 or len(periodic) != 1 or len(problem.conditions) != 2:
        _refuse("the conditions must be one periodic and one initial one")
    time = split_time(problem.domain)[1]
    if time is None or time.t0 != 0:
        _refuse(f"time must begin at 0, got the domain {problem.domain!r}")
    return initial[0].value, problem.space[0]


def _refuse(reason: str) -> NoReturn:
    raise UnsupportedError(f"Cole-Hopf: {reason}")
