"""Forecasts and weights on disk."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from air_problems import WIND

from physolve.air import AirSizes, Windows, forecast, load_weights, save_weights
from physolve.errors import ProblemFileError, SpecificationError
from physolve.io import write_tensors

AT = "2016-01-04T00:00"


@pytest.fixture
def gappy(series):
    """The series with holes, up to a share of the last day."""

    def make(share):
        values = series.values.copy()
        values[19:25][np.random.default_rng(0).random((6, 7, 1)) < share] = np.nan
        return replace(series, values=values)

    return make


def test_a_forecast_has_everything(made, series):
    said = forecast(made(), series, AT, samples=16, seed=3)
    edges = made().physics.graph.pairs
    assert (said.mean.shape, said.samples.shape, said.wind.shape) == ((4, 7), (16, 4, 7), (4, 7, 2))
    assert (said.edges.shape, said.fluxes.shape) == ((2, edges), (4, edges))
    assert str(said.issued) == "2016-01-04T00:00:00"
    assert str(said.times[0]) == "2016-01-04T03:00:00"
    assert said.samples.min() >= 0
    assert (said.quantile(0.1) <= said.quantile(0.9)).all()


def test_the_seed_decides(made, series):
    one, same, other = (forecast(made(), series, AT, samples=4, seed=seed).samples for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_last_instant_of_a_series_can_be_forecast_from(made, series):
    said = forecast(made(), series, series.times[-1], samples=2)
    assert said.times[-1] - series.times[-1] == np.timedelta64(12, "h")
    assert np.isfinite(said.mean).all()


def test_it_is_that_of_the_window(made, series):
    model = made().eval()
    batch = Windows.of(series, model.setup, model.sizes).at([24])
    said = forecast(model, series, AT, samples=400)
    spread = said.samples.std(0)
    with torch.no_grad():
        expected = model(batch, 0).mean[0].clamp_min(0).numpy()
    assert (np.abs(said.mean - expected) < 0.3 * spread + 0.03 * expected).all()  # 400 samples: 6 standard errors


def test_mass_flows_from_where_there_is_more(made, series):
    """By diffusion alone."""
    model = made("dt(c) = D*laplacian(c)", AirSizes(history=6, horizon=4, hidden=8, samples=1))
    said = forecast(model, series, AT, samples=8)
    first, second = said.edges
    assert (np.sign(said.fluxes) == np.sign(said.mean[:, first] - said.mean[:, second])).all()


def test_gaps_are_tolerated_up_to_the_limit(made, gappy):
    assert np.isfinite(forecast(made(), gappy(0.3), AT, samples=2).mean).all()
    with pytest.raises(SpecificationError, match=r"are missing .*expected at most 50%"):
        forecast(made(), gappy(0.8), AT, samples=2)


def test_a_known_wind_must_be_known(made, series):
    sizes = AirSizes(history=6, horizon=4, hidden=8, every=1, known_wind=True)
    model = made(f"dt(c) + div(c*{WIND}) = D*laplacian(c)", sizes)
    assert np.allclose(forecast(model, series, AT, samples=1).wind, series.wind[25:29], atol=1e-5)
    with pytest.raises(SpecificationError, match="this model is given the wind; got 0 further steps"):
        forecast(model, series, series.times[-1])


@pytest.mark.parametrize(
    ("at", "message"),
    [("2016-01-04T01:00", "no step begins then; the series has"), ("2016-01-01T03:00", "expected .* or later")],
)
def test_instants_that_cannot_be(made, series, at, message):
    with pytest.raises(SpecificationError, match=message):
        forecast(made(), series, at)


def test_another_series_is_refused(made, series):
    with pytest.raises(SpecificationError, match="pollutants: got"):
        forecast(made(), replace(series, pollutants=("O3",)), AT)


def test_weights_round_trip(made, series, tmp_path):
    model = made().eval()
    save_weights(tmp_path / "w.safetensors", model)
    again = load_weights(tmp_path / "w.safetensors")
    assert again.setup.problem == model.setup.problem
    assert again.sizes == model.sizes
    ours, theirs = (forecast(m, series, AT, samples=3) for m in (model, again))
    assert np.array_equal(ours.samples, theirs.samples)


def test_other_files_are_no_weights(made, tmp_path):
    write_tensors(tmp_path / "a.safetensors", {}, {"kind": "something else"})
    with pytest.raises(ProblemFileError, match="expected 'physolve air model'"):
        load_weights(tmp_path / "a.safetensors")
    write_tensors(tmp_path / "b.safetensors", {}, {"kind": "physolve air model", "sizes": {}})
    with pytest.raises(ProblemFileError, match="not that of an air model"):
        load_weights(tmp_path / "b.safetensors")
