"""Problems lowered to the moving frame: labels, entry, scales, the window's hinterland; refusals by their message."""

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import cos, exp, pi, sin

from physolve.errors import UnsupportedError
from physolve.lagrangian import lowered, travel, why_not
from physolve.lagrangian._labels import Entry
from physolve.lagrangian._pilot import GRID, MARGIN
from physolve.spec import (
    Box,
    Dirichlet,
    Disk,
    Eq,
    Initial,
    Interval,
    MeanValue,
    Neumann,
    Observations,
    Periodic,
    Problem,
    Rectangle,
    TimeInterval,
    Unbounded,
    coordinates,
    d,
    dt,
    laplacian,
    parameter,
    unknown,
)

pytestmark = pytest.mark.filterwarnings("ignore")  # refused problems lack conditions

x, y, z, t = coordinates("x", "y", "z", "t")
u, w = (unknown(name, x, t) for name in "uw")
p = unknown("p", x, y, t)
LINE, SQUARE = Interval(0, 1) * TimeInterval(0, 1), Rectangle((0, 0), (1, 1)) * TimeInterval(0, 1)
CONVECTION = Eq(dt(u) + 2 * d(u, x), 0)
DIFFUSION = Eq(dt(u) + 2 * d(u, x), d(u, x, 2) / 10)


def on_line(equations, *conditions):
    return Problem(equations, LINE, [Initial(u, x), *conditions])


# --- labels and where they enter


def test_a_periodic_problem_has_one_period_of_labels():
    frame = lowered(Problem(CONVECTION, Interval(-1, 2) * TimeInterval(1, 3), [Initial(u, x), Periodic(u, x)]))
    labels = frame.labels
    assert (labels.lower, labels.upper, labels.periodic) == ((-1,), (2,), (True,))
    assert (labels.start, labels.end, labels.entry) == (1, 3, None)
    assert frame.open_sides == ()
    assert frame.beginnings.entering is None


@pytest.mark.parametrize(
    ("side", "speed", "lower", "upper", "entry"),
    [
        ("left", 1 + t, -1.0, 1.0, Entry(0, 0.0, 1.0)),
        ("right", -3 + t, 0.0, 4.0, Entry(0, 1.0, -3.0)),
    ],
)
def test_labels_enter_where_the_velocity_points_inward(side, speed, lower, upper, entry):
    """They are numbered by the speed at the start, whatever it is later."""
    frame = lowered(on_line(Eq(dt(u) + speed * d(u, x), 0), Dirichlet(u, cos(t), on=side)))
    assert frame.labels.entry == entry
    assert (*frame.labels.lower, *frame.labels.upper) == (lower, upper)
    when = (entry.position - x) / entry.speed
    assert sympy.simplify(frame.beginnings.entering[0] - cos(when)) == 0


def test_the_velocity_at_the_door_may_be_the_entering_value():
    frame = lowered(on_line(Eq(dt(u) + u * d(u, x), 0), Dirichlet(u, 2 + t, on="left")))
    assert frame.labels.entry == Entry(0, 0.0, 2.0)


def test_a_door_of_a_rectangle_beside_a_periodic_axis():
    drift = Eq(dt(p) + 2 * d(p, x) + d(p, y), laplacian(p) / 10)
    frame = lowered(Problem(drift, SQUARE, [Initial(p, sin(2 * pi * x)), Periodic(p, x), Dirichlet(p, 0)]))
    assert frame.labels.entry == Entry(1, 0.0, 1.0)
    assert (frame.labels.lower, frame.labels.upper) == ((0, -1), (1, 1))
    assert frame.labels.periodic == (True, False)
    assert [str(side) for side in frame.open_sides] == ["side y = 1"]


def test_sides_are_open_only_with_conditions_and_diffusion():
    left, right = Dirichlet(u, t, on="left"), Neumann(u, 1, on="right")
    assert [str(side) for side in lowered(on_line(DIFFUSION, left, right)).open_sides] == ["side x = 1"]
    assert lowered(on_line(DIFFUSION, left)).open_sides == ()
    assert lowered(on_line(CONVECTION, left, right)).open_sides == ()


def test_sides_where_the_velocity_vanishes_are_open_not_doors():
    burgers = Eq(dt(u) + u * d(u, x), d(u, x, 2) / 10)
    frame = lowered(Problem(burgers, LINE, [Initial(u, -sin(pi * x)), Dirichlet(u, 0)]))
    assert frame.labels.entry is None
    assert [str(side) for side in frame.open_sides] == ["side x = 0", "side x = 1"]


# --- scales and the first look


def test_scales_of_constant_drift():
    frame = lowered(Problem(CONVECTION, LINE, [Initial(u, 5 + 3 * sin(2 * pi * x)), Periodic(u, x)]))
    assert frame.scales.drift == pytest.approx((2.0,), rel=1e-12)
    assert frame.scales.spread == (0,)  # the map is exact
    assert frame.scales.size == pytest.approx((3 / np.sqrt(2),), rel=1e-2)  # about the mean
    assert frame.scales.slope == pytest.approx(float(2 * pi), rel=1e-2)
    assert frame.pilot.crossing is None


def test_an_unknown_that_begins_with_nothing_has_the_size_that_its_source_makes():
    """u = (sin 2 pi x - sin 2 pi (x - 2 t)) / (4 pi): largest when the second sine is the first one's opposite."""
    made = Eq(dt(u) + 2 * d(u, x), cos(2 * pi * x))
    frame = lowered(Problem(made, LINE, [Initial(u, 0), Periodic(u, x)]))
    assert frame.scales.size == pytest.approx((2 / (4 * np.pi * np.sqrt(2)),), rel=1e-2)
    assert frame.scales.slope == pytest.approx(float(2 * pi), rel=2e-2)


def test_an_unknown_that_is_made_by_derivatives_only_has_their_size():
    made = [Eq(dt(u) + 2 * d(u, x), 0), Eq(dt(w) + 2 * d(w, x), d(u, x))]
    frame = lowered(Problem(made, LINE, [Initial(u, sin(2 * pi * x)), Initial(w, 3), Periodic(u, x), Periodic(w, x)]))
    assert frame.scales.size[1] == pytest.approx(2 * np.pi / np.sqrt(2), rel=1e-2)


def test_where_nothing_ever_happens_sizes_are_one():
    frame = lowered(Problem(CONVECTION, LINE, [Initial(u, 0), Periodic(u, x)]))
    assert frame.scales.size == (1,)


def test_the_drift_of_entering_characteristics_is_that_of_the_velocity():
    """Exactly: the first look begins with each of them, not at the next step."""
    frame = lowered(on_line(CONVECTION, Dirichlet(u, t, on="left")))
    assert frame.scales.drift == pytest.approx((2.0,), rel=1e-10)
    assert frame.scales.spread == (0,)


def test_spread_of_burgers_and_when_it_breaks():
    """u0 = 1 + sin x: drift 1, displacement t sin(xi) with root mean square 1 / sqrt 2, characteristics meet at 1."""
    burgers = Eq(dt(u) + u * d(u, x), 0)
    wide = Interval(0, float(2 * pi)) * TimeInterval(0, 1.5)
    frame = lowered(Problem(burgers, wide, [Initial(u, 1 + sin(x)), Periodic(u, x)]))
    assert frame.scales.drift == pytest.approx((1.0,), abs=5e-3)
    assert frame.scales.spread == pytest.approx((0.5**0.5,), rel=1e-2)
    assert frame.pilot.crossing == pytest.approx(1.0, abs=2 * 1.5 / 100)


@pytest.mark.parametrize("speed", [2, -3])
def test_travel_is_in_domain_lengths(speed):
    problem = Problem(
        Eq(dt(u) + speed * d(u, x), 0), Interval(0, 2) * TimeInterval(0, 4), [Initial(u, x), Periodic(u, x)]
    )
    assert travel(problem) == pytest.approx(abs(speed) * 4 / 2, rel=1e-5)


# --- windows of unbounded space


@settings(max_examples=5, deadline=None)
@given(st.floats(-40, 40).filter(lambda c: abs(c) > 0.05))
def test_the_box_of_labels_reaches_as_far_upstream_as_the_window_is_fed_from(speed):
    frame = lowered(on_line(Eq(dt(u) + speed * d(u, x), 0), Unbounded(u)))
    low, high = min(0.0, -speed), 1 + max(0.0, -speed)
    (lower,), (upper,) = frame.labels.lower, frame.labels.upper
    room = (high - low) * (MARGIN + 4 / GRID[1]) + 0.05 * abs(speed)
    assert low - room <= lower <= low
    assert high <= upper <= high + room
    assert frame.window == ((0.0,), (1.0,))


def test_a_window_in_a_vortex_is_fed_from_the_disk_around_it():
    """A quarter turn about the origin, clockwise or not: labels come from where the square turned back."""
    vortex = Eq(dt(p) - pi / 2 * y * d(p, x) + pi / 2 * x * d(p, y), 0)
    frame = lowered(Problem(vortex, SQUARE, [Initial(p, exp(-(x**2))), Unbounded(p)]))
    for got, expected in zip((*frame.labels.lower, *frame.labels.upper), (0, -1, 2**0.5, 1), strict=True):
        assert got == pytest.approx(expected, abs=0.2)
    assert frame.labels.lower[1] <= -1  # its corner (1, 0) comes from (0, -1)


@pytest.mark.parametrize("speed", [1000, 100_000])
def test_a_window_fed_from_too_far_away_is_refused(speed):
    """Also where characteristics are inside it for less than a step of the first look."""
    reason = why_not(on_line(Eq(dt(u) + speed * d(u, x), 0), Unbounded(u)))
    assert reason is not None
    assert reason.startswith("lagrangian: the window ((0.0,), (1.0,)) is fed from farther away than")
    assert reason.endswith("shorten the time, or state what enters through the sides")


# --- refusals

q = unknown("q", x, y, z, t)
k = parameter("k", guess=1.0)
NO_WALL = "lagrangian: condition 3 ('{}' on u): expected initial, periodic, boundary or unbounded conditions"

REFUSED = {
    "no transport": (lambda: on_line(Eq(dt(u), d(u, x, 2)), Dirichlet(u, 0)), "transport: no unknown is carried along"),
    "three dimensions": (
        lambda: Problem(Eq(dt(q) + d(q, x), 0), Box((0, 0, 0), (1, 1, 1)) * TimeInterval(0, 1), [Initial(q, 0)]),
        "lagrangian: got 3 space coordinates on SpaceTime, expected one or two, on a shape * TimeInterval(t0, t1)",
    ),
    "parameters": (
        lambda: on_line(Eq(dt(u) + k * d(u, x), 0), Periodic(u, x)),
        "lagrangian: unknown parameters are not found in the moving frame; use the default method",
    ),
    "mean value": (lambda: on_line(CONVECTION, Periodic(u, x), MeanValue(u, 1)), NO_WALL.format("mean_value")),
    "data": (
        lambda: on_line(CONVECTION, Periodic(u, x), Observations(u, [[0.5, 0.5]], [1.0])),
        NO_WALL.format("observations"),
    ),
    "no initial value": (
        lambda: Problem(CONVECTION, LINE, [Periodic(u, x)]),
        "lagrangian: unknown 'u' has no initial condition; add Initial(u, value)",
    ),
    "one of two periodic": (
        lambda: on_line([CONVECTION, Eq(dt(w) + 2 * d(w, x), 0)], Initial(w, x), Periodic(u, x)),
        "lagrangian: only some unknowns are periodic along x; expected all or none",
    ),
    "a disk": (
        lambda: Problem(Eq(dt(p) + d(p, x), 0), Disk((0, 0), 1) * TimeInterval(0, 1), [Initial(p, x)]),
        "lagrangian: the domain is a Disk, expected an interval or a rectangle; use the default method, or state"
        " Unbounded(u) if its boundary means nothing",
    ),
    "a part of a side": (
        lambda: Problem(
            Eq(dt(p) + d(p, x), 0),
            SQUARE,
            [Initial(p, x), Dirichlet(p, 0, on=sympy.And(sympy.Eq(x, 0), y < 0.5))],
        ),
        "lagrangian: condition 2 ('dirichlet' on p) holds on a part of the side 'left' only",
    ),
    "for some time": (
        lambda: on_line(Eq(dt(u) + (t - sympy.Rational(1, 2)) * d(u, x), 0), Dirichlet(u, 0)),
        "lagrangian: labels enter through a part of the side x = 0, or for some time only",
    ),
    "nothing given": (
        lambda: on_line(CONVECTION),
        "lagrangian: labels enter through the side x = 0; add Dirichlet(u, value) there",
    ),
    "a slope given": (
        lambda: on_line(CONVECTION, Neumann(u, 0, on="left")),
        "lagrangian: labels enter through the side x = 0; add Dirichlet(u, value) there",
    ),
    "two doors": (
        lambda: on_line(Eq(dt(u) + (1 - 2 * x) * d(u, x), 0), Dirichlet(u, 0)),
        "lagrangian: labels enter through 2 sides, expected one at most",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_why_not(name):
    make, message = REFUSED[name]
    problem = make()
    reason = why_not(problem)
    assert reason is not None
    assert reason.startswith(message)
    assert "\n" not in reason
    with pytest.raises(UnsupportedError) as error:
        lowered(problem)
    assert str(error.value) == reason


def test_a_disk_may_be_a_window():
    disk = Disk((0, 0), 1) * TimeInterval(0, 1)
    assert why_not(Problem(Eq(dt(p) + d(p, x), 0), disk, [Initial(p, x), Unbounded(p)])) is None


def test_along_a_periodic_axis_every_place_is_inside_the_window():
    """A characteristic that has gone around is still there."""
    frame = lowered(
        Problem(
            Eq(dt(p) + 5 * d(p, x), laplacian(p) / 9),
            SQUARE,
            [Initial(p, y), Periodic(p, x), Dirichlet(p, 0, on=("bottom", "top"))],
        )
    )
    assert len(frame.open_sides) == 2
    places = torch.tensor([[4.5, 0.5], [-2.0, 1.0], [0.5, 1.1], [0.5, -0.1]], dtype=torch.float64)
    assert frame.inside(places).tolist() == [True, True, False, False]
    assert frame.inside(places, room=0.1).tolist() == [True, True, True, True]
