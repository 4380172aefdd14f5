"""`physolve hypino`: train, evaluate and zero-shot, with a hypernetwork so small that it takes a moment."""

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from physolve.cli import app
from physolve.cli._training_bar import described, duration, opening
from physolve.hypino import HeadSizes, Hypernetwork, HypernetworkSizes, SwinSizes, save_weights, target_network

TINY = """
[training]
steps = 2
epoch = 2
batch = 2
validation = 4

[hypernetwork]
networks = 2
grid = 16
stem = 8
target = {sizes = [2, 8, 8, 1], bands = [0.1, 0.2, 0.4]}
swin = {embed = 24, window = 4, depths = [1, 1], heads = [3, 6]}
weight_heads = {hidden = [16, 16, 16, 16, 16], groups = [4, 4, 4, 4, 4]}
bias_heads = {hidden = [16, 16, 16, 16, 16], groups = [4, 4, 4, 4, 4]}

[sampler]
grid = 16
points = 64
edge = 32
"""

POISSON = """
coordinates = ["x", "y"]
unknowns = ["u"]
equations = ["-laplacian(u) = 2*pi^2*sin(pi*x)*sin(pi*y)"]
domain = "rectangle([0, 0], [1, 1])"

[[conditions]]
kind = "dirichlet"
unknown = "u"
value = "0"

[exact]
u = "sin(pi*x)*sin(pi*y)"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY, encoding="utf-8")
    return path


@pytest.fixture
def poisson(tmp_path: Path) -> Path:
    path = tmp_path / "poisson.toml"
    path.write_text(POISSON, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an untrained hypernetwork."""
    heads = HeadSizes((16,) * 5, (4,) * 5)
    swin = SwinSizes(embed=24, window=4, depths=(1, 1), heads=(3, 6))
    sizes = HypernetworkSizes(target_network(8, 3, 2), 16, 8, swin, heads, heads, networks=4)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        save_weights(path, Hypernetwork(sizes))
    return path


# --- train


def test_trains_and_says_how_long_and_where(run, config, tmp_path) -> None:
    ran = run("hypino", "train", config)
    assert ran.code == 0
    assert ran.err == "training for 2 steps; writing to runs/tiny\n"
    assert ran.out.startswith("trained       2 steps, 4 samples, ")
    assert "weights       runs/tiny/weights.safetensors" in ran.out
    assert (tmp_path / "runs" / "tiny" / "last.ckpt").is_file()


def test_length_and_folder_can_be_given_and_a_run_goes_on(run, config) -> None:
    first = json.loads(run("hypino", "train", config, "--out", "here", "--steps", "2", "--json").out)
    assert (first["steps"], first["samples"], first["weights"]) == (2, 4, "here/weights.safetensors")
    ran = run("hypino", "train", config, "--out", "here", "--steps", "4")
    assert ran.err == "training for 4 steps, from step 2 on (50% done); writing to here\n"
    assert "4 steps" in ran.out
    fresh = run("hypino", "train", config, "--out", "here", "--fresh")
    assert fresh.err == "training for 2 steps; writing to here\n"


def test_hours_go_before_the_steps_of_the_file(run, config) -> None:
    ran = run("hypino", "train", config, "--hours", "1e-4")
    assert ran.err.startswith("training for 0.36 s; ")


def test_quiet_is_quiet(run, config) -> None:
    ran = run("hypino", "train", config, "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_interrupted_before_anything_was_kept(run, config, monkeypatch) -> None:
    def interrupted(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr("physolve.hypino.training.train", interrupted)
    ran = run("hypino", "train", config)
    assert ran.code == 130
    assert ran.err == "physolve: interrupted before the end of the first epoch; there is nothing to go on from\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["train"], "Missing argument 'CONFIG'"),
        (["train", "none.toml"], "none.toml: cannot be read"),
        (["train", "tiny.toml", "--hours", "0"], "expected a positive number such as 1e-3, got '0'"),
        (["train", "tiny.toml", "--steps", "0"], "got steps=0, expected a positive number"),
        (["train", "tiny.toml", "--hours", "1", "--steps", "1"], "give --hours or --steps, not both"),
        (["train", "wrong.toml"], "wrong.toml: training.batch: got 'many', expected a whole number"),
        (["evaluate", "--weights", "none.safetensors"], "none.safetensors"),
        (["evaluate", "--samples", "0"], "expected at least one sample"),
        (["zero-shot", "poisson.toml", "--refine", "-1"], "expected a whole number from 0, got '-1'"),
        (["zero-shot", "poisson.toml", "--out", "u.doc"], "u.doc has suffix '.doc'"),
        (["zero-shot", "poisson.toml", "--weights", "poisson.toml"], "poisson.toml"),
        (["zero_shot"], "No such command 'zero_shot'"),
    ],
)
def test_wrong_usage_is_one_line(run, config, poisson, tmp_path, arguments: list[str], line: str) -> None:
    (tmp_path / "wrong.toml").write_text("[training]\nbatch = 'many'\n", encoding="utf-8")
    ran = run("hypino", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("physolve: ")
    assert line in ran.err
    assert ran.err.count("\n") == 1


# --- evaluate


def test_evaluates(run, weights) -> None:
    options = ("hypino", "evaluate", "--weights", weights, "--samples", "6")
    record = json.loads(run(*options, "--json").out)
    assert record["samples"] == 6
    for row in ("head", "own", "untrained"):
        figures = record[row]
        assert 0 < figures["10 %"] <= figures["median"] <= figures["90 %"]
        assert 0 < figures["mean"] <= 1
    assert json.loads(run(*options, "--json").out) == record
    assert json.loads(run(*options, "--seed", "5", "--json").out) != record
    table = run(*options).out.splitlines()
    assert table[0].split()[:4] == ["relative", "L2", "error", "10"]
    assert f"{record['head']['median']:.3g}" in table[1]


def test_the_shipped_weights_are_better_than_none(run) -> None:
    """They are the default, and the same problems are drawn each time."""
    record = json.loads(run("hypino", "evaluate", "--samples", "24", "--json").out)
    assert record["head"]["median"] < 0.1 < record["own"]["median"]
    assert record["head"]["median"] < record["untrained"]["median"]


# --- zero-shot


def test_solves_zero_shot(run, poisson, weights, tmp_path) -> None:
    options = ("hypino", "zero-shot", poisson, "--weights", weights)
    ran = run(*options, "--out", "u.safetensors", "--plot", "u.png")
    assert ran.code == 0, ran.err
    assert ran.err == ""
    assert (tmp_path / "u.png").stat().st_size > 1000
    record = json.loads(run(*options, "--json").out)
    assert f"error     {record['relative_l2']:.2e} relative L2" in ran.out
    assert (record["functions"], record["refinements"]) == (4 * 8 + 1, 0)
    assert 0 < record["relative_l2"] < 1
    compared = json.loads(run("compare", poisson, "--solution", "u.safetensors", "--json").out)
    assert compared["relative_l2"] == pytest.approx(record["relative_l2"])
    assert compared["estimate"] is None


def test_refinements_never_raise_the_residual(run, poisson, weights) -> None:
    options = ("hypino", "zero-shot", poisson, "--weights", weights, "--json")
    records = [json.loads(run(*options, "--refine", str(count)).out) for count in (0, 1, 3)]
    residuals = [record["residual"] for record in records]
    assert residuals == sorted(residuals, reverse=True)
    assert residuals[2] < residuals[0]
    assert [record["functions"] for record in records] == [33, 65, 129]


def test_a_problem_out_of_the_class_is_refused(run, library, weights) -> None:
    ran = run("hypino", "zero-shot", library / "burgers.toml", "--weights", weights)
    assert (ran.code, ran.out) == (2, "")
    assert "not linear" in ran.err
    assert ran.err.count("\n") == 1


# --- words


def test_help_of_the_group_and_of_every_command(run) -> None:
    ran = run("hypino")
    assert ran.code == 0
    for name in ("train", "evaluate", "zero-shot"):
        assert f"  {name} " in ran.out
        told = CliRunner().invoke(app, ["hypino", name, "--help"])
        assert told.exit_code == 0
        assert "--debug" in told.output


def test_the_words_of_the_bar() -> None:
    from physolve.hypino.training import News, TrainingSettings

    start, later = News(0, 0.0, 0.0, float("nan"), None), News(120, 0.5, 3600.0, 0.41234, 0.1034)
    assert described(start) == "step 0"
    assert described(later) == "step 120, loss 0.412, median error 0.103"
    assert opening(TrainingSettings(hours=1.75), Path("runs/a"), start) == "training for 1.75 h; writing to runs/a"
    assert (
        opening(TrainingSettings(), Path("a"), later) == "training for 2 h, from step 120 on (50% done); writing to a"
    )
    assert [duration(s) for s in (0.361, 59, 90, 6300)] == ["0.36 s", "59 s", "1.5 min", "1.75 h"]
