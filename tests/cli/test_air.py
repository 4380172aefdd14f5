"""`physolve air` in process."""

import json

import pytest

from physolve.air.data import read_series

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
    for words in ("z 1: rows left out", "PM2.5 1: missing", "1 left out, the first one kept", "b: left out"):
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
