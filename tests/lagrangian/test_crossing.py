"""When characteristics meet: on maps known exactly, and on a trained one."""

from dataclasses import replace

import pytest
import sympy
import torch
from sympy import pi, sin

from physolve.jets import TANH
from physolve.lagrangian import Crossing, MovingModel, MovingSystem, lowered
from physolve.lagrangian._crossing import THRESHOLD, first_crossing
from physolve.solve import GaussNewton
from physolve.spec import (
    Dirichlet,
    Eq,
    Initial,
    Interval,
    Periodic,
    Problem,
    Rectangle,
    TimeInterval,
    Unbounded,
    coordinates,
    d,
    dt,
    unknown,
)

x, y, t = coordinates("x", "y", "t")
u, p = unknown("u", x, t), unknown("p", x, y, t)
TAU = float(2 * pi)


def linear_map(problem, slope):
    """The model with the map xi + t (drift + slope (xi - centre)), for a tanh that is linear to 1e-8."""
    frame = lowered(problem)
    frame = replace(
        frame, scales=replace(frame.scales, spread=(1.0,) * frame.labels.dim)
    )  # a constant velocity has none
    model = MovingModel.of(frame, 4, 1, TANH)
    weights, small = torch.zeros(model.count, dtype=torch.float64), 1e-4
    (inner, _), (outer, _) = model.characteristics.model.architecture.split(model.split(weights)[0])  # views
    for k, (extent, spread) in enumerate(zip(model.frame.labels.extent, model.frame.scales.spread, strict=True)):
        inner[k, k] = small
        outer[k, k] = slope[k] * extent / 2 / spread / small
    return model, weights


def window(until):
    drift = Eq(dt(u) + d(u, x) / 2, 0)
    return Problem(drift, Interval(0, 1) * TimeInterval(0, until), [Initial(u, sin(x)), Unbounded(u)])


def plane(until):
    domain = Rectangle((0, 0), (1, 1)) * TimeInterval(0, until)
    return Problem(Eq(dt(p) + d(p, x), 0), domain, [Initial(p, sin(x)), Unbounded(p)])


@pytest.mark.parametrize(
    ("problem", "slope", "close", "meet"),
    [
        (window(2.0), [-0.8], (1 - THRESHOLD) / 0.8, 1 / 0.8),
        (window(1.22), [-0.8], (1 - THRESHOLD) / 0.8, None),  # close, but they do not meet
        (plane(1.5), [-1.0, 0.5], None, 1.0),
    ],
    ids=["1-D", "1-D, too short to meet", "2-D"],
)
def test_times_on_maps_that_are_known(problem, slope, close, meet):
    """dX / dxi = 1 + slope t."""
    found = first_crossing(*linear_map(problem, slope))
    if close is None:  # (1 - t)(1 + t / 2) = THRESHOLD
        close = -0.5 + (2.25 - 2 * THRESHOLD) ** 0.5
    assert found.close == pytest.approx(close, abs=1e-4)
    assert found.crossing == (meet if meet is None else pytest.approx(meet, abs=1e-4))


@pytest.mark.parametrize("slope", [0.0, 0.8, -0.4])
def test_no_crossing_where_they_keep_their_distance(slope):
    assert first_crossing(*linear_map(window(2.0), [slope])) is None


def test_no_crossing_before_a_given_time():
    assert first_crossing(*linear_map(window(2.0), [-0.8]), until=1.1) is None


def test_labels_that_enter_are_measured_by_where_they_begin():
    """Numbered by the speed 4 of the start they enter at 4 - 3.96 t: up to 100 times as dense, and yet no crossing.

    X = age (4 - 1.98 (t + begin)) with begin = -xi / 4: the mean velocity is linear in label and time.
    """
    slower = Eq(dt(u) + (4 - sympy.Rational(396, 100) * t) * d(u, x), 0)
    conditions = [Initial(u, x), Dirichlet(u, t, on="left")]
    problem = Problem(slower, Interval(0, 3) * TimeInterval(0, 1), conditions)
    model, weights = linear_map(problem, [1.98 / 4])
    (inner, _), (outer, bias) = model.characteristics.model.architecture.split(model.split(weights)[0])
    ((drift,), (spread,)), small = (model.frame.scales.drift, model.frame.scales.spread), 1e-4
    inner[1, 1], outer[1, 0] = small, -1.98 / 2 / spread / small
    bias[0] = (4 - drift - 1.98 * 0.5 - 1.98 / 4 * 0.5) / spread  # at the middle of the box, xi = t - 1 = -1/2
    last = torch.tensor([[-3.98, 1.0]], dtype=torch.float64)  # entered a moment ago
    assert float(model.place(weights, last).tensor[1]) < THRESHOLD / 2
    assert first_crossing(model, weights) is None


def test_inviscid_burgers_breaks_at_one():
    """u0 = 1 + sin x: dX / dxi = 1 + t cos xi vanishes first at t = 1."""
    burgers = Eq(dt(u) + u * d(u, x), 0)
    conditions = [Initial(u, 1 + sin(x)), Periodic(u, x)]
    model = MovingModel.of(lowered(Problem(burgers, Interval(0, TAU) * TimeInterval(0, 1.3), conditions)), 6, 1, TANH)
    trained = GaussNewton(steps=40).train(MovingSystem(model), 2e-3).field
    found = first_crossing(model, trained.vector)
    assert found.crossing == pytest.approx(1.0, rel=0.01)
    assert found.close == pytest.approx(1 - THRESHOLD, rel=0.01)


def test_in_words():
    assert str(Crossing(0.5, 0.75)) == "characteristics cross at t = 0.75"
    assert (
        str(Crossing(0.5, None)) == f"characteristics come closer than {THRESHOLD:g} of their first distance at t = 0.5"
    )
