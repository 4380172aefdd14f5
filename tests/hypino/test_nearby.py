"""Neighbours of the class: what is frozen is said, and a solution is a fixed point of the frozen iteration."""

import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sympy
import torch

import physolve as ps
from physolve.errors import UnsupportedError
from physolve.hypino import Nearby, frozen, lower
from physolve.nets import Field, JetAtom
from physolve.spec import Problem, Program, read_problem

FOLDER = Path(__file__).resolve().parents[2] / "problems"


@cache
def load(name: str) -> Problem:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_problem(FOLDER / f"{name}.toml")


class Exact(Field):
    """The exact solution of a problem as a field; derivatives by sympy."""

    components = 1

    def __init__(self, problem: Problem) -> None:
        assert problem.exact
        self.coordinates, self.u = problem.coordinates, problem.exact[problem.unknowns[0]]

    def derivatives(self, points, atoms):
        expressions = [
            sympy.diff(self.u, *zip(self.coordinates, a.orders, strict=True)) if sum(a.orders) else self.u
            for a in atoms
        ]
        return dict(zip(atoms, Program(expressions, self.coordinates)(*points.unbind(1)), strict=True))

    def tensors(self):
        return {}

    def config(self):
        return {}


def misfits(nearby: Nearby, field: Field) -> tuple[float, float, float]:
    """Largest misfits of equation, values and slopes of a field in the square, relative to its largest derivative."""
    lowered, posed = nearby.lowered, nearby.lowered.posed
    half = lowered.affine.half

    def rows(points):
        own = lowered.affine.from_square(points)
        atoms = [JetAtom(0, o) for o in ((0, 0), (1, 0), (0, 1), (2, 0), (0, 2))]
        found = field.derivatives(own, atoms)
        factors = [half[0] ** a.orders[0] * half[1] ** a.orders[1] / lowered.amplitude for a in atoms]
        return torch.stack([found[a] * f for a, f in zip(atoms, factors, strict=True)])

    inside, edge = rows(posed.interior[0]), rows(posed.boundary.points[0])
    size = 1 + float(inside.abs().max())
    equation = posed.coefficients[0] @ inside - posed.source[0]
    values = (edge[0] - posed.boundary.dirichlet[0])[posed.boundary.on_dirichlet[0]]
    slopes = (posed.boundary.normals[0].T * edge[1:3]).sum(0) - posed.boundary.neumann[0]
    slopes = slopes[posed.boundary.on_neumann[0]]
    largest = [float(part.abs().max()) if len(part) else 0.0 for part in (equation, values, slopes)]
    return largest[0] / size, largest[1], largest[2] / size


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("poisson_variable", "equation 1: coefficient of u_xx, "),
        ("poisson_robin", "condition 1 (robin): held at the given state"),
        ("poisson_mixed", "condition 4 (robin): held at the given state"),
        ("nonlinear_diffusion", "equation 1 linearised at the given state"),
        ("minimal_surface", "equation 1: u_xy left out"),
        ("klein_gordon", "equation 1 linearised at the given state"),
        ("burgers_front", "equation 1 linearised at the given state"),
        ("anisotropic_diffusion", "equation 1: u_xy left out"),
        ("poisson_neumann", "condition 2 (mean_value) left out"),
    ],
)
def test_the_solution_is_a_fixed_point(name, change):
    """Frozen at the solution, the nearest problem has that solution: to rounding, whatever was frozen."""
    exact = Exact(load(name))
    nearby = frozen(load(name), exact, grid=16, points=300, edge=200)
    assert any(change in each for each in nearby.changes)
    assert "\n" not in nearby.description
    assert max(misfits(nearby, exact)) < 1e-10


def test_away_from_the_solution_it_is_another_problem():
    exact = Exact(load("poisson_variable"))
    assert misfits(frozen(load("poisson_variable"), grid=16, points=300, edge=200), exact)[0] > 0.01


@pytest.mark.parametrize("name", ["heat", "wave", "helmholtz_hole"])
def test_a_problem_of_the_class_is_its_own_neighbour(name):
    nearby, lowered = frozen(load(name), grid=16, points=64, edge=64), lower(load(name), grid=16, points=64, edge=64)
    assert nearby.changes == ()
    assert "in the class" in nearby.description
    torch.testing.assert_close(nearby.lowered.posed.coefficients, lowered.posed.coefficients)
    torch.testing.assert_close(nearby.lowered.posed.source, lowered.posed.source, atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(nearby.lowered.posed.raster, lowered.posed.raster)


def test_coefficients_are_means_and_the_constant_state_is_the_mean_of_the_boundary():
    x, y = ps.coordinates("x", "y")
    u = ps.unknown("u", x, y)
    problem = Problem(
        equations=(ps.Eq(-ps.laplacian(u) + u**3 + x * ps.d(u, y), 0),),
        domain=ps.Rectangle((0, 0), (2, 2)),
        conditions=(ps.Dirichlet(u, x),),
    )
    nearby = frozen(problem, points=4096)
    # the mean of x over the boundary is 1: 3 u^2 = 3 there; the mean of x in the domain is 1 to 1e-3 (Sobol)
    expected = np.array([3, 0, 1, -1, -1]) / 1.5
    np.testing.assert_allclose(nearby.lowered.posed.coefficients[0], expected, atol=2e-3)
    assert "linearised at u = 1" in nearby.description
    assert "coefficient of u_y" in nearby.description


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("poisson_periodic", "condition 1 (periodic): no problem of the class is near"),
        ("inclusion", "(interface): no problem of the class is near"),
        ("beam_vibration", "order 4"),
        ("heat_2d", "two coordinates"),
        ("brusselator", "2 equations"),
    ],
)
def test_what_has_no_neighbour_is_refused(name, reason):
    with pytest.raises(UnsupportedError) as refusal:
        frozen(load(name))
    assert reason in str(refusal.value)


def test_parameters_are_held_at_their_guesses():
    nearby = frozen(load("inverse_heat"), grid=16, points=64, edge=64)
    assert "D held at its guess" in nearby.description
    assert "(observations) left out" in nearby.description
