"""Training from a given network, and from random weights of the same kind: gated, with Fourier features, several."""

import math
from dataclasses import replace

import pytest
import sympy
import torch

from physolve import spec as ps
from physolve.errors import SpecificationError
from physolve.jets import TANH, Architecture
from physolve.nets import PINN, PINNModel
from physolve.solve import AdamLBFGS, AdamSchedule, GaussNewton, solve
from physolve.solve._method import network_system
from physolve.solve._network_rows import linearized_rows, row_values
from physolve.solve._outcome import Outcome
from physolve.spec.geometry import Rectangle

x, y = ps.coordinates("x", "y")
u, v = ps.unknown("u", x, y), ps.unknown("v", x, y)
SQUARE = Rectangle((-1.0, -1.0), (1.0, 1.0))
WAVE = sympy.sin(sympy.pi * x) * sympy.cos(y)
MODEL = PINNModel(Architecture((2, 8, 8, 1), TANH, bands=(0.1, 0.4), gated=True), networks=2)
GAUSS_NEWTON = GaussNewton(first_rows=150, rows=400, steps=40)
LBFGS = AdamLBFGS(rows=200, adam=AdamSchedule(steps=0), lbfgs_steps=500)


def problem(**changes):
    source = sympy.diff(WAVE, x, 2) + sympy.diff(WAVE, y, 2) + WAVE
    given = {"equations": [ps.Eq(ps.laplacian(u) + u, source)], "conditions": [ps.Dirichlet(u, WAVE)]}
    return ps.Problem(domain=SQUARE, **(given | changes))


def averaged():
    return problem(conditions=[ps.Periodic(u, along=x), ps.MeanValue(u, 0.5), ps.Dirichlet(u, 1, on=("bottom", "top"))])


def third_order():
    return problem(equations=[ps.Eq(ps.d(u, x, x, y), 1)])


def network(seed=0):
    return PINN(MODEL, MODEL.glorot(seed))


def error(field):
    points = torch.rand(500, 2, generator=torch.Generator().manual_seed(9), dtype=torch.float64) * 2 - 1
    exact = ps.Program((WAVE,), (x, y))(*points.T)[0]
    return float((field.values(points)[:, 0] - exact).norm() / exact.norm())


@pytest.mark.parametrize("posed", [problem, averaged, third_order], ids=lambda f: f.__name__)
def test_jacobian_rows_of_a_sum_of_gated_networks_equal_torch_func(posed):
    model = PINNModel(Architecture((2, 3, 3, 1), TANH, bands=(0.3,), gated=True), networks=2)
    system = network_system(posed(), 0, 0, TANH, model)
    weights, _ = system.split(system.start(3))
    for rows in system.blocks(10, seed=1):
        residual, jacobian = linearized_rows(system.model, weights, rows, [])
        expected = torch.func.jacrev(lambda w, rows=rows: row_values(system.model, w, rows, []))(weights).flatten(1)
        assert torch.allclose(residual, row_values(system.model, weights, rows, []), atol=1e-12)
        # sums of a few hundred products at eps = 2e-16, up to third order: 1e-11 of the largest entry
        assert torch.allclose(jacobian, expected, rtol=0, atol=1e-11 * float(expected.abs().max())), rows.name


def test_the_first_vector_is_the_given_network():
    start = network()
    method = replace(GAUSS_NEWTON, start=start)
    system = network_system(problem(), 0, 0, TANH, start)
    state = method.init(system, seed=7)
    assert torch.equal(state.vector, start.weights.flatten())
    by_rows = [rows.residual_of(start) * f for rows, f in zip(state.check.blocks, state.check.factors, strict=True)]
    expected = math.sqrt(float(torch.cat(by_rows).square().sum()) / state.check.zero)
    assert state.relative == pytest.approx(expected, rel=1e-10)
    assert torch.equal(LBFGS.init(system, 7).vector, start.weights.flatten())


def test_random_weights_of_the_same_kind_have_their_last_layers_fitted():
    method = replace(GAUSS_NEWTON, start=MODEL)
    system = network_system(problem(), 0, 0, TANH, MODEL)
    state, drawn = method.init(system, seed=7), system.start(7)
    changed = (state.vector != drawn).nonzero()[:, 0]
    assert torch.equal(changed, system.last_layers)
    assert len(changed) == 2 * 9
    assert not torch.equal(drawn, system.start(8))
    assert system.loss(state.vector, state.sample) < 0.9 * system.loss(drawn, state.sample)


@pytest.mark.parametrize(
    ("method", "start", "tol"),
    [(GAUSS_NEWTON, network(), 1e-4), (GAUSS_NEWTON, MODEL, 1e-4), (LBFGS, network(), 3e-2)],
    ids=["Gauss-Newton given", "Gauss-Newton random", "L-BFGS given"],
)
def test_solves(method, start, tol):
    result = replace(method, start=start).run(problem(), tol)
    assert result.outcome is Outcome.CONVERGED
    assert error(result.field) < tol
    assert result.field.model == MODEL


def test_a_solution_is_a_start_that_needs_no_step():
    first = replace(GAUSS_NEWTON, start=MODEL).run(problem(), 3e-4)
    again = replace(GAUSS_NEWTON, start=first.field).run(problem(), 3e-3, seed=5)  # other rows, balanced otherwise
    assert len(first.history) > 3
    assert len(again.history) == 0
    assert torch.equal(again.field.tensors()["weights"], first.field.tensors()["weights"])


def test_solve_goes_on_from_a_network():
    method = replace(GAUSS_NEWTON, start=network(), steps=4)
    first = method.run(problem(), 1e-9)
    further = solve(problem(), 1e-9, method=replace(method, start=first.field))
    assert error(further.field) < error(first.field) / 2 < error(network()) / 20


def test_a_start_is_left_as_it_was():
    start = network()
    before = start.weights.clone()
    replace(GAUSS_NEWTON, start=start, steps=2).run(problem(), 1e-9)
    replace(LBFGS, start=start, lbfgs_steps=25).run(problem(), 1e-9)
    assert torch.equal(start.weights, before)


def test_a_network_of_another_problem_is_refused():
    two = problem(
        equations=[ps.Eq(ps.laplacian(u), v), ps.Eq(ps.laplacian(v), 1)],
        conditions=[ps.Dirichlet(u, 0), ps.Dirichlet(v, 0)],
    )
    with pytest.raises(SpecificationError, match="2 coordinates with 1 outputs, expected 2 and 2"):
        replace(GAUSS_NEWTON, start=network()).run(two, 1e-3)
