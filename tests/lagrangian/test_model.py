"""What holds for all weights: initial and entering values, periods; the jets against differences."""

import pytest
import sympy
import torch
from sympy import cos, exp, pi, sin

from physolve.jets import TANH
from physolve.lagrangian import MovingModel, lowered
from physolve.spec import (
    Dirichlet,
    Eq,
    Initial,
    Interval,
    Neumann,
    Periodic,
    Problem,
    Program,
    Rectangle,
    TimeInterval,
    Unbounded,
    coordinates,
    d,
    dot,
    dt,
    grad,
    laplacian,
    unknown,
)

x, y, t = coordinates("x", "y", "t")
u, w = (unknown(name, x, t) for name in "uw")
V = unknown("V", x, y, t, components=2)
HOUR = TimeInterval(0.5, 2.0)
START = sin(2 * pi * x / 3) + x / 5

RING = Problem(Eq(dt(u) + u * d(u, x), d(u, x, 2) / 9), Interval(0, 3) * HOUR, [Initial(u, START), Periodic(u, x)])
BELOW = Problem(
    [Eq(dt(u) + (1 + t) * d(u, x), d(u, x, 2) / 9), Eq(dt(w) + (1 + t) * d(w, x), -u)],
    Interval(0, 1) * HOUR,
    [
        Initial(u, START),
        Initial(w, exp(-x)),
        Dirichlet(u, cos(t), on="left"),
        Dirichlet(w, t**2, on="left"),
        Neumann(u, 0, on="right"),
    ],
)
ABOVE = Problem(
    Eq(dt(u) - (3 - x) * d(u, x), 0), Interval(0, 1) * HOUR, [Initial(u, START), Dirichlet(u, sin(t), on="right")]
)
PLANE = Problem(
    [Eq(dt(c) + dot(V, grad(c)), laplacian(c) / 9) for c in V],
    Rectangle((0, 0), (3, 1)) * HOUR,
    [Initial(V, [START, cos(2 * pi * x / 3) / 2 + y / 4]), Periodic(V, x), Unbounded(V)],
)
PROBLEMS = {"ring": RING, "below": BELOW, "above": ABOVE, "plane": PLANE}


def case(name, seed=1):
    """Model, random weights in all layers, labels and times."""
    model = MovingModel.of(lowered(PROBLEMS[name]), 5, 2, TANH)
    vector = torch.randn(model.count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return model, vector, model.frame.labels.sample(30, seed)[0]


def at(points, time):
    return torch.cat([points[:, :-1], torch.as_tensor(time, dtype=torch.float64).expand(len(points), 1)], 1)


def values(expressions, points, symbols):
    return torch.stack(Program(expressions, symbols)(*points.unbind(1)), 1)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", PROBLEMS)
def test_initial_values_hold(name, seed):
    """At the start X = xi and W = w0(xi), for labels that begin there."""
    model, vector, points = case(name, seed)
    points = at(points[~model.frame.labels.entering(points[:, :-1])], 0.5)
    assert len(points) >= 5
    motion, state = model.jets(vector, points, model.frame.layout)
    initial = [c.value for c in PROBLEMS[name].conditions if isinstance(c, Initial)]
    expected = [e for v in initial for e in (v if isinstance(v, sympy.MatrixBase) else [v])]
    torch.testing.assert_close(motion.value, points[:, :-1], rtol=1e-14, atol=1e-14)
    space = PROBLEMS[name].space
    torch.testing.assert_close(state.value, values(expected, points[:, :-1], space), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("name", "position", "speed", "given"),
    [("below", 0.0, 1.5, [cos(t), t**2]), ("above", 1.0, -2.0, [sin(t)])],
)
def test_entering_values_hold(name, position, speed, given, seed):
    """X(xi, t) = x_in and W(xi, t) = g(t) at the time when xi enters, x_in + speed * (t0 - t) = xi."""
    model, vector, _ = case(name, seed)
    times = torch.linspace(0.5, 2.0, 12, dtype=torch.float64)[1:, None]
    points = torch.cat([position - speed * (times - 0.5), times], 1)
    motion, state = model.jets(vector, points, model.frame.layout)
    torch.testing.assert_close(motion.value, torch.full_like(times, position), rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(state.value, values(given, times, (t,)), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", ["ring", "plane"])
def test_periodic_for_all_weights(name):
    """One period of 3 further, displacement and all derivatives are the same."""
    model, vector, points = case(name)
    moved = points.clone()
    moved[:, 0] += 3
    motion, state = model.jets(vector, points, model.frame.layout)
    shifted, same = model.jets(vector, moved, model.frame.layout)
    expected = motion.tensor.clone()
    expected[0, :, 0] += 3
    torch.testing.assert_close(shifted.tensor, expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(same.tensor, state.tensor, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", PROBLEMS)
def test_weights_move_what_has_begun(name):
    """The other side of what holds by construction: later, everything depends on the weights."""
    model, vector, points = case(name)
    later = at(points, 2.0)
    begun = model.frame.labels.begin(later[:, :-1]) < 1.9
    first, second = (model.jets(v, later[begun], model.frame.layout) for v in (vector, 2 * vector))
    for one, other in zip(first, second, strict=True):
        assert float((one.value - other.value).abs().min()) > 1e-9


@pytest.mark.parametrize("name", PROBLEMS)
def test_jets_are_the_derivatives_of_the_values(name):
    """First rows against differences of the values, second ones against differences of the first."""
    model, vector, points = case(name)
    layout, points = model.frame.labels.layout(True), points[:4]

    def rows(points):
        return torch.cat([jet.tensor for jet in model.jets(vector, points, layout)], -1)

    found, step = rows(points), 1e-5
    unit = step * torch.eye(points.shape[1], dtype=points.dtype)
    slopes = [(rows(points + e) - rows(points - e)) / (2 * step) for e in unit]
    for k, axis in enumerate(layout.first):
        torch.testing.assert_close(found[1 + k], slopes[axis][0], rtol=1e-6, atol=1e-6)
    for k, (i, j) in enumerate(layout.second):
        torch.testing.assert_close(found[1 + len(layout.first) + k], slopes[j][1 + i], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", PROBLEMS)
def test_training_starts_from_drifting_along_and_keeping_the_value(name):
    model, _, points = case(name)
    motion, state = model.jets(model.start(3), points, model.frame.layout)
    labels = model.frame.labels
    at = model.at(points, model.frame.layout)
    drift = motion.value.new_tensor(model.frame.scales.drift)
    age = (points[:, -1] - labels.begin(points[:, :-1]))[:, None]
    torch.testing.assert_close(motion.value, at.origin.value + age * drift)
    torch.testing.assert_close(state.value, at.beginning.value)


@pytest.mark.parametrize("name", ["below", "plane"])
def test_place_is_the_motion_alone(name):
    model, vector, points = case(name)
    layout = model.frame.labels.layout(False)
    torch.testing.assert_close(model.place(vector, points).tensor, model.jets(vector, points, layout)[0].tensor)


def test_the_networks_share_no_weights():
    model, vector, points = case("below")
    other = vector.clone()
    other[model.characteristics.count :] += 1
    layout = model.frame.layout
    assert torch.equal(model.jets(vector, points, layout)[0].tensor, model.jets(other, points, layout)[0].tensor)
    assert not torch.equal(model.jets(vector, points, layout)[1].tensor, model.jets(other, points, layout)[1].tensor)
    other = vector.clone()
    other[: model.characteristics.count] += 1
    assert torch.equal(model.jets(vector, points, layout)[1].tensor, model.jets(other, points, layout)[1].tensor)


def test_last_layers_are_those_the_outputs_are_linear_in():
    model, vector, points = case("plane")
    layout, last = model.frame.layout, model.last_layers
    assert len(last) == 2 * (5 + 1) * 2  # of both networks, two outputs each
    zero, twice = vector.clone(), vector.clone()
    zero[last], twice[last] = 0, 2 * vector[last]
    for at_zero, once, doubled in zip(*(model.jets(v, points, layout) for v in (zero, vector, twice)), strict=True):
        torch.testing.assert_close(doubled.tensor - once.tensor, once.tensor - at_zero.tensor)
