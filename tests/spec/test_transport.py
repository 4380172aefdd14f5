"""Transport problems recognised: velocity and source against those written by hand, refusals by their message."""

import numpy as np
import pytest
import sympy

from physolve.errors import UnsupportedError
from physolve.spec import (
    Eq,
    GridData,
    Interval,
    Problem,
    Rectangle,
    TimeInterval,
    coordinates,
    d,
    div,
    dot,
    dt,
    grad,
    laplacian,
    transport_form,
    unknown,
)

pytestmark = pytest.mark.filterwarnings("ignore")  # the problems have no conditions

x, y, t = coordinates("x", "y", "t")
u, w = (unknown(name, x, t) for name in "uw")
p = unknown("p", x, y, t)
V = unknown("V", x, y, t, components=2)
LINE, SQUARE = Interval(0, 1), Rectangle((0, 0), (1, 1))
YEAR = TimeInterval(0, 1)


def transport(*equations, domain=None):
    if domain is None:
        domain = (SQUARE if any(e.has(y) for e in equations) else LINE) * YEAR
    return transport_form(Problem(list(equations), domain))


def assert_same(got, expected):
    assert [sympy.expand(a - b) for a, b in zip(got, expected, strict=True)] == [0] * len(expected)


RECOGNISED = {
    "convection": ([Eq(dt(u) + 30 * d(u, x), 0)], [30], [0], [False]),
    "convection, diffusion, reaction": (
        [Eq(dt(u), d(u, x, 2) / 10 - 3 * sympy.sin(t) * d(u, x) + u * (1 - u) + x)],
        [3 * sympy.sin(t)],
        [d(u, x, 2) / 10 + u * (1 - u) + x],
        [True],
    ),
    "Burgers": ([Eq(dt(u) + u * d(u, x), d(u, x, 2) / 100)], [u], [d(u, x, 2) / 100], [True]),
    "conservative": ([Eq(dt(u) + d(u**2 / 2, x), 0)], [u], [0], [False]),
    "conservative, velocity in space": ([Eq(dt(u) + d(x**2 * u, x), 0)], [x**2], [-2 * x * u], [False]),
    "variable diffusion": (
        [Eq(dt(u) + u * d(u, x), d((1 + x**2) * d(u, x), x))],
        [u - 2 * x],
        [(1 + x**2) * d(u, x, 2)],
        [True],
    ),
    "variable diffusion in the plane": (
        [Eq(dt(p), div(sympy.exp(x * y) * grad(p)))],
        [-y * sympy.exp(x * y), -x * sympy.exp(x * y)],
        [sympy.exp(x * y) * laplacian(p)],
        [True],
    ),
    "a factor of the rate": ([Eq((1 + x) * dt(u) + d(u, x), u)], [1 / (1 + x)], [u / (1 + x)], [False]),
    "rotation": ([Eq(dt(p) - y * d(p, x) + x * d(p, y), 0)], [-y, x], [0], [False]),
    "system along one velocity": (
        [Eq(dt(u) + u * d(u, x), d(u, x, 2) + w), Eq(dt(w) + u * d(w, x), -w * u)],
        [u],
        [d(u, x, 2) + w, -w * u],
        [True, False],
    ),
    "cross-diffusion is no own diffusion": (
        [Eq(dt(u) + d(u, x), d(w, x, 2)), Eq(dt(w) + d(w, x), d(w, x, 2))],
        [1],
        [d(w, x, 2), d(w, x, 2)],
        [False, True],
    ),
    "Burgers in the plane": (
        [Eq(dt(c) + dot(V, grad(c)), laplacian(c) / 50) for c in V],
        list(V),
        [laplacian(c) / 50 for c in V],
        [True, True],
    ),
}


@pytest.mark.parametrize("name", RECOGNISED)
def test_recognised(name):
    equations, velocity, sources, diffusive = RECOGNISED[name]
    form = transport(*equations)
    assert_same(form.velocity, velocity)
    assert_same(form.sources, sources)
    assert list(form.diffusive) == diffusive


def test_sources_follow_the_order_of_the_unknowns_not_of_the_equations():
    equations = [Eq(dt(u) + d(u, x), 1), Eq(dt(w) + d(w, x), 2)]
    form = transport_form(Problem(equations, LINE * YEAR, unknowns=(w, u)))
    assert form.sources == (2, 1)


@pytest.mark.parametrize(
    ("equation", "prescribed"),
    [
        (Eq(dt(u) + x * sympy.cos(t) * d(u, x), 0), True),
        (Eq(dt(u) + u * d(u, x), 0), False),
        (Eq(dt(u) + GridData("wind", np.arange(4.0), ((0, 1),))(x) * d(u, x), 0), True),
    ],
    ids=["coordinates", "unknown", "data on a grid"],
)
def test_a_velocity_of_coordinates_and_data_is_prescribed(equation, prescribed):
    assert transport(equation).prescribed is prescribed


a, b = (unknown(name, x, y) for name in "ab")

REFUSED = {
    "no time": ([Eq(d(a, x) + laplacian(a), 0)], "transport: the problem has no time; expected dt(u) + a . grad(u)"),
    "an equation too many": (
        [Eq(dt(u) + d(u, x), 0), Eq(d(u, x), 1)],
        "transport: got 2 equations for 1 unknowns, expected one for each",
    ),
    "two for one unknown": (
        [Eq(dt(u) + d(u, x), w), Eq(dt(u) + d(u, x), -w)],
        "transport: two equations advance 'u', expected one",
    ),
    "no rate": (
        [Eq(d(u, x) + u, 0)],
        "equation 1: expected the time derivative of one unknown, got 0; solve for each",
    ),
    "two rates": (
        [Eq(dt(w) + d(w, x), 0), Eq(dt(u) + dt(w) + d(u, x), 0)],
        "equation 2: expected the time derivative of one unknown, got 2; solve for each",
    ),
    "wave": (
        [Eq(dt(dt(u)), d(u, x, 2))],
        "equation 1: got Derivative(u(x, t), (t, 2)), expected time derivatives of order one only",
    ),
    "mixed": ([Eq(dt(u) + d(dt(u), x), 0)], "expected time derivatives of order one only"),
    "third order": (
        [Eq(dt(u) + u * d(u, x), d(u, x, 3))],
        "equation 1: got Derivative(u(x, t), (x, 3)), expected derivatives in space up to order 2",
    ),
    "biharmonic cross term": (
        [Eq(dt(p) + d(p, x), d(d(p, x, 2), y, 2))],
        "expected derivatives in space up to order 2",
    ),
    "capacity": (
        [Eq((1 + u**2) * dt(u) + d(u, x), 0)],
        "equation 1: the factor of Derivative(u(x, t), t) depends on the unknowns; divide the equation by it",
    ),
    "nonlinear in the rate": ([Eq(dt(u) ** 2 + d(u, x), 0)], "depends on the unknowns; divide the equation by it"),
    "eikonal": (
        [Eq(dt(u) + d(u, x) ** 2, 0)],
        "equation 1: it is not linear in the gradient of the unknown, so it has no velocity",
    ),
    "porous medium": ([Eq(dt(u), d(u * d(u, x), x))], "it is not linear in the gradient of the unknown"),
    "velocity is a gradient": (
        [Eq(dt(u) + d(w, x) * d(u, x), 0), Eq(dt(w) + d(w, x), 0)],
        "not linear in the gradient",
    ),
    "two velocities": (
        [Eq(dt(u) + 2 * d(u, x), 0), Eq(dt(w) + u * d(w, x), 0)],
        "transport: 'u' is carried with the velocity (2) and 'w' with (u(x, t)); expected one velocity for all",
    ),
    "heat": (
        [Eq(dt(u), d(u, x, 2))],
        "transport: no unknown is carried along: the equations have no term a . grad(u)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    equations, message = REFUSED[name]
    domain = SQUARE if name == "no time" else None
    with pytest.raises(UnsupportedError) as error:
        transport(*equations, domain=domain)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
