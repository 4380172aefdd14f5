"""The coordinate that follows layers, and solves that need it."""

import math

import numpy as np
import pytest
import sympy
import torch

import physolve as ps
from physolve.errors import SpecificationError
from physolve.nets import Expansion, Stretch, TanhFeatures, TimeSlabs
from physolve.solve import LeastSquares
from physolve.solve._slabs import slabs_of
from physolve.solve._stretching import Follower, follow, stretchable

x, y, t = ps.coordinates("x", "y", "t")
u = ps.unknown("u", x, t)
WIDTH = 0.005
STRETCHED = LeastSquares(slabs=4, first=150, growth=1.5, scales=(15.0,), stretched=True, focused=False)


def layer(width: float, speed: float = 0.0) -> Expansion:
    """tanh((x - speed t) / width)."""
    slopes = torch.tensor([[1 / width, -speed / width]], dtype=torch.float64)
    return Expansion(TanhFeatures(slopes, torch.zeros(1).double()), torch.ones(1, 1).double())


def problem(nu: float, exact: sympy.Expr) -> ps.Problem:
    domain = ps.Interval(-1, 1) * ps.TimeInterval(0, 1)
    equation = ps.Eq(ps.dt(u) + u * ps.d(u, x), nu * ps.d(u, x, 2))
    walls = ps.Dirichlet(u, exact, on=["left", "right"])
    return ps.Problem([equation], domain, [walls, ps.Initial(u, exact.subs(t, 0))])


def rooms(stretch: Stretch, time: float, xi: float) -> float:
    at = torch.tensor([xi]).double()
    return float(stretch.derivative(at, torch.full_like(at, time), 1)[0])


def test_a_layer_gets_room_and_a_smooth_field_needs_none():
    flat = Stretch.identity((-1.0, 1.0), (0.0, 1.0))
    sharp, smooth = follow(flat, layer(WIDTH)), follow(flat, layer(1.0))
    assert rooms(sharp, 0.5, 0.0) < 10 * WIDTH
    assert 0.5 < rooms(smooth, 0.5, 0.0) < 2.0
    assert smooth.change() == pytest.approx(0.0, abs=1e-9)


def test_a_moving_layer_stands_still_in_the_stretched_coordinate():
    stretch = Stretch.identity((-1.0, 1.0), (0.0, 1.0))
    for _ in range(2):
        stretch = follow(stretch, layer(0.02, speed=0.3))
    place = stretch.inverse(torch.tensor([0.0, 0.15, 0.3]).double(), torch.tensor([0.0, 0.5, 1.0]).double())
    # The layer covers about a third of the coordinate; it drifts by the change of room at its sides.
    assert float(place.max() - place.min()) < 0.15


def test_a_slab_in_which_a_layer_forms_is_halved_and_others_are_not():
    given = problem(0.01, sympy.sin(x))
    (slab, _), follower = slabs_of(given, 2)[1], Follower()
    follower.learn(slab, layer(0.05))
    assert not follower.hasty(slab)
    # Wide before t = 1/4, thin after it: what a forming layer looks like to the two ends of the slab.
    follower.learn(slab, TimeSlabs((0.0, 0.25, 0.5), (layer(0.5), layer(0.05))))
    assert follower.hasty(slab)
    first, second = slab.halves()
    assert (first.times, second.times) == ((0.0, 0.25), (0.25, 0.5))
    assert follower.sweeps(slab) == 1
    assert follower.sweeps(first) == 2


def test_only_one_dimension_in_space_is_stretched():
    assert stretchable(problem(0.01, x))
    v = ps.unknown("v", x, y)
    plane = ps.Problem([ps.Eq(ps.laplacian(v), 1)], ps.Rectangle((0, 0), (1, 1)), [ps.Dirichlet(v, 0)])
    assert not stretchable(plane)
    with pytest.raises(SpecificationError, match="an interval and time, and slabs"):
        ps.solve(plane, 1e-2, method=STRETCHED)
    with pytest.raises(SpecificationError, match="an interval and time, and slabs"):
        ps.solve(problem(0.01, x), 1e-2, method=LeastSquares(stretched=True))


def test_a_travelling_front_is_followed():
    nu = WIDTH
    exact = 0.6 - 0.5 * sympy.tanh(0.25 * (x + 0.5 - 0.6 * t) / nu)
    solution = ps.solve(problem(nu, exact), 1e-2, method=STRETCHED)
    points = solution.problem.domain.sample_interior(4096, seed=3).points
    true = ps.Program([exact], (x, t))(*points.T)[0]
    error = np.sqrt(np.mean((solution(points)[:, 0] - true) ** 2) / np.mean(true**2))
    assert solution.outcome is ps.Outcome.CONVERGED
    assert error <= solution.estimate.relative <= 1e-2


def test_the_default_turns_to_the_stretched_coordinate_by_itself():
    nu = WIDTH
    exact = 0.6 - 0.5 * sympy.tanh(0.25 * (x + 0.5 - 0.6 * t) / nu)
    solution = ps.solve(problem(nu, exact), 3e-2)
    assert solution.method == STRETCHED.name
    assert solution.outcome is ps.Outcome.CONVERGED


def test_a_forming_shock_against_cole_hopf():
    nu = 0.02 / math.pi
    solution = ps.solve(problem(nu, -sympy.sin(sympy.pi * x)), 1e-2, method=STRETCHED)
    line = np.linspace(-1, 1, 801)
    for time in (0.2, 0.5, 1.0):
        true = cole_hopf(line, time, nu)
        found = solution(np.column_stack([line, np.full_like(line, time)]))[:, 0]
        # The tolerance is for all times together; at one of them the error may be a few times the mean.
        assert np.sqrt(np.mean((found - true) ** 2) / np.mean(true**2)) < 3e-2
    assert solution.outcome is ps.Outcome.CONVERGED


def cole_hopf(line: np.ndarray, time: float, nu: float) -> np.ndarray:
    """u = -2 nu phi_x / phi, phi the heat kernel's integral of exp(-cos(pi y) / (2 pi nu)), by the trapezoidal rule."""
    reach = 1.2 * time + 8 * math.sqrt(4 * nu * time)
    y = line[:, None] + np.linspace(-reach, reach, 4001)
    exponent = -np.cos(np.pi * y) / (2 * np.pi * nu) - (line[:, None] - y) ** 2 / (4 * nu * time)
    weight = np.exp(exponent - exponent.max(1, keepdims=True))
    return (weight * (line[:, None] - y)).sum(1) / time / weight.sum(1)
