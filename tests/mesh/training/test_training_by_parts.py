"""Meshes learned from part by part: windows, runs, what is refused."""

import dataclasses
import json

import pytest
import torch

from physolve.errors import ProblemFileError, SpecificationError
from physolve.io import read_tensors
from physolve.mesh import Simulator
from physolve.mesh.data import MeshStore
from physolve.mesh.training import LAST, RECORD, read_configuration, train
from physolve.mesh.training import _module as module_file
from physolve.mesh.training._design import design_for, scales_of
from physolve.mesh.training._module import MeshModule, _batch


def in_parts(configuration, parts=3, halo=2, **training):
    return dataclasses.replace(
        configuration,
        data=dataclasses.replace(configuration.data, parts=parts, halo=halo),
        training=dataclasses.replace(configuration.training, **training),
    )


def prepared(configuration):
    """A module as a fit begins with it."""
    store = MeshStore(configuration.data.path)
    simulator = Simulator(design_for(configuration, store))
    simulator.set_scales(scales_of(store, simulator.design, configuration.data, 0.0))
    module = MeshModule(configuration, store, simulator)
    module.on_fit_start()
    return module


def test_a_window_is_a_part_of_a_piece_of_a_trajectory(tiny):
    whole, parts = prepared(tiny)._windows, prepared(in_parts(tiny))._windows
    assert (len(whole), len(parts)) == (14, 42)
    for index in (0, 4, 41):
        mesh, frames = parts[index]
        assert mesh == f"{whole[index // 3].mesh} part {index % 3}"
        assert torch.equal(frames, whole[index // 3].frames[:, parts.nodes[mesh]])
        assert frames.shape[1] < whole[index // 3].frames.shape[1]


@pytest.mark.parametrize("physics", [{}, {"gradient": 0.1}, {"momentum": 0.1, "viscosity": 0.01}])
def test_a_step_learns_from_own_nodes_only(tiny, physics):
    """Of the state where it is predicted; physics looks at true values as far as its operators reach."""
    torch.manual_seed(0)
    configuration = in_parts(tiny, halo=4, noise=0.0)
    if physics:
        weights = dataclasses.replace(configuration.physics, **physics)
        configuration = dataclasses.replace(configuration, physics=weights)
    module = prepared(configuration)
    batch = _batch([module._windows[k] for k in (0, 25)])
    frames = batch.frames.clone().requires_grad_()
    graph = module._graph(batch.meshes)
    (slope,) = torch.autograd.grad(module.window_loss(batch._replace(frames=frames)), frames)
    known, counted = graph.known, graph.counted
    moved, near = (slope[1] != 0).any(1), counted.clone()
    for _ in range(configuration.physics.hops):
        near[graph.edge_index[1, near[graph.edge_index[0]]]] = True
    assert 0 < int(near.sum()) < len(counted)
    assert moved[counted].all()
    assert not moved[~near].any()
    if not physics:
        assert not (slope[1, known, :2] != 0).any()


def test_a_resumed_run_in_parts_is_bit_for_bit_the_same(tiny, tmp_path, monkeypatch):
    """Stopped in the middle of an epoch; with frames in memory and read."""
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    train(in_parts(tiny), straight)
    kept = in_parts(tiny)
    kept = dataclasses.replace(kept, data=dataclasses.replace(kept.data, in_memory=True))
    step = MeshModule.training_step

    def interrupted(self, batch, index):
        if self.global_step == 6:
            raise KeyboardInterrupt
        return step(self, batch, index)

    with monkeypatch.context() as patch:
        patch.setattr(module_file.MeshModule, "training_step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(kept, broken)
    train(kept, broken)
    one, other = (torch.load(folder / LAST, weights_only=True)["state_dict"] for folder in (straight, broken))
    assert all(torch.equal(one[name], other[name]) for name in one)
    record = json.loads((straight / RECORD).read_text(encoding="utf-8"))
    assert record["curve"][-1]["rmse"] > 0


def test_parts_and_halo_change_the_weights(tiny, tmp_path):
    short = dataclasses.replace(tiny, training=dataclasses.replace(tiny.training, steps=2, epoch=2))
    ways = {"whole": short, "parts": in_parts(short), "halo": in_parts(short, halo=0)}
    found = [read_tensors(train(way, tmp_path / name))[0] for name, way in ways.items()]
    name = "network.decode_module.0.weight"
    assert not any(torch.equal(a[name], b[name]) for a, b in zip(found, found[1:] + found[:1], strict=True))


def test_it_learns_in_parts(tiny, tmp_path):
    """As in test_mesh_training.py, whose wave it is."""
    options = {"steps": 150, "epoch": 75, "batch": 4, "learning_rate": 5e-3, "average": 0.9, "noise": 0.0}
    train(in_parts(tiny, 2, 2, **options), tmp_path / "run")
    curve = json.loads((tmp_path / "run" / RECORD).read_text(encoding="utf-8"))["curve"]
    assert curve[-1]["rmse"] < 0.25  # half of standing still


def test_messages_are_learned_in_parts_too(tiny, tmp_path):
    messages = dataclasses.replace(
        in_parts(tiny, steps=2, epoch=2),
        model=dataclasses.replace(tiny.model, network="messages"),
        messages=dataclasses.replace(tiny.messages, steps=2, width=8),
    )
    assert all(torch.isfinite(values).all() for values in read_tensors(train(messages, tmp_path / "run"))[0].values())


def test_more_parts_than_a_mesh_has_nodes_are_refused(tiny, tmp_path):
    with pytest.raises(SpecificationError, match="got 37 parts for a mesh of 36 nodes, expected 1 to 36"):
        train(in_parts(tiny, 37), tmp_path / "run")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[data]\nparts = 0", "data: got parts=0, expected a positive number"),
        ("[data]\nhalo = -1", "data: got halo=-1, expected a number from 0"),
        (
            "[data]\nparts = 2\nhalo = 0\n[physics]\ngradient = 1",
            "data: got halo=0, expected at least 1 for the losses",
        ),
        (
            "[data]\nparts = 2\nhalo = 1\n[physics]\nmomentum = 1\nviscosity = 1",
            r"data: got halo=1, expected at least 2 for the losses of \[physics\]",
        ),
    ],
)
def test_settings_of_parts_that_do_not_fit(tmp_path, text, message):
    (tmp_path / "c.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ProblemFileError, match=message):
        read_configuration(tmp_path / "c.toml")
    (tmp_path / "c.toml").write_text("[data]\nhalo = 0\n[physics]\ngradient = 1", encoding="utf-8")
    assert read_configuration(tmp_path / "c.toml").data.halo == 0  # of a whole mesh it means nothing
