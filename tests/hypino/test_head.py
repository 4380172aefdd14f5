"""The least-squares head: normal equations, weights of the rows, functions it must find."""

import dataclasses

import pytest
import torch

from physolve.hypino import ProblemBatch, target_network
from physolve.hypino._batch import LAYOUT
from physolve.hypino._head import (
    CONDITION_WEIGHT,
    RIDGE,
    SLOPES,
    TYPICAL,
    Features,
    applied,
    least_squares_head,
    own_head,
    right_side,
    rows_of,
)
from physolve.jets import network_jet

TARGET = target_network(width=6, bands=3, depth=2)
NETWORKS = 2


@pytest.fixture
def batch(problems) -> ProblemBatch:
    return problems()


@pytest.fixture
def weights(batch: ProblemBatch) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(len(batch), NETWORKS, TARGET.count, generator=generator, dtype=torch.float64) / 2


def test_the_normal_equations_hold(batch, weights) -> None:
    rows = rows_of(Features.of(TARGET, weights, batch), batch)
    head = least_squares_head(rows.matrix, rows.right)
    left = rows.right - torch.einsum("brc,bc->br", rows.matrix, head.coefficients)
    slope = torch.einsum("brc,br->bc", rows.matrix, left) - RIDGE * head.lengths.square() * head.coefficients
    size = head.lengths * rows.right.norm(dim=1, keepdim=True)
    # Cholesky is backward stable: rounding 1e-16, times the coefficients' size over the right side's
    assert (slope / size).abs().max() < 1e-9
    assert (left.norm(dim=1) < rows.right.norm(dim=1)).all()


def test_no_other_head_is_better(batch, weights) -> None:
    rows = rows_of(Features.of(TARGET, weights, batch), batch)
    head = least_squares_head(rows.matrix, rows.right)
    best = (torch.einsum("brc,bc->br", rows.matrix, head.coefficients) - rows.right).square().sum(1)
    for step in (1e-2, -1e-2):
        for column in range(rows.matrix.shape[-1]):
            other = head.coefficients.clone()
            other[:, column] += step / head.lengths[:, column].clamp_min(1e-12)
            off = (torch.einsum("brc,bc->br", rows.matrix, other) - rows.right).square().sum(1)
            assert (off > best).all()


def test_rows_of_a_kind_have_their_weight(batch, weights) -> None:
    """The columns' lengths within a kind of rows have the weight as their typical value."""
    rows = rows_of(Features.of(TARGET, weights, batch), batch)
    points, edge = batch.interior.shape[1], batch.boundary.points.shape[1]
    blocks = rows.matrix.split([points, edge, edge], 1)
    used = [torch.ones(len(batch)).bool(), batch.boundary.on_dirichlet.any(1), batch.boundary.on_neumann.any(1)]
    assert all(each.any() for each in used)
    for block, some, weight in zip(blocks, used, (1.0, CONDITION_WEIGHT, CONDITION_WEIGHT), strict=True):
        typical = block.norm(dim=1).quantile(TYPICAL, dim=1)
        assert typical[some].tolist() == pytest.approx([weight] * int(some.sum()), rel=1e-6)


def test_unused_rows_are_zero(batch, weights) -> None:
    rows = rows_of(Features.of(TARGET, weights, batch), batch)
    points, edge = batch.interior.shape[1], batch.boundary.points.shape[1]
    _, dirichlet, neumann = rows.matrix.split([points, edge, edge], 1)
    for block, on in ((dirichlet, batch.boundary.on_dirichlet), (neumann, batch.boundary.on_neumann)):
        assert not on.all()
        assert not block[~on].any()
        assert block[on].any(-1).all()


def test_the_units_of_the_equation_do_not_matter(batch, weights) -> None:
    """Equation times 1000: the same head, since rows count by the size of their own entries."""
    other = dataclasses.replace(batch, coefficients=1000 * batch.coefficients, source=1000 * batch.source)
    rows = [rows_of(Features.of(TARGET, weights, b), b) for b in (batch, other)]
    heads = [least_squares_head(each.matrix, each.right) for each in rows]
    one, two = (Features.of(TARGET, weights, batch).solution(head.coefficients) for head in heads)
    assert torch.allclose(one, two, rtol=1e-6, atol=1e-6 * float(one.abs().max()))


def test_rows_applied_to_a_head_are_rows_applied_to_its_function(batch, weights) -> None:
    features = Features.of(TARGET, weights, batch)
    rows = rows_of(features, batch)
    head = torch.randn(rows.matrix[:, 0].shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    direct = applied(batch, rows.scale, features.solution(head), features.trace(head))
    assert torch.allclose(torch.einsum("brc,bc->br", rows.matrix, head), direct, rtol=1e-10, atol=1e-10)
    assert torch.equal(rows.right, right_side(batch, rows.scale))


def test_a_function_in_the_span_is_found(batch, weights) -> None:
    features = Features.of(TARGET, weights, batch)
    head = own_head(TARGET, weights)
    jet, trace, edge = features.solution(head), features.trace(head), batch.boundary
    slope = (edge.normals * trace[:, 1:].mT).sum(-1)
    posed = dataclasses.replace(
        batch,
        source=torch.einsum("br,brn->bn", batch.coefficients, jet),
        boundary=dataclasses.replace(edge, dirichlet=trace[:, 0] * edge.on_dirichlet, neumann=slope * edge.on_neumann),
    )
    rows = rows_of(features, posed)
    found = features.solution(least_squares_head(rows.matrix, rows.right).coefficients)
    error = (found - jet)[:, 0].norm(dim=1) / jet[:, 0].norm(dim=1)
    assert error.max() < 1e-5  # the square root of the ridge


def test_the_own_head_is_the_mean_of_the_networks(batch, weights) -> None:
    features, head = Features.of(TARGET, weights, batch), own_head(TARGET, weights)
    inside = network_jet(TARGET, weights, batch.interior.unsqueeze(1), LAYOUT)[..., 0].mean(1)
    outside = network_jet(TARGET, weights, batch.boundary.points.unsqueeze(1), SLOPES)[..., 0].mean(1)
    assert torch.allclose(features.solution(head), inside, rtol=1e-10, atol=1e-10)
    assert torch.allclose(features.trace(head), outside, rtol=1e-10, atol=1e-10)


def test_more_networks_beside(batch, weights) -> None:
    whole = Features.of(TARGET, weights, batch)
    parts = Features.of(TARGET, weights[:, :1], batch).beside(Features.of(TARGET, weights[:, 1:], batch))
    assert torch.equal(whole.interior, parts.interior)
    assert torch.equal(whole.boundary, parts.boundary)
