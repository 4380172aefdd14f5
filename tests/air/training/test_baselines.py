"""Baselines on series where the best forecast is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from air_problems import problem_of

from physolve.air import AirSetup, Windows
from physolve.air.training import climatology, evaluate, persistence, ridge, sparse_history, sudden_changes, unlearned


@pytest.fixture
def windows_of(series, made):
    """A function from values (T,) or (T, n) to windows of the series with them."""

    def make(values):
        every = np.broadcast_to(np.asarray(values, dtype=np.float32).reshape(60, -1, 1), series.values.shape)
        changed = replace(series, values=np.ascontiguousarray(every))
        return Windows.of(changed, AirSetup.of(problem_of("dt(c) = D*laplacian(c)"), changed), made().sizes)

    return make


def error(forecaster, windows):
    return float(evaluate(forecaster, windows, windows.instants).mae.max())


def test_persistence_is_right_where_nothing_changes(windows_of, series):
    windows = windows_of(np.arange(7)[None].repeat(60, 0) + 5)
    scale = float(windows.target[0, 3] / windows.concentration[0, 3])
    assert error(persistence(scale), windows) < 1e-5


@pytest.mark.parametrize("median", [True, False])
def test_climatology_knows_the_hour(windows_of, median):
    """A pure daily cycle at 3-hour steps, to the rounding of the hour from its features."""
    windows = windows_of(50 + 20 * np.cos(2 * np.pi * np.arange(60) / 8))
    assert error(climatology(windows, median=median), windows) < 1e-4


def test_the_median_forgets_outliers(windows_of):
    values = np.full(60, 10.0)
    values[::9] = 500
    windows = windows_of(values)
    middle, mean = (climatology(windows, median=median)(windows.at([20])) for median in (True, False))
    assert torch.equal(middle, torch.full_like(middle, 10.0))
    assert mean.max() > 20


@pytest.mark.parametrize("roots", [False, True])
def test_ridge_continues_what_is_linear_in_the_history(windows_of, roots):
    """A slow wave is linear in two of its past values; the least penalty leaves a few per cent of its amplitude."""
    windows = windows_of(60 + 30 * np.sin(2 * np.pi * np.arange(60) / 17))
    scale = float(windows.target[0, 0] / windows.concentration[0, 0])
    assert error(ridge(windows, windows, scale, roots=roots), windows) < 12 < error(persistence(scale), windows)


def test_unlearned_physics_spreads_a_peak(series, made):
    model = made("dt(c) = D*laplacian(c)")
    windows = Windows.of(series, model.setup, model.sizes)
    batch = windows.at([20])
    said, now = unlearned(model)(batch)[0], model.setup.scale * batch.now[0]
    area = model.physics.graph.area
    assert torch.allclose((said * area).sum(1), (now * area).sum().expand(4), rtol=1e-5)
    assert said.std(1)[-1] < now.std()


def test_sudden_changes_are_where_they_were_made(windows_of):
    values = np.full(60, 40.0)
    values[30:] = 120.0
    windows = windows_of(values)
    found = sudden_changes(windows, windows.instants)
    assert found == [26, 27, 28, 29]  # the step is within the horizon of four


def test_a_sparse_history_carries_the_last_value_on(windows_of, series):
    windows = windows_of(np.arange(60.0) + 1)
    sparse = sparse_history(windows, keep=0.3)
    same = sparse.concentration == windows.concentration
    assert torch.equal(sparse.target, windows.target)
    assert (sparse.concentration <= windows.concentration).all()
    assert 0.2 < same.float().mean() < 0.45
    assert torch.equal(sparse.inputs[..., 2] > 0, same)


def test_whatever_a_sparse_history_carries_counts_as_measured_when_it_was(windows_of):
    """Every value is a step of its own, so that what stands at a step tells where it comes from."""
    windows = windows_of(np.arange(60.0) + 1)
    sparse = sparse_history(windows, keep=0.05)
    origin = torch.searchsorted(windows.concentration[:, 0].contiguous(), sparse.concentration.contiguous())
    assert (torch.take_along_dim(sparse.inputs[..., 2], origin, 0) > 0).all()


def test_an_hour_that_is_kept_without_a_measurement_tells_nothing(windows_of):
    """What stands in it is not what it was filled with, which comes from an hour that is not kept, or the mean."""
    values = np.arange(60.0) + 1
    values[10:20] = np.nan
    windows = windows_of(values)
    sparse = sparse_history(windows, keep=0.5)
    measured = sparse.inputs[..., 2] > 0
    assert not measured[10:20].any()
    assert not torch.equal(sparse.concentration[9], windows.concentration[9])  # not kept everywhere
    assert torch.equal(sparse.concentration[9:20], sparse.concentration[9:10].expand(11, -1))
    assert torch.equal(sparse.inputs[9:20, :, :2], sparse.inputs[9:10, :, :2].expand(11, -1, -1))


def test_weather_that_was_not_measured_is_carried_from_a_kept_hour_too(series, made):
    weather = np.broadcast_to((np.arange(60.0) + 1)[:, None, None], series.weather.shape).astype(np.float32)
    weather[10:20, :, 3:] = np.nan
    setup = made().setup
    windows = Windows.of(replace(series, weather=weather), setup, made().sizes)
    sparse = sparse_history(windows, keep=0.5)
    assert torch.equal(sparse.wind[9:20], sparse.wind[9:10].expand(11, -1, -1))
    assert not torch.equal(sparse.wind[9], windows.wind[9])
    pressure = sparse.inputs[..., 4]
    assert not torch.equal(pressure[9:20], pressure[9:10].expand(11, -1))
