"""The derivative of the least-squares head's solution, against autograd through the formula and finite differences."""

import dataclasses

import pytest
import torch
from torch import Tensor

from physolve.hypino import ProblemBatch, target_network
from physolve.hypino._head import RIDGE, Features, least_squares_head, own_head, rows_of
from physolve.hypino._projection import Projected, project
from physolve.hypino._scaling import scaled
from physolve.jets import Architecture

TARGET = target_network(width=6, bands=2, depth=3)
TINY = target_network(width=3, bands=1, depth=2)


def random_weights(target: Architecture, batch: ProblemBatch, networks: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(len(batch), networks, target.count, generator=generator, dtype=torch.float64) / 2
    return weights.requires_grad_()


def plain(target: Architecture, weights: Tensor, batch: ProblemBatch) -> tuple[Tensor, ...]:
    """The same by plain operations: (A^T A + ridge L^2) a = A^T b, factors of the rows and lengths as constants."""
    features, edge = Features.of(target, weights, batch), batch.boundary
    with torch.no_grad():
        rows = rows_of(features, batch)
        lengths = least_squares_head(rows.matrix, rows.right).lengths
    ones = torch.ones(len(batch), 1, 1, dtype=weights.dtype)
    equation = torch.einsum("br,bkrnw->bnkw", batch.coefficients, features.interior).flatten(2)
    value = features.boundary[:, :, 0].permute(0, 2, 1, 3).flatten(2)
    slope = torch.einsum("bei,bkiew->bekw", edge.normals, features.boundary[:, :, 1:]).flatten(2)
    blocks = [
        (equation, batch.coefficients[:, :1, None], rows.scale.equation),
        (value, ones, rows.scale.dirichlet),
        (slope, 0 * ones, rows.scale.neumann),
    ]
    A = torch.cat([torch.cat([m, c.expand(-1, m.shape[1], 1)], -1) * s[..., None] for m, c, s in blocks], 1)
    N = A.mT @ A + torch.diag_embed(RIDGE * lengths**2)
    a = torch.linalg.solve(N, A.mT @ rows.right[..., None])[..., 0]
    own = own_head(target, weights)
    return features.solution(a), features.trace(a), features.solution(own), features.trace(own)


def functional(solution: Tensor, trace: Tensor, own_solution: Tensor, own_trace: Tensor) -> Tensor:
    """A number that depends on everything."""
    parts = (solution.square().mean(), trace.sin().sum(), (0.3 * own_solution).sin().mean(), own_trace.cos().mean())
    return torch.stack(parts).sum()


def test_values_and_gradient_are_those_of_the_formula(problems) -> None:
    batch = scaled(problems(3, points=200, edge=100)).batch
    weights = random_weights(TARGET, batch)
    found, expected = project(TARGET, weights, batch)[:4], plain(TARGET, weights, batch)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-11 * float(other.detach().abs().max()))
    gradient, reference = (torch.autograd.grad(functional(*each), weights)[0] for each in (found, expected))
    # rounding 1e-16, times some hundreds for the condition of the normal equations: 5e-14 was seen
    assert float((gradient - reference).norm() / reference.norm()) < 1e-12


@pytest.mark.parametrize("kind", ["equation", "dirichlet", "neumann"])
def test_gradient_against_finite_differences(problems, kind: str) -> None:
    """With rows of one kind only, their common factor, which counts as a constant, does not matter."""
    batch = only(kind, scaled(problems(2, points=12, edge=12)).batch)
    weights = random_weights(TINY, batch, networks=1)
    assert torch.autograd.gradcheck(lambda w: functional(*project(TINY, w, batch)[:4]), weights, rtol=1e-4, atol=1e-6)


def only(kind: str, batch: ProblemBatch) -> ProblemBatch:
    """Rows of one kind: equations alone, or conditions alone with the operator zero."""
    edge, off = batch.boundary, torch.zeros_like(batch.boundary.on_dirichlet)
    data = torch.sin(3 * edge.points[..., 0]) + edge.points[..., 1]
    masks = {"equation": (off, off), "dirichlet": (~off, off), "neumann": (off, ~off)}[kind]
    boundary = dataclasses.replace(
        edge, on_dirichlet=masks[0], on_neumann=masks[1], dirichlet=data * masks[0], neumann=data * masks[1]
    )
    if kind == "equation":
        source = torch.sin(2 * batch.interior[..., 0]) - batch.interior[..., 1]
        return dataclasses.replace(batch, boundary=boundary, source=source)
    nothing = dataclasses.replace(batch, coefficients=0 * batch.coefficients, source=0 * batch.source)
    return dataclasses.replace(nothing, boundary=boundary)


def test_scales_carry_no_gradient_and_float32_stays(problems) -> None:
    batch = problems(2).map(lambda tensor: tensor.float() if tensor.is_floating_point() else tensor)
    found: Projected = project(TARGET, random_weights(TARGET, batch).float(), batch)
    assert found.solution.dtype == found.own_trace.dtype == torch.float32
    assert found.solution.requires_grad
    assert not any(scale.requires_grad for scale in (found.scale.equation, found.scale.dirichlet, found.scale.neumann))
