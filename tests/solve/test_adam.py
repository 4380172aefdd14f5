import math

import pytest
import sympy
import torch

from physolve import spec as ps
from physolve.jets import TANH
from physolve.solve._adam import AdamLBFGS, AdamSchedule
from physolve.solve._loss_balancing import (
    CausalWeights,
    FixedBalancing,
    GradientNormBalancing,
    RelativeLossBalancing,
)
from physolve.solve._method import network_system
from physolve.solve._outcome import Outcome
from physolve.spec.geometry import Interval, TimeInterval

(x,) = ps.coordinates("x")
u = ps.unknown("u", x)
EXACT = sympy.sin(sympy.pi * x)


def poisson(source=None):
    source = sympy.pi**2 * EXACT if source is None else source
    equation = ps.Eq(-ps.d(u, x, x), source)
    return ps.Problem(equations=[equation], domain=Interval(0.0, 1.0), conditions=[ps.Dirichlet(u, 0)])


def heat():
    z, t = ps.coordinates("z", "t")
    w = ps.unknown("w", z, t)
    return ps.Problem(
        equations=[ps.Eq(ps.dt(w), ps.d(w, z, z))],
        domain=Interval(0.0, 1.0) * TimeInterval(0.0, 0.1),
        conditions=[ps.Dirichlet(w, 0), ps.Initial(w, sympy.sin(sympy.pi * z))],
    )


def short(**changes):
    given = {"width": 10, "depth": 2, "rows": 60, "adam": AdamSchedule(200, 1e-2, 1e-3), "lbfgs_steps": 150}
    return AdamLBFGS(**(given | changes))


def error(field):
    points = torch.linspace(0, 1, 101, dtype=torch.float64)[:, None]
    exact = torch.sin(math.pi * points[:, 0])
    return float((field.values(points)[:, 0] - exact).norm() / exact.norm())


@pytest.mark.parametrize(
    "balancing",
    [FixedBalancing(), GradientNormBalancing(every=50), RelativeLossBalancing(every=50)],
    ids=lambda b: type(b).__name__,
)
def test_solves(balancing):
    result = short(balancing=balancing).run(poisson(), tol=5e-3, seed=0)
    assert result.outcome is Outcome.CONVERGED
    assert error(result.field) < 5e-3


def test_causal_heat():
    method = short(causal=CausalWeights(epsilon=1.0, bins=4), rows=200, lbfgs_steps=200)
    result = method.run(heat(), tol=1e-2, seed=0)
    assert result.outcome is Outcome.CONVERGED
    end = result.field.values(torch.tensor([[0.5, 0.1]], dtype=torch.float64))
    assert float(end) == pytest.approx(math.exp(-(math.pi**2) * 0.1), abs=0.03)


def test_first_step_is_the_textbook_one():
    """Bias correction makes the first Adam step -rate * sign(gradient)."""
    method = short(balancing=FixedBalancing())
    system = network_system(poisson(), 10, 2, TANH)
    state = method.init(system, 0)
    vector = state.vector.clone().requires_grad_()
    total = torch.stack(method.terms(system, method.squares(system, vector, state.sample), state.sample)).sum()
    gradient = torch.autograd.grad(total, vector)[0]
    moved = method.step(system, state, 0).vector - state.vector
    far = gradient.abs() > 1e-6
    assert torch.allclose(moved[far], -1e-2 * gradient.sign()[far], rtol=1e-5)


def test_rate_decays_from_first_to_last():
    schedule = AdamSchedule(100, 1e-2, 1e-4)
    assert schedule.rate_at(0) == pytest.approx(1e-2)
    assert schedule.rate_at(50) == pytest.approx(1e-3)
    assert schedule.rate_at(100) == pytest.approx(1e-4)


def test_gradient_norm_balancing_evens_the_gradients():
    vector = torch.tensor([1.0, 1.0], dtype=torch.float64, requires_grad=True)
    terms = [100 * vector[0], vector[1]]

    def gradient(term):
        return torch.autograd.grad(term, vector, retain_graph=True)[0]

    ones = torch.ones(2, dtype=torch.float64)
    weights = GradientNormBalancing(every=1, memory=0.0).update(ones, terms, 0, gradient)
    assert torch.allclose(weights, torch.tensor([1.01, 101.0], dtype=torch.float64))
    kept = GradientNormBalancing(every=10).update(ones, terms, 3, gradient)
    assert torch.equal(kept, ones)


def test_relative_balancing_favours_the_largest_term():
    terms = [torch.tensor(4.0).double(), torch.tensor(1.0).double()]
    weights = RelativeLossBalancing(every=1, memory=0.0).update(torch.ones(2).double(), terms, 0, lambda t: t)
    ratio = math.exp(1.0 - 0.25)
    assert float(weights[0] / weights[1]) == pytest.approx(ratio)
    assert float(weights.sum()) == pytest.approx(2.0)


def test_causal_weights_make_later_times_wait():
    points = torch.tensor([[0.0, 0.0], [0.0, 0.3], [0.0, 0.6], [0.0, 1.0]], dtype=torch.float64)
    squares = torch.tensor([0.5, 0.0, 0.25, 0.1], dtype=torch.float64)
    found = CausalWeights(epsilon=2.0, bins=2).weights(points, squares, scale=1.0)
    later = math.exp(-2.0 * 2 * 0.5)  # epsilon * bins * loss of the first bin
    assert torch.allclose(found, torch.tensor([1.0, 1.0, later, later], dtype=torch.float64))
    assert torch.equal(CausalWeights(0.0).weights(points, squares, 1.0), torch.ones(4, dtype=torch.float64))


def test_causal_weights_refuse_one_bin():
    with pytest.raises(ValueError, match="bins=1"):
        CausalWeights(bins=1)


def test_every_round_of_lbfgs_is_in_the_history():
    steps = short(adam=AdamSchedule(50), lbfgs_steps=75).run(poisson(), tol=1e-12).history
    assert [step.note for step in steps] == ["Adam", "L-BFGS", "L-BFGS", "L-BFGS"]


def test_interruption_returns_the_best_state():
    def listener(news):
        if news.stage == "L-BFGS":
            raise KeyboardInterrupt

    result = short().run(poisson(), tol=1e-12, progress=listener)
    assert result.outcome is Outcome.INTERRUPTED
    assert error(result.field) < 0.9


def test_budget_ends_the_run():
    spent = short().run(poisson(), 1e-12, budget_s=0.0)
    assert spent.outcome is Outcome.TOLERANCE_NOT_REACHED


def test_a_rate_that_is_too_large_leaves_the_best_network_to_lbfgs():
    result = short(adam=AdamSchedule(50, rate=1e200, last_rate=1e200), lbfgs_steps=100).run(poisson(), 1e-12)
    assert result.outcome is Outcome.TOLERANCE_NOT_REACHED
    assert [step.note for step in result.history] == ["L-BFGS"] * len(result.history)
    assert error(result.field) < 0.1


def test_without_lbfgs_adam_has_all_its_steps():
    result = short(adam=AdamSchedule(60, 1e-2, 1e-3), lbfgs_steps=0).run(poisson(), 1e-6)
    assert [step.note for step in result.history] == ["Adam"]
    assert "after 60 steps" in result.message


def test_deterministic_in_the_seed():
    method = short(adam=AdamSchedule(5), lbfgs_steps=25)
    one, two = (method.run(poisson(), 1e-12, seed=3).field.tensors() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
