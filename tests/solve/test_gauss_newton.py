"""Gauss-Newton: Jacobian against torch.func, linear algebra against a reference, runs against exact fields."""

import math
from dataclasses import replace

import pytest
import sympy
import torch

from physolve import spec as ps
from physolve.errors import UnsupportedError
from physolve.jets import TANH
from physolve.solve import _gauss_newton
from physolve.solve._damped_system import DampedSystem, lower_gram
from physolve.solve._gauss_newton import STIFFNESS, GaussNewton, _bent_step, _corrected
from physolve.solve._method import network_system
from physolve.solve._network_rows import linearized_rows, row_values
from physolve.solve._outcome import Outcome
from physolve.spec.geometry import Interval, Rectangle

x, y = ps.coordinates("x", "y")
u = ps.unknown("u", x, y)
SQUARE = Rectangle((-1.0, -1.0), (1.0, 1.0))
WAVE = sympy.sin(sympy.pi * x) * sympy.cos(y)


def helmholtz(**changes):
    source = sympy.diff(WAVE, x, 2) + sympy.diff(WAVE, y, 2) + WAVE
    given = {"equations": [ps.Eq(ps.laplacian(u) + u, source)], "conditions": [ps.Dirichlet(u, WAVE)]}
    return ps.Problem(domain=SQUARE, **(given | changes))


def nonlinear():
    source = sympy.diff(WAVE, x, 2) + sympy.diff(WAVE, y, 2) - WAVE**3 - WAVE * sympy.diff(WAVE, x)
    return helmholtz(equations=[ps.Eq(ps.laplacian(u) - u**3 - u * ps.d(u, x), source)])


def with_parameter():
    k = ps.parameter("k", guess=0.5)
    points = torch.rand(40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64).numpy() * 2 - 1
    values = [float(WAVE.subs({x: a, y: b})) for a, b in points]
    source = 2 * sympy.diff(WAVE, x, 2) + sympy.diff(WAVE, y, 2)
    equation = ps.Eq(k * ps.d(u, x, x) + ps.d(u, y, y), source)  # true k = 2
    data = ps.Observations(u, points, torch.tensor(values).double().numpy())
    return helmholtz(equations=[equation], conditions=[ps.Dirichlet(u, WAVE), data])


def system_of_two():
    v = ps.unknown("v", x, y)
    equations = [ps.Eq(ps.d(u, x) - v, 0), ps.Eq(ps.d(v, x) + u * ps.d(u, y, y), 0)]
    return helmholtz(equations=equations, conditions=[ps.Dirichlet(u, 0), ps.Neumann(v, 1, on="left")])


def with_mean_and_period():
    conditions = [ps.Periodic(u, along=x), ps.MeanValue(u, 0.5), ps.Dirichlet(u, 1, on=("bottom", "top"))]
    return helmholtz(conditions=conditions)


def beam():
    s = ps.coordinates("s")[0]
    w = ps.unknown("w", s)
    conditions = [ps.Dirichlet(w, 0), ps.Neumann(w, 0)]
    return ps.Problem(equations=[ps.Eq(ps.d(w, s, 4), 1)], domain=Interval(0.0, 1.0), conditions=conditions)


PROBLEMS = [helmholtz, nonlinear, with_parameter, system_of_two, with_mean_and_period, beam]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda f: f.__name__)
def test_jacobian_rows_equal_torch_func(problem):
    system = network_system(problem(), 6, 2, TANH)
    vector = system.start(3)
    weights, parameters = system.split(vector)

    def values(weights, theta, rows):
        return row_values(system.model, weights, rows, theta)

    for rows in system.blocks(20, seed=1):
        residual, jacobian = linearized_rows(system.model, weights, rows, parameters)
        by_weights, by_parameters = torch.func.jacrev(values, argnums=(0, 1))(weights, parameters, rows)
        expected = torch.cat([by_weights.flatten(1), *(p[:, None] for p in by_parameters)], dim=1)
        scale = float(expected.abs().max())
        assert torch.allclose(residual, values(weights, parameters, rows), atol=1e-12)
        # sums of a few hundred products at eps = 2e-16, up to fourth order: 1e-11 of the largest entry
        assert torch.allclose(jacobian, expected, rtol=0, atol=1e-11 * scale), rows.name


def test_scaled_jacobian_is_the_derivative_of_the_scaled_residual():
    system = network_system(with_parameter(), 5, 2, TANH)
    vector = system.start(1)
    sample = system.sample(40, 2, system.levels(vector, system.blocks(40, 2)))
    residual, jacobian = system.linearize(vector, sample)
    direction = torch.randn(system.columns, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    remainders = []
    for h in (1e-2, 1e-3):
        moved = system.residual(vector + h * direction, sample)
        remainders.append(float((moved - residual - h * (jacobian @ direction)).norm()))
    assert math.log10(remainders[0] / remainders[1]) == pytest.approx(2.0, abs=0.1)  # second-order remainder


def test_blocks_have_rows_of_equal_size():
    system = network_system(helmholtz(), 8, 2, TANH)
    vector = system.start(0)
    sample = system.sample(300, 5, system.levels(vector, system.blocks(300, 5)))
    jacobian = system.linearize(vector, sample)[1]
    equation, condition = (part.square().sum() for part in jacobian.split([len(b) for b in sample.blocks]))
    assert float(equation) == pytest.approx(1.0, rel=1e-6)
    assert float(condition) == pytest.approx(9.0, rel=1e-6)  # the conditions' weight, squared


@pytest.mark.parametrize("shape", [(30, 70), (70, 30), (40, 40), (1, 5)])
@pytest.mark.parametrize("damping", [1e-4, 1.0])
def test_damped_step_solves_the_augmented_least_squares(shape, damping):
    generator = torch.Generator().manual_seed(0)
    jacobian = torch.randn(*shape, generator=generator, dtype=torch.float64)
    residual = torch.randn(shape[0], generator=generator, dtype=torch.float64)
    system = DampedSystem.of(jacobian)
    assert system.dual == (shape[0] < shape[1])
    augmented = torch.cat([jacobian, math.sqrt(damping) * torch.eye(shape[1], dtype=torch.float64)])
    right = torch.cat([-residual, torch.zeros(shape[1], dtype=torch.float64)])
    expected = torch.linalg.lstsq(augmented, right[:, None]).solution[:, 0]
    assert torch.allclose(system.damped(damping)(residual), expected, atol=1e-9)
    assert system.scale == pytest.approx(float(jacobian.square().sum()) / shape[1])


def test_undamped_singular_system_gives_no_step():
    jacobian = torch.ones(4, 9, dtype=torch.float64)
    assert DampedSystem.of(jacobian).damped(-1.0) is None


def test_lower_gram_over_panel_borders():
    matrix = torch.randn(2100, 7, dtype=torch.float64)
    assert torch.allclose(lower_gram(matrix).tril(), (matrix @ matrix.T).tril(), atol=1e-12)


SMALL = GaussNewton(width=12, depth=2, first_rows=150, rows=400, steps=60)


def error(field, expression=WAVE):
    points = torch.rand(500, 2, generator=torch.Generator().manual_seed(9), dtype=torch.float64) * 2 - 1
    exact = ps.Program((expression,), (x, y))(*points.T)[0]
    return float((field.values(points)[:, 0] - exact).norm() / exact.norm())


@pytest.mark.parametrize("problem", [helmholtz, nonlinear], ids=lambda f: f.__name__)
def test_solves(problem):
    result = SMALL.run(problem(), tol=1e-4, seed=0)
    assert result.outcome is Outcome.CONVERGED
    assert error(result.field) < 1e-4
    assert result.history.steps[-1].residual <= 1e-4


def after_steps(count):
    system = network_system(helmholtz(), SMALL.width, SMALL.depth, SMALL.activation)
    state = SMALL.init(system, 0)
    for _ in range(count):
        state = SMALL.step(system, state, 0, 0.0)
    return system, state


def test_the_jacobians_memory_is_used_again_while_the_rows_are_as_many():
    system = network_system(with_parameter(), 5, 2, TANH)
    samples = [system.sample(count, 2, (1.0, 1.0, 1.0)) for count in (40, 40, 60)]
    vectors = [system.start(seed) for seed in range(3)]
    memory, found = None, []
    for vector, sample in zip(vectors, samples, strict=True):
        memory = system.linearize(vector, sample, memory)[1]
        assert torch.equal(memory, system.linearize(vector, sample)[1])
        found.append(memory.data_ptr())
    assert found[0] == found[1] != found[2]


def test_corrections_mend_a_step_that_is_too_long():
    """The step of a fast phase: it raises the loss a hundredfold, the corrections bring it to a seventh."""
    system, state = after_steps(10)
    residual, jacobian = system.linearize(state.vector, state.sample)
    equations = DampedSystem.of(jacobian)
    damping = state.damping * equations.scale
    solver, stiff = equations.damped(damping), equations.damped(STIFFNESS * damping)
    found = _bent_step(system, state, residual, solver) if solver else None
    assert found is not None
    moved = state.vector + found[0]
    vector, loss = _corrected(system, state.sample, moved, stiff)
    before = float(residual.square().sum())
    assert system.loss(moved, state.sample) > 10 * before
    assert loss < before / 2
    assert loss == pytest.approx(system.loss(vector, state.sample))


def test_corrections_without_a_factor_change_nothing():
    system, state = after_steps(1)
    vector, loss = _corrected(system, state.sample, state.vector, None)
    assert torch.equal(vector, state.vector)
    assert loss == pytest.approx(system.loss(state.vector, state.sample))


def test_corrections_save_steps(monkeypatch):
    """Residual after 40 steps, three seeds: 1.2e-6 to 2.4e-6 with corrections, 6e-5 to 2e-4 without."""
    method = replace(SMALL, steps=40)

    def residuals():
        system = network_system(helmholtz(), SMALL.width, SMALL.depth, SMALL.activation)
        runs = [method.train(system, 1e-9, seed=seed).history for seed in range(3)]
        return [min(step.residual for step in run.steps) for run in runs]

    with_them = residuals()
    monkeypatch.setattr(_gauss_newton, "CORRECTIONS", 0)
    assert max(with_them) < min(residuals()) / 5


def test_recovers_a_parameter():
    result = SMALL.run(with_parameter(), tol=1e-4, seed=0)
    assert result.outcome is Outcome.CONVERGED
    assert result.parameters["k"] == pytest.approx(2.0, rel=1e-5)


def test_deterministic_in_the_seed():
    method = GaussNewton(width=6, depth=2, first_rows=60, rows=60, steps=3)
    one, two, other = (method.run(helmholtz(), 1e-9, seed=s).field for s in (4, 4, 5))
    assert all(torch.equal(a, b) for a, b in zip(one.tensors().values(), two.tensors().values(), strict=True))
    assert not torch.equal(one.tensors()["weights"], other.tensors()["weights"])


def test_interruption_returns_the_best_state():
    calls = []

    def listener(news):
        calls.append(news)
        if len(calls) == 4:
            raise KeyboardInterrupt

    start = network_system(helmholtz(), 12, 2, TANH)
    result = SMALL.run(helmholtz(), 1e-12, progress=listener)
    assert result.outcome is Outcome.INTERRUPTED
    assert len(result.history) == 4
    assert error(result.field) < error(start.field(start.start(0)))


def test_budget_ends_the_run():
    result = SMALL.run(helmholtz(), 1e-12, budget_s=0.0)
    assert result.outcome is Outcome.TOLERANCE_NOT_REACHED
    assert "budget of 0 s" in result.message
    assert len(result.history) == 0


def test_no_steps_left():
    method = GaussNewton(width=6, depth=1, first_rows=60, rows=60, steps=2)
    result = method.run(helmholtz(), 1e-12)
    assert result.outcome is Outcome.TOLERANCE_NOT_REACHED
    assert "after 2 steps" in result.message


def test_fourth_order_is_refused_with_a_reason():
    with pytest.raises(UnsupportedError, match=r"order 4.*LeastSquares"):
        SMALL.run(beam(), 1e-3)


def test_rows_grow_until_the_limit():
    """Sixty rows cannot teach 337 weights: fresh rows show it, and the rows double up to their limit."""
    method = GaussNewton(width=12, depth=3, first_rows=60, rows=240, steps=40)
    sizes = [step.rows for step in method.run(helmholtz(), 1e-9).history]
    assert sizes[0] < 90
    assert 200 < max(sizes) < 300
    assert sizes == sorted(sizes)


def test_rows_are_drawn_anew_when_asked():
    method = GaussNewton(width=12, depth=2, first_rows=100, rows=100, steps=4)
    kept = method.run(helmholtz(), 1e-12, seed=2).field.tensors()
    drawn = replace(method, resample_every=1).run(helmholtz(), 1e-12, seed=2).field.tensors()
    assert not torch.equal(kept["weights"], drawn["weights"])


def test_rows_stay_few_while_fresh_ones_pay(monkeypatch):
    """Whether the rows double depends on PAYS alone here: never below infinity, at every draw above zero."""
    method = GaussNewton(width=12, depth=3, first_rows=60, rows=240, steps=30)

    def sizes():
        return [step.rows for step in method.run(helmholtz(), 1e-9).history]

    monkeypatch.setattr(_gauss_newton, "PAYS", math.inf)
    assert len(set(sizes())) == 1
    monkeypatch.setattr(_gauss_newton, "PAYS", 0.0)
    assert len(set(sizes())) == 3
