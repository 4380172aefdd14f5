"""The march through time: closed forms, what jumps, what ends, what rounding or the budget leaves."""

import math
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import physolve as ps
from physolve.solve import Marching, marchable

FOLDER = Path(__file__).parents[2] / "problems"


def ordinary(right: dict[str, str], start: dict[str, str], duration: float) -> ps.Problem:
    """d/dt of every unknown is its right side."""
    equations = ", ".join(f'"dt({name}) = {side}"' for name, side in right.items())
    unknowns = ", ".join(f'"{name}"' for name in right)
    head = (
        f'title = "ODE"\ncoordinates = ["t"]\nunknowns = [{unknowns}]\nequations = [{equations}]\n'
        f'domain = "time(0, {duration})"\n'
    )
    conditions = [f'[[conditions]]\nkind = "initial"\nunknown = "{n}"\nvalue = "{v}"\n' for n, v in start.items()]
    return ps.loads_problem(head + "".join(conditions))


def second_order(equation: str, duration: float) -> ps.Problem:
    """u(0) = 1, u'(0) = 0."""
    return ps.loads_problem(
        f'''
title = "ODE"
coordinates = ["t"]
unknowns = ["u"]
equations = ["{equation}"]
domain = "time(0, {duration})"
[[conditions]]
kind = "initial"
unknown = "u"
value = "1"
velocity = "0"
'''
    )


def error(solution: ps.Solution, exact, until: float | None = None) -> float:
    """Relative, root mean square, at as many times in every tenth of the logarithm of time as in the last."""
    end = until or float(solution.problem.domain.bounds[1][0])
    times = np.sort(np.concatenate([np.linspace(0, end, 20_001)[1:], end * np.logspace(-6, 0, 2001)]))
    found, expected = solution(times[:, None]), np.stack(exact(times), 1)
    weights = np.gradient(times)[:, None]
    return float(np.sqrt((weights * (found - expected) ** 2).sum(0) / (weights * expected**2).sum(0)).max())


CASES = {
    "fast": (
        ordinary({"u": "v", "v": "-10000*u"}, {"u": "1", "v": "0"}, 2),
        lambda t: (np.cos(100 * t), -100 * np.sin(100 * t)),
    ),
    "long": (ordinary({"u": "v", "v": "-u"}, {"u": "1", "v": "0"}, 300), lambda t: (np.cos(t), -np.sin(t))),
    "second order": (second_order("dt(u, 2) = -9*u", 4), lambda t: (np.cos(3 * t),)),
    "singular at the start": (second_order("dt(u, 2) + 2/t*dt(u) + u^5 = 0", 5), lambda t: ((1 + t**2 / 3) ** -0.5,)),
    "decays at once": (ordinary({"u": "-5000*u"}, {"u": "1"}, 2), lambda t: (np.exp(-5000 * t),)),
    "stiff": (
        ordinary({"u": "-100000*(u - cos(t)) - sin(t)"}, {"u": "2"}, 3),
        lambda t: (np.cos(t) + np.exp(-1e5 * t),),
    ),
    "grows": (ordinary({"u": "20*u"}, {"u": "1"}, 5), lambda t: (np.exp(20 * t),)),
    "units": (
        ordinary({"p": "1000000000*q", "q": "-0.000000001*p"}, {"p": "100000", "q": "0"}, 20),
        lambda t: (1e5 * np.cos(t), -1e-4 * np.sin(t)),
    ),
    "jumps": (
        ordinary({"u": "where(t < 0.3, 0, 1) - u"}, {"u": "0"}, 2),
        lambda t: (np.where(t < 0.3, 0, 1 - np.exp(0.3 - t)),),
    ),
    "short pulse": (
        ordinary({"u": "where(0.3 < t and t < 0.3002, 1000, 0)"}, {"u": "0"}, 2),
        lambda t: (1000 * np.clip(t - 0.3, 0, 2e-4),),
    ),
    "narrow source": (
        ordinary({"u": "1000*exp(-((t - 1/3)/0.001)^2)"}, {"u": "0"}, 2),
        lambda t: (np.sqrt(np.pi) / 2 * (np.vectorize(math.erf)((t - 1 / 3) / 1e-3) + 1),),
    ),
    "no value at zero": (ordinary({"u": "1/(2*u)"}, {"u": "1"}, 3), lambda t: (np.sqrt(1 + t),)),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_the_closed_form_and_estimates_no_less_than_its_error(name):
    problem, exact = CASES[name]
    solution = ps.solve(problem, tol=1e-6)
    assert solution.outcome is ps.Outcome.CONVERGED
    assert solution.method == Marching().name
    assert error(solution, exact) <= max(float(solution.estimate.relative), 1e-11) <= 1e-6


def test_an_unknown_that_stays_zero_is_zero():
    solution = ps.solve(ordinary({"u": "-u", "v": "0*u"}, {"u": "1", "v": "0"}, 1))
    assert solution.outcome is ps.Outcome.CONVERGED
    assert np.abs(solution(np.array([[0.5]]))[0, 1]) < 1e-14


def test_van_der_pols_relaxation_comes_back_to_where_it_began():
    period = 6.663286859323  # of the limit cycle for mu = 1
    solution = ps.solve(ordinary({"u": "v", "v": "(1 - u^2)*v - u"}, {"u": "2", "v": "0"}, 10 * period), tol=1e-6)
    assert solution.outcome is ps.Outcome.CONVERGED
    late = solution(np.array([[8 * period + 0.3], [9 * period + 0.3]]))
    assert np.abs(late[1] - late[0]).max() < 1e-6


@pytest.mark.parametrize(
    ("right", "start", "end"),
    [("u^2", "1", 1.0), ("1 + u^2", "0", math.pi / 2), ("-1/(2*u)", "1", 1.0)],
)
def test_a_solution_that_ends_before_its_time_says_when(right, start, end):
    solution = ps.solve(ordinary({"u": right}, {"u": start}, 2), tol=1e-6)
    assert solution.outcome is ps.Outcome.DIVERGED
    assert "the solution ends near t" in solution.message
    assert solution.valid_until == pytest.approx(end, abs=5e-5)
    assert solution.valid_until <= end
    assert np.isnan(solution(np.array([[1.9]]))).all()
    half = solution(np.array([[end / 2]]))[0, 0]
    expected = {"u^2": 2.0, "1 + u^2": 1.0, "-1/(2*u)": math.sqrt(0.5)}[right]
    assert half == pytest.approx(expected, rel=1e-7)


def test_an_unstable_solution_is_known_up_to_a_time_and_that_is_said():
    problem = ordinary({"u": "40*(u - cos(t)) - sin(t)"}, {"u": "1"}, 2)  # errors grow by e^80
    solution = ps.solve(problem, tol=1e-6)
    assert solution.outcome is ps.Outcome.TOLERANCE_NOT_REACHED
    assert solution.estimate.relative > 0.1
    until = float(re.search(r"up to t = ([0-9.]+) two marches agree", solution.message).group(1))
    assert 0.3 < until < 1
    assert error(solution, lambda t: (np.cos(t),), until) < 1e-6


def test_interrupted_after_the_first_march_keeps_it(monkeypatch):
    monkeypatch.setattr(sys.modules[Marching.__module__], "NEWS_S", 0.0)
    finished = []

    def interrupt(news: ps.Progress) -> None:
        if not news.message:
            finished.append(news)
        elif finished:
            raise KeyboardInterrupt

    result = Marching().run(CASES["long"][0], 1e-6, progress=interrupt)
    assert result.outcome is ps.Outcome.INTERRUPTED
    assert result.estimate is None
    assert float(result.field.values(torch.tensor([[1.0]]).double())[0, 0]) == pytest.approx(math.cos(1), abs=1e-5)


def test_a_budget_too_small_for_the_first_march_is_told():
    with pytest.raises(ps.NumericalError, match="before the end of a march"):
        ps.solve(CASES["long"][0], tol=1e-6, budget_s=1e-3)


def test_what_has_no_value_at_the_start_says_so():
    with pytest.raises(ps.NumericalError, match=r"no step from t = 0 is short enough.*NaN or infinity"):
        Marching().run(ordinary({"u": "1/u"}, {"u": "0"}, 1), 1e-3)


def test_an_equation_that_is_blind_where_it_begins():
    q = ps.unknown("q", ps.coordinates("t")[0])
    problem = ps.Problem([ps.Eq(q * ps.dt(q), 1)], ps.TimeInterval(0, 1), [ps.Initial(q, 0)])
    solution = ps.solve(problem, tol=1e-2)
    assert solution.outcome is ps.Outcome.CONVERGED
    times = np.linspace(0.1, 1, 50)[:, None]
    assert np.abs(np.abs(solution(times)) - np.sqrt(2 * times)).max() < 1e-2


def test_only_initial_values_are_marched():
    poisson = ps.read_problem(FOLDER / "poisson_1d.toml")
    assert marchable(CASES["units"][0])
    assert not marchable(poisson)
    with pytest.raises(ps.SpecificationError, match="needs ordinary differential equations in time"):
        Marching().run(poisson, 1e-3)
    twice = second_order("dt(u, 2) = -u", 1)
    again = ps.Problem(twice.equations, twice.domain, [ps.Initial(twice.unknowns[0], 1)] * 2)
    assert not marchable(again)
    too_few = ordinary({"u": "v", "v": "-u"}, {"u": "1"}, 1)
    assert not marchable(too_few)
    assert ps.solve(too_few).outcome is ps.Outcome.ILL_POSED


def test_a_march_saved_and_loaded_is_the_same(tmp_path):
    solution = ps.solve(CASES["second order"][0])
    solution.save(tmp_path / "u.safetensors")
    again = ps.load_solution(tmp_path / "u.safetensors")
    times = np.linspace(0, 4, 50)[:, None]
    assert np.array_equal(again(times), solution(times))
    assert np.allclose(solution.residual(times[1:]), 0, atol=1e-4)


def test_unknowns_of_any_size_side_by_side_are_right():
    for size in (1e20, 1e-12):
        right = {"x": "-0.1*x", "y": f"50*{size}*cos(50*t)"}
        solution = ps.solve(ordinary(right, {"x": "1", "y": "0"}, 2), tol=1e-4)
        assert solution.outcome is ps.Outcome.CONVERGED
        assert error(solution, lambda t, size=size: (np.exp(-0.1 * t), size * np.sin(50 * t))) < 1e-4


def test_an_unknown_that_is_rounding_does_not_stop_others():
    solution = ps.solve(ordinary({"y": "-y", "v": "-v + y - exp(-t)"}, {"y": "1", "v": "0"}, 2), budget_s=20)
    assert solution.outcome is ps.Outcome.CONVERGED
    assert np.abs(solution(np.array([[1.0]]))[0, 1]) < 1e-12


def test_far_from_zero_time_ends_as_well():
    x = ps.unknown("x", ps.coordinates("t")[0])
    late = ps.Problem([ps.Eq(ps.dt(x), x**2)], ps.TimeInterval(1e5, 1e5 + 2), [ps.Initial(x, 1)])
    solution = ps.solve(late, budget_s=60)
    assert solution.outcome is ps.Outcome.DIVERGED
    assert solution.valid_until == pytest.approx(1e5 + 1, abs=0.01)
    assert np.isnan(solution(np.array([[solution.valid_until + 1e-3]]))).all()


def test_a_strong_jump_is_no_end():
    right = "where(0.5 < t and t < 0.50001, 100000, 0) - x"
    solution = ps.solve(ordinary({"x": right}, {"x": "1"}, 2), tol=1e-6)
    assert solution.outcome is ps.Outcome.CONVERGED
