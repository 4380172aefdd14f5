"""`physolve mesh train` and `physolve mesh rollout` in process."""

import json

import numpy as np
import pytest

from physolve.cli import main
from physolve.mesh.data import MeshStore

CONFIG = """
[data]
path = "{folder}/flow.h5"
outputs = ["pressure"]

[transformer]
blocks = 1
width = 8
heads = 2

[training]
steps = 2
epoch = 2
batch = 2
"""

PROBLEM = """
coordinates = ["x", "y", "t"]
domain = "rectangle([0, 0], [1, 1]) * time(0, 1)"
equations = ["dt(v) + dot(grad(v), v) + grad(p) = 0.1*laplacian(v)", "div(v) = 0"]

[unknowns]
v = { components = 2 }
p = {}

[[conditions]]
kind = "dirichlet"
unknown = "v"
value = "[1, 0]"

[[conditions]]
kind = "point_value"
unknown = "p"
point = [0, 0, 0]
value = "0"

[[conditions]]
kind = "initial"
unknown = "v"
value = "[1, 0]"
"""


def archive(path, phase):
    axis = np.linspace(0, 1, 5)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    corner = np.array([5 * i + j for i in range(4) for j in range(4)])
    quads = np.stack([corner, corner + 5, corner + 6, corner + 1], 1)
    along = np.sin(4 * (points[:, 0] - 0.1 * np.arange(6)[:, None]) + phase)
    velocity = np.stack([1 + 0 * along, along], -1)
    types = np.where(points[:, 0] == 0, 4, 0)
    np.savez(path, points=points, quads=quads, velocity=velocity, pressure=along, node_type=types)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data set, a configuration, trained weights."""
    place = tmp_path_factory.mktemp("mesh")
    sources = [str(archive(place / f"flow{k}.npz", 0.5 * k)) for k in range(3)]
    assert main(["mesh", "convert", *sources, "-o", str(place / "flow.h5"), "--split", "0.4,0.3,0.3", "-q"]) == 0
    (place / "c.toml").write_text(CONFIG.format(folder=place))
    assert main(["mesh", "train", str(place / "c.toml"), "--out", str(place / "run"), "-q"]) == 0
    return place


def rollout(folder, *options, case="flow.h5"):
    weights = str(folder / "run" / "weights.safetensors")
    return main(["mesh", "rollout", "--weights", weights, "--case", str(folder / case), *map(str, options)])


def test_training_tells_how_it_ended(folder, capsys):
    command = ["mesh", "train", str(folder / "c.toml"), "--out", str(folder / "again")]
    assert main([*command, "--steps", "4", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["steps"], record["samples"]) == (4, 8)
    assert record["validation"]["rmse"] > 0
    assert main(command) == 0
    told = capsys.readouterr()
    assert "rollout RMSE  " in told.out
    assert "training for 2 steps" not in told.err  # it was over


def test_a_rollout_is_told_written_and_drawn(folder, capsys):
    options = ("--steps", 5, "--out", folder / "r.xdmf", "--film", folder / "r.gif")
    assert rollout(folder, *options) == 0
    told = capsys.readouterr().out
    assert "rollout           5 steps, " in told
    assert "velocity rmse 1: " in told
    assert (folder / "r.gif").stat().st_size > 1000
    assert main(["mesh", "convert", str(folder / "r.xdmf"), "-o", str(folder / "converted.h5"), "--node-types",
                 str(rules(folder)), "--json"]) == 0  # fmt: skip
    assert json.loads(capsys.readouterr().out)["steps"] == 6


def test_a_rollout_longer_than_the_truth_says_over_how_many_steps_its_error_is(folder, capsys):
    assert rollout(folder, "--steps", 8) == 0
    assert "over 5 of 8 steps, where the truth ends" in capsys.readouterr().out
    compared = []
    for steps in (4, 8):
        assert rollout(folder, "--steps", steps, "--json") == 0
        compared.append(json.loads(capsys.readouterr().out)["compared"])
    assert compared == [4, 5]
    assert rollout(folder, "--steps", 5) == 0
    assert "where the truth ends" not in capsys.readouterr().out


def test_without_a_number_of_steps_it_goes_as_far_as_the_truth(folder, capsys):
    """So that truth and error lie beside the prediction."""
    series = folder / "whole.xdmf"
    for options, steps in (((), 5), (("--first", 2), 3)):
        assert rollout(folder, "--out", series, "--json", *options) == 0
        record = json.loads(capsys.readouterr().out)
        assert record["steps"] == record["compared"] == steps
        assert 'Name="velocity error"' in series.read_text()


def test_without_a_number_of_steps_and_a_truth_there_is_a_limit(folder, capsys, monkeypatch):
    monkeypatch.setattr("physolve.cli._mesh_rollout.STEPS", 3)
    (folder / "p.toml").write_text(PROBLEM)
    assert rollout(folder, "--resolution", 6, "--json", case="p.toml") == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 3


def rules(folder):
    (folder / "rules.toml").write_text('[where]\ninflow = "x < 1e-6"\n')
    return folder / "rules.toml"


def test_a_rollout_says_whether_its_flow_is_one_to_train_on(folder, capsys):
    store, said = MeshStore(folder / "flow.h5"), {}
    for name in store.names():
        assert rollout(folder, "--steps", 2, "--trajectory", name) == 0
        said[name] = "may have been trained on" in capsys.readouterr().out
    assert [name for name in said if said[name]] == store.names("train") != []


def test_json_has_the_histories(folder, capsys):
    assert rollout(folder, "--steps", 3, "--first", 2, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["outcome"] == "finished"
    assert len(record["histories"]["divergence"]) == 4
    assert record["histories"]["time"][0] == 2.0


def test_a_rollout_in_parts_is_told_the_same(folder, capsys):
    told = []
    for options in ((), ("--parts", 3)):
        assert rollout(folder, "--steps", 3, "--json", *options) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[1]["errors"] == pytest.approx(told[0]["errors"], rel=1e-4)
    assert told[1]["histories"]["divergence"] == pytest.approx(told[0]["histories"]["divergence"], rel=1e-3)


def test_a_problem_file_states_the_case(folder, capsys):
    (folder / "p.toml").write_text(PROBLEM)
    assert rollout(folder, "--steps", 2, "--resolution", 6, "--json", case="p.toml") == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--trajectory", "no"], "no trajectory 'no'; it has flow0"),
        (["--first", "9"], "ends before the first frame that was asked for"),
        (["--parts", "99"], "got 99 parts for a mesh of 25 nodes, expected 1 to 25"),
        (["--steps", "0"], "got 0 steps, expected at least 1"),
        (["--out", "r.vtu"], "r.vtu has suffix '.vtu'; known are .xdmf, .pvd"),
    ],
)
def test_wrong_usage_is_one_line(folder, capsys, options, message):
    assert rollout(folder, *options) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_rollout_that_blows_up_says_so(folder, capsys):
    from physolve.io import read_tensors, write_tensors

    tensors, header = read_tensors(folder / "run" / "weights.safetensors")
    tensors["increment"] *= 1e6
    (folder / "wild").mkdir()
    (folder / "wild" / "run").mkdir()
    write_tensors(folder / "wild" / "run" / "weights.safetensors", tensors, header)
    weights = str(folder / "wild" / "run" / "weights.safetensors")
    command = ["mesh", "rollout", "--weights", weights, "--case", str(folder / "flow.h5"), "--steps", "5"]
    assert main(command) == 3
    told = capsys.readouterr()
    assert "stopped after 0 of 5 steps: the state left what was trained on by far" in " ".join(told.err.split())
