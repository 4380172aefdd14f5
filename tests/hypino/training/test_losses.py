"""Losses: zero for the truth, larger for what is farther from it, without a label the residual alone."""

import dataclasses

import pytest
import torch

from physolve.hypino import Labels, ProblemBatch, SamplerSettings, sample, target_network
from physolve.hypino._head import Features, own_head
from physolve.hypino.training._losses import Losses, LossWeights, losses

TARGET = target_network(width=6, bands=2, depth=2)
COUNT = 5


def doubled(batch: ProblemBatch) -> ProblemBatch:
    return batch.map(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)


def solved_by(weights: torch.Tensor, batch: ProblemBatch) -> ProblemBatch:
    """The problem that these networks with their own heads solve."""
    features, head = Features.of(TARGET, weights, batch), own_head(TARGET, weights)
    jet, trace = features.solution(head), features.trace(head)
    edge = dataclasses.replace(
        batch.boundary,
        dirichlet=trace[:, 0] * batch.boundary.on_dirichlet,
        neumann=(batch.boundary.normals * trace[:, 1:].mT).sum(-1) * batch.boundary.on_neumann,
    )
    source = torch.einsum("br,brn->bn", batch.coefficients, jet)
    labels = Labels(jet, torch.ones(len(batch), dtype=torch.bool))
    return dataclasses.replace(batch, source=source, boundary=edge, labels=labels)


@pytest.fixture(scope="module")
def truth() -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(COUNT, 2, TARGET.count, generator=generator, dtype=torch.float64)


@pytest.fixture(scope="module")
def batch(truth: torch.Tensor) -> ProblemBatch:
    settings = SamplerSettings(grid=16, points=80, edge=40)
    return solved_by(truth, doubled(sample(settings, COUNT, torch.Generator().manual_seed(1))))


def judged(weights: torch.Tensor, batch: ProblemBatch, w: LossWeights | None = None) -> Losses:
    return losses(TARGET, weights, batch, w or LossWeights())


def test_the_truth_has_no_error(truth, batch) -> None:
    found = judged(truth, batch)
    # the ridge of 1e-10 moves the least squares by its square root at most; the own head not at all
    assert found.error.max() < 1e-5
    assert found.residual.max() < 1e-5
    assert found.own_error.max() < 1e-7
    assert float(found.total) < 1e-2  # log(1 + e / 0.03) of five errors of at most 1e-5


def test_farther_is_worse(truth, batch) -> None:
    direction = torch.randn(truth.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    totals = [float(judged(truth + size * direction, batch).total) for size in (0.0, 1e-3, 1e-2, 1e-1, 1.0)]
    assert totals == sorted(totals)
    assert totals[-1] > totals[0] + 1


def test_the_error_is_the_relative_one(truth, batch) -> None:
    """With every label doubled, an answer that is right becomes one that is half of it."""
    labels = dataclasses.replace(batch.labels, jet=2 * batch.labels.jet)
    found = judged(truth, dataclasses.replace(batch, labels=labels))
    # the size's floor of 1e-3 of the mean square shows in the fourth digit
    assert found.own_error.tolist() == pytest.approx([0.5] * COUNT, rel=1e-3)


def test_without_a_label_the_residual_alone_counts(truth, batch) -> None:
    some = torch.tensor([True, False, True, False, False])
    weights = (truth + 0.3).requires_grad_()
    one = dataclasses.replace(batch, labels=Labels(batch.labels.jet, some))
    jet = torch.where(some[:, None, None], batch.labels.jet, 7 * batch.labels.jet + 1)
    other = dataclasses.replace(batch, labels=Labels(jet, some))
    first, second = judged(weights, one), judged(weights, other)
    assert float(first.total.detach()) == float(second.total.detach())
    gradients = [torch.autograd.grad(found.total, weights)[0] for found in (first, second)]
    assert torch.equal(*gradients)
    assert gradients[0][~some].abs().sum() > 0
    assert (first.error > 0).tolist() == some.tolist()
    assert torch.equal(first.known, some)


def test_nothing_counts_without_label_and_residual(truth, batch) -> None:
    none = dataclasses.replace(batch, labels=Labels(batch.labels.jet, torch.zeros(COUNT, dtype=torch.bool)))
    assert float(judged(truth + 0.3, none, LossWeights(residual=0.0)).total) == 0


def test_labels_are_needed(truth, batch) -> None:
    with pytest.raises(ValueError, match="no labels"):
        judged(truth, dataclasses.replace(batch, labels=None))
