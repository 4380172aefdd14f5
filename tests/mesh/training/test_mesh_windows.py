"""Windows of trajectories, the order they are seen in, and the scales of the data."""

import dataclasses

import numpy as np
import pytest
import torch
from waves import DT, frame, square, write_flows

from physolve.errors import SpecificationError
from physolve.mesh import Channels
from physolve.mesh.data import MeshStore
from physolve.mesh.training._design import design_for, scales_of
from physolve.mesh.training._windows import Windows, drawn

CHANNELS = Channels(("velocity",), (2,)), Channels(("pressure",), (0,))


def windows(path, length=2, stride=1, first=0):
    store = MeshStore(path)
    return Windows(store, store.names("train"), CHANNELS, length, stride, first)


def test_a_window_is_a_piece_of_a_trajectory(flow_data):
    found = windows(flow_data, length=3, stride=2)
    assert len(found) == 2 * (8 - 4)
    mesh, frames = found[5]  # the second trajectory, from its frame 1
    points = square(7)[0]
    assert mesh == "0001"
    for k, step in enumerate((1, 3, 5)):
        expected = frame(points, DT * step, 0.7)
        assert np.allclose(frames[k, :, :2], expected["velocity"])
        assert np.allclose(frames[k, :, 2], expected["pressure"])


def test_windows_may_begin_later(flow_data):
    every, later = windows(flow_data), windows(flow_data, first=5)
    assert (len(every), len(later)) == (14, 4)
    assert all(torch.equal(later[k].frames, every[index].frames) for k, index in enumerate((5, 6, 12, 13)))


def test_windows_in_memory_are_the_same(flow_data):
    read, kept = (windows(flow_data, length=3, stride=2) for _ in range(2))
    kept.keep(torch.device("cpu"))
    for k in range(len(read)):
        assert read[k].mesh == kept[k].mesh
        assert torch.equal(read[k].frames, kept[k].frames)


def test_every_window_is_seen_once_before_any_is_seen_again():
    steps = list(drawn(12, 2, 0, (0, 2), range(9))), list(drawn(12, 2, 0, (1, 2), range(9)))
    both = [one + other for one, other in zip(*steps, strict=True)]  # of two processes
    for turn in range(3):
        assert sorted(k for each in both[3 * turn : 3 * turn + 3] for k in each) == list(range(12))
    assert both[:3] != both[3:6]
    assert list(drawn(12, 2, 0, (1, 2), range(4, 9))) == steps[1][4:]
    assert list(drawn(12, 2, 1, (1, 2), range(9))) != steps[1]


def test_scales_are_those_of_the_frames(tiny, flow_data):
    store = MeshStore(flow_data)
    design = design_for(tiny, store)
    scales = scales_of(store, design, tiny.data, noise=0.0)
    names = store.names("train")
    frames = [store.frame(name, step)["velocity"] for name in names for step in range(8)]
    values = np.concatenate(frames)
    assert scales.mean.numpy() == pytest.approx(values.mean(0), rel=1e-5)
    assert scales.scale[1].item() == pytest.approx(values[:, 1].std(), rel=1e-5)
    free = [np.isin(store.mesh(name).node_type, (0, 5)) for name in names for _ in range(8)]
    steps = [(frames[k + 1] - frames[k])[free[k]] for k in range(16) if k % 8 < 7]
    assert scales.increment[1].item() == pytest.approx(np.concatenate(steps)[:, 1].std(), rel=1e-5)
    noisy = scales_of(store, design, tiny.data, noise=0.5)
    together = np.hypot(scales.increment[1].item(), 0.5 * scales.scale[1].item())
    assert noisy.increment[1].item() == pytest.approx(together, rel=1e-5)
    assert bool((scales.scale > 0).all())  # a component is constant


def test_the_design_knows_its_data(tiny, flow_data):
    design = design_for(tiny, MeshStore(flow_data))
    assert (design.dt, design.extent) == (pytest.approx(DT), 1.0)
    assert design.length == pytest.approx(0.2)  # the first mesh has five edges a side
    longer = dataclasses.replace(tiny, data=dataclasses.replace(tiny.data, stride=2))
    assert design_for(longer, MeshStore(flow_data)).dt == pytest.approx(2 * DT)


def test_data_without_training_trajectories_are_refused(tiny, tmp_path):
    store = MeshStore(write_flows(tmp_path / "f.h5", trajectories=1))
    with pytest.raises(SpecificationError, match="no trajectory of the split 'train'"):
        design_for(tiny, store)
