"""Data sets made of flows: what they hold, the same from the same seed, and going on after an interruption."""

import numpy as np
import pytest

from physolve.errors import NumericalError, SpecificationError
from physolve.mesh import NodeType
from physolve.mesh.data import MeshStore
from physolve.mesh.data.channel import ChannelSettings, Pieces, _generate, generate

TINY = ChannelSettings(nodes=150, start=0.02, steps=3, interval=0.01, substeps=2)
THIRDS = (0.4, 0.3, 0.3)


def make(path, **options):
    return generate(path, 3, TINY, **{"seed": 4, "split": THIRDS, **options})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "flows.h5"
    assert make(path) == {}
    return path


def arrays(path):
    store = MeshStore(path)
    return {
        name: [
            store.mesh(name).points,
            *(store.frame(name, step)[field] for step in range(3) for field in store.fields()),
        ]
        for name in store.names()
    }


def same(one, other):
    first, second = arrays(one), arrays(other)
    return first.keys() == second.keys() and all(
        np.array_equal(a, b) for name in first for a, b in zip(first[name], second[name], strict=True)
    )


def test_it_holds_whole_flows_in_all_splits(made):
    store = MeshStore(made)
    assert store.fields() == {"velocity": 2, "pressure": 0}
    assert [len(store.names(split)) for split in ("train", "validation", "test")] == [1, 1, 1]
    np.testing.assert_allclose(store.times("flow_0000"), [0.02, 0.03, 0.04])
    assert not made.with_name("flows.h5.pieces").exists()


def test_node_types_lie_where_they_should(made):
    mesh = MeshStore(made).mesh("flow_0001")
    x, y = mesh.points.T
    walls = (y == 0) | (y == 0.41)
    assert (mesh.node_type[walls] == NodeType.WALL).all()
    assert (mesh.node_type[(x == 0) & ~walls] == NodeType.INFLOW).all()
    assert (mesh.node_type[(x == 1.6) & ~walls] == NodeType.OUTFLOW).all()
    round_ = mesh.points[mesh.node_type == NodeType.OBSTACLE]
    assert len(round_) >= 8
    radii = np.linalg.norm(round_ - (round_.min(0) + round_.max(0)) / 2, axis=1)
    np.testing.assert_allclose(radii, radii.mean(), rtol=0.05)  # bounds of a polygon, not of its circle


def test_known_velocities_are_kept_where_they_are_known(made):
    store = MeshStore(made)
    mesh, frame = store.mesh("flow_0002"), store.frame("flow_0002", 2)
    at_rest = np.isin(mesh.node_type, [NodeType.WALL, NodeType.OBSTACLE])
    assert not frame["velocity"][at_rest].any()
    assert (frame["velocity"][mesh.node_type == NodeType.INFLOW, 0] > 0).all()


def test_the_same_seed_gives_the_same_bits(made, tmp_path):
    make(tmp_path / "again.h5")
    assert same(made, tmp_path / "again.h5")


@pytest.mark.slow  # every process imports torch
def test_the_same_seed_gives_the_same_bits_with_any_number_of_workers(made, tmp_path):
    make(tmp_path / "again.h5", workers=2)
    assert same(made, tmp_path / "again.h5")


def test_an_interrupted_run_goes_on(made, tmp_path, monkeypatch):
    def interrupt(news):
        if news.done == 2:
            raise KeyboardInterrupt

    path = tmp_path / "flows.h5"
    with pytest.raises(KeyboardInterrupt):
        make(path, progress=interrupt)
    assert not path.exists()
    counts = []
    simulated = _generate.simulated
    monkeypatch.setattr(_generate, "simulated", lambda *given: counts.append(1) or simulated(*given))
    make(path)
    assert len(counts) == 1
    assert same(made, path)


def test_other_settings_do_not_go_on(tmp_path):
    path = tmp_path / "flows.h5"
    Pieces.beside(path).open(TINY, 4)
    with pytest.raises(SpecificationError, match="made with seed = 4, not 5"):
        make(path, seed=5)


def test_a_flow_that_blows_up_is_left_out_and_said(tmp_path, monkeypatch):
    simulated, told = _generate.simulated, []

    def second_fails(case, settings):
        if len(told) == 1:
            raise NumericalError("flow: blows up at t = 0.3")
        return simulated(case, settings)

    monkeypatch.setattr(_generate, "simulated", second_fails)
    left_out = make(tmp_path / "flows.h5", split=(0.5, 0.5, 0.0), progress=told.append)
    assert left_out == {"flow_0001": "flow: blows up at t = 0.3"}
    assert [news.reason for news in told] == [None, "flow: blows up at t = 0.3", None]
    assert MeshStore(tmp_path / "flows.h5").names() == ["flow_0000", "flow_0002"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers: got 0, expected 1 or more"),
        ({"split": (0.5, 0.1, 0.1)}, "expected three fractions that add up to 1"),
    ],
)
def test_numbers_without_sense_are_refused(tmp_path, options, message):
    with pytest.raises(SpecificationError, match=message):
        make(tmp_path / "flows.h5", **options)


def test_a_data_set_is_not_written_over(made):
    with pytest.raises(SpecificationError, match="exists already; remove it, or choose another name"):
        make(made)


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(SpecificationError, match="cannot be made"):
        make(tmp_path / "no" / "flows.h5")
