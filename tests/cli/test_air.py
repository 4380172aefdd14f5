"""`physolve air` in process."""

import csv
import json

import numpy as np
import pytest
import torch

from physolve.air import AirModel, AirSetup, AirSizes, Calibration, Forecast, load_weights, save_weights
from physolve.air.data import AirSeries, Stations, read_series, write_series
from physolve.cli._air_forecast import write_table
from physolve.spec import loads_problem

TABLE = """station,time,PM2.5,temperature,pressure,dew_point,wind_direction,wind_speed
a,2020-01-01T00:00,10,5,1013,-3,N,2
a,2020-01-01T01:00,999999,5,1013,-3,NNW,2
a,2020-01-01T01:00,11,5,1013,-3,NNW,2
z,2020-01-01T01:00,11,5,1013,-3,NNW,2
"""

BASIN = """
coordinates = ["x", "y", "t"]
unknowns = ["c"]
domain = "rectangle([0, 0], [50, 50]) * time(0, 6)"
equations = ["dt(c) + sin(pi*x/50)*cos(pi*y/50)*d(c, x) - cos(pi*x/50)*sin(pi*y/50)*d(c, y) = 20*laplacian(c) + 1"]

[[conditions]]
kind = "neumann"
unknown = "c"
value = "0"

[[conditions]]
kind = "initial"
unknown = "c"
value = "1 + cos(pi*x/50)"
"""


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "table.csv").write_text(TABLE)
    (tmp_path / "stations.csv").write_text("station,longitude,latitude\na,116,40\nb,117,40\n")
    return ["table.csv", "--stations", "stations.csv", "--out", "air.h5"]


def test_prepare_says_what_was_wrong(run, tables, tmp_path):
    ran = run("air", "prepare", *tables, "--hours", "1")
    assert ran.code == 0
    assert "reading table.csv" in ran.err
    for words in ("z 1: rows left out", "PM2.5 1: missing", "joined rows       1 repeat or complete", "b: left out"):
        assert words in ran.out
    assert len(read_series(tmp_path / "air.h5")) == 2


def test_prepare_as_json(run, tables):
    record = json.loads(run("air", "prepare", *tables, "--hours", "1", "--json").out)
    assert record["stations"] == ["a"]
    assert record["report"]["sentinels"]["PM2.5"] == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--hours", "7"], "expected a divisor of 24"),
        (["--pollutant", "Radon"], "pollutant 'Radon': no column is known for it; known: PM2.5"),
        (["--columns", "no.toml"], "no.toml: file: does not exist"),
        (["--least", "2"], "least: got 2.0, expected a share"),
        (["--out", "air.csv"], "air.csv has suffix '.csv'; known are .h5"),
    ],
)
def test_one_line_for_what_is_wrong(run, tables, tmp_path, more, message):
    ran = run("air", "prepare", *tables, *more)
    assert ran.code == 2
    assert message in " ".join(ran.err.split())
    assert not (tmp_path / "air.h5").exists()


def test_generate_writes_a_series(run, tmp_path):
    (tmp_path / "basin.toml").write_text(BASIN)
    ran = run("air", "generate", "basin.toml", "--grid", "3,2", "--spin-up", "0", "--out", "basin.h5", "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["steps"] == 3
    assert read_series(tmp_path / "basin.h5").values.shape == (3, 6, 1)


def test_generate_refuses_a_grid_that_is_none(run, tmp_path):
    (tmp_path / "basin.toml").write_text(BASIN)
    ran = run("air", "generate", "basin.toml", "--grid", "3x2", "--out", "basin.h5")
    assert (ran.code, "such as 6,5, got '3x2'" in ran.err) == (2, True)


def test_download_without_a_network(run, tmp_path):
    ran = run("air", "download", "--out", "beijing", "--url", "http://127.0.0.1:1/air.zip")
    assert ran.code == 1
    assert "cannot be fetched (ConnectionError); check the network" in " ".join(ran.err.split())


def test_help_without_a_subcommand(run):
    ran = run("air")
    assert ran.code == 0
    assert "prepare" in ran.out


AIR = """
coordinates = ["x", "y", "t"]
unknowns = ["c"]
domain = "stations([[116, 40], [117, 40], [116, 41], [117, 41.2]]) * time(0, 259200)"
equations = ["dt(c) + wind_x(x, y, t)*d(c, x) + wind_y(x, y, t)*d(c, y) = 100*laplacian(c) + source(x, y, t)"]

[data]
wind_x = {at = "stations"}
wind_y = {at = "stations"}
source = {at = "stations"}

[[conditions]]
kind = "initial"
unknown = "c"
value = "0"
"""


@pytest.fixture(scope="module")
def forecasting(tmp_path_factory):
    """Weights of an untrained model, a series whose last three steps lack station b, and the options that name them."""
    folder, rng = tmp_path_factory.mktemp("forecast"), np.random.default_rng(0)
    times = np.datetime64("2020-01-01T00", "s") + np.arange(40) * np.timedelta64(3, "h")
    stations = Stations(tuple("abcd"), np.array([40, 40, 41, 41.2]), np.array([116.0, 117, 116, 117]))
    values = rng.uniform(20, 80, (40, 4, 1)).astype(np.float32)
    values[37:, 1] = np.nan
    series = AirSeries(stations, times, 3.0, ("PM2.5",), values, rng.normal(size=(40, 4, 5)).astype(np.float32))
    write_series(folder / "air.h5", series)
    torch.manual_seed(0)
    model = AirModel(AirSetup.of(loads_problem(AIR), series), AirSizes(history=8, horizon=16, hidden=8))
    save_weights(folder / "air.safetensors", model)
    return ["air", "forecast", "--weights", folder / "air.safetensors", "--data", folder / "air.h5", "--samples", "9"]


def test_forecast_writes_a_table_and_a_map(run, forecasting, tmp_path):
    ran = run(*forecasting, "--at", "2020-01-05T00:00", "--out", "f.csv", "--map", "f.png")
    assert (ran.code, ran.err) == (0, "")
    assert "48 h ahead" in ran.out
    assert "72 h ahead" not in ran.out  # the horizon of this model ends before
    assert "of the model's samples, not calibrated" in ran.out
    rows = list(csv.DictReader((tmp_path / "f.csv").open()))
    assert len(rows) == 16 * 4
    assert (rows[0]["time"], rows[0]["station"]) == ("2020-01-05T03:00:00", "a")
    quantiles = np.array([[float(row[f"q{q:02d}"]) for q in (5, 25, 50, 75, 95)] for row in rows])
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (tmp_path / "f.png").stat().st_size > 20000


def test_the_table_of_a_forecast_reads_back_whatever_stations_are_called(tmp_path):
    names, longitude = ("Berlin, Mitte", 'A "x"', "München"), [13.40495412345, 116.34567, 1 / 3]
    stations = Stations(names, np.array([52.5, 40.123456789, -0.1]), np.array(longitude))
    series = AirSeries(stations, np.array([], "M8[s]"), 3.0, ("PM2.5",), np.empty((0, 3, 1)), np.empty((0, 3, 5)))
    times = np.array(["2020-01-01T03:00"], "M8[s]")
    nothing = np.empty((2, 0), dtype=int), np.empty((1, 0))
    said = Forecast(stations, times[0], times, np.ones((1, 3)), np.ones((2, 1, 3)), False, np.ones((1, 3, 2)), *nothing)
    write_table(tmp_path / "f.csv", series, said)
    with (tmp_path / "f.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["station"] for row in rows] == list(names)
    assert [float(row["longitude"]) for row in rows] == longitude
    assert [float(row["latitude"]) for row in rows] == stations.latitude.tolist()
    assert [row["q95"] for row in rows] == ["1.00"] * 3
    again = Stations.read(tmp_path / "f.csv")
    assert (again.names, again.longitude.tolist()) == (names, longitude)


def test_the_seed_decides_the_samples(run, forecasting, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert run(*forecasting, "--at", "2020-01-05T00:00", "-o", f"{name}.csv", "--seed", seed, "-q").code == 0
    a, b, c = ((tmp_path / f"{name}.csv").read_text() for name in "abc")
    assert a == b != c


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (["--at", "2020-01-05T21:00", "--tolerate", "6"], 2, "the last PM2.5 is older than 6 h at b (9 h)"),
        (["--at", "2020-01-05T21:00"], 0, ""),
        (["--at", "2020-01-05T01:00"], 2, "no step begins then; the series has 2020-01-01T00:00:00 to"),
        (["--at", "noon"], 2, "expected a time such as 2016-12-01T00:00, got 'noon'"),
        (["--at", "2020-01-05T00:00", "--map", "f.gif"], 2, "f.gif has suffix '.gif'; known are .png, .svg, .pdf"),
        (["--at", "2020-01-05T00:00", "--weights", "no.safetensors"], 2, "no.safetensors: file: does not exist"),
        (["--at", "2020-01-05T00:00", "--data", "no.h5"], 2, "no.h5: file: does not exist"),
    ],
)
def test_recent_gaps_are_tolerated_up_to_the_limit_and_errors_take_one_line(run, forecasting, more, code, message):
    ran = run(*forecasting, *more, "--quiet")
    assert ran.code == code
    assert message in " ".join(ran.err.split())


def test_forecast_as_json(run, forecasting):
    record = json.loads(run(*forecasting, "--at", "2020-01-05T00:00", "--json").out)
    assert record["from"] == "2020-01-05T00:00:00"
    assert record["ahead"][0]["hours"] == 24
    assert record["ahead"][0]["half_width_90"] >= 0
    assert record["calibrated"] is False


def test_forecast_says_that_it_is_calibrated(run, forecasting, tmp_path):
    """And its quantiles are those of the calibration: e times the median and 1 / e of it, nearly."""
    model = load_weights(forecasting[3])
    model.calibration = Calibration(((-1.0,) * 7 + (0.0,) + (1.0,) * 7,) * 16)
    save_weights(tmp_path / "calibrated.safetensors", model)
    at = ("--at", "2020-01-05T00:00", "--json")
    records = [json.loads(run(*forecasting, *at, *more).out) for more in ((), ("--weights", "calibrated.safetensors"))]
    assert records[1]["calibrated"] is True
    mean, half = (records[1]["ahead"][0][name] for name in ("mean", "half_width_90"))
    assert half == pytest.approx(np.sinh(1) * (1 + mean), rel=0.05)
