"""Solutions with kinks: which part of the domain has functions of its own, and how exactly the parts are joined."""

import numpy as np
import pytest
import sympy

from physolve.errors import SpecificationError
from physolve.solve import Outcome, solve
from physolve.spec import (
    Dirichlet,
    Disk,
    Eq,
    Interface,
    Neumann,
    Problem,
    Rectangle,
    Shape,
    coordinates,
    div,
    grad,
    unknown,
)

x, y = coordinates("x", "y")
u = unknown("u", x, y)
SQUARE = Rectangle((-1, -1), (1, 1))
CORE, SHELL = Disk((0, 0), 0.3), Disk((0, 0), 0.6)
POINTS = np.random.default_rng(0).uniform(-0.7, 0.7, (500, 2))


def kinked(left: float, right: float, at: sympy.Symbol) -> sympy.Expr:
    """One number where the coordinate is negative, another elsewhere."""
    return sympy.Piecewise((left, at < 0), (right, True))


def target(domain: Shape, on: object) -> Problem:
    """-div(k grad u) = 4 in the unit disk, u = 0 on its rim, k = 5 in a ring and 1 elsewhere: u' = -2 r / k."""
    r2 = x**2 + y**2
    k = sympy.Piecewise((1, r2 < 0.09), (5, r2 < 0.36), (1, True))
    joins = [Interface(u, each, flux=k * grad(u)) for each in (on if isinstance(on, list) else [on])]
    return Problem(Eq(-div(k * grad(u)), 4), domain, [Dirichlet(u, 0), *joins])


def exact(points: np.ndarray) -> np.ndarray:
    r = np.hypot(*points.T)
    ring = 0.64 + (0.36 - r**2) / 5
    return np.select([r < 0.3, r < 0.6], [0.64 + 0.27 / 5 + 0.09 - r**2, ring], 1 - r**2)


PLACES = {
    "inner first": (Disk((0, 0), 1), [CORE, SHELL]),
    "outer first": (Disk((0, 0), 1), [SHELL, CORE]),
    "one condition for both": (Disk((0, 0), 1), (CORE, SHELL)),
    "by the names of shapes": (Disk((0, 0), 1) | CORE.named("core") | SHELL.named("shell"), ("core", "shell")),
}


@pytest.mark.parametrize("place", PLACES)
def test_nested_interfaces_divide_the_domain_whatever_their_order(place: str) -> None:
    solution = solve(target(*PLACES[place]), 1e-6)
    assert solution.outcome is Outcome.CONVERGED
    assert solution(POINTS)[:, 0] == pytest.approx(exact(POINTS), abs=1e-6)


def test_interfaces_that_cross() -> None:
    """Four quadrants of different conductivity: u is a product of kinked functions of x and of y."""
    k = 1 / (kinked(1, 0.5, x) * kinked(1, 0.25, y))
    both = x * kinked(1, 0.5, x) * y * kinked(1, 0.25, y)
    sides = Rectangle((-1, -1), (0, 1)), Rectangle((-1, -1), (1, 0))
    joins = [Interface(u, side, flux=k * grad(u)) for side in sides]
    solution = solve(Problem(Eq(div(k * grad(u)), 0), SQUARE, [Dirichlet(u, both), *joins]), 1e-6)
    assert solution.outcome is Outcome.CONVERGED
    px, py = POINTS.T
    expected = px * np.where(px < 0, 1, 0.5) * py * np.where(py < 0, 1, 0.25)
    assert solution(POINTS)[:, 0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("width", [1.0, 1000.0])
def test_sides_are_joined_as_exactly_as_coordinates_are_rounded(width: float) -> None:
    """Values a step of 1e-9 beside the interface left an error as large, which no estimate saw."""
    k = kinked(1, 10, x)
    half = Rectangle((-width, -width), (0, width))
    conditions = [
        Dirichlet(u, 0, on="left"),
        Dirichlet(u, 1, on="right"),
        Neumann(u, 0, on=["bottom", "top"]),
        Interface(u, half, flux=k * grad(u)),
    ]
    solution = solve(Problem(Eq(div(k * grad(u)), 0), SQUARE, conditions), 1e-8)
    px = POINTS[:, 0]
    expected = np.where(px < 0, 10 * (px + 1), 10 + px) / 11
    assert solution(POINTS)[:, 0] == pytest.approx(expected, abs=3e-12 * width)


@pytest.mark.parametrize("on", [lambda p: p[:, 0] == 0, sympy.Eq(x, 0), "left", None])
def test_an_interface_is_the_boundary_of_a_shape(on: object) -> None:
    with pytest.raises(SpecificationError, match=r"'on' must be a shape, the boundary of which is the interface, or"):
        Problem(Eq(div(grad(u)), 0), SQUARE, [Dirichlet(u, x), Interface(u, on)])
