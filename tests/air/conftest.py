"""A small network of stations, its series and models of it."""

import numpy as np
import pytest
import torch
from air_problems import FULL, problem_of

from physolve.air import AirModel, AirSetup, AirSizes
from physolve.air.data import AirSeries, Stations, write_series
from physolve.spec import write_problem

SIZES = AirSizes(history=6, horizon=4, hidden=8, latent=2, samples=2)


@pytest.fixture(scope="session")
def series():
    """Seven stations around Beijing, 60 steps of 3 hours, one value in twenty missing."""
    rng = np.random.default_rng(0)
    places = Stations(tuple("abcdefg"), 39.8 + 0.5 * rng.random(7), 116.2 + 0.5 * rng.random(7))
    times = np.datetime64("2016-01-01T00:00:00", "s") + np.arange(60) * np.timedelta64(3, "h")
    values = rng.gamma(2.0, 40.0, (60, 7, 1)).astype(np.float32)
    values[rng.random(values.shape) < 0.05] = np.nan
    return AirSeries(places, times, 3.0, ("PM2.5",), values, rng.normal(0, 2, (60, 7, 5)).astype(np.float32))


@pytest.fixture(scope="session")
def made(series):
    """A function from an equation and changed sizes to a model of the series."""

    def make(equation: str = FULL, sizes: AirSizes = SIZES, **given) -> AirModel:
        torch.manual_seed(0)
        return AirModel(AirSetup.of(problem_of(equation), series), sizes, **given)

    return make


@pytest.fixture
def prepared_files(series, tmp_path):
    """A folder with the series and a problem of its stations, as files that training is given."""
    write_series(tmp_path / "series.h5", series)
    write_problem(problem_of(FULL), tmp_path / "problem.toml")
    return tmp_path
