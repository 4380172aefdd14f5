"""Calibrated samples: they hold what they say, keep their order, stay from zero, and travel with the weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from physolve.air import Calibration, Windows, forecast, load_weights, save_weights
from physolve.air._calibration import LEVELS
from physolve.air.training import calibrate, spread_of
from physolve.errors import ProblemFileError, SpecificationError
from physolve.io import read_tensors, write_tensors

AT = "2016-01-04T00:00"
TAILS = torch.tensor([0.1, 0.9])


def invented(seed, windows=400, steps=3, n=5, samples=41):
    """Truth scattered around medians of 5 to 100, by factors that are skewed upward and twice as wide at the last step;
    samples scattered a tenth as widely."""
    generator = torch.Generator().manual_seed(seed)
    median = 5 + 95 * torch.rand(windows, steps, n, generator=generator)
    noise = torch.randn(windows, steps, n, generator=generator)
    wide = torch.tensor([0.3, 0.3, 0.6])[:, None]
    truth = (1 + median) * (wide * torch.where(noise > 0, 2 * noise, noise)).exp() - 1
    drawn = median * (1 + 0.03 * torch.randn(samples, windows, steps, n, generator=generator))
    return drawn, truth.clamp_min(0), torch.rand(windows, steps, n, generator=generator) > 0.2


def fitted(seed=0):
    drawn, truth, measured = invented(seed)
    return Calibration.fit(drawn.quantile(0.5, dim=0), truth, measured)


def covered(drawn, truth, measured):
    low, high = drawn.quantile(TAILS, dim=0)
    inside = (low <= truth) & (truth <= high) & measured
    return inside.sum((0, 2)) / measured.sum((0, 2))


def test_intervals_hold_what_they_say_on_data_that_were_not_fitted():
    """80 % of 1600 values a horizon to 3 standard errors of both (4 %), where the samples as they are hold a tenth."""
    drawn, truth, measured = invented(1)
    assert covered(drawn, truth, measured).max() < 0.15
    assert torch.allclose(covered(fitted()(drawn), truth, measured), torch.tensor(0.8), atol=0.04)


def test_residuals_are_those_the_data_were_made_with():
    """Of a normal distribution with another width above; to 3 standard errors of a quantile of 1600 values (13 %)."""
    found = np.array(fitted().residuals)[:, [LEVELS.index(0.1), LEVELS.index(0.9)]]
    normal = 1.2816
    assert found == pytest.approx(normal * np.array([[-0.3, 0.6], [-0.3, 0.6], [-0.6, 1.2]]), rel=0.13)


def test_values_that_were_not_measured_count_nowhere():
    drawn, truth, measured = invented(0)
    wild, median = torch.where(measured, truth, 1e6), drawn.quantile(0.5, dim=0)
    assert Calibration.fit(median, wild, measured) == Calibration.fit(median, truth, measured)


def test_the_correction_for_few_values():
    """The smallest and the largest of nine are the quantiles 0.1 and 0.9 of ten."""
    truth = torch.arange(1.0, 10.0)[:, None, None]
    found = dict(zip(LEVELS, Calibration.fit(torch.zeros_like(truth), truth, truth > 0).residuals[0], strict=True))
    assert (found[0.1], found[0.5], found[0.9]) == pytest.approx(tuple(np.log1p([1, 5, 9])), abs=1e-5)
    with pytest.raises(SpecificationError, match="got 8 measured values at a horizon, expected at least 9"):
        Calibration.fit(torch.zeros_like(truth), truth, truth > 1)


def test_quantiles_do_not_cross_nor_fall_below_zero():
    drawn = torch.rand(50, 4, 3, 6, generator=torch.Generator().manual_seed(0)) ** 3
    moved = fitted()(drawn)
    assert (moved.quantile(torch.linspace(0, 1, 21), dim=0).diff(dim=0) >= 0).all()
    assert moved.min() == 0
    assert (moved.gather(0, drawn.argsort(dim=0)).diff(dim=0) >= 0).all()  # every sample keeps its place


@pytest.mark.parametrize("count", [11, 64])
def test_quantiles_of_samples_are_the_calibrated_ones(count):
    """(1 + median) exp(r) - 1 however many samples there are, but for what is linear between two of them."""
    drawn = 50 + torch.rand(count, 2, 3, 4, generator=torch.Generator().manual_seed(1))
    residuals = torch.tensor(fitted().residuals)[:, LEVELS.index(0.8)][:, None]
    expected = (1 + drawn.quantile(0.5, dim=0)) * residuals.exp() - 1
    assert torch.allclose(fitted()(drawn).quantile(0.8, dim=0), expected, rtol=1e-2)


def test_a_single_sample_becomes_the_median():
    drawn = torch.full((1, 1, 3, 2), 20.0)
    middle = torch.tensor(fitted().residuals)[:, LEVELS.index(0.5)]
    assert torch.allclose(fitted()(drawn)[0, 0, :, 0], 21 * middle.exp() - 1)


@pytest.mark.parametrize("row", [(1.0,), tuple(range(len(LEVELS)))[::-1], (float("nan"),) * len(LEVELS)])
def test_residuals_that_make_no_calibration(row):
    with pytest.raises(SpecificationError, match="expected 15 finite numbers"):
        Calibration((row,))


ROW = tuple(np.linspace(-1, 1, len(LEVELS)))


@pytest.fixture
def model(made):
    model = made().eval()
    model.calibration = Calibration((ROW,) * 4)
    return model


def test_a_forecast_is_calibrated_and_says_so(made, model, series):
    plain, moved = (forecast(m, series, AT, samples=41, seed=1) for m in (made(), model))
    assert (plain.calibrated, moved.calibrated) == (False, True)
    assert np.array_equal(plain.mean, moved.mean)
    assert np.allclose(moved.quantile(0.5), plain.quantile(0.5), rtol=1e-5)
    assert np.allclose(np.log1p(moved.quantile(1)) - np.log1p(plain.quantile(0.5)), 1, atol=1e-4)


def test_it_travels_with_the_weights(made, model, tmp_path):
    for name, each in (("with", model), ("without", made())):
        save_weights(tmp_path / f"{name}.safetensors", each)
    assert load_weights(tmp_path / "with.safetensors").calibration == model.calibration
    assert load_weights(tmp_path / "without.safetensors").calibration is None


def test_weights_from_before_there_was_any_still_load(model, tmp_path):
    save_weights(tmp_path / "new.safetensors", model)
    tensors, header = read_tensors(tmp_path / "new.safetensors")
    header.pop("calibration")
    write_tensors(tmp_path / "old.safetensors", tensors, header)
    assert load_weights(tmp_path / "old.safetensors").calibration is None


def test_one_of_another_horizon_is_refused(model, tmp_path):
    model.calibration = Calibration((ROW,))
    save_weights(tmp_path / "w.safetensors", model)
    with pytest.raises(ProblemFileError, match="calibration of 1 steps, expected 4"):
        load_weights(tmp_path / "w.safetensors")


def test_a_model_is_calibrated_on_a_part(made, series):
    """On the part itself, coverage is what was asked for; a part in which nothing was measured gives none."""
    model = made().eval()
    windows = Windows.of(series, model.setup, model.sizes)
    instants = list(windows.instants)
    found = calibrate(model, windows)
    before, after = (spread_of(model, windows, instants, c) for c in (None, found))
    assert (after.coverage() - 0.8).abs().max() < 0.05 < (before.coverage() - 0.8).abs().min()
    assert (after.interval_score() < before.interval_score()).all()
    empty = replace(windows, measured=torch.zeros_like(windows.measured))
    assert calibrate(model, empty) is None
