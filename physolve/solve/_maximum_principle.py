"""The class of problems with a maximum principle, and how far residuals move their solutions.

With signs such that the diffusion A is positive definite, the equation is

    L u = tau u_t - A : D^2 u + b . grad u + c u = f,        tau = 0 (elliptic) or tau > 0 (parabolic),

with u given on the whole boundary of space (and at the first instant). Let v be any field, r = L v - f. For a barrier
phi >= 0 with L phi >= 1, and c >= 0, the functions m + max|r| phi +- (u - v) have L(...) >= 0 and are >= 0 on the
(parabolic) boundary where |u - v| <= m, hence everywhere: |u - v| <= m + max|r| max phi (Gilbarg and Trudinger,
Elliptic partial differential equations of second order, theorem 3.7; Protter and Weinberger, Maximum principles in
differential equations, chapter 3). The constant is max phi of the best of a few barriers.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch

from physolve._typing import ColumnArray, PointArray
from physolve.residual import Collocation, Form
from physolve.spec import Dirichlet, Initial, Problem, dirichlet_everywhere
from physolve.spec.geometry import boundary_maximum, maximum, split_time

TINY = 1e-12

OVERFLOW = 700.0
"""Exponents above which exp leaves float64."""

BISECTIONS = 60

COEFFICIENT_SAMPLES = 2048
"""Coefficients are expressions of a few terms, far smoother than a residual."""


@dataclass(frozen=True)
class Stability:
    """|u - v| <= growth * (largest error of boundary and initial values) + constant * (largest residual)."""

    growth: float
    constant: float


class Coefficients(NamedTuple):
    """Of L at points, signs as in the heading: A (n, space, space), b (n, space), c (n,), tau (n,)."""

    A: np.ndarray
    b: np.ndarray
    c: ColumnArray
    tau: ColumnArray


@dataclass(frozen=True, eq=False)
class Operator:
    """The linear operator of the one equation of a problem."""

    problem: Problem
    form: Form

    @property
    def steady(self) -> bool:
        return self.problem.time is None

    @property
    def space(self) -> int:
        return len(self.problem.space)

    def at(self, points: PointArray) -> Coefficients:
        """Its coefficients at points (n, dim)."""
        return Coefficients(*(self._sign * part for part in self._stated(points)))

    def largest(self, values: Callable[[Coefficients], ColumnArray]) -> float:
        """Over the domain; of constant coefficients one value is all."""
        domain = self.problem.domain
        if self.problem.classification.constant_coefficients:
            return float(values(self.at(domain.sample_interior(1).points))[0])
        return maximum(domain, lambda points: values(self.at(points)), COEFFICIENT_SAMPLES)

    def smallest(self, values: Callable[[Coefficients], ColumnArray]) -> float:
        return -self.largest(lambda coefficients: -values(coefficients))

    @cached_property
    def _sign(self) -> float:
        """With which the equation has to be multiplied to make A positive."""
        A = self._stated(self.problem.domain.sample_interior(1).points).A
        return 1.0 if np.trace(A[0]) > 0 else -1.0

    def _stated(self, points: PointArray) -> Coefficients:
        """The coefficients in the equation as it stands."""
        x = torch.from_numpy(np.ascontiguousarray(points))
        n, space = len(x), self.space
        slopes = self.form.linearize(x, None, {atom: x.new_zeros(n) for atom in self.form.atoms}).slopes
        found = Coefficients(np.zeros((n, space, space)), np.zeros((n, space)), np.zeros(n), np.zeros(n))
        for atom, slope in slopes.items():
            match [k for k, order in enumerate(atom.orders) for _ in range(order)]:
                case []:
                    found.c[:] = slope
                case [k] if k < space:
                    found.b[:, k] = slope
                case [_]:
                    found.tau[:] = slope
                case [j, k]:
                    found.A[:, j, k] -= slope.numpy() / 2
                    found.A[:, k, j] -= slope.numpy() / 2
        return found


def stability_of(problem: Problem) -> Stability | None:
    """How far residuals can move the solution of a problem; None where it has no maximum principle that we know.

    Bounds of coefficients are found by sampling. The domain is seen as part of its bounding box and of the ball about
    that box's centre; a better constant for a narrow, slanting or winding domain is not looked for.
    """
    operator = operator_of(problem)
    if operator is None or not _definite(operator):
        return None
    found = _steady(operator) if operator.steady else _evolving(operator)
    return found if found and math.isfinite(found.growth) and math.isfinite(found.constant) else None


def operator_of(problem: Problem) -> Operator | None:
    """The equation of a scalar linear problem of second order with values given all around; else None."""
    kind, conditions = problem.classification, problem.conditions
    if len(problem.unknowns) > 1 or len(problem.equations) > 1 or problem.parameters or not problem.space:
        return None
    if not kind.linear or kind.order != 2 or kind.kind not in ("elliptic", "parabolic", "ordinary"):
        return None
    if not all(isinstance(c, Dirichlet) or (isinstance(c, Initial) and c.velocity is None) for c in conditions):
        return None
    if any(isinstance(c, Initial) for c in conditions) != (problem.time is not None):
        return None
    if not dirichlet_everywhere(problem, 0):
        return None
    collocation = Collocation(problem)
    ours = all(_plain_value(form) for _, forms in collocation.conditions for form in forms)
    equation = collocation.equations[0]
    return Operator(problem, equation) if ours and _second_order_in_space(problem, equation) else None


def _plain_value(form: Form) -> bool:
    """Whether a condition gives the value of the unknown itself."""
    return len(form.atoms) == 1 and not sum(form.atoms[0].orders) and form.slopes[0] == 1


def _second_order_in_space(problem: Problem, form: Form) -> bool:
    """Whether time appears as u_t only, and does so where there is time."""
    if problem.time is None:
        return True
    velocity = (*(0,) * len(problem.space), 1)
    orders = [atom.orders for atom in form.atoms]
    return velocity in orders and all(o == velocity for o in orders if o[-1])


def _definite(operator: Operator) -> bool:
    return operator.smallest(lambda at: np.linalg.eigvalsh(at.A)[:, 0]) > 0


def _steady(operator: Operator) -> Stability | None:
    lowest = operator.smallest(lambda at: at.c)
    return Stability(1.0, _steady_constant(operator, lowest)) if lowest >= -TINY else None


def _evolving(operator: Operator) -> Stability | None:
    """The barrier of time, or those of space where c >= 0.

    With gamma = max(-c / tau) and s the time since the start, exp(gamma s) m + (exp(gamma s) - 1) / gamma
    max|r| / min(tau) majorises the error for either sign of gamma; for gamma <= 0 the first factor may as well be 1.
    """
    time = split_time(operator.problem.domain)[1]
    slowest = operator.smallest(lambda at: at.tau)
    if time is None or not slowest > 0:
        return None
    gamma, duration = operator.largest(lambda at: -at.c / at.tau), time.t1 - time.t0
    if gamma * duration > OVERFLOW:
        return None
    constant = duration * _growth(gamma * duration) / slowest
    if gamma > 0:
        return Stability(math.exp(gamma * duration), constant)
    return Stability(1.0, min(constant, _steady_constant(operator, operator.smallest(lambda at: at.c))))


def _growth(q: float) -> float:
    """(exp(q) - 1) / q."""
    return math.expm1(q) / q if q else 1.0


def _steady_constant(operator: Operator, reaction: float) -> float:
    """The least max phi of the barriers that do not change in time, for c >= reaction."""
    strips = (_strip(operator, k) for k in range(operator.space))
    return min(1 / reaction if reaction > TINY else math.inf, _ball(operator), *strips)


def _strip(operator: Operator, k: int) -> float:
    """The barrier phi(x_k) of the strip lower <= x_k <= upper in which the domain lies.

    With low <= b_k / A_kk <= high, phi solves -phi'' + low phi' = 1 on its rising side and -phi'' + high phi' = 1 on
    its falling side, whence L phi >= A_kk; the summit is where both sides are level. Without drift this is the parabola
    with maximum d^2 / 8; a strong drift one way makes it d / drift.
    """
    lower, upper = (float(bound[k]) for bound in operator.problem.domain.bounds)
    low, high = (f(lambda at: at.b[:, k] / at.A[:, k, k]) for f in (operator.smallest, operator.largest))
    return summit(low, high, upper - lower) / operator.smallest(lambda at: at.A[:, k, k])


def summit(low: float, high: float, width: float) -> float:
    """Height of the barrier of a strip: a rise with drift `low` up to the summit, with -`high` seen from beyond it."""
    left, right = 0.0, width
    for _ in range(BISECTIONS):
        middle = (left + right) / 2
        left, right = (middle, right) if rise(low, middle) < rise(-high, width - middle) else (left, middle)
    return max(rise(low, right), rise(-high, width - right))


def rise(drift: float, s: float) -> float:
    """Rise over s of phi'' = drift phi' - 1 up to its level point: (q - 1 + exp(-q)) / drift^2, q = drift s."""
    q = drift * s
    if abs(q) < 1e-4:
        return s * s * (0.5 - q / 6 + q * q / 24)
    return (q + math.expm1(-q)) / drift**2 if q > -OVERFLOW else math.inf


def _ball(operator: Operator) -> float:
    """The barrier (R^2 - |x - center|^2) / 2, for which L phi >= trace A + b . (x - center); inf where that fails."""
    domain = operator.problem.domain
    body = domain if operator.steady else split_time(domain)[0]
    if body is None:
        return math.inf
    center = sum(body.bounds) / 2
    radius = boundary_maximum(body, lambda points: np.linalg.norm(points - center, axis=1))

    def image(points: PointArray) -> ColumnArray:
        at = operator.at(points)
        return np.trace(at.A, axis1=1, axis2=2) + (at.b * (points[:, : operator.space] - center)).sum(1)

    least = -maximum(domain, lambda points: -image(points), COEFFICIENT_SAMPLES)
    return radius**2 / 2 / least if least > 0 else math.inf
