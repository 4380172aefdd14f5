"""Conditions: residuals, normalised fields, equality, refusals of what no problem could accept."""

import numpy as np
import pytest
import sympy

from physolve.errors import SpecificationError, UnsupportedError, WellPosednessWarning
from physolve.solve import AdamLBFGS, GaussNewton, solve
from physolve.spec import (
    BoundaryEquation,
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
    Polygon,
    Problem,
    Rectangle,
    Robin,
    TimeInterval,
    Unbounded,
    coordinates,
    d,
    dot,
    dt,
    dumps_problem,
    grad,
    loads_problem,
    normal,
    select,
    unknown,
)

x, y, t = coordinates("x", "y", "t")
u = unknown("u", x, y)
v = unknown("v", x, y, components=2)
h = unknown("h", x, t)
n_x, n_y = normal(x, y)
slope = n_x * d(u, x) + n_y * d(u, y)


@pytest.mark.parametrize(
    ("condition", "coords", "expected"),
    [
        (Dirichlet(u, x), (x, y), (u - x,)),
        (Dirichlet(v, [1, y]), (x, y), (v[0] - 1, v[1] - y)),
        (Dirichlet(v), (x, y), (v[0], v[1])),
        (Neumann(u, 2), (x, y), (slope - 2,)),
        (Neumann(h, 0), (x, t), (n_x * d(h, x),)),
        (Robin(u, x, 2, 3), (x, y), (x * u + 2 * slope - 3,)),
        (Periodic(u, x), (x, y), (u, d(u, x))),
        (Periodic(v, y, 0), (x, y), (v[0], v[1])),
        (Unbounded(h), (x, t), ()),
        (Initial(h, x), (x, t), (h - x,)),
        (Initial(h, x, 1), (x, t), (h - x, dt(h) - 1)),
        (PointValue(u, (0, 0), 5), (x, y), (u - 5,)),
        (MeanValue(u, 5), (x, y), (u,)),
        (Interface(u, "ring"), (x, y), (u, slope)),
        (Interface(u, "ring", flux=2 * grad(u)), (x, y), (u, 2 * slope)),
        (
            Interface(v, "ring", flux=grad(v)),
            (x, y),
            (v[0], v[1], *(n_x * d(c, x) + n_y * d(c, y) for c in v)),
        ),
        (BoundaryEquation(Eq(dot(grad(u), [n_x, n_y]), u**4)), (x, y), (slope - u**4,)),
        (Observations(v, np.zeros((3, 2)), np.zeros((3, 2))), (x, y), (v[0], v[1])),
    ],
    ids=lambda value: value.kind if hasattr(value, "kind") else "",
)
def test_residuals(condition, coords, expected):
    made = condition.equations(coords)
    assert [sympy.expand(a - b) for a, b in zip(made, expected, strict=True)] == [0] * len(expected)


@pytest.mark.parametrize(
    ("condition", "unknowns"),
    [
        (Dirichlet(u), (u,)),
        (Neumann(v), tuple(v)),
        (Unbounded(v), tuple(v)),
        (BoundaryEquation(Eq(u, v[1])), (u, v[1])),
    ],
)
def test_unknowns(condition, unknowns):
    assert condition.unknowns() == unknowns


def test_jumps_line_up_with_the_compared_expressions():
    condition = Interface(v, "ring", jump=[1, 2], flux_jump=[3, 4])
    assert len(condition.equations((x, y))) == len(condition.jumps()) == 4
    assert condition.jumps() == (1, 2, 3, 4)


def test_conditions_are_equal_by_value_and_frozen():
    assert Dirichlet(u, 1, on="left") == Dirichlet(u, sympy.Integer(1), on="left")
    assert Dirichlet(u, 1) != Dirichlet(u, 2)
    assert Dirichlet(u, 1) != Neumann(u, 1)
    assert Dirichlet(v, 0) == Dirichlet(list(v), [0, 0])
    with pytest.raises(AttributeError):
        Dirichlet(u, 1).value = 2  # type: ignore[misc]


def test_observations_are_equal_by_value_copied_and_read_only():
    points, values = np.zeros((2, 2)), np.array([1.0, 2.0])
    one = Observations(u, points, values, 0.1)
    points[0, 0] = 9
    assert one == Observations(u, np.zeros((2, 2)), [1, 2], 0.1)
    assert one != Observations(u, np.zeros((2, 2)), [1, 3], 0.1)
    assert hash(one) == hash(Observations(u, np.zeros((2, 2)), [1, 2], 0.1))
    with pytest.raises(ValueError, match="read-only"):
        one.points[0, 0] = 1


def test_points_in_one_dimension_may_be_a_plain_list():
    assert Observations(unknown("f", x), [0.1, 0.2], [1, 2]).points.shape == (2, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Dirichlet(x, 0),
            "dirichlet condition: expected an unknown made by physolve.unknown, got x",
        ),
        (
            lambda: Dirichlet(u, "1"),
            "dirichlet condition, value: expected a number or an expression, got '1'",
        ),
        (lambda: Dirichlet(u, 0, on=3), "dirichlet condition: 'on' must be a part's name, a shape,"),
        (lambda: Dirichlet(u, 0, on=()), "dirichlet condition: the list for 'on' is empty"),
        (
            lambda: Dirichlet(u, 0, on=("left", x < 1)),
            "dirichlet condition: a list for 'on' holds part names and shapes, got x < 1",
        ),
        (
            lambda: Dirichlet(u, GridData("f", np.zeros((4, 4)), ((0, 1), (0, 1)))),
            "apply it to the coordinates, as in data(x, y)",
        ),
        (lambda: Periodic(u, "x"), "periodic condition: 'along' must be a coordinate, got 'x'"),
        (lambda: Periodic(u, x, 9), "periodic condition: the order must be 0, 1, 2 or 3, got 9"),
        (
            lambda: PointValue(u, (0, float("nan")), 0),
            "point_value condition: expected one point, got (0, nan)",
        ),
        (lambda: MeanValue(u, 0, over="left"), "mean_value condition: 'over' must be a shape, got 'left'"),
        (
            lambda: Observations(u, [[0, 1], [1]], [1, 2]),
            "observations condition: points must be an array of numbers, its rows have different lengths",
        ),
        (
            lambda: Observations(u, [[0, 1]], ["a"]),
            "observations condition: values must be real numbers, got an array of <U1",
        ),
        (
            lambda: BoundaryEquation(u == 0),
            "boundary_equation condition: it is the value False, always false;",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(SpecificationError) as error:
        make()
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_select_leaves_the_ends_of_time_out():
    domain = Rectangle((0, 0), (1, 1)) * TimeInterval(0, 2)
    points = domain.sample_boundary(64, on=select(domain, (x, y, t), None).on).points
    assert np.all(np.min(np.abs(np.stack([points[:, :2], 1 - points[:, :2]])), axis=(0, 2)) < 1e-9)
    assert select(Rectangle((0, 0), (1, 1)), (x, y), None).on is None


def test_select_turns_a_sympy_condition_into_a_mask():
    domain = Rectangle((0, 0), (1, 1)) - Disk((0.5, 0.5), 0.2)
    chosen = select(domain, (x, y), sympy.And(sympy.Eq(x, 0), y < 0.5))
    points = domain.sample_boundary(32, on=chosen.on, where=chosen.where).points
    assert np.abs(points[:, 0]).max() < 1e-9
    assert points[:, 1].max() < 0.5


HYPOTENUSE = sympy.Eq(7 * x + 3 * y, 2.1)
CIRCLE = sympy.Eq((x - 10**6) ** 2 + (y - 10**6) ** 2, 10**6)
AXES = sympy.Eq(x * y, 0)


@pytest.mark.parametrize(
    ("domain", "equation", "measure"),
    [
        (Polygon([(0, 0), (0.3, 0), (0, 0.7)]), HYPOTENUSE, np.hypot(0.3, 0.7)),
        (Disk((1e6, 1e6), 1e3), CIRCLE, 2e3 * np.pi),
        (Rectangle((0, 0), (1, 1)), AXES, 2),
        (Rectangle((0, 0), (2, 1)).rotated(0.3), sympy.Eq(x * sympy.sin(0.3), y * sympy.cos(0.3)), 2),
    ],
)
def test_an_equation_holds_on_its_curve_up_to_rounding_and_nowhere_else(domain, equation, measure):
    """Compared exactly, it held at a third of the points of a slanted side; those left took the other condition."""
    left = domain.boundary_measure() - measure
    for on, expected in ((equation, measure), (sympy.Not(equation), left)):
        if expected > 1e-3 * measure:
            chosen = select(domain, (x, y), on)
            assert domain.boundary_measure(chosen.on, chosen.where) == pytest.approx(expected, rel=1e-6)


# --- a window of unbounded space


def in_a_window(*conditions):
    equation = Eq(dt(h) + d(h, x), d(h, x, 2))
    return Problem(equation, Interval(0, 1) * TimeInterval(0, 1), [Initial(h, x), *conditions])


def test_unbounded_space_needs_no_conditions_on_its_sides():
    with pytest.warns(WellPosednessWarning):
        assert in_a_window().hints
    assert in_a_window(Unbounded(h)).hints == ()


def test_unbounded_in_words_and_in_latex():
    problem = in_a_window(Unbounded(h))
    assert "    h continues outside the domain, which is a window of unbounded space" in problem.describe().split("\n")
    assert r"h &&& \text{continues in unbounded space}" in problem._repr_latex_()


def test_unbounded_is_written_and_read():
    problem = in_a_window(Unbounded(h))
    assert loads_problem(dumps_problem(problem)) == problem
    assert loads_problem(dumps_problem(problem)).conditions[1] == Unbounded(h)


def test_unbounded_needs_time():
    with pytest.raises(
        SpecificationError, match=r"condition 2 .*unbounded.*: the problem has no time; unbounded space"
    ):
        Problem(Eq(d(u, x) + d(u, y), 0), Rectangle((0, 0), (1, 1)), [Dirichlet(u, 0, on="left"), Unbounded(u)])


@pytest.mark.parametrize("method", [None, GaussNewton(), AdamLBFGS()], ids=["default", "Gauss-Newton", "Adam"])
def test_methods_in_the_plain_frame_refuse_unbounded_space(method):
    with pytest.raises(UnsupportedError) as error:
        solve(in_a_window(Unbounded(h)), method=method)
    assert "condition 'unbounded' on h: collocation needs conditions on the sides of the domain" in str(error.value)
    assert "use method=Lagrangian(), or state values there" in str(error.value)
