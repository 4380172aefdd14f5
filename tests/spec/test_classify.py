"""The class of textbook equations."""

import warnings

import numpy as np
import pytest
import sympy

from physolve.spec import (
    Dirichlet,
    Eq,
    Initial,
    Interval,
    Neumann,
    Problem,
    Rectangle,
    TimeInterval,
    biharmonic,
    coordinates,
    d,
    div,
    dot,
    dt,
    grad,
    laplacian,
    unknown,
)

x, y, t = coordinates("x", "y", "t")
u, w, p = (unknown(name, x, y) for name in "uwp")
v = unknown("v", x, y, components=2)
a, b = (unknown(name, x, t) for name in "ab")
V, P = unknown("V", x, y, t, components=2), unknown("P", x, y, t)
q, r = unknown("q", t), unknown("r", t)
SQUARE = Rectangle((-1, -1), (1, 1))
STRIP = Interval(-1, 1) * TimeInterval(0, 1)
CUBE = SQUARE * TimeInterval(0, 1)
YEAR = TimeInterval(0, 1)


def classify(equations, domain, conditions=()):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Problem(equations, domain, conditions).classification


@pytest.mark.parametrize(
    ("equations", "domain", "kind"),
    [
        ([laplacian(u) - 1], SQUARE, "elliptic"),
        ([laplacian(u) + 100 * u], SQUARE, "elliptic"),
        ([1e-6 * d(u, x, 2) + d(u, y, 2)], SQUARE, "elliptic"),
        ([d(u, x, 2) + d(u, x, y) + d(u, y, 2)], SQUARE, "elliptic"),
        ([d(u, x, 2) + 3 * d(u, x, y) + d(u, y, 2)], SQUARE, "hyperbolic"),
        ([d(u, x, 2) - d(u, y, 2)], SQUARE, "hyperbolic"),
        ([d(u, x, 2) - d(u, y)], SQUARE, "parabolic"),
        ([d(u, x, 2) + x * d(u, y, 2)], SQUARE, "mixed"),
        ([biharmonic(u) - 1], SQUARE, "elliptic"),
        ([d(u, x) + 2 * d(u, y)], SQUARE, "hyperbolic"),
        ([d(u, x) - d(w, y), d(u, y) + d(w, x)], SQUARE, "elliptic"),
        ([Eq(-laplacian(v) + grad(p), 0), Eq(div(v), 0)], SQUARE, "elliptic"),
        ([Eq(-div(grad(v) + grad(v).T) - 2 * grad(div(v)), 0)], SQUARE, "elliptic"),
        ([dt(a) - 0.1 * laplacian(a)], STRIP, "parabolic"),
        ([dt(a) - 1e-6 * laplacian(a) + d(a, x)], STRIP, "parabolic"),
        ([dt(a) + d(a, x, 4)], STRIP, "parabolic"),
        ([dt(a) + a * d(a, x) - 0.01 * d(a, x, 2)], STRIP, "parabolic"),
        ([dt(a) + laplacian(a)], STRIP, "other"),
        ([dt(a) + d(a, x)], STRIP, "hyperbolic"),
        ([dt(a, 2) - 4 * laplacian(a)], STRIP, "hyperbolic"),
        ([dt(a, 2) + 5 * dt(a) - 4 * laplacian(a) + a**3], STRIP, "hyperbolic"),
        ([dt(a) + d(b, x), dt(b) + 4 * d(a, x)], STRIP, "hyperbolic"),
        ([dt(a, 2) + laplacian(a)], STRIP, "elliptic"),
        ([dt(a, 2) + d(a, x, 4)], STRIP, "other"),
        ([dt(a) + d(b, x, 2), dt(b) - d(a, x, 2)], STRIP, "other"),
        ([dt(a) + 6 * a * d(a, x) + d(a, x, 3)], STRIP, "other"),
        ([dt(a) - laplacian(a) - b, dt(b) - 2 * laplacian(b) + a], STRIP, "parabolic"),
        ([dt(a, 2) - d(a, x, 2) + d(b, x), dt(b) - d(b, x, 2) + d(a, x, t)], STRIP, "mixed"),
        ([Eq(dt(V) + dot(grad(V), V) - laplacian(V) + grad(P), 0), Eq(div(V), 0)], CUBE, "parabolic"),
        ([dt(q) - r, dt(r) + sympy.sin(q)], YEAR, "ordinary"),
        ([d(unknown("f", x), x, 2) - 1], Interval(0, 1), "ordinary"),
    ],
)
def test_kind(equations, domain, kind):
    assert classify(equations, domain).kind == kind


def test_equations_without_a_rate_or_too_many_of_them_are_no_evolution():
    assert classify([d(a, x) + a], STRIP).kind == "ordinary"
    assert classify([dt(a) + d(a, x), d(a, x) - 1], STRIP).kind == "other"


@pytest.mark.parametrize(
    ("equation", "linear", "constant"),
    [
        (laplacian(u) + u - sympy.sin(x), True, True),
        (div((1 + x**2) * grad(u)), True, False),
        (laplacian(u) + u**2, False, False),
        (u * d(u, x) + laplacian(u), False, False),
        ((u + 1) ** 2 - u**2 + laplacian(u), True, True),
        (laplacian(u) + sympy.Max(u, 0), False, False),
    ],
)
def test_linearity(equation, linear, constant):
    made = classify([equation], SQUARE)
    assert (made.linear, made.constant_coefficients) == (linear, constant)


def test_linear_in_each_unknown_but_not_together():
    assert not classify([dt(a) - a * b, dt(b) + a * b], STRIP).linear


def test_a_nonlinear_condition_makes_the_problem_nonlinear():
    assert classify([laplacian(u)], SQUARE, [Dirichlet(u, 1, on="left")]).linear
    assert not classify([laplacian(u)], SQUARE, [Neumann(u, u**4, on="left")]).linear


@pytest.mark.parametrize(
    ("equations", "domain", "order", "time_order"),
    [
        ([laplacian(u)], SQUARE, 2, 0),
        ([biharmonic(u)], SQUARE, 4, 0),
        ([dt(a, 2) - laplacian(a)], STRIP, 2, 2),
        ([dt(a) + d(a, x, 3)], STRIP, 3, 1),
        ([dt(q) - q], YEAR, 1, 1),
    ],
)
def test_orders(equations, domain, order, time_order):
    made = classify(equations, domain)
    assert (made.order, made.time_order) == (order, time_order)
    assert made.time_dependent == (domain is not SQUARE)


@pytest.mark.parametrize(
    ("equations", "domain", "conditions", "peclet", "dominated"),
    [
        # |b| L / D with L = 2
        ([-0.01 * laplacian(u) + 3 * d(u, x) + 4 * d(u, y)], SQUARE, (), 1000, True),
        ([-laplacian(u) + d(u, x)], SQUARE, (), 2, False),
        ([dt(a) + a * d(a, x) - 0.01 * d(a, x, 2)], STRIP, [Initial(a, 3)], 600, True),
        (
            [Eq(dot(grad(v), v) - 0.5 * laplacian(v) + grad(p), 0), Eq(div(v), 0)],
            SQUARE, [Dirichlet(v, [2, 0], on="left")], 8, False,
        ),
        ([dt(a) + 2 * d(a, x)], STRIP, (), np.inf, True),
    ],
)  # fmt: skip
def test_peclet_number(equations, domain, conditions, peclet, dominated):
    made = classify(equations, domain, conditions)
    assert made.peclet == pytest.approx(peclet, rel=1e-6)
    assert made.convection_dominated == dominated


@pytest.mark.parametrize(
    ("equations", "domain"),
    [
        ([laplacian(u) + u], SQUARE),
        ([div((1 + 100 * x**2) * grad(u))], SQUARE),
        ([dt(a, 2) - laplacian(a)], STRIP),
        ([dt(a) + d(b, x), dt(b) + d(a, x)], STRIP),
        ([d(u, x) - d(w, y), d(u, y) + d(w, x)], SQUARE),
        ([dt(q) - q], YEAR),
    ],
)
def test_no_convection(equations, domain):
    made = classify(equations, domain)
    assert made.peclet is None
    assert not made.convection_dominated
