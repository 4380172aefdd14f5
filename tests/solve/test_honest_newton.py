"""Nonlinear problems of which Newton's iteration, or the agreement of two bases, could make believe too much."""

import numpy as np
import pytest
import sympy

from physolve.solve import Outcome, Solution, solve
from physolve.spec import (
    Dirichlet,
    Disk,
    Eq,
    Initial,
    Interval,
    Neumann,
    Observations,
    Problem,
    TimeInterval,
    coordinates,
    d,
    dt,
    parameter,
    unknown,
)

x, y, t = coordinates("x", "y", "t")
u, v, q, plane = unknown("u", x), unknown("v", x, t), unknown("q", t), unknown("w", x, y)
ROD = Interval(0, 1)
INSIDE = np.linspace(0.05, 0.95, 30)

pytestmark = pytest.mark.filterwarnings("ignore::physolve.errors.WellPosednessWarning")


def off(solution: Solution, exact: np.ndarray) -> float:
    """Relative root-mean-square error at the points INSIDE."""
    return float(np.sqrt(np.mean((solution(INSIDE[:, None])[:, 0] - exact) ** 2) / np.mean(exact**2)))


# --- nothing is left of their equations at u = 0, where the iteration would begin


SLOPE = Problem(Eq(d(u, x) ** 2, 1), ROD, [Dirichlet(u, 0, on="left")])
ROOT = Problem(Eq(u**2, 2 + x), ROD)
GROWTH = Problem(Eq(q * dt(q), 1), TimeInterval(0, 1), [Initial(q, 0)])


@pytest.mark.parametrize(
    ("problem", "exact"),
    [
        (SLOPE, INSIDE),
        (ROOT, np.sqrt(2 + INSIDE)),
        (GROWTH, np.sqrt(2 * INSIDE)),
    ],
    ids=["slope", "root", "growth"],
)
def test_equations_that_are_blind_at_zero_are_solved(problem: Problem, exact: np.ndarray) -> None:
    solution = solve(problem, 1e-2)
    assert solution.outcome is Outcome.CONVERGED
    sign = np.sign(solution(np.array([[0.5]]))[0, 0])  # u and -u both solve some of them
    assert off(solution, sign * exact) < solution.estimate.relative + 1e-15


POROUS = Problem(Eq(d(u * d(u, x), x), -1), ROD, [Dirichlet(u, 0)])
ROOF = Problem(Eq(d(u, x) ** 2, 1), ROD, [Dirichlet(u, 0)])
CONE = Problem(Eq(d(plane, x) ** 2 + d(plane, y) ** 2, 1), Disk((0, 0), 1), [Dirichlet(plane, 0)])


@pytest.mark.parametrize("problem", [POROUS, ROOF, CONE], ids=["porous", "roof", "cone"])
def test_solutions_that_are_not_smooth_are_not_told_as_reached(problem: Problem) -> None:
    """Zero, of which two bases agree to rounding, leaves all of the equation unmet."""
    assert solve(problem, 1e-2, budget_s=5).outcome is not Outcome.CONVERGED


# --- a residual of 1e-8 that hardly says where the front stands


@pytest.mark.parametrize("seed", [1, 2])
def test_a_standing_front_is_where_it_is_said_to_be(seed: int) -> None:
    """Two rungs agreed on it to 5e-4 while it stood 1e-2 off: Newton's next step would have moved it by that."""
    front = sympy.tanh((x - sympy.Rational(1, 2)) * 12 / sympy.sqrt(2))
    problem = Problem(Eq(d(u, x, 2) / 144 + u - u**3, 0), ROD, [Dirichlet(u, front)])
    solution = solve(problem, 1e-3, seed=seed)
    assert solution.outcome is Outcome.CONVERGED
    assert off(solution, np.tanh((INSIDE - 0.5) * 12 / np.sqrt(2))) < solution.estimate.relative


# --- parameters


def stated(k: float, c: float, noise: float, seed: int = 1) -> tuple[Problem, float]:
    """-k u'' + c u = 5 of which u was measured for k = 0.3, c = 2, with guesses k and c; and the deviation of c that
    the measurements allow."""

    def model(k: float, c: float) -> np.ndarray:
        root = np.sqrt(c / k)
        return 5 / c * (1 - np.cosh((INSIDE - 0.5) * root) / np.cosh(0.5 * root))

    data = model(0.3, 2.0) + noise * np.random.default_rng(seed).normal(size=len(INSIDE))
    slopes = (
        np.stack([model(0.3 + 1e-6, 2) - model(0.3 - 1e-6, 2), model(0.3, 2 + 1e-6) - model(0.3, 2 - 1e-6)], 1) / 2e-6
    )
    deviation = noise * np.sqrt(np.linalg.inv(slopes.T @ slopes)[1, 1])
    guesses = parameter("k", k), parameter("c", c)
    equation = Eq(-guesses[0] * d(u, x, 2) + guesses[1] * u, 5)
    return Problem(equation, ROD, [Dirichlet(u, 0), Observations(u, INSIDE[:, None], data, noise)]), deviation


@pytest.mark.parametrize("guesses", [(1.0, 1.0), (1.0, 2.0), (0.6, 2.0)])
@pytest.mark.parametrize("noise", [1e-4, 1e-2])
def test_parameters_do_not_run_away(guesses: tuple[float, float], noise: float) -> None:
    """Whole steps ran to k = -6.6e9, c = 6.5e10, where an eigenfunction passes by the measurements."""
    problem, deviation = stated(*guesses, noise)
    solution = solve(problem, 1e-2)
    assert solution.outcome is Outcome.CONVERGED
    assert solution.deviations["c"] == pytest.approx(deviation, rel=0.1)
    assert abs(solution.parameters["c"] - 2) < 4 * deviation
    assert abs(solution.parameters["k"] - 0.3) < 4 * solution.deviations["k"]


def test_deviations_are_those_of_the_measurements_not_of_the_seed() -> None:
    problem, _ = stated(0.6, 2.0, 1e-2)
    first, second = (solve(problem, 2e-2, seed=seed).deviations["c"] for seed in (0, 1))
    assert first == pytest.approx(second, rel=1e-2)


def test_what_misses_its_measurements_is_not_told_as_converged() -> None:
    """Measured was something else than the equation says."""
    observed = Observations(u, INSIDE[:, None], np.sin(3 * np.pi * INSIDE), 1e-3)
    problem = Problem(Eq(-parameter("k", 1.0) * d(u, x, 2), 1), ROD, [Dirichlet(u, 0), observed])
    solution = solve(problem, 1e-2)
    assert solution.outcome is Outcome.ILL_POSED
    assert "condition 2 (observations): the solution is" in solution.message
    assert solution.estimate is None


def unseen(seed: int) -> Problem:
    """A uniform field, which is the same with any diffusivity."""
    rng = np.random.default_rng(seed)
    noisy = Observations(v, rng.uniform(0.1, 0.9, (40, 2)), 1 + 0.01 * rng.normal(size=40), 0.01)
    equation = Eq(dt(v), parameter("D", 0.7) * d(v, x, 2))
    return Problem(equation, ROD * TimeInterval(0, 1), [Neumann(v, 0), Initial(v, 1), noisy])


def nowhere() -> Problem:
    """A source outside the domain."""
    data = np.sin(np.pi * INSIDE) + 0.01 * np.random.default_rng(3).normal(size=len(INSIDE))
    source = parameter("k", 9.0) * sympy.sin(sympy.pi * x) + parameter("D", 1.0) * sympy.Heaviside(x - 2)
    return Problem(Eq(-d(u, x, 2), source), ROD, [Dirichlet(u, 0), Observations(u, INSIDE[:, None], data, 0.01)])


@pytest.mark.parametrize("problem", [unseen(0), unseen(1), nowhere()], ids=["uniform", "uniform too", "outside"])
def test_a_parameter_that_nothing_depends_on_is_not_determined(problem: Problem) -> None:
    solution = solve(problem, 1e-2)
    assert solution.outcome is Outcome.ILL_POSED
    assert "the data do not determine the parameter 'D'" in solution.message
    assert solution.deviations["D"] > 100
