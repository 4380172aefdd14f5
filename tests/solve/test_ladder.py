"""`solve` from end to end on small problems: tolerances, outcomes, budgets, convergence."""

import time
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import sympy

import physolve
from physolve.errors import NumericalError, SpecificationError
from physolve.nets import ComplexPowers, Concatenated, Field
from physolve.residual import Collocation, Density
from physolve.solve import LeastSquares, Outcome, Progress, Solution, solve
from physolve.solve._enrichment import BasisPlan
from physolve.solve._system import project
from physolve.spec import (
    Dirichlet,
    Disk,
    Eq,
    Initial,
    Interface,
    Interval,
    MeanValue,
    Neumann,
    Observations,
    PointValue,
    Polygon,
    Problem,
    Rectangle,
    Robin,
    TimeInterval,
    coordinates,
    d,
    dt,
    laplacian,
    parameter,
    unknown,
)

x, y, t = coordinates("x", "y", "t")
u, w = unknown("u", x, y), unknown("w", x, t)
pi, sin, cos, exp = sympy.pi, sympy.sin, sympy.cos, sympy.exp

SMOOTH = sin(pi * x) * exp(y)
L_SHAPE = Rectangle((-1, -1), (1, 1)) - Rectangle((0, 0), (1, 1))
RADIUS = sympy.sqrt(x**2 + y**2)
ANGLE = sympy.Piecewise((sympy.atan2(y, x), sympy.atan2(y, x) >= pi / 2 - 1e-9), (sympy.atan2(y, x) + 2 * pi, True))
CORNER = RADIUS ** sympy.Rational(2, 3) * sin(sympy.Rational(2, 3) * (ANGLE - pi / 2))
"""Harmonic, zero on both edges of the L-shape's corner, with an infinite gradient there."""


def poisson(exact: sympy.Expr = SMOOTH, domain: object = Rectangle((0, 0), (1, 1))) -> Problem:
    return Problem(
        Eq(laplacian(u), exact.diff(x, 2) + exact.diff(y, 2)), domain, [Dirichlet(u, exact)], exact={u: exact}
    )


def singular() -> Problem:
    return Problem(Eq(laplacian(u), 0), L_SHAPE, [Dirichlet(u, CORNER)], exact={u: CORNER})


def relative_error(solution: Solution) -> float:
    """Of all unknowns together, at points that no solver has seen."""
    points = solution.problem.domain.sample_interior(2000, method="uniform", seed=99).points
    assert solution.problem.exact is not None
    exact = np.stack([solution.evaluate(e, points) for e in solution.problem.exact.values()])
    found = np.stack([solution.evaluate(f, points) for f in solution.problem.exact])
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


ROUNDING = 1e-11

# --- a tolerance is kept, and the estimate is honest

HELMHOLTZ = sin(pi * x) * sin(4 * pi * y)
FRONT = 1 / (1 + exp((x - t / 2) * 2))
PROBLEMS = {
    "poisson": (poisson(), 1e-6),
    "helmholtz (HZ)": (
        Problem(
            Eq(laplacian(u) + u, (1 - 17 * pi**2) * HELMHOLTZ),
            Rectangle((-1, -1), (1, 1)),
            [Dirichlet(u, 0)],
            exact={u: HELMHOLTZ},
        ),
        1e-3,
    ),
    "corner": (singular(), 1e-4),
    "neumann and hole": (
        Problem(
            Eq(-laplacian(u), 0),
            Disk((0, 0), 1) - Disk((0, 0), 0.25),
            [Dirichlet(u, 0, on=Disk((0, 0), 1)), Neumann(u, 4, on=Disk((0, 0), 0.25))],
            exact={u: -sympy.log(RADIUS)},
        ),
        1e-5,
    ),
    "heat": (
        Problem(
            Eq(dt(w), d(w, x, 2)),
            Interval(0, 1) * TimeInterval(0, 0.2),
            [Dirichlet(w, 0), Initial(w, sin(pi * x))],
            exact={w: exp(-(pi**2) * t) * sin(pi * x)},
        ),
        1e-5,
    ),
    "wave": (
        Problem(
            Eq(dt(w, 2), d(w, x, 2)),
            Interval(0, 1) * TimeInterval(0, 1),
            [Dirichlet(w, 0), Initial(w, sin(pi * x), velocity=0)],
            exact={w: cos(pi * t) * sin(pi * x)},
        ),
        1e-5,
    ),
    "burgers, a nonlinear one": (
        Problem(
            Eq(dt(w) + w * d(w, x), d(w, x, 2) / 4),
            Interval(-1, 2) * TimeInterval(0, 1),
            [Dirichlet(w, FRONT), Initial(w, FRONT.subs(t, 0))],
            exact={w: FRONT},
        ),
        1e-4,
    ),
}


@pytest.mark.parametrize(("problem", "tol"), PROBLEMS.values(), ids=PROBLEMS)
def test_error_is_below_estimate_and_estimate_below_tolerance(problem: Problem, tol: float) -> None:
    solution = solve(problem, tol)
    assert solution.outcome is Outcome.CONVERGED
    assert solution.estimate is not None
    # Where the solution is in the basis only rounding is left, which the estimate cannot see.
    assert relative_error(solution) <= max(solution.estimate.relative, ROUNDING)
    assert solution.estimate.relative <= tol


@pytest.mark.parametrize("size", [1e-9, 1e9])
def test_units_of_the_unknown_do_not_matter(size: float) -> None:
    solution = solve(poisson(size * SMOOTH), 1e-6)
    assert solution.outcome is Outcome.CONVERGED
    assert solution.estimate is not None
    assert max(relative_error(solution), 1e-14) <= solution.estimate.relative <= 1e-6


def test_unknowns_in_units_of_their_own() -> None:
    """Darcy's law in SI: pressures of 1e5, fluxes of 1e-4, and 1e-9 between them."""
    p, q_x, q_y = (unknown(name, x, y) for name in ("p", "q_x", "q_y"))
    pressure = 100000 * (x + sin(6 * x) * sympy.cosh(6 * y) / (5 * sympy.cosh(6)))
    law = [Eq(q, -1e-9 * d(p, axis)) for q, axis in ((q_x, x), (q_y, y))]
    exact = {p: pressure, q_x: -1e-9 * pressure.diff(x), q_y: -1e-9 * pressure.diff(y)}
    square = Rectangle((0, 0), (1, 1))
    problem = Problem([*law, Eq(d(q_x, x) + d(q_y, y), 0)], square, [Dirichlet(p, pressure)], exact=exact)
    solution = solve(problem, 1e-4)
    assert solution.outcome is Outcome.CONVERGED
    assert solution.estimate is not None
    points = np.random.default_rng(0).random((1000, 2))
    for name, values in exact.items():
        off = solution.evaluate(name, points) - solution.evaluate(values, points)
        assert np.linalg.norm(off) <= solution.estimate.relative * np.linalg.norm(solution.evaluate(values, points))


def test_where_no_solution_exists_none_is_told() -> None:
    """Resonance: the source is an eigenfunction, and what least squares find grows and grows."""
    z = unknown("z", x)
    problem = Problem(Eq(d(z, x, 2) + pi**2 * z, sin(pi * x)), Interval(0, 1), [Dirichlet(z, 0)])
    solution = solve(problem, 1e-2)
    assert solution.outcome is not Outcome.CONVERGED


def test_smaller_tolerance_costs_more_features() -> None:
    rough, fine = (solve(PROBLEMS["helmholtz (HZ)"][0], tol) for tol in (1e-1, 1e-4))
    assert rough.cost.features < fine.cost.features
    assert relative_error(fine) < relative_error(rough)


# --- convergence


def errors(problem: Problem, counts: list[int], special: bool = True) -> list[float]:
    """Of one least-squares solution each, on this many features, with or without corner functions."""
    found = []
    for count in counts:
        basis = BasisPlan(problem).build(count, 3.0, 0)
        assert isinstance(basis, Concatenated)
        if not special:
            basis = Concatenated(tuple(b for b in basis.parts if not isinstance(b, ComplexPowers)))
        rows = Collocation(problem).rows(Density(2 * basis.size, basis.size, 0.2), 1)
        found.append(relative_error(_solution(problem, project(rows, basis, 1).field)))
    return found


def _solution(problem: Problem, field: Field) -> Solution:
    return Solution(problem, field, Outcome.CONVERGED, "", None, "")


def orders(found: list[float], counts: list[int]) -> np.ndarray:
    """Slopes of -log(error) over log(features)."""
    return -np.diff(np.log(found)) / np.diff(np.log(counts))


@pytest.mark.parametrize("special", [True, False])
def test_smooth_problem_converges_faster_than_any_power(special: bool) -> None:
    """For analytic solutions the error is about exp(-c sqrt(features)) in the plane."""
    counts = [100, 200, 400]
    found = errors(poisson(cos(5 * x) * exp(y)), counts, special)
    assert orders(found, counts).min() > 4
    assert found[-1] < 1e-6


def test_plain_features_are_slow_at_a_corner() -> None:
    """r^(2/3) has 5/3 - 1 / 2 derivatives in L2: about order 2/3 to 4/3 in features, however many."""
    counts = [100, 400, 800]
    found = errors(singular(), counts, special=False)
    assert found[-1] > 1e-3
    assert np.log(found[0] / found[-1]) / np.log(counts[-1] / counts[0]) < 1.5


def test_corner_functions_restore_fast_convergence() -> None:
    (found,) = errors(singular(), [100])
    assert found < 1e-9


def test_lshape_agrees_with_finite_elements() -> None:
    """PS-L: -laplacian(u) = 1. The value in the middle of an arm is that of quadratic finite elements on
    meshes graded to the corner, relative error 6e-7."""
    problem = Problem(Eq(-laplacian(u), 1), L_SHAPE, [Dirichlet(u, 0)])
    found = solve(problem, 1e-4)
    assert found.outcome is Outcome.CONVERGED
    assert found(np.array([[-0.5, 0.5]]))[0, 0] == pytest.approx(0.10236214, rel=1e-4)


# --- outcomes


def test_tolerance_out_of_reach_says_so() -> None:
    smooth = exp(x) * cos(5 * y)
    problem = Problem(Eq(laplacian(u), -24 * smooth), L_SHAPE, [Dirichlet(u, smooth)])
    solution = solve(problem, 1e-12, method=LeastSquares(first=30, largest=60))
    assert solution.outcome is Outcome.TOLERANCE_NOT_REACHED
    assert "tolerance 1.0e-12" in solution.message
    assert solution.estimate is not None
    assert solution.estimate.relative > 1e-12


def test_corners_are_as_good_as_the_rest() -> None:
    """Singular functions about a corner may not show where the solution has none of them."""
    heptagon = Polygon(
        ((0.58, 0.65), (0.18, 0.61), (-0.06, 0.74), (-0.32, 0.94), (-0.8, 0.56), (-0.83, 0.25), (0.18, -0.75))
    )
    smooth = x + cos(5 * x * y)
    equation = laplacian(u) + 3 * u.diff(x) + u
    solution = solve(Problem(Eq(equation, equation.subs(u, smooth).doit()), heptagon, [Dirichlet(u, smooth)]), 1e-4)
    tops = np.array([corner.point for corner in heptagon.corners])
    away = np.logspace(-8, -1, 30)[:, None, None]
    points = (tops + away * (tops.mean(0) - tops)).reshape(-1, 2)
    error = solution(points)[:, 0] - (points[:, 0] + np.cos(5 * points[:, 0] * points[:, 1]))
    assert np.abs(error).max() < 1e-4


def only_slopes(*more: object) -> Problem:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        f = -2 * pi**2 * cos(pi * x) * cos(pi * y)
        return Problem(Eq(laplacian(u), f), Rectangle((0, 0), (1, 1)), [Neumann(u, 0), *more])


def test_solution_up_to_a_constant_is_ill_posed() -> None:
    solution = solve(only_slopes(), 1e-6)
    assert solution.outcome is Outcome.ILL_POSED
    assert solution.message.startswith("two solutions satisfy all equations and conditions to rounding and yet")
    assert "MeanValue" in solution.message


def test_mean_value_makes_it_well_posed() -> None:
    solution = solve(only_slopes(MeanValue(u, 3)), 1e-6)
    assert solution.outcome is Outcome.CONVERGED
    points = np.random.default_rng(0).uniform(0, 1, (100, 2))
    exact = 3 + np.cos(np.pi * points[:, 0]) * np.cos(np.pi * points[:, 1])
    np.testing.assert_allclose(solution(points)[:, 0], exact, atol=1e-5)


def test_missing_wall_is_ill_posed() -> None:
    """Heat in a rod with nothing said at its ends: many solutions fit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem = Problem(Eq(dt(w), d(w, x, 2)), Interval(0, 1) * TimeInterval(0, 1), [Initial(w, sin(pi * x))])
    solution = solve(problem, 1e-8)
    assert solution.outcome is Outcome.ILL_POSED


SQUARE, ROD = Rectangle((0, 0), (1, 1)), Interval(0, 1) * TimeInterval(0, 1)
HEAT, WAVE = Eq(dt(w), d(w, x, 2)), Eq(dt(w, 2), d(w, x, 2))
FREE = {
    "heat without initial values": lambda: Problem(HEAT, ROD, [Dirichlet(w, x)]),
    "wave without initial velocities": lambda: Problem(WAVE, ROD, [Dirichlet(w, 0), Initial(w, 0)]),
    "nothing at the boundary": lambda: Problem(Eq(laplacian(u), 0), SQUARE, []),
    "resonance": lambda: Problem(Eq(-laplacian(u) - 2 * pi**2 * u, 0), SQUARE, [Dirichlet(u, 0)]),
    "up to a constant": lambda: Problem(Eq(-laplacian(u), 0), SQUARE, [Neumann(u, 0)]),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("problem", FREE.values(), ids=FREE)
def test_the_smallest_of_many_solutions_is_not_the_solution(problem: Callable[[], Problem]) -> None:
    """Least squares find it on every basis alike."""
    solution = solve(problem(), 1e-3)
    assert solution.outcome is Outcome.ILL_POSED
    assert "may be added to any solution" in solution.message
    assert solution.estimate is None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("equations", "conditions"),
    [
        ([Eq(-laplacian(u), 1), Eq(-laplacian(u), 2)], [Dirichlet(u, 0)]),
        ([Eq(-laplacian(u), 1)], [Dirichlet(u, 1), PointValue(u, (0.5, 0.5), 1.2)]),  # 1.074 without it
    ],
    ids=["equations", "point value"],
)
def test_a_smooth_compromise_is_not_a_solution(equations: list[sympy.Eq], conditions: list[object]) -> None:
    solution = solve(Problem(equations, SQUARE, conditions), 5e-2)
    assert solution.outcome is Outcome.ILL_POSED
    assert solution.message.startswith("equation 1: what is found leaves ")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "problem",
    [
        Problem(Eq(-laplacian(u) - 1.9999 * pi**2 * u, 1), SQUARE, [Dirichlet(u, 0)]),
        Problem(Eq(-laplacian(u) + 1e-6 * u, 1e-6 * (1 + x)), SQUARE, [Neumann(u, 0)]),
        Problem(Eq(-laplacian(u), 4), Disk((0, 0), 1), [Robin(u, 1e-6, 1, 3e-6 + sin(x) - 2)]),
    ],
    ids=["near resonance", "hardly any reaction", "hardly any exchange"],
)
def test_what_is_determined_if_barely_is_solved(problem: Problem) -> None:
    assert solve(problem, 1e-2).outcome is Outcome.CONVERGED


def test_a_rung_that_may_be_given_up_ends_with_the_budget() -> None:
    problem = Problem(HEAT, ROD, [Dirichlet(w, 0), Initial(w, sin(pi * x))])
    slabs = LeastSquares(slabs=2, first=40, largest=40)
    assert slabs.run(problem, 1e-12, budget_s=1e-9).outcome is Outcome.TOLERANCE_NOT_REACHED
    with pytest.raises(NumericalError, match="the budget was spent before the end of a rung"):
        replace(slabs, patient=False).run(problem, 1e-12, budget_s=1e-9)


@pytest.mark.parametrize("error", [NumericalError("none"), KeyboardInterrupt()])
def test_what_comes_after_the_first_climb_cannot_lose_its_solution(error: BaseException, monkeypatch) -> None:
    first = LeastSquares.run

    def run(self: LeastSquares, *arguments: object) -> object:
        if self.patient:
            return first(self, *arguments)  # type: ignore[arg-type]
        raise error

    monkeypatch.setattr(LeastSquares, "run", run)
    block = sympy.Piecewise((1, (x > 0.3) & (x < 0.4)), (0, True))  # jumps that no feature can follow
    solution = solve(Problem(HEAT, ROD, [Dirichlet(w, 0), Initial(w, block)]), 1e-6, budget_s=0.5)
    interrupted = isinstance(error, KeyboardInterrupt)
    assert solution.outcome is (Outcome.INTERRUPTED if interrupted else Outcome.TOLERANCE_NOT_REACHED)


def test_not_a_number_at_the_start_is_an_error() -> None:
    bad = Problem(Eq(laplacian(u), sympy.log(x - 2)), Rectangle((0, 0), (1, 1)), [Dirichlet(u, 0)])
    with pytest.raises(
        NumericalError, match=r"^equation 1: NaN or infinity at \d+ of \d+ points, first at \(x, y\) = "
    ):
        solve(bad)
    bad = Problem(Eq(laplacian(u), 0), Rectangle((0, 0), (1, 1)), [Dirichlet(u, sympy.sqrt(-1 - x))])
    with pytest.raises(NumericalError, match=r"^condition 1 \(dirichlet\): NaN or infinity at "):
        solve(bad)


@pytest.mark.parametrize("shape", [Interval(0, 0.5), Interval(0.5, 1), Interval(-1, 0.5)])
def test_two_rods_of_different_conductivity(shape: Interval) -> None:
    """-(k u')' = 0 with k = 1, then 10: the flux 1/(1/2 + 1/20) is that of resistances in series."""
    (s,) = coordinates("x")
    v = unknown("v", s)
    k = sympy.Piecewise((1, s < 0.5), (10, True))
    join = Interface(v, on=shape, flux=sympy.Matrix([k * d(v, s)]))
    problem = Problem(Eq(d(k * d(v, s), s), 0), Interval(0, 1), [Dirichlet(v, s), join])
    solution = solve(problem, 1e-8)
    assert solution.outcome is Outcome.CONVERGED
    assert solution(np.array([[0.25], [0.5], [0.75]]))[:, 0] == pytest.approx([5 / 11, 10 / 11, 21 / 22], abs=1e-8)


def test_a_source_between_the_points_is_not_overlooked() -> None:
    """It makes four fifths of the solution, and is narrower than the points of any rung are apart."""
    (s,) = coordinates("x")
    v = unknown("v", s)
    source = 1 + sympy.Piecewise((1000, (s > 0.3) & (s < 0.301)), (0, True))
    problem = Problem(Eq(-laplacian(v), source), Interval(0, 1), [Dirichlet(v, 0)])
    solution = solve(problem, method=LeastSquares(largest=200))
    assert solution.outcome is Outcome.TOLERANCE_NOT_REACHED
    assert solution.estimate is None or solution.estimate.relative > 0.1


@pytest.mark.parametrize("tol", [0, -1e-3, float("nan"), float("inf"), "small", True])
def test_tolerance_must_be_a_positive_number(tol: object) -> None:
    with pytest.raises(SpecificationError, match=r"^solve: tol must be a positive number, got "):
        solve(poisson(), tol)  # type: ignore[arg-type]


def test_budget_must_be_a_positive_number() -> None:
    with pytest.raises(SpecificationError, match=r"^solve: budget_s must be a positive number, got 0"):
        solve(poisson(), budget_s=0)


@pytest.mark.parametrize("seed", [10**20, 2**32, -1, 1.5, True, "1"])
def test_seed_must_be_a_whole_number_in_bounds(seed: object) -> None:
    with pytest.raises(SpecificationError, match=r"^solve: seed must be a whole number from 0 to 4294967295, got "):
        solve(poisson(), seed=seed)  # type: ignore[arg-type]


def test_any_seed_in_bounds_solves() -> None:
    for seed in (np.int64(3), 2**32 - 1):
        assert solve(poisson(), 1e-2, seed=seed).outcome is Outcome.CONVERGED  # type: ignore[arg-type]


@pytest.mark.parametrize("run", [solve, physolve.solve])
def test_what_is_no_problem_and_no_method_is_refused(run: Callable[..., Solution]) -> None:
    with pytest.raises(SpecificationError, match=r"^solve: the problem must be a physolve\.Problem, got 'x'; "):
        run("x")
    for method in ("adam", LeastSquares):
        with pytest.raises(SpecificationError, match=r"^solve: method must be an object such as LeastSquares\(\), "):
            run(poisson(), method=method)


# --- inverse problems


def test_parameter_and_field_from_noisy_data() -> None:
    """The diffusivity of a cooling rod from 60 readings with 1 % noise."""
    a = parameter("a", guess=1.0)
    generator = np.random.default_rng(2)
    points = generator.uniform((0.1, 0.05), (0.9, 1.0), (60, 2))
    exact = np.exp(-0.3 * np.pi**2 * points[:, 1]) * np.sin(np.pi * points[:, 0])
    data = Observations(w, points, exact + 0.01 * generator.standard_normal(60), noise=0.01)
    problem = Problem(
        Eq(dt(w), a * d(w, x, 2)),
        Interval(0, 1) * TimeInterval(0, 1),
        [Dirichlet(w, 0), Initial(w, sin(pi * x)), data],
    )
    solution = solve(problem, 3e-2)
    assert solution.outcome is Outcome.CONVERGED
    assert solution.parameters["a"] == pytest.approx(0.3, rel=0.02)  # noise 0.01 / sqrt(60) of a signal about 0.3


def test_noise_counts_after_a_single_rung_too() -> None:
    a = parameter("a", guess=1.0)
    generator = np.random.default_rng(2)
    points = generator.random((20, 2))
    exact = np.sin(np.pi * points[:, 0]) * np.exp(-0.07 * np.pi**2 * points[:, 1])
    data = Observations(w, points, exact + 0.1 * generator.standard_normal(20), noise=0.1)
    conditions = [Dirichlet(w, 0), Initial(w, sin(pi * x)), data]
    problem = Problem(Eq(dt(w), a * d(w, x, 2)), Interval(0, 1) * TimeInterval(0, 1), conditions)
    solution = solve(problem, 3e-2, budget_s=1e-3)
    assert solution.cost.iterations == 1
    assert solution.outcome is Outcome.TOLERANCE_NOT_REACHED
    assert solution.estimate is not None
    assert solution.estimate.method.endswith("with the spread of noise in the data")
    assert solution.deviations["a"] > 0


def test_source_amplitude_is_a_linear_inverse_problem() -> None:
    a = parameter("a", guess=0.0)
    points = np.random.default_rng(1).uniform(0.2, 0.8, (10, 2))
    exact = np.sin(np.pi * points[:, 0]) * np.sin(np.pi * points[:, 1])
    problem = Problem(
        Eq(-laplacian(u), a * sin(pi * x) * sin(pi * y)),
        Rectangle((0, 0), (1, 1)),
        [Dirichlet(u, 0), Observations(u, points, exact)],
    )
    assert solve(problem, 1e-5).parameters["a"] == pytest.approx(2 * np.pi**2, rel=1e-4)


# --- running


def test_budget_ends_the_climb_with_what_there_is() -> None:
    began = time.perf_counter()
    solution = solve(singular(), 1e-14, method=LeastSquares(first=60, largest=20_000), budget_s=1.5)
    assert time.perf_counter() - began < 4
    assert solution.outcome is Outcome.TOLERANCE_NOT_REACHED
    assert np.isfinite(solution(np.array([[-0.5, -0.5]]))).all()


def test_interruption_leaves_the_best_solution() -> None:
    """Ctrl-C during the second rung: the first is kept."""

    def stop(news: Progress) -> None:
        if news.estimate is not None:
            raise KeyboardInterrupt

    solution = solve(poisson(), 1e-13, progress=stop)
    assert solution.outcome is Outcome.INTERRUPTED
    assert relative_error(solution) < 1e-2
    assert solution.message.startswith("interrupted; this is the best solution so far")


def test_interruption_before_any_solution_goes_through() -> None:
    """There is nothing to keep yet: the boundary is still being sampled."""
    running = []

    def stop(points: np.ndarray) -> np.ndarray:
        if running:
            raise KeyboardInterrupt
        return points[:, 0] < 2  # while the problem checks itself

    problem = Problem(Eq(laplacian(u), 1), L_SHAPE, [Dirichlet(u, 0, on=stop)])
    running.append(True)
    with pytest.raises(KeyboardInterrupt):
        solve(problem)


def test_progress_tells_every_rung() -> None:
    news: list[Progress] = []
    solution = solve(poisson(), 1e-8, progress=news.append)
    assert [n.features for n in news] == [step.features for step in solution.history]
    assert [n.seconds for n in news] == sorted(n.seconds for n in news)
    assert news[0].estimate is None
    # The first gate at or below the tolerance ends the climb, but for a last rung that verifies it.
    met = [n.estimate is not None and n.estimate <= 1e-8 for n in news]
    assert any(met)
    assert not any(met[:-2])


def test_same_seed_same_solution() -> None:
    points = np.random.default_rng(0).uniform(0, 1, (20, 2))
    method = LeastSquares(first=60, largest=120)
    first, again, other = (solve(poisson(), 1e-6, method=method, seed=s)(points) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("seed", range(4))
def test_every_seed_keeps_the_tolerance(seed: int) -> None:
    problem = poisson(SMOOTH, Polygon([(0, 0), (1, 0), (1.2, 0.8), (0.3, 1)]))
    solution = solve(problem, 1e-5, seed=seed)
    assert solution.estimate is not None
    assert relative_error(solution) <= solution.estimate.relative <= 1e-5


def test_cost_is_counted() -> None:
    solution = solve(poisson(), 1e-6)
    assert solution.cost.seconds > 0
    assert solution.cost.features == solution.history.steps[-1].features > 100
    assert solution.cost.rows > 2 * solution.cost.features
