"""docs/learned_simulators.md, as it stands there."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from waves import frame

from physolve.cli import main
from physolve.mesh import NodeType
from physolve.mesh.data import Fields, Series, writing
from physolve.mesh.training import DataSettings, TrainingSettings, read_configuration

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "learned_simulators.md").read_text(encoding="utf-8")


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_trains_and_rolls_out(tmp_path, monkeypatch, capsys):
    """On small made-up flows about an obstacle, a small network trained for two steps, and rollouts of six."""
    monkeypatch.chdir(tmp_path)
    write_obstacle(tmp_path / "cylinder.h5")
    (toml,) = blocks("toml")
    Path("train.toml").write_text(toml.replace("hours = 0.5", "steps = 2 #").replace("blocks = 10", "blocks = 1"))
    assert read_configuration("train.toml").transformer.rotary == 2
    for console in blocks("console"):
        short = console.replace("200", "6").replace("--film r.gif ", "")  # tests/cli/test_mesh_train.py draws one
        assert main(shlex.split(short.strip().removeprefix("$ physolve "))) == 0
    assert "force" in capsys.readouterr().out
    assert Path("r.xdmf").is_file()
    (code,) = blocks("python")
    names: dict[str, object] = {}
    exec(compile(code.replace("200", "6"), "learned_simulators.md", "exec"), names)
    assert names["done"].steps == 6
    assert len(names["done"].histories["force"]) == 7


def write_obstacle(path):
    """The made-up flows, on rings whose inner rim is an obstacle and whose outer one is inflow."""
    angle, radius = 2 * np.pi * np.arange(16) / 16, np.linspace(0.3, 1.0, 5)
    points = (radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], 1)).reshape(-1, 2)
    k, j = (index.ravel() for index in np.meshgrid(np.arange(4), np.arange(16), indexing="ij"))
    quads = np.stack([16 * k + j, 16 * k + (j + 1) % 16, 16 * k + 16 + (j + 1) % 16, 16 * k + 16 + j], 1)
    types = np.repeat([NodeType.OBSTACLE, *[NodeType.NORMAL] * 3, NodeType.INFLOW], 16)
    with writing(path) as writer:
        for name, phase in (("a", 0.0), ("b", 0.5)):
            steps = 0.1 * np.arange(6)
            series = Series(name, name, points, {"quad": quads}, steps, lambda s, p=phase: frame(points, 0.1 * s, p))
            writer.add(series, types, Fields({}))
        writer.assign({"a": "train", "b": "test"})


@pytest.mark.parametrize("word", ["noise", "unroll", "pushforward", "bf16", "checkpointing"])
def test_the_page_speaks_of_settings_that_exist(word):
    assert hasattr(TrainingSettings(), word)
    assert word in PAGE


@pytest.mark.parametrize("word", ["parts", "halo"])
def test_the_page_speaks_of_settings_of_data_that_exist(word):
    assert hasattr(DataSettings(), word)
    assert f"`{word} = " in PAGE
