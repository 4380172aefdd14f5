"""When trainings end: at an error that is small enough, or without steps or time, and what they say then."""

import math
from dataclasses import dataclass, replace

import pytest
import sympy
import torch

from physolve import spec as ps
from physolve.errors import NumericalError
from physolve.jets import TANH, Architecture
from physolve.nets import PINNModel
from physolve.solve import AdamLBFGS, AdamSchedule, Estimate, GaussNewton, Outcome, Step, VariableProjection, solve
from physolve.solve import _fitting as fitting
from physolve.solve import _solve as solving
from physolve.solve._fitting import FURTHEST, Clock, Goal, fitted
from physolve.solve._method import network_system
from physolve.spec.geometry import Interval, Rectangle

x, y = ps.coordinates("x", "y")
u = ps.unknown("u", x, y)
w = ps.unknown("w", x)
WAVE = sympy.sin(sympy.pi * x) * sympy.cos(y)
MODEL = PINNModel(Architecture((2, 8, 8, 1), TANH))
METHODS = [
    GaussNewton(width=8, depth=2, first_rows=150, rows=150, steps=2),
    AdamLBFGS(width=8, depth=2, rows=150, adam=AdamSchedule(steps=2), lbfgs_steps=25),
    VariableProjection(MODEL, rows=150, first_rows=150, steps=25),
]


def helmholtz(**changes):
    source = sympy.diff(WAVE, x, 2) + sympy.diff(WAVE, y, 2) + WAVE
    given = {"equations": [ps.Eq(ps.laplacian(u) + u, source)], "conditions": [ps.Dirichlet(u, WAVE)]}
    return ps.Problem(domain=Rectangle((-1.0, -1.0), (1.0, 1.0)), **(given | changes))


def poisson():
    equation = ps.Eq(-ps.d(w, x, x), sympy.pi**2 * sympy.sin(sympy.pi * x))
    return ps.Problem(equations=[equation], domain=Interval(0.0, 1.0), conditions=[ps.Dirichlet(w, 0)])


# --- a training without a network -----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Halved:
    """The residual after `done` steps is 2 ** -done."""

    done: int
    stage: str = "halved"

    @property
    def best(self):
        return VECTORS[self.done]

    @property
    def relative(self):
        return 0.5**self.done

    best_relative = relative

    @property
    def steps(self):
        return tuple(Step(1, 10, 0.5**k, None, 0.0) for k in range(1, self.done + 1))


VECTORS = [torch.tensor([0.5**k], dtype=torch.float64) for k in range(100)]


@dataclass(frozen=True)
class Halving:
    most: int = 50
    name: str = "halving"

    def states(self, system, target, seed, clock):
        for done in range(100):
            yield Halved(done)

    def spent(self, state):
        return "allow more steps" if state.done >= self.most else None


class Nothing:
    columns = 1

    def field(self, vector):
        return vector

    def parameters(self, vector):
        return {}


def run(tol, judge, training=None, budget_s=None, progress=None):
    goal = Goal(tol, tol, judge)
    return fitted(training or Halving(), Nothing(), goal, 0, Clock.started(budget_s), progress)


def judge_of(size, asked):
    """An error that is `size` times the residual, and a list of the residuals it was asked about."""

    def judge(vector):
        asked.append(float(vector))
        return Estimate(size * float(vector), size * float(vector), "test")

    return judge


@pytest.mark.parametrize(("size", "most"), [(0.5, 1), (3.0, 2), (100.0, 6)])
def test_training_goes_on_until_the_error_is_met(size, most):
    """A hundredth takes 7 halvings by the residual; with an error `size` times as large, log2(size) more."""
    asked = []
    result = run(1e-2, judge_of(size, asked))
    assert result.outcome is Outcome.CONVERGED
    assert asked[0] == pytest.approx(0.5**7)
    assert result.estimate.relative == size * asked[-1] <= 1e-2
    assert f"estimated relative error {size * asked[-1]:.1e}" in result.message
    assert len(asked) <= most
    assert len(result.history) <= math.ceil(math.log2(100 * size)) + 2 or size < 1


def test_no_goal_is_further_than_a_part_of_the_residual():
    state = Halved(3)
    goal = Goal(0.2, 0.2, judge_of(1e9, [])).after(state)
    assert goal.residual == FURTHEST * state.best_relative
    assert not goal.met(state)


def test_without_a_judge_the_residual_counts():
    result = run(1e-2, None)
    assert result.outcome is Outcome.CONVERGED
    assert result.estimate is None
    assert len(result.history) == 7


def test_where_the_error_cannot_be_estimated_the_residual_counts():
    result = run(1e-2, lambda vector: None)
    assert result.outcome is Outcome.CONVERGED
    assert len(result.history) == 7


@pytest.mark.parametrize(("size", "outcome"), [(0.1, Outcome.CONVERGED), (1.0, Outcome.TOLERANCE_NOT_REACHED)])
def test_the_error_decides_where_steps_are_spent(size, outcome):
    """Advice is for those who need it."""
    asked = []
    result = run(1e-2, judge_of(size, asked), Halving(most=5))
    assert result.outcome is outcome
    assert len(asked) == 1
    assert result.estimate.relative == size * asked[0]
    assert ("allow more steps" in result.message) == (outcome is Outcome.TOLERANCE_NOT_REACHED)


def test_the_budget_ends_it():
    result = run(1e-2, judge_of(1.0, []), budget_s=0.0)
    assert result.outcome is Outcome.TOLERANCE_NOT_REACHED
    assert result.message.endswith("the budget of 0 s is spent")


def test_news_know_the_last_estimate():
    news = []
    run(1e-2, judge_of(3.0, []), progress=news.append)
    assert [line.estimate for line in news[:7]] == [None] * 7
    assert news[7].estimate == pytest.approx(3 * 0.5**7)
    assert news[7].message == f"step 8: relative residual {0.5**8:.2e} on 10 rows"


def test_interruption_while_the_error_is_estimated():
    def judge(vector):
        raise KeyboardInterrupt

    result = run(1e-2, judge)
    assert result.outcome is Outcome.INTERRUPTED
    assert float(result.field) == 0.5**7


# --- networks -------------------------------------------------------------------------------------------


def test_gauss_newton_goes_on_where_the_residual_is_met_and_the_error_is_not(monkeypatch):
    """Residual and estimate: 9.9e-4 and 1.7e-3 after 14 steps, 2.7e-4 and 2.0e-4 after 15."""
    judged, error_of = [], fitting.error_of
    monkeypatch.setattr(fitting, "error_of", lambda *given: judged.append(error_of(*given)) or judged[-1])
    monkeypatch.setattr(solving, "error_of", lambda *given: pytest.fail("estimated once more"))
    method = GaussNewton(width=12, depth=2, first_rows=150, rows=400, steps=60)
    solution = solve(helmholtz(), 1e-3, method=method)
    assert solution.outcome is Outcome.CONVERGED
    assert len(judged) > 1
    assert judged[0].relative > 1e-3 >= judged[-1].relative
    assert solution.estimate == judged[-1]


def test_adam_gives_no_advice_where_the_error_is_met():
    """After 25 iterations of L-BFGS the residual is 8e-3, the error 4e-4."""
    method = AdamLBFGS(width=10, depth=2, rows=60, adam=AdamSchedule(200, 1e-2, 1e-3), lbfgs_steps=25)
    solution = solve(poisson(), 5e-3, method=method)
    assert solution.history.steps[-1].residual > 5e-3
    assert solution.outcome is Outcome.CONVERGED
    assert "allow" not in solution.message


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_the_result_has_the_estimate_of_its_field(method):
    problem = helmholtz()
    result = method.run(problem, 1e-9, seed=3)
    assert result.estimate == fitting.error_of(problem, result.field, result.parameters, 3)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"equations": [ps.Eq(ps.laplacian(u), sympy.log(x + 0.8))]}, "equation 1"),
        ({"conditions": [ps.Dirichlet(u, sympy.sqrt(x + 0.8))]}, "condition 1 (dirichlet)"),
    ],
    ids=["equation", "condition"],
)
def test_what_is_not_finite_is_named(method, changes, name):
    with pytest.raises(NumericalError) as caught:
        method.run(helmholtz(**changes), 1e-3)
    message = str(caught.value)
    assert message.startswith(f"{name}: NaN or infinity at ")
    assert float(message.split("first at (x, y) = (")[1].split(",")[0]) < -0.8


@pytest.mark.parametrize("method", [METHODS[0], METHODS[2]], ids=lambda m: type(m).__name__)
def test_the_first_rows_are_not_more_than_the_most(method):
    (step, *_) = replace(method, rows=60).run(helmholtz(), 1e-9).history
    assert step.rows < 90


def test_zero_need_not_be_a_value_that_the_equation_allows():
    system = network_system(helmholtz(equations=[ps.Eq(ps.laplacian(u) + 1 / u, 0)]), 4, 1, TANH)
    assert system.sample(40, 0, (1.0, 1.0)).zero == 1.0


# --- solutions as a start -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_a_solution_is_a_start(method):
    given = solve(helmholtz(), 1e-9, method=METHODS[0])
    at_once = replace(method, start=given).run(helmholtz(), 1e-9, budget_s=0.0)
    assert torch.equal(at_once.field.tensors()["weights"], given.field.tensors()["weights"])
