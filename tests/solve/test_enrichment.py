"""Bases fitted to the domain, features that gather, time slabs, noise: the pieces around the ladder."""

import math

import numpy as np
import pytest
import sympy
import torch

import physolve as ps
from physolve.nets import ComplexPowers, Expansion, Frozen, TimeSlabs, WindowedFeatures
from physolve.residual import Collocation, Density
from physolve.solve import LeastSquares
from physolve.solve._enrichment import BasisPlan, corner_functions, hole_functions
from physolve.solve._focus import focus_on_layers
from physolve.solve._slabs import slabs_of
from physolve.spec.geometry import Corner, Hole

x, y, z, t = ps.coordinates("x", "y", "z", "t")


def test_reentrant_corner_gets_its_singular_functions():
    (basis,) = corner_functions(Corner((0.0, 0.0), 3 * math.pi / 2, math.pi / 2), 2.0)
    assert isinstance(basis, ComplexPowers)
    powers = [round(float(a), 6) for a, m in basis.exponents if m == 0]
    assert round(2 / 3, 6) in powers  # equal kinds of condition on both edges
    assert round(1 / 3, 6) in powers  # Dirichlet beside Neumann


def test_on_a_smooth_boundary_whole_powers_are_smooth():
    """Halves are left, for kinds of condition that change there."""
    (functions,) = corner_functions(Corner((0.0, 0.0), math.pi, 0.0), 1.0)
    assert functions.exponents.tolist() == [[0.5, 0], [1.5, 0], [2.5, 0], [3.5, 0]]


def test_hole_functions_hold_the_field_of_a_charge():
    points = torch.tensor([[0.9, 0.1], [-0.2, 0.7]], dtype=torch.float64)
    one = torch.ones(2, dtype=torch.float64)
    columns = torch.cat([b.operate(points, {(0, 0): one}) for b in hole_functions(Hole((0.1, 0.2), 0.3))], 1)
    r = torch.hypot(points[:, 0] - 0.1, points[:, 1] - 0.2)
    assert torch.allclose(columns[:, -1], torch.log(r / 0.3))


def box_with_hole(*, time: bool) -> ps.Problem:
    coordinates = (x, y, t) if time else (x, y, z)
    u = ps.unknown("u", *coordinates)
    if time:
        domain = (ps.Rectangle((-1, -1), (1, 1)) - ps.Disk((0.2, 0.1), 0.3)) * ps.TimeInterval(0, 2)
        return ps.Problem([ps.Eq(ps.dt(u), ps.laplacian(u))], domain, [ps.Dirichlet(u, 0), ps.Initial(u, 1)])
    domain = ps.Box((-1, -1, -1), (1, 1, 1)) - ps.Ball((0.2, 0.1, 0.0), 0.3)
    return ps.Problem([ps.Eq(ps.laplacian(u), 0)], domain, [ps.Dirichlet(u, 1)])


def plate_with_hole(equation: str, unknown: str = "u") -> ps.Problem:
    """In the plane, u = 0 all round."""
    components = "2" if unknown == "v" else "1"
    return ps.loads_problem(
        f'''
title = "plate"
coordinates = ["x", "y"]
domain = "rectangle([-1, -1], [1, 1]) - disk([0, 0], 0.2)"
equations = ["{equation}"]
[unknowns]
{unknown} = {{ components = {components} }}
[[conditions]]
kind = "dirichlet"
unknown = "{unknown}"
value = "{"[1, 0]" if unknown == "v" else "1"}"
'''
    )


@pytest.mark.parametrize(
    ("windows", "equation", "unknown"),
    [
        (False, "laplacian(u) = x", "u"),
        (False, "laplacian(u) + 4*u = x", "u"),
        (True, "laplacian(u) = 5*d(u, x)", "u"),
        (True, "div((1 + x^2)*grad(u)) = 1", "u"),
        (True, "laplacian(v) + 2*grad(div(v)) = [0, 0]", "v"),
    ],
)
def test_holes_in_the_plane_get_windows_where_multipoles_are_not_enough(windows, equation, unknown):
    basis = BasisPlan(plate_with_hole(equation, unknown)).build(100, 3.0, 0)
    assert any(isinstance(part, WindowedFeatures) for part in basis.parts) == windows


def test_a_wake_behind_a_hole():
    solution = ps.solve(plate_with_hole("laplacian(u) = 10*d(u, x) - 1"), tol=1e-3)
    assert solution.outcome is ps.Outcome.CONVERGED
    assert solution.cost.features < 1500


@pytest.mark.parametrize("time", [True, False])
def test_holes_without_multipoles_get_windows_around_them(time):
    basis = BasisPlan(box_with_hole(time=time)).build(100, 3.0, 0)
    (windows,) = [part for part in basis.parts if isinstance(part, WindowedFeatures)]
    distance = torch.linalg.norm(
        windows.centers[:, : 2 if time else 3] - torch.tensor([0.2, 0.1, 0.0][: 2 if time else 3]), dim=1
    )
    assert float(distance.max()) <= 2 * 0.3 + 1e-9
    assert float(windows.centers.abs().max()) <= 2.0


def test_features_gather_at_a_layer_and_only_there():
    u = ps.unknown("u", x, y)
    square = ps.Rectangle((-1, -1), (1, 1))
    problem = ps.Problem([ps.Eq(ps.laplacian(u), 0)], square, [ps.Dirichlet(u, 0)])
    from physolve.nets import TanhFeatures

    steep = TanhFeatures.through(torch.tensor([[0.3, 0.0]]).double(), torch.tensor([[60.0, 0.0]]).double())
    field = Expansion(steep, torch.ones(1, 1, dtype=torch.float64))
    focus = focus_on_layers(problem.domain, field, 3.0, 200, 0)
    assert focus is not None
    assert float((focus.points[:, 0] - 0.3).abs().max()) < 0.1
    smooth = Expansion(TanhFeatures.through(steep.weights * 0, steep.weights / 60), field.coefficients)
    assert focus_on_layers(problem.domain, smooth, 3.0, 200, 0) is None


def test_slabs_cover_time_and_take_over_value_and_velocity():
    u = ps.unknown("u", x, t)
    problem = ps.Problem(
        [ps.Eq(ps.dt(u, 2), ps.d(u, x, 2))],
        ps.Interval(0, 1) * ps.TimeInterval(0, 3),
        [ps.Dirichlet(u, 0), ps.Initial(u, sympy.sin(sympy.pi * x), velocity=0)],
        exact={u: sympy.sin(sympy.pi * x) * sympy.cos(sympy.pi * t)},
    )
    breaks, slabs = slabs_of(problem, 3)
    assert breaks == (0.0, 1.0, 2.0, 3.0)
    assert [slab.part.bounds[0][-1] for slab in slabs] == [0.0, 1.0, 2.0]
    solution = ps.solve(problem, 1e-4, method=LeastSquares(slabs=3))
    assert isinstance(solution.field, TimeSlabs)
    points = problem.domain.sample_interior(500, seed=3).points
    exact = np.sin(np.pi * points[:, 0]) * np.cos(np.pi * points[:, 1])
    error = np.sqrt(np.mean((solution(points)[:, 0] - exact) ** 2) / np.mean(exact**2))
    assert error < 1e-4
    assert solution.estimate is not None
    assert solution.estimate.relative >= error


def test_slabs_refuse_unknown_parameters():
    u, k = ps.unknown("u", t), ps.parameter("k")
    problem = ps.Problem(
        [ps.Eq(ps.dt(u), -k * u)],
        ps.TimeInterval(0, 1),
        [ps.Initial(u, 1), ps.Observations(u, [[0.5], [1.0]], [0.6, 0.36])],
    )
    with pytest.raises(ps.SpecificationError, match="use slabs=1"):
        ps.solve(problem, method=LeastSquares(slabs=2))


def test_noise_in_the_data_is_part_of_the_estimate():
    u, k = ps.unknown("u", t), ps.parameter("k")
    rng = np.random.default_rng(1)
    times = np.linspace(0, 2, 40)[:, None]
    values = np.exp(-0.7 * times[:, 0]) + 0.01 * rng.standard_normal(40)
    problem = ps.Problem(
        [ps.Eq(ps.dt(u), -k * u)],
        ps.TimeInterval(0, 2),
        [ps.Initial(u, 1), ps.Observations(u, times, values, noise=0.01)],
    )
    solution = ps.solve(problem, 1e-6)
    # 40 values of noise 0.01 determine k to about 0.5 %; the deviation must say so, and cover the error.
    assert 5e-4 < solution.deviations["k"] < 2e-2
    assert abs(solution.parameters["k"] - 0.7) < 4 * solution.deviations["k"]
    assert solution.outcome is ps.Outcome.TOLERANCE_NOT_REACHED
    assert "noise" in solution.message


def test_frozen_field_does_not_move():
    u = ps.unknown("u", x, t)
    problem = ps.Problem(
        [ps.Eq(ps.dt(u), ps.d(u, x, 2))],
        ps.Interval(0, 1) * ps.TimeInterval(0, 1),
        [ps.Dirichlet(u, 0), ps.Initial(u, sympy.sin(sympy.pi * x))],
    )
    solution = ps.solve(problem, 1e-3)
    frozen = Frozen(solution.field, 0.25)
    points = torch.tensor([[0.5, 0.1], [0.5, 0.9]], dtype=torch.float64)
    values = frozen.values(points)
    assert torch.allclose(values[0], values[1], rtol=1e-9)
    rows = Collocation(problem).rows(Density(10, 10))
    (slope,) = [a for a in rows[0].form.atoms if a.orders == (0, 1)]
    assert float(frozen.derivatives(points, [slope])[slope].abs().max()) == 0.0
