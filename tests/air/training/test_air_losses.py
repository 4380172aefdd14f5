"""What is trained on, and what is judged by, against numpy and closed forms."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from physolve.air import Windows
from physolve.air.training import LossWeights, Scores, crps, evaluate, loss, masked_mean


def test_what_was_not_measured_does_not_count():
    values = torch.tensor([1.0, torch.nan, 3.0])
    assert masked_mean(values, torch.tensor([True, False, True])) == 2
    assert masked_mean(values, torch.zeros(3, dtype=torch.bool)) == 0


def test_gradients_pass_missing_targets_by(made, series):
    model = made()
    batch = Windows.of(series, model.setup, model.sizes).at([10, 20])
    torch.manual_seed(1)
    gaps = replace(batch, measured=batch.measured & (torch.rand(batch.measured.shape) < 0.5))
    wild = replace(gaps, target=torch.where(gaps.measured, gaps.target, 1e9))
    found = []
    for each in (gaps, wild):
        torch.manual_seed(2)
        found.append(loss(model(each), each, model.setup.scale, model.sizes.every, LossWeights()))
    assert found[0] == found[1]


def test_crps_of_a_standard_gaussian():
    """E|X| - E|X - X'| / 2 at its middle: sqrt(2 / pi) - 1 / sqrt(pi) = 0.2337; 4,000 samples give it to 3 %."""
    samples = torch.randn(4000, 1, generator=torch.Generator().manual_seed(0))
    assert crps(samples, torch.zeros(1)).item() == pytest.approx(
        math.sqrt(2 / math.pi) - 1 / math.sqrt(math.pi), rel=0.03
    )


def test_crps_is_least_for_the_right_spread():
    generator = torch.Generator().manual_seed(0)
    truth = torch.randn(20_000, generator=generator)
    noise = torch.randn(3, 20_000, generator=generator)
    found = [float(crps(width * noise, truth).mean()) for width in (0.5, 1.0, 2.0)]
    assert found[1] == min(found)


def test_scores_against_numpy():
    rng = np.random.default_rng(0)
    said, target, measured = rng.random((50, 3, 4)), rng.random((50, 3, 4)), rng.random((50, 3, 4)) < 0.7
    scores = Scores.of(*(torch.from_numpy(x) for x in (said, target, measured)))
    for k in range(3):
        f, y = said[:, k][measured[:, k]], target[:, k][measured[:, k]]
        assert scores.mae[k] == pytest.approx(np.abs(f - y).mean())
        assert scores.rmse[k] == pytest.approx(np.sqrt(np.square(f - y).mean()))
        assert scores.smape[k] == pytest.approx((2 * np.abs(f - y) / (f + y)).mean())
    assert scores.overall() == pytest.approx(np.sqrt(np.square(said - target)[measured].mean()))


def test_scores_do_not_depend_on_how_windows_are_chunked(made, series, monkeypatch):
    """Every value counts once: no mean of means."""
    windows = Windows.of(series, made().setup, made().sizes)
    whole = evaluate(lambda batch: batch.target * 0.5, windows, windows.instants)
    monkeypatch.setattr("physolve.air.training._scores.CHUNK", 7)
    assert torch.allclose(evaluate(lambda batch: batch.target * 0.5, windows, windows.instants).rmse, whole.rmse)
