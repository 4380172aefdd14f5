"""The error estimate on climbs made up for the purpose, and on fields whose error is known."""

import itertools
import math

import numpy as np
import pytest
import torch

from physolve.nets import Expansion, Polynomials
from physolve.residual import Collocation, Density
from physolve.solve._error import SAFETY, VERIFIED, Distance, Judge, Rung, error_of, estimate, verified
from physolve.solve._system import Scale
from physolve.spec import Dirichlet, Eq, Problem, Rectangle, coordinates, grad, laplacian, unknown

x, y = coordinates("x", "y")
u = unknown("u", x, y)
v = unknown("v", x, y, components=2)
SQUARE = Rectangle((0, 0), (1, 1))


def climb(errors: list[float], stability: float, alike: float = 0.0, size: float = 2.0) -> list[Rung]:
    """Rungs of independent errors (or, for `alike` = 1, of errors that all point the same way)."""
    rungs = []
    for before, after in itertools.pairwise(errors):
        square = before**2 + after**2 - 2 * alike * before * after
        relative = math.sqrt(max(square, 0.0))
        rungs.append(Rung(Distance(relative * size, relative), before / stability, after / stability))
    return rungs


def test_no_estimate_before_two_rungs() -> None:
    assert estimate([]) is None


@pytest.mark.parametrize("stability", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("rate", [0.5, 0.1, 1e-2])
@pytest.mark.parametrize("count", [2, 3, 6])
def test_estimate_is_above_the_error_and_not_far(stability: float, rate: float, count: int) -> None:
    errors = [0.3 * rate**k for k in range(count)]
    found = estimate(climb(errors, stability))
    assert found is not None
    assert errors[-1] <= found.relative <= 2 * SAFETY * errors[-1]


@pytest.mark.parametrize("rate", [0.9, 0.7, 0.5])
def test_slow_climb_with_shared_error_is_not_underestimated(rate: float) -> None:
    """Errors in one direction that shrink slowly while the residual, blind to them, shrinks fast."""
    errors = [0.3 * rate**k for k in range(6)]
    rungs = [
        Rung(Distance(a - b, a - b), 1e-3 * 0.1**k, 1e-3 * 0.1 ** (k + 1))
        for k, (a, b) in enumerate(itertools.pairwise(errors))
    ]
    found = estimate(rungs)
    assert found is not None
    assert errors[-1] * 0.99 <= found.relative <= 10 * errors[-1]


@pytest.mark.parametrize("rate", [0.8, 0.5, 0.1])
@pytest.mark.parametrize("alike", [0.0, 1.0])
def test_a_richer_rung_verifies_the_one_before(rate: float, alike: float) -> None:
    errors = [0.3 * rate**k for k in range(5)]
    found = verified(climb(errors, 1.0, alike))
    assert errors[-2] <= found.relative <= 50 * errors[-2]


def test_solutions_alike_to_rounding_are_not_taken_for_slow_convergence() -> None:
    """Errors of rounding do not shrink: as a slow climb the estimate would be 20 times the distance."""
    errors = [1e-4, 5e-15, 1.5e-14]
    found = verified(climb(errors, 1.0))
    assert errors[-2] <= found.relative <= 2 * VERIFIED * 1.6e-14


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_value_is_in_units_of_the_solution(size: float) -> None:
    found = estimate(climb([0.1, 0.01], 1.0, size=size))
    assert found is not None
    assert found.value == pytest.approx(size * found.relative)
    assert float(found) == found.value


def test_equal_solutions_without_residual_are_exact_to_rounding() -> None:
    found = estimate([Rung(Distance(0.0, 0.0), 0.0, 0.0)])
    assert found is not None
    assert 0 < found.relative < 1e-12


# --- the judge


def quadratic(*coefficients: tuple[float, ...]) -> Expansion:
    """Fields on 1, x, y, ... : one tuple of coefficients for every component."""
    basis = Polynomials((0.0, 0.0), (1.0, 1.0), 2)
    rows = [list(c) + [0.0] * (basis.size - len(c)) for c in coefficients]
    return Expansion(basis, torch.tensor(rows, dtype=torch.float64).T.contiguous())


def judge_of(problem: Problem) -> Judge:
    return Judge.of(Collocation(problem), Density(400, 100), 3)


def test_distance_is_the_root_mean_square_difference() -> None:
    judge = judge_of(Problem(Eq(laplacian(u), 0), SQUARE, [Dirichlet(u, 0)]))
    first, second = quadratic((3.0,)), quadratic((5.0,))
    away = judge.distance(first, second)
    assert away.absolute == pytest.approx(2.0)
    assert away.relative == pytest.approx(0.4)


def test_distance_agrees_with_an_integral() -> None:
    judge = judge_of(Problem(Eq(laplacian(u), 0), SQUARE, [Dirichlet(u, 0)]))
    first, second = quadratic((0.0, 1.0, 0.5)), quadratic((0.0,))
    axis = (np.arange(200) + 0.5) / 200
    grid = torch.tensor(np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2))
    expected = float(first.values(grid).square().mean().sqrt())
    assert judge.distance(first, second).absolute == pytest.approx(expected, rel=2e-2)


def test_components_of_a_vector_are_measured_together() -> None:
    """A component that is almost zero does not make the error of a vector look large."""
    judge = judge_of(Problem(Eq(laplacian(v), 0 * v), SQUARE, [Dirichlet(v, 0 * v)]))
    away = judge.distance(quadratic((1.0,), (0.01,)), quadratic((1.0,), (0.0,)))
    assert away.relative == pytest.approx(0.01)


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("ratio", [1.0, 1e-2, 1e-6])
def test_every_unknown_is_measured_against_itself(size: float, ratio: float) -> None:
    pair = [unknown(name, x, y) for name in "ab"]
    judge = judge_of(Problem([Eq(laplacian(a), 0) for a in pair], SQUARE, [Dirichlet(a, 0) for a in pair]))
    first, second = (quadratic((size,), (ratio * size * off,)) for off in (1.01, 1.0))
    assert judge.distance(first, second).relative == pytest.approx(0.01)


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_an_unknown_that_is_zero_but_for_rounding_is_measured_against_the_largest(size: float) -> None:
    pair = [unknown(name, x, y) for name in "ab"]
    judge = judge_of(Problem([Eq(laplacian(a), 0) for a in pair], SQUARE, [Dirichlet(a, 0) for a in pair]))
    away = judge.distance(quadratic((size,), (1e-9 * size,)), quadratic((size,), (1e-12 * size,)))
    assert away.relative == pytest.approx(1e-6, rel=1e-2)


def test_residual_leaves_data_out() -> None:
    from physolve.spec import Observations

    data = Observations(u, np.array([[0.5, 0.5]]), np.array([100.0]))
    problem = Problem(Eq(laplacian(u), 0), SQUARE, [Dirichlet(u, 0), data])
    assert judge_of(problem).residual(quadratic((0.0,)), (), Scale((1.0, 1.0, 1.0))) == 0


# --- the error of any field


def test_error_of_a_field_with_known_error() -> None:
    """(1 + 0.1) times the solution: one tenth wrong, in a linear and in a nonlinear problem."""
    for power in (1, 3):
        w = 1 + x + x * y
        problem = Problem(Eq(laplacian(u), u**power - w**power), SQUARE, [Dirichlet(u, w)])
        found = error_of(problem, _field(1.1), {}, seed=0, features=150)
        assert found is not None
        assert 0.1 <= found.relative <= 0.1 * 2 * SAFETY
        assert found.value > found.relative


def test_error_of_the_exact_solution_is_small() -> None:
    w = 1 + x + x * y
    problem = Problem(Eq(laplacian(u) + grad(u)[0], w.diff(x)), SQUARE, [Dirichlet(u, w)])
    found = error_of(problem, _field(1.0), {}, seed=0, features=150)
    assert found is not None
    assert found.relative < 1e-5


def _field(factor: float) -> Expansion:
    """factor * (1 + x + x y), by interpolation."""
    basis = Polynomials((0.0, 0.0), (1.0, 1.0), 2)
    points = torch.rand(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    one = torch.ones(50, dtype=torch.float64)
    values = 1 + points[:, 0] + points[:, 0] * points[:, 1]
    coefficients = torch.linalg.lstsq(basis.operate(points, {(0, 0): one}), values[:, None]).solution
    return Expansion(basis, factor * coefficients)
