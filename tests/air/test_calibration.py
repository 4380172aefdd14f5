"""Calibrated samples: they hold what they say, keep their order, stay from zero, and travel with the weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from physolve.air import AirSizes, Calibration, Windows, forecast, load_weights, save_weights
from physolve.air.training import calibrate, spread_of
from physolve.errors import ProblemFileError, SpecificationError
from physolve.io import read_tensors, write_tensors

AT = "2016-01-04T00:00"
TAILS = torch.tensor([0.1, 0.5, 0.9])


def invented(seed, windows=400, steps=3, n=5, samples=200):
    """Truth with deviations three times as wide as the samples', skewed upward, and twice as wide at the last step."""
    generator = torch.Generator().manual_seed(seed)
    scale = 1 + torch.rand(windows, steps, n, generator=generator)
    noise = torch.randn(windows, steps, n, generator=generator)
    wide = torch.tensor([3.0, 3.0, 6.0])[:, None]
    truth = 100 + wide * scale * torch.where(noise > 0, 2 * noise, noise)
    drawn = 100 + scale * torch.randn(samples, windows, steps, n, generator=generator)
    return drawn, truth, torch.rand(windows, steps, n, generator=generator) > 0.2


def fitted(seed=0):
    drawn, truth, measured = invented(seed)
    return Calibration.fit(drawn.quantile(TAILS, dim=0), truth, measured)


def covered(drawn, truth, measured):
    low, high = drawn.quantile(TAILS[[0, 2]], dim=0)
    inside = (low <= truth) & (truth <= high) & measured
    return inside.sum((0, 2)) / measured.sum((0, 2))


def test_intervals_hold_what_they_say_on_data_that_were_not_fitted():
    """80 % of 1600 values a horizon to 3 standard errors (3 %), where the samples as they are hold less than 45 %."""
    drawn, truth, measured = invented(1)
    assert covered(drawn, truth, measured).max() < 0.45
    assert torch.allclose(covered(fitted()(drawn), truth, measured), torch.tensor(0.8), atol=0.03)


def test_factors_are_those_the_data_were_made_with():
    """Each side by itself, each horizon by itself; to 3 standard errors of a quantile of 1600 values (9 %)."""
    found = fitted()
    assert found.below == pytest.approx((3, 3, 6), rel=0.12)
    assert found.above == pytest.approx((6, 6, 12), rel=0.12)


def test_values_that_were_not_measured_count_nowhere():
    drawn, truth, measured = invented(0)
    wild = torch.where(measured, truth, 1e6)
    quantiles = drawn.quantile(TAILS, dim=0)
    assert Calibration.fit(quantiles, wild, measured) == Calibration.fit(quantiles, truth, measured)


def test_the_correction_for_few_values():
    """Of nine values the quantile 0.9 of the tenth is the largest: ceil(10 * 0.9) = 9."""
    quantiles = torch.tensor([-1.0, 0.0, 1.0])[:, None, None, None].expand(3, 9, 1, 1)
    truth = torch.arange(1.0, 10.0)[:, None, None]
    assert Calibration.fit(quantiles, truth, truth > 0).above == (9.0,)
    assert Calibration.fit(quantiles, truth, truth > 0).below == (0.0,)  # nothing lies below: not less than the median
    with pytest.raises(SpecificationError, match="got 8 measured values at a horizon, expected at least 9"):
        Calibration.fit(quantiles, truth, truth > 1)


def test_quantiles_do_not_cross_nor_fall_below_zero():
    drawn = torch.rand(51, 4, 3, 6, generator=torch.Generator().manual_seed(0)) ** 3
    moved = fitted()(drawn)
    levels = moved.quantile(torch.linspace(0, 1, 21), dim=0)
    assert (levels.diff(dim=0) >= 0).all()
    assert moved.min() == 0
    assert (moved.gather(0, drawn.argsort(dim=0)).diff(dim=0) >= 0).all()  # every sample keeps its place
    assert torch.allclose(levels[10], drawn.quantile(0.5, dim=0))


def test_factors_that_make_no_calibration():
    for below, above in (((1.0,), (1.0, 2.0)), ((-1.0,), (1.0,)), ((float("nan"),), (1.0,))):
        with pytest.raises(SpecificationError, match="expected as many of both, none negative"):
            Calibration(below, above)


@pytest.fixture
def model(made):
    model = made().eval()
    model.calibration = Calibration((1.0, 2.0, 3.0, 4.0), (2.0, 2.0, 2.0, 2.0))
    return model


def test_a_forecast_is_calibrated_and_says_so(made, model, series):
    plain, wide = (forecast(m, series, AT, samples=41, seed=1) for m in (made(), model))
    assert (plain.calibrated, wide.calibrated) == (False, True)
    assert np.array_equal(plain.mean, wide.mean)
    middle = plain.quantile(0.5)
    above = (wide.quantile(1) - middle) / (plain.quantile(1) - middle)
    assert np.allclose(above, 2, rtol=1e-3)
    assert np.allclose(wide.quantile(0.5), middle)


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
    model.calibration = Calibration((1.0,), (1.0,))
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
    assert AirSizes().horizon != model.sizes.horizon  # the factors are the model's, not the default's
    assert len(found.below) == model.sizes.horizon
