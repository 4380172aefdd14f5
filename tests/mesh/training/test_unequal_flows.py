"""Trajectories of other lengths and other steps than the rest, to train on and to be judged by."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from waves import DT, frame, square

from physolve.errors import SpecificationError
from physolve.mesh import Channels, Design, Simulator, TransformerSizes, simulation_graph
from physolve.mesh.data import Fields, MeshStore, Series, writing
from physolve.mesh.rollout import RolloutErrors, stored_case
from physolve.mesh.training import DataSettings, train
from physolve.mesh.training._validation import validation_errors

DESIGN = Design(
    Channels(("velocity",), (2,)), Channels(("pressure",), (0,)), 2, DT, 0.2, 1.0, TransformerSizes(1, 8, 2)
)


def write(path, **times):
    """Trajectories of these names with these instants; those whose names begin with a v validate."""
    points, triangles, types = square(5)
    with writing(path) as writer:
        for k, (name, instants) in enumerate(times.items()):
            series = Series(
                name, name, points, {"triangle": triangles}, instants, lambda s, t=instants, k=k: frame(points, t[s], k)
            )
            writer.add(series, types, Fields({}))
        writer.assign({name: "validation" if name[0] == "v" else "train" for name in times})
    return path


def even(frames, dt=DT):
    return dt * np.arange(frames)


def configured(tiny, path, **data):
    return dataclasses.replace(tiny, data=dataclasses.replace(tiny.data, path=str(path), **data))


def stumbling(frames):
    """Every second interval is longer; every second frame is not."""
    return np.cumsum(np.resize([DT, 1.5 * DT], frames))


@pytest.mark.parametrize(
    ("times", "stride", "message"),
    [
        ({"a": even(8), "v": even(8, 5 * DT)}, 1, r"'v' takes 0\.5 for the step from frame 0 on, expected 0\.1 as the"),
        ({"a": even(8), "b": np.append(even(5), [0.6, 0.7]), "v": even(8)}, 1, r"'b' takes 0\.2 .* from frame 4 on"),
        ({"a": stumbling(8), "v": even(8)}, 1, r"'a' takes 0\.1 .* from frame 1 on, expected 0\.15"),
        ({"a": np.append(stumbling(6), [0.85, 1.2]), "v": even(8)}, 2, r"'a' takes 0\.45 .* from frame 5 on"),
        ({"a": even(2), "v": even(8)}, 3, "no training trajectory has 4 frames"),
        ({"a": even(8), "v": even(1)}, 1, r"validation trajectory 'v' has 1 frames, expected at least 2 to be judged"),
        ({"a": even(8), "v": even(3)}, 3, r"validation trajectory 'v' has 3 frames, expected at least 4 to be judged"),
    ],
)
def test_a_run_refuses_them(tiny, tmp_path, times, stride, message):
    path = write(tmp_path / "f.h5", **times)
    with pytest.raises(SpecificationError, match=message):
        train(configured(tiny, path, stride=stride), tmp_path / "run")


def test_without_validation_the_long_enough_are_judged(tiny, tmp_path):
    path = write(tmp_path / "f.h5", a=even(1), b=even(8))
    short = dataclasses.replace(tiny, training=dataclasses.replace(tiny.training, steps=1, epoch=1))
    train(dataclasses.replace(short, data=configured(tiny, path).data), tmp_path / "run")


def test_a_case_with_other_steps_later_is_refused(tmp_path):
    store = MeshStore(write(tmp_path / "f.h5", a=np.append(even(5), [0.9, 1.4, 1.9])))
    with pytest.raises(SpecificationError, match=r"step 5 of trajectory 'a', from time 0\.4 on, takes 0\.5, and the"):
        stored_case(store, "a", DESIGN)
    later = stored_case(store, "a", dataclasses.replace(DESIGN, dt=0.5), first=4)
    assert later.steps == 3


def test_instants_in_single_precision_are_equal_steps(tmp_path):
    """0.1 s apart after four hours: float32 is 1e-3 s there."""
    store = MeshStore(write(tmp_path / "f.h5", a=(15_000 + even(6)).astype(np.float32).astype(float)))
    assert stored_case(store, "a", DESIGN).steps == 5


def test_validation_leaves_the_shorter_out_where_they_end(tmp_path):
    """By hand: every trajectory alone for its own steps, all nodes of all steps pooled."""
    store = MeshStore(write(tmp_path / "f.h5", a=even(8), v=even(4), v2=even(8), v3=even(2)))
    torch.manual_seed(0)
    simulator = Simulator(DESIGN).eval()
    found = validation_errors(simulator, store, DataSettings(), 3, 600, torch.device("cpu"))
    squares = [alone(simulator, store, name) for name in ("v", "v2", "v3")]
    assert [len(each) for each in squares] == [3, 7, 1]
    assert found["rmse"] == pytest.approx(math.sqrt(np.concatenate(squares).mean()), rel=1e-5)
    assert found["velocity rmse 1"] == pytest.approx(math.sqrt(np.mean([each[0] for each in squares])), rel=1e-5)


def alone(simulator, store, name):
    """Mean square errors after each step of one rollout."""
    mesh, found = store.mesh(name), []
    graph = simulation_graph(mesh.points, mesh.cells, mesh.node_type, simulator.design)
    state = torch.from_numpy(store.frame(name, 0)["velocity"])
    for step in range(1, len(store.times(name))):
        truth = torch.from_numpy(store.frame(name, step)["velocity"])
        with torch.no_grad():
            state = simulator.advance(state, graph, truth).state
        found.append(float((state - truth)[graph.node_type == 0].square().mean()))
    return found


def test_nodes_that_have_ended_do_not_count():
    errors = RolloutErrors(Channels(("v",), (0,)), torch.zeros(4, dtype=torch.int64))
    errors.add(torch.ones(4, 1), torch.zeros(4, 1))
    errors.add(torch.tensor([[2.0], [2.0], [math.nan], [9.0]]), torch.zeros(4, 1), torch.tensor([1, 1, 0, 0]).bool())
    assert errors.figures()["v rmse"] == pytest.approx(math.sqrt((4 * 1 + 2 * 4) / 6))
