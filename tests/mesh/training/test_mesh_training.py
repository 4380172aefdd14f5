"""Whole runs of simulators: resumed bit for bit, refused with the reason; that they learn."""

import dataclasses
import json
import shutil
from pathlib import Path

import h5py
import pytest
import torch

from physolve.errors import ProblemFileError, SpecificationError
from physolve.io import read_tensors
from physolve.mesh import load_simulator
from physolve.mesh.training import LAST, RECORD, WEIGHTS, News, read_configuration, train


def changed(configuration, table="training", **entries):
    return dataclasses.replace(configuration, **{table: dataclasses.replace(getattr(configuration, table), **entries)})


def record(folder: Path):
    return json.loads((folder / RECORD).read_text(encoding="utf-8"))


def test_a_run_leaves_weights_record_and_checkpoint(tiny, tmp_path, capfd):
    news: list[News] = []
    weights = train(tiny, tmp_path / "run", progress=news.append)
    found = record(tmp_path / "run")
    assert weights == tmp_path / "run" / WEIGHTS
    assert [found[key] for key in ("steps", "samples", "processes")] == [8, 16, 1]
    assert [point["step"] for point in found["curve"]] == [4, 8]
    assert {"rmse", "velocity rmse 1", "velocity rmse"} <= set(found["curve"][0])
    assert news[0].steps == 0
    assert capfd.readouterr() == ("", "")
    design = load_simulator(weights).design
    assert (design.state.names, design.outputs.names, design.dim) == (("velocity",), ("pressure",), 2)
    assert design.dt == pytest.approx(0.1)


@pytest.mark.parametrize("options", [{}, {"in_memory": True}, {"workers": 2}])
def test_a_resumed_run_is_bit_for_bit_the_same(tiny, tmp_path, options):
    """Wherever frames are kept: those read by workers are those in memory."""
    configuration = changed(tiny, "data", **options)
    straight, parts = tmp_path / "straight", tmp_path / "parts"
    train(tiny, straight)
    stopped(configuration, parts, after=6)
    assert record(parts)["steps"] == 4
    train(configuration, parts)
    one, other = (torch.load(folder / LAST, weights_only=True)["state_dict"] for folder in (straight, parts))
    assert all(torch.equal(one[name], other[name]) for name in one)
    curves = [[point["rmse"] for point in record(folder)["curve"]] for folder in (straight, parts)]
    assert curves[0] == curves[1]


def stopped(configuration, folder, after):
    """A run that ends in the middle of an epoch."""
    from physolve.mesh.training import _module

    step = _module.MeshModule.training_step

    def interrupted(self, batch, index):
        if self.global_step == after:
            raise KeyboardInterrupt
        return step(self, batch, index)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_module.MeshModule, "training_step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(configuration, folder)


@pytest.mark.parametrize(
    ("table", "entries"),
    [
        ("training", {"unroll": 2}),
        ("training", {"unroll": 3, "pushforward": True}),
        ("training", {"bf16": True}),
        ("training", {"noise": 0.0}),
        ("model", {"network": "messages"}),
        ("physics", {"gradient": 0.1, "divergence": 0.1}),
        ("physics", {"momentum": 0.1, "viscosity": 0.01}),
        ("data", {"stride": 2}),
        ("data", {"first": 3}),
    ],
)
def test_every_option_changes_the_weights(tiny, tmp_path, table, entries):
    one = read_tensors(train(changed(tiny, steps=2, epoch=2), tmp_path / "a"))[0]
    short = changed(changed(tiny, steps=2, epoch=2), table, **entries)
    short = changed(short, "messages", steps=2, width=8)
    other = read_tensors(train(short, tmp_path / "b"))[0]
    assert all(torch.isfinite(values).all() for values in other.values())
    assert one.keys() != other.keys() or any(not torch.equal(one[name], other[name]) for name in one)


def test_checkpointing_changes_nothing(tiny, tmp_path):
    runs = [train(changed(tiny, checkpointing=on), tmp_path / str(on)) for on in (False, True)]
    one, other = (read_tensors(weights)[0] for weights in runs)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_it_learns(tiny, tmp_path):
    """A wave that moves by a twentieth of its length a step: 150 steps bring the rollout well below standing still."""
    longer = changed(tiny, steps=150, epoch=75, batch=4, learning_rate=5e-3, average=0.9, noise=0.0)
    train(longer, tmp_path / "run")
    curve = record(tmp_path / "run")["curve"]
    standing_still = 0.5  # RMS over both components of sin(.) - sin(. - w) with w up to 0.7 pi over the seven steps
    assert curve[-1]["rmse"] < 0.5 * standing_still
    assert curve[-1]["velocity rmse 1"] < 0.1


def test_another_simulator_is_refused(tiny, tmp_path):
    train(changed(tiny, steps=1), tmp_path / "run")
    with pytest.raises(SpecificationError, match="the run's simulator is another one"):
        train(changed(tiny, "transformer", blocks=1), tmp_path / "run")
    train(changed(changed(tiny, steps=1), "transformer", blocks=1), tmp_path / "run", fresh=True)


@pytest.mark.parametrize(
    ("table", "entries", "message"),
    [
        ("data", {"path": "none.h5"}, "none.h5: file: does not exist"),
        ("data", {"state": ("speed",)}, "no field 'speed'; the data set has pressure, velocity"),
        ("data", {"outputs": ("velocity",)}, "field 'velocity' is in the state and an output"),
        ("data", {"stride": 8}, "no training trajectory has 9 frames; lower data.first or data.stride"),
        ("training", {"unroll": 8}, "no trajectory has the 9 frames of a window"),
        ("physics", {"gradient": 1.0, "velocity": "v"}, "no field 'v'; there are velocity"),
        ("physics", {"momentum": 1.0, "pressure": "p"}, "no field 'p'; there are pressure"),
    ],
)
def test_what_does_not_fit_is_named(tiny, tmp_path, table, entries, message):
    with pytest.raises((SpecificationError, ProblemFileError), match=message):
        train(changed(tiny, table, **entries), tmp_path / "run")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[model]\nnetwork = 'gnn'", "model.network: got 'gnn', expected 'transformer' or 'messages'"),
        ("[data]\nin_memory = true\nworkers = 2", "data: got workers=2, expected 0 with in_memory"),
        ("[training]\nunroll = 0", "training: got unroll=0, expected a positive number"),
        ("[transformer]\nheads = 5", "got 5 heads for width 48"),
        ("[sight]\nhops = 0", "sight: got hops = 0, expected at least 1"),
        ("[physics]\ngradient = -1", "physics: got gradient=-1.0, expected a number from 0"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, text, message):
    (tmp_path / "c.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ProblemFileError, match=message):
        read_configuration(tmp_path / "c.toml")


def test_the_shipped_configuration_is_read():
    found = read_configuration(Path(__file__).resolve().parents[3] / "data" / "mesh" / "train.toml")
    assert found.data.in_memory


def test_other_data_of_the_same_design_are_refused(tiny, tmp_path):
    once, again = changed(tiny, steps=1), changed(tiny, steps=2)
    train(once, tmp_path / "run")
    assert record(tmp_path / "run")["steps"] == 1
    for name, change, message in (
        (
            "faster",
            lambda file: scale(file, "velocity", 2.0),
            r"the run learns from other data: the fields' mean was \[",
        ),
        (
            "louder",
            lambda file: scale(file, "pressure", 2.0),
            "the run learns from other data: the fields' output mean",
        ),
        ("wider", lambda file: bend(file), "the run learns from other data: trajectory 'flow0' has another mesh"),
        ("fewer", lambda file: drop(file), "other data: trajectory 'flow1' is of the run only"),
    ):
        path = tmp_path / f"{name}.h5"
        shutil.copy(tiny.data.path, path)
        with h5py.File(path, "r+") as file:
            change(file)
        with pytest.raises(SpecificationError, match=message):
            train(changed(again, "data", path=str(path)), tmp_path / "run")
    shutil.copy(tiny.data.path, tmp_path / "moved.h5")
    train(changed(changed(again, "data", path=str(tmp_path / "moved.h5")), noise=0.1), tmp_path / "run")
    assert record(tmp_path / "run")["steps"] == 2


def scale(file, field, factor):
    for trajectory in file["trajectories"].values():
        trajectory[f"fields/{field}"][...] *= factor


def bend(file):
    """A node inside, off the shortest way."""
    file["meshes/0000/points"][14] += 1e-3


def drop(file):
    file["trajectories/flow1"].attrs["split"] = "test"


def test_a_checkpoint_that_does_not_tell_its_data_goes_on(tiny, tmp_path):
    """Those of earlier versions."""
    train(changed(tiny, steps=1), tmp_path / "run")
    checkpoint = torch.load(tmp_path / "run" / LAST, weights_only=False)
    del checkpoint["run"]["seen"]
    torch.save(checkpoint, tmp_path / "run" / LAST)
    train(changed(tiny, steps=2), tmp_path / "run")
    assert record(tmp_path / "run")["steps"] == 2
