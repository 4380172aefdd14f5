"""Label -> place -> label for random invertible maps, periodic and not, in one and two dimensions; nothing where no
characteristic is."""

from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import sin

from physolve.jets import TANH
from physolve.lagrangian import LagrangianField, MovingModel, lowered
from physolve.lagrangian._inversion import Inverse, Locator
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
HOUR = TimeInterval(0, 1)
LINE = Eq(dt(u) + (2 + t / 9) * d(u, x), 0)
PLANE = Eq(dt(p) + (1 + y) * d(p, x) - x * d(p, y), 0)
SQUARE = Rectangle((-1, -1), (1, 1)) * HOUR

PROBLEMS = {
    "line": lambda: Problem(LINE, Interval(-1, 1) * HOUR, [Initial(u, sin(x)), Unbounded(u)]),
    "ring": lambda: Problem(LINE, Interval(-1, 1) * HOUR, [Initial(u, sin(x)), Periodic(u, x)]),
    "door": lambda: Problem(LINE, Interval(-1, 1) * HOUR, [Initial(u, sin(x)), Dirichlet(u, t, on="left")]),
    "plane": lambda: Problem(PLANE, SQUARE, [Initial(p, sin(x)), Unbounded(p)]),
    "torus": lambda: Problem(PLANE, SQUARE, [Initial(p, sin(x)), Periodic(p, x), Periodic(p, y)]),
    "tube": lambda: Problem(PLANE, SQUARE, [Initial(p, sin(x)), Periodic(p, x), Unbounded(p)]),
}


@cache
def model(name):
    return MovingModel.of(lowered(PROBLEMS[name]()), 6, 1, TANH)


def random_map(name, seed, bend=0.6):
    """Random weights, so small that the displacement's slopes in the label stay below `bend`: an invertible map."""
    made = model(name)
    generator = torch.Generator().manual_seed(seed)
    vector = torch.randn(made.count, generator=generator, dtype=torch.float64)
    last = made.last_layers
    steepest, drift = _steepest(made, vector), vector.clone()
    drift[last] *= bend / max(steepest, 1e-3)
    while _steepest(made, drift) > 1.01 * bend:  # through a door the displacement is not linear in the last layer
        drift[last] /= 2
    return made, drift


def _steepest(made, vector):
    """Largest entry sum of dX / dxi - 1 over the samples, per unit of the last layer."""
    points = made.frame.labels.sample(500, 11)[0]
    motion = made.place(vector, points)
    dim = made.frame.labels.dim
    slope = torch.stack([motion.tensor[1 + k] for k in range(dim)], -1) - torch.eye(dim, dtype=torch.float64)
    return float(slope.abs().sum(-1).max())


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10_000))
@pytest.mark.parametrize("name", PROBLEMS)
def test_label_to_place_to_label(name, seed):
    made, vector = random_map(name, seed)
    labels = made.frame.labels.sample(60, seed)[0]
    places = torch.cat([made.place(vector, labels).value, labels[:, -1:]], 1)
    found, ok = Inverse(made, vector)(places)
    assert bool(ok.all())
    torch.testing.assert_close(found, labels, rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", ["ring", "torus", "tube"])
def test_a_period_further_the_label_is_a_period_further(name):
    made, vector = random_map(name, 5)
    labels = made.frame.labels.sample(40, 5)[0]
    places = torch.cat([made.place(vector, labels).value, labels[:, -1:]], 1)
    shift = torch.zeros_like(places)
    shift[:, 0] = 4.0
    found, ok = Inverse(made, vector)(places + shift)
    assert bool(ok.all())
    torch.testing.assert_close(found, labels + shift, rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", ["line", "door", "plane", "tube"])
def test_nothing_is_found_where_no_characteristic_is(name):
    made, vector = random_map(name, 3)
    box = made.frame.labels
    places = torch.zeros(6, box.dim + 1, dtype=torch.float64)
    places[:, -1] = 0.5
    places[:3, -2], places[3:, -2] = box.upper[-1] + 5 * box.extent[-1], box.lower[-1] - 5 * box.extent[-1]
    assert not bool(Inverse(made, vector)(places)[1].any())
    field = LagrangianField(made, vector)
    assert bool(torch.isnan(field.labels(places)[:, :-1]).all())
    assert bool(torch.isnan(field.values(places)).all())


def test_no_points_no_labels():
    made, vector = random_map("plane", 3)
    labels, found = Inverse(made, vector)(torch.zeros(0, 3, dtype=torch.float64))
    assert labels.shape == (0, 3)
    assert found.shape == (0,)


@pytest.mark.parametrize("name", ["ring", "plane"])
def test_a_locator_follows_a_map_that_changes_little(name):
    """A few Newton steps from the labels of the map before."""
    made, vector = random_map(name, 7)
    labels = made.frame.labels.sample(40, 7)[0]
    labels = labels[labels[:, :-1].abs().amax(1) < 0.9]
    places = torch.cat([made.place(vector, labels).value, labels[:, -1:]], 1)
    locate = Locator(places)
    torch.testing.assert_close(locate(made, vector), labels, rtol=0, atol=1e-7)
    moved = vector * 1.001
    there = made.place(moved, locate(made, moved)).value
    torch.testing.assert_close(there, places[:, :-1], rtol=0, atol=1e-9)
    assert not torch.equal(locate(made, moved), labels)
