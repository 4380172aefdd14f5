"""Variable projection: the gradient of the projected loss, the least-squares last layers, and runs."""

import math

import pytest
import sympy
import torch

from physolve import spec as ps
from physolve.errors import UnsupportedError
from physolve.jets import TANH, Architecture
from physolve.nets import PINN, PINNModel
from physolve.solve import Outcome, VariableProjection
from physolve.solve._method import network_system
from physolve.solve._variable_projection import Projection
from physolve.spec.geometry import Rectangle

x, y = ps.coordinates("x", "y")
u, v = ps.unknown("u", x, y), ps.unknown("v", x, y)
SQUARE = Rectangle((-1.0, -1.0), (1.0, 1.0))
WAVE = sympy.sin(sympy.pi * x) * sympy.cos(y)
MODEL = PINNModel(Architecture((2, 8, 8, 1), TANH, bands=(0.1, 0.4), gated=True), networks=2)
METHOD = VariableProjection(MODEL, rows=300, first_rows=150, steps=300)


def problem(**changes):
    source = sympy.diff(WAVE, x, 2) + sympy.diff(WAVE, y, 2) + WAVE
    given = {"equations": [ps.Eq(ps.laplacian(u) + u, source)], "conditions": [ps.Dirichlet(u, WAVE)]}
    return ps.Problem(domain=SQUARE, **(given | changes))


def system_of_two():
    equations = [ps.Eq(ps.laplacian(u), v), ps.Eq(ps.laplacian(v), 1)]
    return problem(equations=equations, conditions=[ps.Dirichlet(u, WAVE), ps.Dirichlet(v, 0)])


def projection(posed, outputs):
    model = PINNModel(Architecture((2, 4, 4, outputs), TANH, bands=(0.3,), gated=True), networks=2)
    system = network_system(posed, 0, 0, TANH, model)
    vector = system.start(3)
    sample = system.sample(60, 1, system.levels(vector, system.blocks(60, 1)))
    hidden = system.split(vector)[0][:, : model.architecture.count - 5 * outputs].clone()
    return Projection.of(system, sample, hidden), hidden


def error(field):
    points = torch.rand(500, 2, generator=torch.Generator().manual_seed(9), dtype=torch.float64) * 2 - 1
    exact = ps.Program((WAVE,), (x, y))(*points.T)[0]
    return float((field.values(points)[:, 0] - exact).norm() / exact.norm())


@pytest.mark.parametrize(("posed", "outputs"), [(problem(), 1), (system_of_two(), 2)], ids=["one", "two unknowns"])
def test_no_other_last_layers_do_better(posed, outputs):
    """Also for the columns of the Jacobian, which know nothing of bases: the gradient in them is that of the ridge."""
    found, hidden = projection(posed, outputs)
    weights, ridge = found.network(hidden)
    residual, jacobian = found.system.linearize(weights.flatten(), found.sample)
    last = jacobian[:, found.system.last_layers]
    cosines = (last.T @ residual) / (last.norm(dim=0) * residual.norm())
    assert float(residual.norm()) > 1e-2
    assert float(cosines.abs().max()) < 1e-6  # the square root of the ridge
    assert 0 < ridge < 1e-6 * float(residual.square().sum())


@pytest.mark.parametrize(("posed", "outputs"), [(problem(), 1), (system_of_two(), 2)], ids=["one", "two unknowns"])
def test_gradient_of_the_projected_loss(posed, outputs):
    """Taylor's remainder is of second order, although the last layers change along the way."""
    found, hidden = projection(posed, outputs)
    leaf = hidden.clone().requires_grad_()
    gradient = torch.autograd.grad(found.loss(leaf), leaf)[0]
    direction = torch.randn(*hidden.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    slope = float((gradient * direction).sum())
    changes = [(h, float(found.loss(hidden + h * direction) - found.loss(hidden))) for h in (1e-3, 1e-4)]
    remainders = [abs(change - h * slope) for h, change in changes]
    assert math.log10(remainders[0] / remainders[1]) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(
    ("start", "tol"), [(MODEL, 1e-1), (PINN(MODEL, MODEL.glorot(1)), 1e-2)], ids=["random", "given"]
)
def test_solves(start, tol):
    result = VariableProjection(start, rows=300, first_rows=150).run(problem(), tol)
    assert result.outcome is Outcome.CONVERGED
    assert error(result.field) < tol


def test_a_given_network_counts_until_a_better_one_is_met():
    start = PINN(MODEL, MODEL.glorot(1))
    result = VariableProjection(start).run(problem(), 1e-3, budget_s=0.0)
    assert result.outcome is Outcome.TOLERANCE_NOT_REACHED
    assert torch.equal(result.field.tensors()["weights"], start.weights)


def test_rows_are_doubled_where_they_are_too_few():
    method = VariableProjection(MODEL, rows=160, first_rows=40, steps=200)
    sizes = [step.rows for step in method.run(problem(), 1e-9).history]
    assert sizes[0] < 50
    assert max(sizes) > 120
    assert sizes == sorted(sizes)


def test_interruption_returns_the_best_state():
    def listener(news):
        raise KeyboardInterrupt

    result = METHOD.run(problem(), 1e-12, progress=listener)
    assert result.outcome is Outcome.INTERRUPTED
    assert len(result.history) == 1
    assert error(result.field) < 0.9


@pytest.mark.filterwarnings("ignore::physolve.WellPosednessWarning")  # they are refused anyway
@pytest.mark.parametrize(
    ("equation", "message"),
    [
        (ps.Eq(ps.laplacian(u) + u**2, 1), "not linear"),
        (ps.Eq(ps.biharmonic(u), 1), "order 4"),
        (ps.Eq(ps.laplacian(u) + ps.parameter("k", guess=1.0), 1), "unknown parameters"),
    ],
    ids=["nonlinear", "fourth order", "inverse"],
)
def test_other_problems_are_refused(equation, message):
    with pytest.raises(UnsupportedError, match=rf"{message}.*GaussNewton"):
        METHOD.run(problem(equations=[equation]), 1e-3)
