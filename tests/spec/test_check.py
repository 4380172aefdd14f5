"""What Problem refuses, each with its exact line, and what it warns about."""

import warnings

import numpy as np
import pytest
import sympy

from physolve.errors import SpecificationError, UnsupportedError, WellPosednessWarning
from physolve.spec import (
    BoundaryEquation,
    Box,
    Dirichlet,
    Disk,
    Eq,
    GridData,
    Initial,
    Interface,
    Interval,
    MeanValue,
    Neumann,
    Observations,
    Periodic,
    PointValue,
    Problem,
    Rectangle,
    Robin,
    TimeInterval,
    biharmonic,
    coordinates,
    d,
    div,
    dt,
    grad,
    laplacian,
    normal,
    parameter,
    unknown,
)

x, y, z, t = coordinates("x", "y", "z", "t")
u, w, p = (unknown(name, x, y) for name in "uwp")
v = unknown("v", x, y, components=2)
h = unknown("h", x, t)
q = unknown("q", t)
k = sympy.Symbol("k")
SQUARE = Rectangle((0, 0), (1, 1))
STRIP = Interval(0, 1) * TimeInterval(0, 1)
POISSON = Eq(-laplacian(u), 1)
HEAT = Eq(dt(h), laplacian(h))
WAVE = Eq(dt(h, 2), laplacian(h))
HALF = GridData("f", np.ones((4, 4)), ((0, 0.5), (0, 1)))

REFUSED = {
    # equations
    "nothing": (
        lambda: Problem([], SQUARE),
        "nothing to solve: no equation holds an unknown made by physolve.unknown",
    ),
    "no unknown at all": (
        lambda: Problem([Eq(x, 1)], SQUARE),
        "nothing to solve: no equation holds an unknown made by physolve.unknown",
    ),
    "python equality": (
        lambda: Problem([u == 1], SQUARE),
        "equation 1: it is the value False, always false; write physolve.Eq(lhs, rhs) with an unknown in it "
        "('==' compares objects)",
    ),
    "text": (lambda: Problem(["u = 1"], SQUARE), "equation 1: expected physolve.Eq(lhs, rhs), got 'u = 1'"),
    "always true": (
        lambda: Problem([POISSON, Eq(u, u)], SQUARE),
        "equation 2: it is always true, so it says nothing about the unknowns",
    ),
    "never true": (lambda: Problem([POISSON, Eq(1, 2)], SQUARE), "equation 2: it is never true (1 = 2)"),
    "without unknown": (lambda: Problem([POISSON, Eq(x, 2)], SQUARE), "equation 2: no unknown in it (x = 2)"),
    "free symbol": (
        lambda: Problem([Eq(-k * laplacian(u), 1)], SQUARE),
        "equation 1: symbol 'k' is neither a coordinate nor a parameter; give it a value or declare it with "
        "physolve.parameter('k')",
    ),
    "other x": (
        lambda: Problem([Eq(-laplacian(u), sympy.Symbol("x"))], SQUARE),
        "equation 1: symbol 'x' is not the coordinate 'x' of the unknowns; use the one that "
        "physolve.coordinates returned",
    ),
    "normal inside": (
        lambda: Problem([Eq(-laplacian(u), normal(x, y)[0])], SQUARE),
        "equation 1: the normal 'n_x' has a meaning in a BoundaryEquation only",
    ),
    "infinite": (
        lambda: Problem([Eq(-laplacian(u), sympy.oo)], SQUARE),
        "equation 1: a number in it is infinite or undefined",
    ),
    "two unknowns, one equation": (
        lambda: Problem([Eq(laplacian(u), w)], SQUARE),
        "unknown 'w' has no equation of its own: 2 unknowns (u, w), 1 equation; every unknown needs one",
    ),
    "declared, no equation": (
        lambda: Problem([POISSON], SQUARE, unknowns=(u, w)),
        "unknown 'w' has no equation: it appears in none of the equations",
    ),
    "taken at a place": (
        lambda: Problem([Eq(laplacian(u), u.subs(y, 0))], SQUARE),
        "unknown 'u' is taken at u(x, 0): equations hold at every point; use a condition to say "
        "something at a place",
    ),
    "different coordinates": (
        lambda: Problem([Eq(laplacian(u), 0), HEAT], SQUARE),
        "unknown 'h' depends on (x, t) but 'u' on (x, y): all unknowns must share the same coordinates",
    ),
    "a bare function": (
        lambda: Problem([Eq(laplacian(u), sympy.Function("f")(x, y))], SQUARE),
        "'f(x, y)' is not an unknown made by physolve.unknown, nor data on a grid",
    ),
    # domain
    "no shape": (
        lambda: Problem([POISSON], "square"),
        "domain: expected a shape such as Rectangle((0, 0), (1, 1)), got 'square'",
    ),
    "box for two coordinates": (
        lambda: Problem([POISSON], Box((0, 0, 0), (1, 1, 1))),
        "domain: it has 3 dimensions, but the unknowns depend on 2 coordinates (x, y)",
    ),
    "interval for heat": (
        lambda: Problem([HEAT], Interval(0, 1)),
        "domain: it has 1 dimension, but the unknowns depend on 2 coordinates (x, t); for a time-dependent "
        "problem multiply the domain in space by TimeInterval(t0, t1)",
    ),
    "rectangle for heat": (
        lambda: Problem([HEAT], SQUARE),
        "domain: the unknowns depend on the time t, but the domain has no time; for a time-dependent problem "
        "multiply the domain in space by TimeInterval(t0, t1)",
    ),
    "time for poisson": (
        lambda: Problem([POISSON], STRIP),
        "domain: it is a product with time, but the unknowns depend on (x, y); call the time 't'",
    ),
    # names
    "parameter called x": (
        lambda: Problem([Eq(-parameter("x") * laplacian(u), 1)], SQUARE),
        "the name 'x' is used for a coordinate and a parameter; rename one of them",
    ),
    "two guesses": (
        lambda: Problem([Eq(-parameter("D", 1) * laplacian(u), parameter("D", 2))], SQUARE),
        "the name 'D' is used for two different parameters; rename one of them",
    ),
    "unused parameter": (
        lambda: Problem([POISSON], SQUARE, [Dirichlet(u)], parameters=[parameter("D")]),
        "parameter 'D' appears in no equation and no condition; remove it",
    ),
    # conditions
    "not a condition": (
        lambda: Problem([POISSON], SQUARE, [Eq(u, 0)]),
        "condition 1: expected a condition such as Dirichlet(u, 0), got Eq(u(x, y), 0)",
    ),
    "no such part": (
        lambda: Problem([POISSON], SQUARE, [Dirichlet(u), Dirichlet(u, 1, on="lid")]),
        "condition 2 ('dirichlet' on u): boundary part 'lid' is not a part of this domain; "
        "it has 'left', 'right', 'bottom', 'top'",
    ),
    "no such part among several": (
        lambda: Problem([POISSON], SQUARE, [Dirichlet(u, 1, on=("left", "lid"))]),
        "condition 1 ('dirichlet' on u): boundary part 'lid' is not a part of this domain; "
        "it has 'left', 'right', 'bottom', 'top'",
    ),
    "unknown without equation": (
        lambda: Problem([POISSON], SQUARE, [Dirichlet(w)]),
        "condition 1 ('dirichlet' on w): unknown 'w' has no equation; the equations hold 'u'",
    ),
    "same name, other coordinates": (
        lambda: Problem([POISSON], SQUARE, [Dirichlet(unknown("u", x))]),
        "condition 1 ('dirichlet' on u): 'u(x)' is not the unknown 'u(x, y)' of the equations",
    ),
    "vector for a scalar": (
        lambda: Problem([POISSON], SQUARE, [Dirichlet(u, [1, 2])]),
        "condition 1 ('dirichlet' on u): the value has 2 components but the unknown is a scalar",
    ),
    "scalar for a vector": (
        lambda: Problem([Eq(laplacian(v), 0)], SQUARE, [Dirichlet(v, 1)]),
        "condition 1 ('dirichlet' on v): the value is a scalar but the unknown has 2 components",
    ),
    "three for two": (
        lambda: Problem([Eq(laplacian(v), 0)], SQUARE, [Dirichlet(v, [1, 2, 3])]),
        "condition 1 ('dirichlet' on v): the value has 3 components but the unknown has 2",
    ),
    "free symbol in a value": (
        lambda: Problem([POISSON], SQUARE, [Neumann(u, k)]),
        "condition 1 ('neumann' on u): symbol 'k' is neither a coordinate nor a parameter; give it a "
        "value or "
        "declare it with physolve.parameter('k')",
    ),
    "strange unknown in a value": (
        lambda: Problem([POISSON], SQUARE, [Dirichlet(u, w)]),
        "condition 1 ('dirichlet' on u): unknown 'w' has no equation; the equations hold 'u'",
    ),
    "strange symbol in on": (
        lambda: Problem([POISSON], SQUARE, [Dirichlet(u, 0, on=z < 1)]),
        "condition 1 ('dirichlet' on u): 'on' may depend on the coordinates x, y only, but holds 'z'",
    ),
    "on always true": (
        lambda: Problem([POISSON], SQUARE, [Dirichlet(u, 0, on=sympy.true)]),
        "condition 1 ('dirichlet' on u): 'on' is always true; leave it out or name a part",
    ),
    "ball on a square": (
        lambda: Problem([POISSON], SQUARE, [Dirichlet(u, 0, on=Interval(0, 1))]),
        "condition 1 ('dirichlet' on u): the shape has 1 dimensions, expected 2",
    ),
    "robin of nothing": (
        lambda: Problem([POISSON], SQUARE, [Robin(u, 0, 0, 1)]),
        "condition 1 ('robin' on u): a and b are both zero",
    ),
    "initial without time": (
        lambda: Problem([POISSON], SQUARE, [Initial(u, 0)]),
        "condition 1 ('initial' on u): the problem has no time coordinate t; its coordinates are x, y",
    ),
    "velocity of heat": (
        lambda: Problem([HEAT], STRIP, [Initial(h, 0, 1)]),
        "condition 1 ('initial' on h): a velocity is given, but the equations are of order 1 in time "
        "for 'h'; "
        "leave the velocity out",
    ),
    "periodic along z": (
        lambda: Problem([POISSON], SQUARE, [Periodic(u, z)]),
        "condition 1 ('periodic' on u): 'z' is not a coordinate of this problem; it has x, y",
    ),
    "point outside": (
        lambda: Problem([POISSON], SQUARE, [PointValue(u, (2, 0), 1)]),
        "condition 1 ('point_value' on u): the point (2, 0) is outside the domain",
    ),
    "point of the wrong size": (
        lambda: Problem([POISSON], SQUARE, [PointValue(u, (0.5,), 1)]),
        "condition 1 ('point_value' on u): points of 1 coordinate, expected 2 (x, y)",
    ),
    "observations outside": (
        lambda: Problem([POISSON], SQUARE, [Observations(u, [[0, 0], [3, 0], [0, 4]], [1, 2, 3])]),
        "condition 1 ('observations' on u): 2 of 3 points are outside the domain, the first is (3, 0)",
    ),
    "too few values": (
        lambda: Problem([POISSON], SQUARE, [Observations(u, [[0, 0], [1, 0]], [1])]),
        "condition 1 ('observations' on u): 2 points need values of shape (2,), got (1,)",
    ),
    "nan among the values": (
        lambda: Problem([POISSON], SQUARE, [Observations(u, [[0, 0]], [np.nan])]),
        "condition 1 ('observations' on u): 1 of 1 numbers in the values are not finite",
    ),
    "no observations": (
        lambda: Problem([POISSON], SQUARE, [Observations(u, np.zeros((0, 2)), np.zeros(0))]),
        "condition 1 ('observations' on u): no points",
    ),
    "negative noise": (
        lambda: Problem([POISSON], SQUARE, [Observations(u, [[0, 0]], [1], -1)]),
        "condition 1 ('observations' on u): the noise must be positive, got -1",
    ),
    "interface nowhere": (
        lambda: Problem([POISSON], SQUARE, [Interface(u, None)]),
        "condition 1 ('interface' on u): 'on' must be a shape, the boundary of which is the interface, or the name of "
        "one that the domain is made of, got None",
    ),
    "scalar flux": (
        lambda: Problem([POISSON], SQUARE, [Interface(u, Disk((0.5, 0.5), 0.1), flux=d(u, x))]),
        "condition 1 ('interface' on u): the flux must have shape (2, 1), as k*grad(u) has, got a scalar",
    ),
    "boundary equation of nothing": (
        lambda: Problem([POISSON], SQUARE, [BoundaryEquation(Eq(x, 1))]),
        "condition 1 ('boundary_equation'): no unknown in it",
    ),
    "dirichlet everywhere on an ode": (
        lambda: Problem([Eq(dt(q), 1)], TimeInterval(0, 1), [Dirichlet(q)]),
        "condition 1 ('dirichlet' on q): the problem has no boundary in space; use Initial or on='initial'",
    ),
    # the rest
    "exact for another": (
        lambda: Problem([POISSON], SQUARE, [Dirichlet(u)], exact={w: x}),
        "exact solution of 'w': it is not an unknown of the problem, which has 'u'",
    ),
    "exact with a symbol": (
        lambda: Problem([POISSON], SQUARE, [Dirichlet(u)], exact={u: k}),
        "exact solution of 'u': symbol 'k' is neither a coordinate nor a parameter; give it a value or "
        "declare "
        "it with physolve.parameter('k')",
    ),
    "data that is too small": (
        lambda: Problem([Eq(-laplacian(u), HALF(x, y))], SQUARE, [Dirichlet(u)]),
        "data 'f': it covers [0, 0.5] along x, but the domain reaches from 0 to 1",
    ),
}  # fmt: skip

UNSUPPORTED = {
    "fifth derivative": (
        lambda: Problem([Eq(d(u, x, 5), 1)], SQUARE),
        "equation 1: a derivative of order 5 of 'u'; at most 4 is supported",
    ),
    "complex": (
        lambda: Problem([Eq(sympy.I * laplacian(u), u)], SQUARE),
        "equation 1: complex numbers; write the real and the imaginary part as two real unknowns",
    ),
    "complex value": (
        lambda: Problem([POISSON], SQUARE, [Dirichlet(u, sympy.I)]),
        "condition 1 ('dirichlet' on u): complex numbers; write the real and the imaginary part as two real unknowns",
    ),
    "bessel": (
        lambda: Problem([Eq(laplacian(u), sympy.besselj(0, x))], SQUARE),
        "equation 1: function 'besselj' cannot be evaluated (in besselj(0, x))",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    make, message = REFUSED[name]
    with pytest.raises(SpecificationError) as error:
        make()
    assert str(error.value) == message


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_unsupported(name):
    make, message = UNSUPPORTED[name]
    with pytest.raises(UnsupportedError) as error:
        make()
    assert str(error.value) == message


def hints_of(*arguments, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        problem = Problem(*arguments, **options)
    issued = [str(each.message) for each in caught if issubclass(each.category, WellPosednessWarning)]
    assert issued == list(problem.hints)
    return issued


def nothing_on(name, where):
    return f"unknown '{name}' has no condition on {where}; add Dirichlet, Neumann, Robin or Periodic there"


def up_to_a_constant(name):
    return (
        f"unknown '{name}' is determined up to a constant only: no equation and no condition fixes its "
        f"value; add "
        f"MeanValue({name}, 0) or PointValue({name}, point, value)"
    )


HOLED = SQUARE.named("outer") - Disk((0.5, 0.5), 0.2).named("hole")
SMALL = Disk((0.25, 0.25), 0.1)
STOKES = [Eq(-laplacian(v) + grad(p), 0), Eq(div(v), 0)]
D = parameter("D")


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (([POISSON], SQUARE, [Dirichlet(u)]), []),
        (([POISSON], SQUARE, []), [nothing_on("u", "'boundary'")]),
        (([POISSON], SQUARE, [Dirichlet(u, on=("left", "top"))]), [nothing_on("u", "'right', 'bottom'")]),
        (([POISSON], HOLED, [Dirichlet(u, on="outer")]), [nothing_on("u", "'hole'")]),
        (([POISSON], HOLED, [Dirichlet(u, on="hole")]), [nothing_on("u", "'outer'")]),
        (([POISSON], SQUARE - SMALL, [Dirichlet(u, on=SQUARE), Dirichlet(u, on=SMALL)]), []),
        (([POISSON], SQUARE, [Dirichlet(u, on=x < 0.5), Neumann(u, on=x >= 0.5)]), []),
        (([POISSON], SQUARE, [Dirichlet(u, on=lambda p: p[:, 0] < 2)]), []),
        (
            ([POISSON], SQUARE, [Dirichlet(u), Neumann(u, on=x < -1)]),
            ["condition 2 ('neumann' on u): 'on' holds at none of the points sampled on the boundary"],
        ),
        (([POISSON], SQUARE, [Periodic(u, x), Dirichlet(u, on=("bottom", "top"))]), []),
        (([POISSON], SQUARE, [Periodic(u, x), Periodic(u, y)]), [up_to_a_constant("u")]),
        (([POISSON], SQUARE, [Neumann(u, 0)]), [up_to_a_constant("u")]),
        (([POISSON], SQUARE, [Neumann(u, 0), MeanValue(u)]), []),
        (([POISSON], SQUARE, [Neumann(u, 0), PointValue(u, (0, 0), 0)]), []),
        (([POISSON], SQUARE, [Robin(u, 1, 1)]), []),
        (([Eq(-laplacian(u) + u, 1)], SQUARE, [Neumann(u, 0)]), []),
        ((STOKES, SQUARE, [Dirichlet(v)]), [up_to_a_constant("p")]),
        ((STOKES, SQUARE, [Dirichlet(v), PointValue(p, (0, 0), 0)]), []),
        (
            ([Eq(biharmonic(u), 1)], SQUARE, [Dirichlet(u)]),
            ["unknown 'u' has too few conditions on 'boundary': order 4 needs 2 everywhere"],
        ),
        (([Eq(biharmonic(u), 1)], SQUARE, [Dirichlet(u), Neumann(u)]), []),
        (([HEAT], STRIP, [Dirichlet(h), Initial(h)]), []),
        (
            ([HEAT], STRIP, [Dirichlet(h)]),
            ["unknown 'h' has time derivatives but no initial condition; add Initial(h, value)"],
        ),
        (([HEAT], STRIP, [Dirichlet(h), Dirichlet(h, x, on="initial")]), []),
        (([HEAT], STRIP, [Dirichlet(h, on="left"), Initial(h)]), [nothing_on("h", "'right'")]),
        (
            ([WAVE], STRIP, [Dirichlet(h), Initial(h)]),
            [
                "unknown 'h' is of second order in time but has no initial velocity; add Initial(h, "
                "value, velocity)"
            ],
        ),
        (([WAVE], STRIP, [Dirichlet(h), Initial(h, 0, 0)]), []),
        (([Eq(dt(h) + d(h, x), 0)], STRIP, [Dirichlet(h, on="left"), Initial(h)]), []),
        (
            ([Eq(dt(h), -laplacian(h))], STRIP, [Dirichlet(h), Initial(h)]),
            [
                "the equations amplify short waves without bound, as the heat equation backward in time does; check "
                "the signs"
            ],
        ),
        (([Eq(dt(q, 2), -q)], TimeInterval(0, 1), [Initial(q, 1, 0)]), []),
        (
            ([Eq(D * laplacian(u), 1)], SQUARE, [Dirichlet(u)]),
            [
                "parameter 'D' is to be found, but there are no observations; add Observations(u, "
                "points, values) "
                "or replace 'D' by its value"
            ],
        ),
        (([Eq(D * laplacian(u), 1)], SQUARE, [Dirichlet(u), Observations(u, [[0.5, 0.5]], [1])]), []),
        (
            ([POISSON, Eq(d(u, x), 0)], SQUARE, [Dirichlet(u)]),
            ["2 equations for 1 unknown: a solution may not exist"],
        ),
        (
            ([POISSON], SQUARE, [Dirichlet(u), Dirichlet(u, 1)]),
            ["condition 2 ('dirichlet' on u): it contradicts condition 1, which speaks of the same place"],
        ),
    ],
)  # fmt: skip
def test_hints(problem, expected):
    assert hints_of(*problem) == expected


def test_a_predicate_must_answer_with_a_mask():
    with pytest.raises(SpecificationError, match="'on' must answer with one boolean per point"):
        Problem([POISSON], SQUARE, [Dirichlet(u, on=lambda points: points[:, 0])])
