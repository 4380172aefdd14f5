"""Newton's iteration on one basis: it finds what is in the basis, and tells when it cannot go on."""

import itertools

import numpy as np
import pytest
import sympy
import torch

from physolve.errors import NumericalError
from physolve.nets import Polynomials
from physolve.residual import Collocation, Density
from physolve.solve import Newton
from physolve.solve._system import project
from physolve.spec import (
    Dirichlet,
    Eq,
    Initial,
    Interval,
    Observations,
    Problem,
    TimeInterval,
    coordinates,
    d,
    dt,
    parameter,
    unknown,
)

x, t = coordinates("x", "t")
u, q = unknown("u", x), unknown("q", t)
RIDGE = 1e-15
DENSITY = Density(60, 60)

LINE = Polynomials((0.0,), (1.0,), 6)
"""Everything below has its exact solution, a polynomial, in this basis."""


def cubic() -> Problem:
    """u'' = u^3 + f with u = 1 + x^2."""
    w = 1 + x**2
    return Problem(Eq(d(u, x, 2), u**3 + w.diff(x, 2) - w**3), Interval(0, 1), [Dirichlet(u, w)], exact={u: w})


def unknown_rate() -> Problem:
    """q' = a q / (1 + t) with q(0) = 1 is (1 + t)^a; the data say a = 2."""
    a = parameter("a", guess=0.3)
    points = np.array([[0.5], [1.0]])
    data = Observations(q, points, (1 + points[:, 0]) ** 2)
    return Problem(Eq(dt(q), a * q / (1 + t)), TimeInterval(0, 1), [Initial(q, 1), data])


def run(problem: Problem, newton: Newton) -> tuple[torch.Tensor, tuple[float, ...], int]:
    """Values at 5 points, parameters and number of linear solves."""
    rows = Collocation(problem).rows(DENSITY)
    guesses = tuple(p.guess for p in problem.parameters)
    found, taken = newton.solve(rows, LINE, 1, None, guesses, RIDGE)
    points = torch.linspace(0, 1, 5, dtype=torch.float64)[:, None]
    return found.field.values(points)[:, 0], found.parameters, taken


def test_solution_in_the_basis_is_found_to_rounding() -> None:
    values, _, taken = run(cubic(), Newton())
    expected = 1 + torch.linspace(0, 1, 5, dtype=torch.float64) ** 2
    torch.testing.assert_close(values, expected, rtol=1e-10, atol=0)
    assert taken <= 10


def test_convergence_is_quadratic() -> None:
    """Errors after 1, 2, 3, ... steps: once small, the next is about the square of the one before."""
    expected = 1 + torch.linspace(0, 1, 5, dtype=torch.float64) ** 2
    errors = [float((run(cubic(), Newton(steps=n, tolerance=0.0))[0] - expected).abs().max()) for n in range(1, 7)]
    small = [(a, b) for a, b in itertools.pairwise(errors) if 1e-6 < a < 0.3]
    assert len(small) >= 2
    for before, after in small:
        assert after < 5 * before**2 + 1e-12


def test_linear_problem_is_solved_by_the_first_step() -> None:
    linear = Problem(Eq(d(u, x, 2), 2), Interval(0, 1), [Dirichlet(u, 1 + x**2)])
    first, _, _ = run(linear, Newton(steps=1))
    torch.testing.assert_close(first, 1 + torch.linspace(0, 1, 5, dtype=torch.float64) ** 2, rtol=1e-12, atol=0)


def test_parameter_is_found_with_the_field() -> None:
    values, parameters, _ = run(unknown_rate(), Newton())
    assert parameters[0] == pytest.approx(2.0, rel=1e-6)
    assert float(values[-1]) == pytest.approx(4.0, rel=1e-6)


def test_number_of_steps_is_bounded() -> None:
    assert run(cubic(), Newton(steps=3, tolerance=0.0))[2] <= 3


def test_later_steps_never_raise_the_residual() -> None:
    """A strong nonlinearity, where whole steps overshoot; residuals in common weights."""
    problem = Problem(Eq(d(u, x, 2), 5 * sympy.sinh(u)), Interval(0, 1), [Dirichlet(u, 4 * x)])
    rows = Collocation(problem).rows(DENSITY)
    fields = [Newton(steps=n, tolerance=0.0).solve(rows, LINE, 1, None, (), RIDGE)[0].field for n in range(1, 16)]
    weights = project(rows, LINE, 1, fields[-1]).scale
    sizes = np.array([weights.norm([block.residual_of(field) for block in rows]) for field in fields])
    assert sizes[-1] < 0.2 * sizes[0]
    assert (sizes[1:] < 1.05 * sizes[:-1]).all()


def test_not_a_number_is_an_error() -> None:
    """The logarithm of a solution that the conditions make negative."""
    problem = Problem(Eq(d(u, x, 2), sympy.log(u)), Interval(0, 1), [Dirichlet(u, -1)])
    with pytest.raises(NumericalError):
        run(problem, Newton())
