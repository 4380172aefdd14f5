"""Misuses of the Python interface: each gives exactly one line that says what was got and what to do."""

import numpy as np
import pytest
import sympy

from physolve.errors import PhysolveError, ProblemFileError, SpecificationError, UnsupportedError
from physolve.spec import (
    BoundaryEquation,
    Dirichlet,
    Eq,
    GridData,
    Initial,
    Interface,
    MeanValue,
    Observations,
    Periodic,
    PointValue,
    Problem,
    Robin,
    coordinates,
    curl,
    d,
    div,
    dot,
    dt,
    grad,
    laplacian,
    normal,
    parameter,
    unknown,
)
from physolve.spec._file import dumps_problem, loads_problem
from physolve.spec.geometry import Disk, Interval, Polygon, Rectangle, TimeInterval

x, y = coordinates("x", "y")
t = coordinates("x", "t")[1]
u, w = unknown("u", x, y), unknown("w", x, y)
v = unknown("v", x, y, components=2)
h = unknown("h", x, t)
SQUARE = Rectangle((0, 0), (1, 1))
POISSON = Eq(-laplacian(u), 1)
TABLE = GridData("table", np.ones((4, 4)), ((0, 1), (0, 1)))

pytestmark = pytest.mark.filterwarnings("ignore::physolve.errors.WellPosednessWarning")


def poisson(*conditions, **more):
    return Problem(**{"equations": [POISSON], "domain": SQUARE, "conditions": conditions, **more})


MISUSES = {
    "coordinate_not_a_word": (
        lambda: coordinates("x 1"),
        SpecificationError,
        "coordinate name 'x 1': expected a word of letters, digits and _, not starting with a digit",
    ),
    "coordinate_twice": (
        lambda: coordinates("x", "x"),
        SpecificationError,
        "coordinates: coordinate names must differ, got x, x",
    ),
    "four_space_coordinates": (
        lambda: coordinates("x", "y", "z", "w"),
        SpecificationError,
        "coordinates: at most three space dimensions, got x, y, z, w",
    ),
    "time_first": (
        lambda: coordinates("t", "x"),
        SpecificationError,
        "coordinates: the time t must be the last coordinate, got t, x",
    ),
    "unknown_given_twice": (
        lambda: poisson(unknowns=[u, u]),
        SpecificationError,
        "unknowns: 'u' is given twice; name every unknown once",
    ),
    "unknown_without_coordinates": (
        lambda: unknown("u"),
        SpecificationError,
        "unknown 'u': no coordinate given; expected one to three in space and perhaps t",
    ),
    "unknown_of_a_name": (
        lambda: unknown("u", "x"),
        SpecificationError,
        "unknown 'u': 'x' is not a coordinate; make it with physolve.coordinates(...)",
    ),
    "unknown_no_components": (
        lambda: unknown("v", x, components=0),
        SpecificationError,
        "unknown 'v': components must be a positive integer, got 0",
    ),
    "parameter_guess": (
        lambda: parameter("k", "one"),
        SpecificationError,
        "parameter 'k': the guess must be a finite number, got 'one'",
    ),
    "derivative_without_direction": (
        lambda: d(u),
        SpecificationError,
        "d: expected an expression and the coordinates, as in d(u, x) or d(u, x, 2)",
    ),
    "derivative_along_a_name": (
        lambda: d(u, "x"),
        SpecificationError,
        "d: expected an expression and the coordinates, as in d(u, x) or d(u, x, 2)",
    ),
    "time_derivative_without_time": (
        lambda: dt(u),
        SpecificationError,
        "dt: u(x, y) depends on x, y, not on the time t",
    ),
    "divergence_of_a_scalar": (
        lambda: div(u),
        SpecificationError,
        "div: expected a vector, got the scalar u(x, y)",
    ),
    "curl_of_a_scalar": (
        lambda: curl(u),
        SpecificationError,
        "curl: expected a vector, got u(x, y)",
    ),
    "dot_of_scalars": (
        lambda: dot(u, u),
        SpecificationError,
        "dot: expected two vectors, or a matrix and a vector",
    ),
    "gradient_without_unknown": (
        lambda: grad(sympy.sin(sympy.Symbol("q"))),
        SpecificationError,
        "grad: sin(q) holds no unknown with space coordinates; name them, as in grad(f, x, y)",
    ),
    "laplacian_of_text": (
        lambda: laplacian("u"),
        SpecificationError,
        "laplacian: expected a number or an expression, got 'u'",
    ),
    "equation_of_different_sizes": (
        lambda: Eq(v, [1, 2, 3]),
        SpecificationError,
        "equation: the left side has shape (2, 1), the right side (3, 1)",
    ),
    "equation_vector_and_number": (
        lambda: Eq(v, 1),
        SpecificationError,
        "equation: one side is a vector of 2 components, the other 1",
    ),
    "equation_is_a_comparison": (
        lambda: Problem([u == 1], SQUARE),
        SpecificationError,
        "equation 1: it is the value False, always false; write physolve.Eq(lhs, rhs) with an unknown"
        " in it ('==' compares objects)",
    ),
    "equation_is_text": (
        lambda: Problem(["laplacian(u) = 1"], SQUARE),
        SpecificationError,
        "equation 1: expected physolve.Eq(lhs, rhs), got 'laplacian(u) = 1'",
    ),
    "no_equation": (
        lambda: Problem([], SQUARE),
        SpecificationError,
        "nothing to solve: no equation holds an unknown made by physolve.unknown",
    ),
    "no_domain": (
        lambda: Problem([POISSON], None),
        SpecificationError,
        "domain: expected a shape such as Rectangle((0, 0), (1, 1)), got None",
    ),
    "domain_without_time": (
        lambda: Problem([Eq(dt(h), d(h, x, 2))], SQUARE),
        SpecificationError,
        "domain: the unknowns depend on the time t, but the domain has no time; for a time-dependent "
        "problem multiply the domain in space by TimeInterval(t0, t1)",
    ),
    "domain_of_another_dimension": (
        lambda: Problem([POISSON], Interval(0, 1)),
        SpecificationError,
        "domain: it has 1 dimension, but the unknowns depend on 2 coordinates (x, y)",
    ),
    "two_unknowns_one_equation": (
        lambda: Problem([Eq(laplacian(u), w)], SQUARE),
        SpecificationError,
        "unknown 'w' has no equation of its own: 2 unknowns (u, w), 1 equation; every unknown needs one",
    ),
    "free_symbol": (
        lambda: Problem([Eq(-sympy.Symbol("k") * laplacian(u), 1)], SQUARE),
        SpecificationError,
        "equation 1: symbol 'k' is neither a coordinate nor a parameter; give it a value or declare "
        "it with physolve.parameter('k')",
    ),
    "symbol_that_looks_like_a_coordinate": (
        lambda: Problem([Eq(-laplacian(u), sympy.Symbol("x"))], SQUARE),
        SpecificationError,
        "equation 1: symbol 'x' is not the coordinate 'x' of the unknowns; use the one that "
        "physolve.coordinates returned",
    ),
    "complex_number": (
        lambda: Problem([Eq(laplacian(u), sympy.I * u)], SQUARE),
        UnsupportedError,
        "equation 1: complex numbers; write the real and the imaginary part as two real unknowns",
    ),
    "order_five": (
        lambda: Problem([Eq(d(u, x, 5), 1)], SQUARE),
        UnsupportedError,
        "equation 1: a derivative of order 5 of 'u'; at most 4 is supported",
    ),
    "different_coordinates": (
        lambda: Problem([Eq(laplacian(u), unknown("q", x)), Eq(d(unknown("q", x), x), u)], SQUARE),
        SpecificationError,
        "unknown 'q' depends on (x) but 'u' on (x, y): all unknowns must share the same coordinates",
    ),
    "uncomputable_function": (
        lambda: Problem([Eq(laplacian(u), sympy.gamma(x))], SQUARE),
        UnsupportedError,
        "equation 1: function 'gamma' cannot be evaluated (in gamma(x))",
    ),
    "condition_is_a_number": (
        lambda: poisson(0),
        SpecificationError,
        "condition 1: expected a condition such as Dirichlet(u, 0), got 0",
    ),
    "condition_on_text": (
        lambda: Dirichlet("u", 0),
        SpecificationError,
        "dirichlet condition: expected an unknown made by physolve.unknown, got 'u'",
    ),
    "condition_on_an_expression": (
        lambda: Dirichlet(2 * u, 0),
        SpecificationError,
        "dirichlet condition: expected an unknown made by physolve.unknown, got 2*u(x, y)",
    ),
    "condition_value_is_text": (
        lambda: Dirichlet(u, "0"),
        SpecificationError,
        "dirichlet condition, value: expected a number or an expression, got '0'",
    ),
    "condition_value_is_data": (
        lambda: Dirichlet(u, TABLE),
        SpecificationError,
        "dirichlet condition, value: expected a number or an expression, got GridData('table', 4 x 4 "
        "values, extent=((0.0, 1.0), (0.0,...; apply it to the coordinates, as in data(x, y)",
    ),
    "condition_on_a_foreign_unknown": (
        lambda: poisson(Dirichlet(w, 0)),
        SpecificationError,
        "condition 1 ('dirichlet' on w): unknown 'w' has no equation; the equations hold 'u'",
    ),
    "condition_on_a_foreign_part": (
        lambda: poisson(Dirichlet(u, 0, on="lid")),
        SpecificationError,
        "condition 1 ('dirichlet' on u): boundary part 'lid' is not a part of this domain; it has "
        "'left', 'right', 'bottom', 'top'",
    ),
    "condition_on_a_number": (
        lambda: Dirichlet(u, 0, on=3),
        SpecificationError,
        "dirichlet condition: 'on' must be a part's name, a shape, a condition such as x < 0.5 or a function, got 3",
    ),
    "condition_on_nothing": (
        lambda: Dirichlet(u, 0, on=[]),
        SpecificationError,
        "dirichlet condition: the list for 'on' is empty",
    ),
    "condition_value_too_long": (
        lambda: poisson(Dirichlet(u, [1, 2])),
        SpecificationError,
        "condition 1 ('dirichlet' on u): the value has 2 components but the unknown is a scalar",
    ),
    "normal_in_dirichlet": (
        lambda: poisson(Dirichlet(u, normal(x, y)[0])),
        SpecificationError,
        "condition 1 ('dirichlet' on u): the normal 'n_x' has a meaning in a BoundaryEquation only",
    ),
    "robin_without_coefficients": (
        lambda: poisson(Robin(u, 0, 0)),
        SpecificationError,
        "condition 1 ('robin' on u): a and b are both zero",
    ),
    "periodic_along_a_name": (
        lambda: Periodic(u, "x"),
        SpecificationError,
        "periodic condition: 'along' must be a coordinate, got 'x'",
    ),
    "periodic_order": (
        lambda: Periodic(u, x, order=7),
        SpecificationError,
        "periodic condition: the order must be 0, 1, 2 or 3, got 7",
    ),
    "initial_without_time": (
        lambda: poisson(Initial(u, 0)),
        SpecificationError,
        "condition 1 ('initial' on u): the problem has no time coordinate t; its coordinates are x, y",
    ),
    "point_outside": (
        lambda: poisson(PointValue(u, (2, 2), 0)),
        SpecificationError,
        "condition 1 ('point_value' on u): the point (2, 2) is outside the domain",
    ),
    "mean_over_a_part": (
        lambda: MeanValue(u, 0, over="left"),
        SpecificationError,
        "mean_value condition: 'over' must be a shape, got 'left'",
    ),
    "interface_nowhere": (
        lambda: poisson(Interface(u, None)),
        SpecificationError,
        "condition 1 ('interface' on u): 'on' must be a shape, the boundary of which is the interface, or the name of "
        "one that the domain is made of, got None",
    ),
    "boundary_equation_without_unknown": (
        lambda: poisson(BoundaryEquation(Eq(x, y))),
        SpecificationError,
        "condition 1 ('boundary_equation'): no unknown in it",
    ),
    "observations_of_complex_numbers": (
        lambda: Observations(u, [[0.5, 0.5]], [1j]),
        SpecificationError,
        "observations condition: values must be real numbers, got an array of complex128",
    ),
    "observations_too_few": (
        lambda: poisson(Observations(u, [[0.5, 0.5], [0.1, 0.1]], [1.0])),
        SpecificationError,
        "condition 1 ('observations' on u): 2 points need values of shape (2,), got (1,)",
    ),
    "observations_noise": (
        lambda: poisson(Observations(u, [[0.5, 0.5]], [1.0], noise=-1)),
        SpecificationError,
        "condition 1 ('observations' on u): the noise must be positive, got -1",
    ),
    "exact_of_another_unknown": (
        lambda: poisson(Dirichlet(u, 0), exact={w: x}),
        SpecificationError,
        "exact solution of 'w': it is not an unknown of the problem, which has 'u'",
    ),
    "exact_is_an_expression": (
        lambda: poisson(Dirichlet(u, 0), exact=x**2),
        SpecificationError,
        "exact: expected a mapping {unknown: expression}, got x**2",
    ),
    "data_with_nan": (
        lambda: GridData("s", np.full((4, 4), np.nan), ((0, 1), (0, 1))),
        SpecificationError,
        "data 's': 16 of 16 values are not finite",
    ),
    "data_extent_reversed": (
        lambda: GridData("s", np.ones((4, 4)), ((1, 0), (0, 1))),
        SpecificationError,
        "data 's': the extent (1, 0) is not an interval",
    ),
    "data_not_covering": (
        lambda: Problem([Eq(laplacian(u), TABLE(x, y))], Rectangle((0, 0), (2, 1))),
        SpecificationError,
        "data 'table': it covers [0, 1] along x, but the domain reaches from 0 to 2",
    ),
    "data_of_one_argument": (
        lambda: TABLE(x),
        SpecificationError,
        "data 'table' has 2 axes, but is given 1 arguments",
    ),
    "rectangle_reversed": (
        lambda: Rectangle((1, 1), (0, 0)),
        SpecificationError,
        "Rectangle: upper corner (0, 0) must exceed lower corner (1, 1) in every coordinate",
    ),
    "rectangle_of_numbers": (
        lambda: Rectangle(0, 1),
        SpecificationError,
        "Rectangle: lower must be a sequence of 2 numbers, got 0",
    ),
    "disk_radius": (
        lambda: Disk((0, 0), -1),
        SpecificationError,
        "Disk: radius must be positive, got -1",
    ),
    "interval_text": (
        lambda: Interval("a", 1),
        SpecificationError,
        "Interval: start must be a number, got 'a'",
    ),
    "polygon_of_two": (
        lambda: Polygon([(0, 0), (1, 1)]),
        SpecificationError,
        "Polygon: at least 3 vertices are needed, got 2",
    ),
    "union_of_dimensions": (
        lambda: SQUARE | Interval(0, 1),
        SpecificationError,
        "union needs shapes of one dimension, got a 2-D and a 1-D shape; multiply the spatial one "
        "with a TimeInterval if time is missing",
    ),
    "product_in_space": (
        lambda: Interval(0, 1) * Interval(0, 1),
        SpecificationError,
        "a product needs a TimeInterval, got Interval * Interval; write shape * TimeInterval(t0, t1),"
        " and Rectangle or Box for products in space",
    ),
    "product_with_time_twice": (
        lambda: SQUARE * TimeInterval(0, 1) * TimeInterval(0, 1),
        SpecificationError,
        "SpaceTime: the space shape has a time already; multiply with time once",
    ),
    "sample_no_points": (
        lambda: SQUARE.sample_interior(0),
        SpecificationError,
        "number of interior points must be an integer of at least 1, got 0",
    ),
    "sample_a_foreign_part": (
        lambda: SQUARE.sample_boundary(10, on="lid"),
        SpecificationError,
        "boundary part 'lid' is not a part of this domain; it has 'left', 'right', 'bottom', 'top'",
    ),
    "points_of_wrong_shape": (
        lambda: SQUARE.contains(np.zeros((3, 3))),
        SpecificationError,
        "points must have shape (n, 2), got (3, 3)",
    ),
    "write_a_function": (
        lambda: dumps_problem(poisson(Dirichlet(u, 0, on=lambda p: p[:, 0] >= 0))),
        SpecificationError,
        "condition 1 ('dirichlet' on u): 'on' is a Python function, which no file can hold; use a "
        "part's name, a shape or a condition such as x < 0.5",
    ),
    "read_bytes": (
        lambda: loads_problem(b"x = 1"),
        ProblemFileError,
        "problem: expected the text of a problem file, got bytes",
    ),
}


@pytest.mark.parametrize(("misuse", "kind", "message"), MISUSES.values(), ids=MISUSES)
def test_misuse(misuse, kind, message):
    with pytest.raises(PhysolveError) as caught:
        misuse()
    assert (type(caught.value), str(caught.value)) == (kind, message)


def test_there_are_enough_of_them():
    assert len(MISUSES) >= 25
