"""`physolve air train` in process."""

import json

import numpy as np
import pytest

from physolve.air import load_weights
from physolve.air.data import AirSeries, Stations, write_series

PROBLEM = """
coordinates = ["x", "y", "t"]
unknowns = ["c"]
domain = "stations([[0, 0], [1, 0], [0, 1]]) * time(0, 43200)"
equations = ["dt(c) = 500*laplacian(c) + source(x, y, t)"]
data = { source = { at = "stations" } }
"""

CONFIG = """
[data]
series = "series.h5"
problem = "problem.toml"
parts = [2, 1, 1]

[model]
history = 4
horizon = 4
hidden = 4

[training]
steps = 2
epoch = 1
batch = 2
"""


@pytest.fixture
def config(tmp_path):
    rng = np.random.default_rng(0)
    places = Stations(("a", "b", "c", "d"), np.array([40, 40.1, 40.2, 40.05]), np.array([116, 116.2, 116.0, 116.1]))
    times = np.datetime64("2016-01-01T00:00:00", "s") + np.arange(40) * np.timedelta64(3, "h")
    values, weather = rng.gamma(2, 40, (40, 4, 1)), rng.normal(0, 2, (40, 4, 5))
    arrays = (each.astype(np.float32) for each in (values, weather))
    write_series(tmp_path / "series.h5", AirSeries(places, times, 3.0, ("PM2.5",), *arrays))
    (tmp_path / "problem.toml").write_text(PROBLEM)
    (tmp_path / "config.toml").write_text(CONFIG)
    return "config.toml"


def test_training_says_what_came_out(run, config, tmp_path):
    ran = run("air", "train", config, "--out", "here")
    assert ran.code == 0
    assert "training for 2 steps" in ran.err
    assert "micrograms per cubic metre in validation" in ran.out
    assert load_weights(tmp_path / "here" / "weights.safetensors").sizes.hidden == 4


def test_training_as_json(run, config):
    told = json.loads(run("air", "train", config, "--steps", "1", "--json").out)
    assert told["steps"] == 1
    assert told["validation"]["rmse"] == told["validation"]["best"]


def test_a_missing_series_is_one_line(run, config, tmp_path):
    (tmp_path / "series.h5").unlink()
    ran = run("air", "train", config)
    assert ran.code != 0
    assert len(ran.err.strip().splitlines()) == 1
    assert "series.h5" in ran.err
