"""Answers of a hypernetwork: heads, refinement, batches; and what `solve` makes of them.

The weights are random: what is pinned here holds for any.
"""

import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import sympy
import torch

import physolve as ps
from physolve.hypino import (
    SMALL,
    Answer,
    Hypernetwork,
    HyPINO,
    ProblemBatch,
    SamplerSettings,
    Step,
    grid_nodes,
    lower,
    sample,
)
from physolve.hypino._batch import LAYOUT
from physolve.hypino._inference import TOGETHER
from physolve.hypino._refine import Fit

x, y = ps.coordinates("x", "y")
u = ps.unknown("u", x, y)


@pytest.fixture(scope="module")
def model() -> HyPINO:
    torch.manual_seed(0)
    sizes = replace(SMALL, grid=32, networks=2, swin=replace(SMALL.swin, embed=24, depths=(1, 1), heads=(3, 6)))
    return HyPINO(Hypernetwork(sizes).eval())


@pytest.fixture(scope="module")
def batch() -> ProblemBatch:
    return sample(SamplerSettings(grid=32, points=300, edge=150), 6, torch.Generator().manual_seed(4))


def doubled(batch: ProblemBatch, factor: float) -> ProblemBatch:
    """The problems with all data times a factor."""
    edge = batch.boundary
    raster = batch.raster.clone()
    raster[:, 2:] *= factor
    return replace(
        batch,
        raster=raster,
        source=factor * batch.source,
        boundary=replace(edge, dirichlet=factor * edge.dirichlet, neumann=factor * edge.neumann),
        labels=None,
    )


def test_the_jet_of_an_answer_is_that_of_its_values(model: HyPINO, batch: ProblemBatch) -> None:
    answer = model.zero_shot(batch)
    points = torch.rand(len(batch), 7, 2, dtype=torch.float64, requires_grad=True)
    values = answer.values(points)
    (slope,) = torch.autograd.grad(values.sum(), points)
    jet = answer.jet(points.detach(), LAYOUT)
    torch.testing.assert_close(jet[:, 0], values.detach())
    torch.testing.assert_close(jet[:, 1:3], slope.mT)


def test_a_field_on_a_grid_is_that_at_its_nodes(model: HyPINO, batch: ProblemBatch) -> None:
    answer = model.zero_shot(batch)
    there = answer.values(grid_nodes(50, torch.float64).flatten(0, 1)).unflatten(1, (50, 50))
    errors = [(answer.on_grid(50, nodes) - there).abs().max() / there.abs().max() for nodes in (16, 24, 48)]
    assert errors[2] < 1e-6
    assert errors[2] < 0.01 * errors[1] < 1e-4 * errors[0] * 100
    # A point of the grid that is a Chebyshev point is no division by zero.
    assert answer.on_grid(3, 5).isfinite().all()


def test_problems_are_answered_one_by_one_as_in_a_batch(model: HyPINO, batch: ProblemBatch) -> None:
    many = batch.map(lambda tensor: torch.cat([tensor, tensor.flip(0)]))
    assert len(many) > TOGETHER["cpu"], "expected more than are worked on together"
    together = model.zero_shot(many)
    alone = model.zero_shot(batch.map(lambda tensor: tensor[2:3]))
    points = torch.rand(50, 2, dtype=torch.float64) * 2 - 1
    for row in (2, 9):
        found = together.part(slice(row, row + 1)).values(points)
        torch.testing.assert_close(alone.values(points), found, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("least_squares", [True, False])
def test_the_answer_to_scaled_data_is_scaled(model: HyPINO, batch: ProblemBatch, least_squares: bool) -> None:
    points = torch.rand(50, 2, dtype=torch.float64) * 2 - 1
    one, seven = (model.zero_shot(problems, least_squares=least_squares) for problems in (batch, doubled(batch, -7.0)))
    # Equal only where the sign of the data does not change what is drawn: sizes, not signs, are scaled away.
    four = model.zero_shot(doubled(batch, 4.0), least_squares=least_squares)
    torch.testing.assert_close(four.values(points), 4 * one.values(points), rtol=1e-3, atol=1e-3)
    assert not torch.allclose(seven.weights, one.weights)


def test_the_least_squares_head_meets_more_than_the_written_one(model: HyPINO, batch: ProblemBatch) -> None:
    assert (model.zero_shot(batch).residual < model.zero_shot(batch, least_squares=False).residual).all()


@pytest.mark.parametrize("step", Step)
def test_no_refinement_is_worse_than_the_one_before(model: HyPINO, batch: ProblemBatch, step: Step) -> None:
    stages = model.refine(batch, 3, step)
    assert len(stages) == 4
    for before, after in itertools.pairwise(stages):
        assert (after.residual <= before.residual).all()
    assert stages[-1].residual.sum() < stages[0].residual.sum()


def test_all_functions_together_meet_most(model: HyPINO, batch: ProblemBatch) -> None:
    """On the points that were fitted, which alone decide."""
    last = {step: model.refine(batch, 2, step)[-1].residual.log().mean() for step in Step}
    assert last[Step.ALL] < last[Step.NEW] < last[Step.LENGTH]


def test_the_step_length_is_the_best_one(model: HyPINO, batch: ProblemBatch) -> None:
    batch = in_double(batch)
    with torch.no_grad():
        fit = Fit(model.target, batch, model.write(batch))
        fit.take_own_heads()
        before = fit.head
        fit.add(model.write(fit.remainder()), Step.LENGTH)
        change = fit.head - torch.cat(
            [before[:, :-1], torch.zeros_like(fit.head[:, before.shape[1] :]), before[:, -1:]], 1
        )
        for length in (-0.1, 0.1):
            assert (left_by(fit, fit.head + length * change) >= left_by(fit, fit.head) * (1 - 1e-12)).all()


def in_double(batch: ProblemBatch) -> ProblemBatch:
    return batch.map(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)


def left_by(fit: Fit, head: torch.Tensor) -> torch.Tensor:
    """What a head on all functions leaves of the rows that the least squares saw."""
    off = (fit.rows.matrix @ head.unsqueeze(-1)).squeeze(-1) - fit.rows.right
    return fit.split.seen_of(off).norm(dim=1)


@pytest.mark.parametrize("step", Step)
def test_what_remains_is_the_problem_of_the_error(model: HyPINO, batch: ProblemBatch, step: Step) -> None:
    """L e = f - L u at points and nodes, and the data less those of u, by the jets of u itself."""
    batch = in_double(batch)
    with torch.no_grad():
        fit = Fit(model.target, batch, model.write(batch))
        fit.solve()
        fit.add(model.write(fit.remainder()), step)
        left, u = fit.remainder(), Answer(model.target, fit.weights, fit.trial, fit.found)
    edge, close = batch.boundary, partial(torch.testing.assert_close, rtol=1e-6, atol=1e-6)
    close(left.source, batch.source - applied_to(u, batch, batch.interior))
    close((left.boundary.dirichlet + u.values(edge.points))[edge.on_dirichlet], edge.dirichlet[edge.on_dirichlet])
    slope = (edge.normals.mT * u.jet(edge.points, LAYOUT)[:, 1:3]).sum(1)
    close((left.boundary.neumann + slope)[edge.on_neumann], edge.neumann[edge.on_neumann])
    nodes = grid_nodes(32, torch.float64).flatten(0, 1).expand(len(batch), -1, -1)
    at_nodes = batch.raster[:, 4] - applied_to(u, batch, nodes).unflatten(1, (32, 32))
    close(left.raster[:, 4], torch.where(batch.inside, at_nodes, 0.0))
    torch.testing.assert_close(left.raster[:, :2], batch.raster[:, :2])


def applied_to(u: Answer, batch: ProblemBatch, points: torch.Tensor) -> torch.Tensor:
    return torch.einsum("br,brn->bn", batch.coefficients, u.jet(points, LAYOUT))


def test_functions_in_single_precision_serve_as_well(model: HyPINO, batch: ProblemBatch) -> None:
    double, single = model.zero_shot(batch), model.zero_shot(batch, dtype=torch.float32)
    torch.testing.assert_close(single.residual, double.residual, rtol=1e-3, atol=1e-5)
    assert single.weights.dtype == single.head.dtype == torch.float64


def poisson() -> ps.Problem:
    return ps.Problem(
        equations=ps.Eq(-ps.laplacian(u), 2 * sympy.pi**2 * sympy.sin(sympy.pi * x) * sympy.sin(sympy.pi * y)),
        domain=ps.Rectangle((0, 0), (1, 1)),
        conditions=[ps.Dirichlet(u, 0)],
        exact={u: sympy.sin(sympy.pi * x) * sympy.sin(sympy.pi * y)},
    )


def test_fields_of_many_problems_are_those_of_each(model: HyPINO) -> None:
    problems = [replace(poisson(), equations=ps.Eq(-ps.laplacian(u), k)) for k in (1, 400, 3, 4, 5, 6, 7, 8, 9, 10, 11)]
    assert len(problems) > TOGETHER["cpu"], "expected more than are worked on together"
    fields = model.fields(problems, nodes=9, points=200, edge=100)
    assert fields.values.shape == (11, 9, 9)
    for k in (0, 1, 10):
        lowered = lower(problems[k], model.grid, 200, 100)
        answer = model.zero_shot(lowered.posed)
        there = lowered.amplitude * answer.on_grid(9)
        torch.testing.assert_close(fields.values[k : k + 1], there, rtol=1e-3, atol=1e-3 * float(there.abs().max()))
        torch.testing.assert_close(fields.residual[k : k + 1], answer.residual, rtol=1e-2, atol=1e-5)
    assert model.fields([], nodes=9).values.shape == (0, 9, 9)


def test_fields_of_a_problem_that_is_not_in_the_class_are_refused(model: HyPINO) -> None:
    cubic = replace(poisson(), equations=ps.Eq(-ps.laplacian(u) + u**3, 1), exact={})
    with pytest.raises(ps.UnsupportedError, match="not linear in the unknown"):
        model.fields([poisson()] * 20 + [cubic] + [poisson()] * 20)


def test_solve_begins_with_the_functions_of_a_source(model: HyPINO) -> None:
    problem = poisson()
    solution = ps.solve(problem, 1e-3, source=model)
    made = next(model.bases(problem))
    points = problem.domain.sample_interior(500, seed=3).points
    exact = np.sin(np.pi * points[:, 0]) * np.sin(np.pi * points[:, 1])
    error = np.sqrt(np.mean((solution(points)[:, 0] - exact) ** 2) / np.mean(exact**2))
    assert solution.outcome is ps.Outcome.CONVERGED
    assert solution.estimate is not None
    assert error <= solution.estimate.relative <= 1e-3
    assert solution.history.steps[0].features < made.size + 60  # 32 corner functions, and a few more
    assert "HyPINO" in solution.method


def test_a_problem_near_the_class_begins_with_functions_of_the_nearest_one(model: HyPINO) -> None:
    problem = ps.Problem(
        equations=ps.Eq(-ps.div((1 + x / 4) * ps.grad(u)), 1),
        domain=ps.Rectangle((0, 0), (1, 1)),
        conditions=[ps.Dirichlet(u, 0)],
    )
    assert len(list(model.bases(problem))) == 2
    solution = ps.solve(problem, 1e-2, source=model)
    points = problem.domain.sample_interior(300, seed=3).points
    assert solution.outcome is ps.Outcome.CONVERGED
    better = ps.solve(problem, 1e-4)(points)
    assert np.linalg.norm(solution(points) - better) <= 1e-2 * np.linalg.norm(better)


def test_a_problem_outside_the_class_is_solved_without(model: HyPINO) -> None:
    (z,) = ps.coordinates("z")
    v = ps.unknown("v", z)
    problem = ps.Problem(ps.Eq(ps.d(v, z, 2), 1), ps.Interval(0, 1), [ps.Dirichlet(v, 0)])
    assert list(model.bases(problem)) == []
    assert model.guess(problem) is None
    assert ps.solve(problem, 1e-3, source=model).outcome is ps.Outcome.CONVERGED


def test_a_nonlinear_problem_starts_from_the_answer_to_the_nearest_linear_one(model: HyPINO) -> None:
    problem = ps.Problem(
        equations=ps.Eq(-ps.laplacian(u) + u**3, 1),
        domain=ps.Rectangle((0, 0), (1, 1)),
        conditions=[ps.Dirichlet(u, 0)],
    )
    guess = model.guess(problem)
    assert guess is not None
    assert guess.components == 1
    assert ps.solve(problem, 1e-3, source=model).outcome is ps.Outcome.CONVERGED


def test_the_field_of_an_answer_solves_the_problem_in_its_own_coordinates(model: HyPINO) -> None:
    problem = poisson()
    lowered = lower(problem, 32, 600, 300)
    answer = model.refine(lowered.posed, 2)[-1]
    field = lowered.field(model.target, answer.weights[0], answer.head[0])
    points = torch.rand(40, 2, dtype=torch.float64)
    there = lowered.amplitude * answer.values(lowered.to_square(points))[0]
    torch.testing.assert_close(field.values(points)[:, 0], there)
    exact = torch.sin(np.pi * points[:, 0]) * torch.sin(np.pi * points[:, 1])
    assert (there - exact).abs().max() < 0.05
