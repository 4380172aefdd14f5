"""Functions that jump under a derivative: refused where no Interface lies, as are no others."""

import numpy as np
import pytest
import sympy

from physolve.errors import SpecificationError
from physolve.spec import (
    Dirichlet,
    Disk,
    Eq,
    Initial,
    Interface,
    Interval,
    Neumann,
    Problem,
    Program,
    Rectangle,
    TimeInterval,
    coordinates,
    d,
    div,
    dt,
    grad,
    laplacian,
    parameter,
    unknown,
)

x, y, t = coordinates("x", "y", "t")
u, w, h = unknown("u", x), unknown("w", x, y), unknown("h", x, t)
SQUARE = Rectangle((-1, -1), (1, 1))
R2 = x**2 + y**2

pytestmark = pytest.mark.filterwarnings("ignore::physolve.errors.WellPosednessWarning")


def where(condition, value, otherwise):
    return sympy.Piecewise((value, condition), (otherwise, True))


def rod(k, *conditions, source=0):
    return Problem(Eq(d(k * d(u, x), x), source), Interval(0, 1), [Dirichlet(u, x), *conditions])


def plate(k, *conditions):
    return Problem(Eq(div(k * grad(w)), 0), SQUARE, [Dirichlet(w, x), *conditions])


JUMPS = {
    "branches in x": (
        lambda: rod(where(x < 0.5, 1, 10)),
        "equation 1: a function under a derivative jumps at x = 0.5, ",
    ),
    "the other way": (lambda: rod(where(x > 0.5, 1, 10)), " at x = 0.5, where no condition says how"),
    "heaviside": (lambda: rod(1 + sympy.Heaviside(x - 0.25)), " jumps at x = 0.25, where no condition says how"),
    "sign": (lambda: rod(2 + sympy.sign(x - 0.25)), " jumps at x = 0.25, where no condition says how"),
    "floor": (lambda: rod(1 + sympy.floor(2 * x)), " jumps at x = 0.5, where no condition says how"),
    "two unequal parameters": (
        lambda: rod(where(x < 0.5, parameter("a"), parameter("b"))),
        " jumps at x = 0.5, where no condition says how",
    ),
    "disk": (lambda: plate(where(R2 < 0.25, 1, 10)), " jumps at \\(x, y\\) = \\(.*\\), where no condition says how"),
    "small disk": (lambda: plate(where((x - 0.9) ** 2 + y**2 < 1e-4, 1, 10)), " jumps at \\(x, y\\) = "),
    "half a strip": (lambda: plate(where((x > 0.2) & (x < 0.3) & (y > 0), 1, 10)), " jumps at x = 0.(2|3), "),
    "only one of two has an interface": (
        lambda: plate(where(R2 < 0.25, 1, where(R2 < 0.64, 2, 10)), Interface(w, on=Disk((0, 0), 0.5))),
        " jumps at \\(x, y\\) = ",
    ),
    "interface elsewhere": (
        lambda: rod(where(x < 0.5, 1, 10), Interface(u, on=Interval(0, 0.4))),
        " jumps at x = 0.5, ",
    ),
    "moving": (
        lambda: Problem(
            Eq(dt(h), d(where(x < t, 1, 2) * d(h, x), x)),
            Interval(0, 1) * TimeInterval(0, 1),
            [Initial(h, 0), Dirichlet(h, 0)],
        ),
        " jumps at \\(x, t\\) = ",
    ),
    "kink, twice": (lambda: rod(1, source=laplacian(where(x < 0.3, x, 0.3), x)), " jumps at x = 0.3, "),
    "abs, twice": (lambda: rod(1, source=d(abs(x - 0.3), x, 2)), " jumps at x = 0.3, "),
    "of the unknown": (
        lambda: rod(where(u < 0.5, 1, 10)),
        "equation 1: a function under a derivative jumps at u = 0.5; coefficients must be continuous in the unknowns",
    ),
    "of a large unknown": (
        lambda: rod(where(u < 1e8, 1, 10)),
        " jumps at u = 1e\\+08; coefficients must be continuous",
    ),
    "in a small and far domain": (
        lambda: Problem(Eq(d(where(x < 1 + 5e-7, 1, 10) * d(u, x), x), 0), Interval(1, 1 + 1e-6), [Dirichlet(u, x)]),
        " jumps at x = 1, ",
    ),
    "sign of the unknown": (lambda: rod(2 + sympy.sign(u)), " jumps at u = .*; coefficients must be continuous in"),
    "laplacian of max": (
        lambda: Problem(Eq(laplacian(sympy.Max(w, 0)), 1), SQUARE, [Dirichlet(w, 0)]),
        " jumps at w = .*; coefficients must be continuous in",
    ),
    "a condition": (
        lambda: Problem(Eq(laplacian(w), 0), SQUARE, [Neumann(w, d(where(y < 0.5, 1, 2), y))]),
        "condition 1 \\('neumann' on w\\): a function under a derivative jumps at y = 0.5, ",
    ),
}


@pytest.mark.parametrize(("build", "message"), JUMPS.values(), ids=JUMPS)
def test_a_jump_under_a_derivative_is_refused(build, message) -> None:
    with pytest.raises(SpecificationError, match=message) as caught:
        build()
    assert "\n" not in str(caught.value)


ALLOWED = {
    "branches that meet": lambda: rod(where(x < 0.5, 1 + x, 2 - x)),
    "branches that meet up to rounding": lambda: rod(where(x < 0.3, 1 + x / 0.3, 1 + (1 - x) / 0.7)),
    "branches that meet in the unknown": lambda: rod(where(u < 0.5, 1 + u, 1.5)),
    "branches that meet on a circle": lambda: plate(where(R2 < 0.25, 1, 0.75 + R2)),
    "smooth bump, twice": lambda: rod(
        1, source=laplacian(where(abs(x - 0.5) < 0.2, (0.04 - (x - 0.5) ** 2) ** 2, 0), x)
    ),
    "abs": lambda: rod(1 + abs(x - 0.5)),
    "max": lambda: rod(sympy.Max(x, 0.5)),
    "x sign(x)": lambda: rod(2 + (x - 0.5) * sympy.sign(x - 0.5)),
    "degenerate at zero": lambda: Problem(Eq(laplacian(sympy.Max(w, 0) ** 2), 1), SQUARE, [Dirichlet(w, 1)]),
    "steep, not jumping": lambda: rod(where(x < 0.5, 2, 2 + sympy.tanh(1e6 * (x - 0.5)))),
    "jump outside the domain": lambda: rod(where(x < 2, 1, 10)),
    "jump at the end of the domain": lambda: rod(where(x <= 0, 1, 10)),
    "a source": lambda: rod(1, source=where(x < 0.5, 1, 10)),
    "a source that switches": lambda: rod(1, source=where(u < 0.5, 1, 10)),
    "another value at one point": lambda: rod(where(sympy.Eq(x, 0.5), 1, 10)),
    "in front of derivatives": lambda: Problem(
        Eq(where(x < 0.5, 1, 10) * laplacian(u), sympy.sign(x - 0.2)), Interval(0, 1), [Dirichlet(u, 0)]
    ),
    "no derivative across it": lambda: Problem(
        Eq(dt(where(x < 0.5, 1, 10) * h), laplacian(h)),
        Interval(0, 1) * TimeInterval(0, 1),
        [Initial(h, where(x < 0.5, 0, 1)), Dirichlet(h, 0)],
    ),
    "interfaces": lambda: rod(where((x > 0.2) & (x < 0.4), 1, 10), Interface(u, on=Interval(0.2, 0.4))),
    "interface on a circle": lambda: plate(where(R2 < 0.25, 1, 10), Interface(w, on=Disk((0, 0), 0.5))),
    "two interfaces": lambda: plate(
        where(R2 < 0.25, 1, where(R2 < 0.64, 2, 10)),
        Interface(w, on=Disk((0, 0), 0.5)),
        Interface(w, on=Disk((0, 0), 0.8)),
    ),
    "interface in space and time": lambda: Problem(
        Eq(dt(h), d(where(x < 0.5, 1, 2) * d(h, x), x)),
        Interval(0, 1) * TimeInterval(0, 1),
        [Initial(h, 0), Dirichlet(h, 0), Interface(h, on=Interval(0, 0.5))],
    ),
}


@pytest.mark.parametrize("build", ALLOWED.values(), ids=ALLOWED)
def test_what_does_not_jump_under_a_derivative_is_allowed(build) -> None:
    problem = build()
    assert "Jump" not in sympy.srepr(problem.equations)


def test_branches_are_differentiated_one_by_one() -> None:
    problem = plate(where(R2 < 0.25, 1 + x, 10), Interface(w, on=Disk((0, 0), 0.5)))
    expected = where(R2 < 0.25, 1 + x, 10) * laplacian(w) + where(R2 < 0.25, 1, 0) * d(w, x)
    assert sympy.expand(problem.residuals[0] - expected) == 0


def test_flux_of_an_interface_is_kept_by_branches() -> None:
    k = where(R2 < 0.25, 1, 10)
    problem = plate(k, Interface(w, on=Disk((0, 0), 0.5), flux=k * grad(w) + grad(k, x, y)))
    assert problem.conditions[1] == Interface(w, on=Disk((0, 0), 0.5), flux=k * grad(w))


def test_a_derivative_has_the_values_of_the_branches() -> None:
    slope = d(where(x < 0.5, x**2, sympy.floor(3 * x) + x), x)
    assert Program([slope], [x])(np.array([0.25, 0.75]))[0].tolist() == [0.5, 1.0]
