"""Burgers' equation by Cole-Hopf: its quadrature, its symmetries, its equation, refusals."""

import dataclasses

import numpy as np
import pytest
import sympy

from physolve.errors import SpecificationError, UnsupportedError, WellPosednessWarning
from physolve.reference import cole_hopf
from physolve.spec import Dirichlet, Eq, Initial, Interval, Periodic, Problem, TimeInterval, coordinates, d, dt, unknown

x, t = coordinates("x", "t")
u = unknown("u", x, t)
sin, cos = sympy.sin, sympy.cos
RING = Interval(0, 2 * np.pi)
BURGERS = dt(u) + u * d(u, x)


def burgers(start, nu=0.01, end=1.5):
    return Problem(Eq(BURGERS, nu * d(u, x, 2)), RING * TimeInterval(0, end), [Periodic(u, x), Initial(u, start)])


def points(n=400, end=1.5):
    return np.random.default_rng(0).uniform((0, 0), (2 * np.pi, end), (n, 2))


@pytest.mark.parametrize("nu", [1.0, 0.01, 0.001])
def test_more_nodes_change_nothing(nu):
    solution = cole_hopf(burgers(1 + sin(x), nu))
    finer = dataclasses.replace(solution, nodes=3 * solution.nodes, reach=1.2 * solution.reach)
    assert np.abs(solution(points()) - finer(points())).max() < 1e-13


def test_equation_is_satisfied():
    """By central differences of order four: their errors are h^4 u^(5), 1e-6 where layers are 0.2 wide, and rounding
    over h^2, 1e-11."""
    solution, here, h = cole_hopf(burgers(1 + sin(x) + cos(3 * x) / 4, nu=0.1)), points(), 5e-3
    here[:, 1] += 0.1

    def along(direction):
        return [solution(here + k * h * np.array(direction)) for k in (-2, -1, 0, 1, 2)]

    around, times = along((1, 0)), along((0, 1))
    slope, curvature, rate = first(around) / h, second(around) / h**2, first(times) / h
    assert np.abs(rate + around[2] * slope - 0.1 * curvature).max() < 1e-5


def first(v):
    return (v[0] - 8 * v[1] + 8 * v[3] - v[4]) / 12


def second(v):
    return (-v[0] + 16 * v[1] - 30 * v[2] + 16 * v[3] - v[4]) / 12


def test_starts_at_the_initial_values():
    solution, here = cole_hopf(burgers(1 + sin(x))), points() * (1, 0)
    assert np.abs(solution(here)[:, 0] - 1 - np.sin(here[:, 0])).max() < 1e-14


def test_seen_from_a_moving_frame():
    """With u + 3 for u, x - 3 t for x; and the ring closes."""
    still, moving = cole_hopf(burgers(sin(x))), cole_hopf(burgers(sin(x) + 3))
    here = points()
    assert np.abs(moving(here) - 3 - still(here - 3 * here[:, 1:] * (1, 0))).max() < 1e-12
    assert np.abs(still(here) - still(here + np.array([2 * np.pi, 0]))).max() < 1e-12


def test_standing_shock_is_the_stationary_layer():
    """Long after t = 1 / |u0'|, near x = pi: -s tanh(s (x - pi) / 2 nu), s being the height of the shock."""
    nu, solution = 0.005, cole_hopf(burgers(sin(x), 0.005))
    offsets = nu * np.array([-1.0, 0.5, 2.0])
    values = solution(np.stack([np.pi + offsets, np.full(3, 1.5)], 1))[:, 0]
    (far,) = -solution(np.array([[np.pi + 20 * nu, 1.5]]))[:, 0]
    assert values == pytest.approx(-far * np.tanh(far * offsets / (2 * nu)), rel=0.05)


def test_times_before_the_start_and_wrong_shapes():
    solution = cole_hopf(burgers(sin(x)))
    assert np.isnan(solution(np.array([[1.0, -0.1]]))).all()
    assert solution(np.zeros((0, 2))).shape == (0, 1)
    with pytest.raises(SpecificationError, match=r"got shape \(3,\)"):
        solution(np.zeros(3))


AROUND, START = Periodic(u, x), Initial(u, sin(x))
REFUSED = {
    "u_t + u u_x = nu u_xx": (Eq(dt(u) + 2 * u * d(u, x), d(u, x, 2)), [AROUND, START], (0, 1)),
    "a positive number nu": (Eq(BURGERS, (2 + cos(x)) * d(u, x, 2)), [AROUND, START], (0, 1)),
    "conditions must be": (Eq(BURGERS, d(u, x, 2)), [Dirichlet(u, 0), START], (0, 1)),
    "time must begin at 0": (Eq(BURGERS, d(u, x, 2)), [AROUND, START], (1, 2)),
    "no antiderivative": (Eq(BURGERS, d(u, x, 2)), [AROUND, Initial(u, sin(sin(sin(x))))], (0, 1)),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refused_with_the_reason(reason):
    equation, conditions, span = REFUSED[reason]
    with pytest.raises(UnsupportedError, match=f"Cole-Hopf: .*{reason.replace('+', '.')}"):
        cole_hopf(Problem(equation, RING * TimeInterval(*span), conditions))


def test_no_viscosity_is_refused():
    with pytest.raises(UnsupportedError, match="positive number"):
        cole_hopf(Problem(Eq(BURGERS, 0), RING * TimeInterval(0, 1), [Periodic(u, x, order=0), START]))


def test_growth_is_refused():
    with pytest.warns(WellPosednessWarning):
        problem = burgers(sin(x), nu=-0.1)
    with pytest.raises(UnsupportedError, match="positive number"):
        cole_hopf(problem)
