"""Parameters of ordinary differential equations from measurements: exact, noisy, of some unknowns, or impossible."""

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

import physolve as ps
from physolve.solve import LeastSquares, Shooting

T = ps.coordinates("t")[0] if isinstance(ps.coordinates("t"), tuple) else ps.coordinates("t")
X, Y, Z = (ps.unknown(name, T) for name in "xyz")
A, B, C = (ps.parameter(name, guess) for name, guess in (("a", 1.0), ("b", 1.0), ("c", 1.0)))


def measured(right, start, times):
    path = solve_ivp(right, (0, times[-1]), start, t_eval=times, rtol=1e-11, atol=1e-12)
    return path.y


def decay(values, times, noise=None, *, rate=A, initial=1.0) -> ps.Problem:
    observed = ps.Observations(X, times[:, None], values, noise=noise)
    return ps.Problem(
        [ps.Eq(ps.dt(X), -rate * X)], ps.TimeInterval(0, 2), [ps.Initial(X, initial), observed], parameters=()
    )


TIMES = np.linspace(0.1, 2, 20)


def test_the_three_parameters_of_lorenz_from_afar():
    times = np.linspace(0, 3, 26)[1:]
    found = measured(
        lambda t, y: [10 * (y[1] - y[0]), y[0] * (15 - y[2]) - y[1], y[0] * y[1] - 8 * y[2] / 3], [-8, 7, 27], times
    )
    problem = ps.Problem(
        [ps.Eq(ps.dt(X), A * (Y - X)), ps.Eq(ps.dt(Y), X * (B - Z) - Y), ps.Eq(ps.dt(Z), X * Y - C * Z)],
        ps.TimeInterval(0, 3),
        [
            *(ps.Initial(u, value) for u, value in ((X, -8), (Y, 7), (Z, 27))),
            *(ps.Observations(u, times[:, None], row) for u, row in zip((X, Y, Z), found, strict=True)),
        ],
    )
    solution = ps.solve(problem)
    assert solution.outcome is ps.Outcome.CONVERGED
    assert solution.method == Shooting().name
    assert solution.parameters == pytest.approx({"a": 10, "b": 15, "c": 8 / 3}, rel=1e-7)


def test_predators_that_nobody_counts():
    times = np.linspace(0.2, 6, 30)
    prey = measured(lambda t, y: [1.5 * y[0] - y[0] * y[1], y[0] * y[1] - 0.8 * y[1]], [2, 1], times)[0]
    problem = ps.Problem(
        [ps.Eq(ps.dt(X), A * X - X * Y), ps.Eq(ps.dt(Y), X * Y - B * Y)],
        ps.TimeInterval(0, 6),
        [ps.Initial(X, 2), ps.Initial(Y, C), ps.Observations(X, times[:, None], prey)],
    )
    solution = ps.solve(problem)
    assert solution.outcome is ps.Outcome.CONVERGED
    assert solution.parameters == pytest.approx({"a": 1.5, "b": 0.8, "c": 1.0}, rel=1e-6)


def test_deviations_are_those_of_linear_theory():
    noise = 0.02
    values = np.exp(-1.3 * TIMES) + noise * np.random.default_rng(1).standard_normal(len(TIMES))
    solution = ps.solve(decay(values, TIMES, noise), tol=1e-1)
    a = solution.parameters["a"]
    assert solution.outcome is ps.Outcome.CONVERGED
    assert solution.deviations["a"] == pytest.approx(noise / np.linalg.norm(TIMES * np.exp(-a * TIMES)), rel=1e-6)
    assert abs(a - 1.3) < 3 * solution.deviations["a"]


def test_noise_counts_in_the_estimate_and_is_found_where_it_is_not_stated():
    many = np.linspace(0.01, 2, 300)
    values = np.exp(-1.3 * many) + 0.02 * np.random.default_rng(1).standard_normal(len(many))
    stated, guessed = (ps.solve(decay(values, many, noise), tol=1e-4) for noise in (0.02, None))
    for solution in (stated, guessed):
        assert solution.outcome is ps.Outcome.TOLERANCE_NOT_REACHED
        times = np.linspace(0, 2, 200)[:, None]
        error = np.sqrt(np.mean((solution(times) - np.exp(-1.3 * times)) ** 2))
        assert error < 2.5 * float(solution.estimate)
    assert guessed.deviations["a"] == pytest.approx(stated.deviations["a"], rel=0.15)


def test_a_law_that_does_not_describe_what_was_measured_is_told():
    solution = ps.solve(decay(np.cos(4 * TIMES), TIMES, 0.01))
    assert solution.outcome is ps.Outcome.ILL_POSED
    assert "does not describe what was measured" in solution.message


def test_a_parameter_without_influence_is_told():
    values = np.exp(-1.3 * TIMES)
    problem = ps.Problem(
        [ps.Eq(ps.dt(X), -A * X), ps.Eq(ps.dt(Y), B * Y)],
        ps.TimeInterval(0, 2),
        [ps.Initial(X, 1), ps.Initial(Y, 1), ps.Observations(X, TIMES[:, None], values, noise=0.01)],
    )
    solution = ps.solve(problem)
    assert solution.outcome is ps.Outcome.ILL_POSED
    assert "do not determine the parameter 'b'" in solution.message


def test_guesses_with_which_the_solution_ends_early_are_left():
    # u' = a u^2 ends at 1 / a: with the guess before the measurements do.
    values = 1 / (1 - 0.4 * TIMES)
    equation = ps.Eq(ps.dt(X), A * X**2)
    observed = ps.Observations(X, TIMES[:, None], values)
    problem = ps.Problem([equation], ps.TimeInterval(0, 2), [ps.Initial(X, 1), observed])
    solution = ps.solve(problem)
    assert solution.outcome is ps.Outcome.CONVERGED
    assert solution.parameters["a"] == pytest.approx(0.4, rel=1e-7)


def test_other_problems_are_refused_and_other_methods_may_still_be_asked():
    problem = decay(np.exp(-1.3 * TIMES), TIMES)
    with pytest.raises(ps.SpecificationError, match="needs ordinary differential equations with initial values"):
        Shooting().run(ps.Problem([ps.Eq(ps.dt(X), -X)], ps.TimeInterval(0, 1), [ps.Initial(X, 1)]), 1e-3)
    other = ps.solve(problem, method=LeastSquares())
    assert other.parameters["a"] == pytest.approx(1.3, rel=1e-4)


def test_a_budget_too_small_is_told():
    with pytest.raises(ps.NumericalError, match="budget was spent"):
        ps.solve(decay(np.exp(-1.3 * TIMES), TIMES), budget_s=1e-3)


def test_fewer_measurements_than_parameters_determine_none():
    observed = ps.Observations(X, np.array([[1.0]]), np.array([0.7]), noise=1e-5)
    problem = ps.Problem([ps.Eq(ps.dt(X), A - B * X)], ps.TimeInterval(0, 2), [ps.Initial(X, 1), observed])
    solution = ps.solve(problem)
    assert solution.outcome is ps.Outcome.ILL_POSED
    assert "parameters 'a' and 'b'" in solution.message
    assert solution.deviations["a"] == np.inf


def test_a_product_of_parameters_does_not_tell_them_apart_without_noise_either():
    observed = ps.Observations(X, TIMES[:, None], np.exp(-0.5 * TIMES))
    problem = ps.Problem([ps.Eq(ps.dt(X), -A * B * X)], ps.TimeInterval(0, 2), [ps.Initial(X, 1), observed])
    solution = ps.solve(problem)
    assert solution.outcome is ps.Outcome.ILL_POSED
    assert "parameters 'a' and 'b'" in solution.message


def test_a_guess_without_a_solution_is_named():
    observed = ps.Observations(X, TIMES[:, None], np.exp(-TIMES))
    equation = ps.Eq(ps.dt(X), -sympy.sqrt(A - 2) * X)
    problem = ps.Problem([equation], ps.TimeInterval(0, 2), [ps.Initial(X, 1), observed])
    with pytest.raises(ps.NumericalError, match="a = 1"):
        ps.solve(problem)
