"""Data sets: what is written comes back, from several processes too; node types by rules; splits without leakage."""

import pickle

import numpy as np
import pytest
import simulations as sim
import torch

from physolve.errors import ProblemFileError, SpecificationError
from physolve.io import vtu, writing_series
from physolve.io._mesh_field import mesh_field
from physolve.mesh import NodeType
from physolve.mesh.data import (
    Conversion,
    Fields,
    MeshStore,
    NodeRules,
    convert,
    random_split,
    read_rules,
    read_source,
    refuse_leakage,
    types_by_rules,
    with_parts_of,
)
from physolve.spec import Rectangle


@pytest.fixture
def store(tmp_path):
    convert([sim.write_meshgraphnets(tmp_path / "train.h5")], tmp_path / "data.h5", Conversion(split=(0.4, 0.3, 0.3)))
    return MeshStore(tmp_path / "data.h5")


def test_what_is_written_comes_back(store):
    assert store.names() == ["0", "1", "2"]
    assert store.fields() == {"pressure": 0, "velocity": 2}
    assert store.times("1").tolist() == [0, 0.25, 0.5, 0.75]
    mesh = store.mesh("2")
    assert np.allclose(mesh.points, sim.POINTS, rtol=0, atol=1e-7)  # MeshGraphNets keep them in single precision
    assert np.array_equal(mesh.cells["triangle"], sim.TRIANGLES)
    assert np.array_equal(mesh.node_type, sim.NODE_TYPE)
    for name, expected in sim.flow(3, shift=0.1).items():
        assert np.array_equal(store.frame("1", 3)[name], expected)


def test_a_shared_mesh_is_stored_once(store):
    assert {store.mesh(name).key for name in store.names()} == {"0000"}


def test_every_trajectory_is_in_one_split(store):
    splits = [store.names(split) for split in ("train", "validation", "test")]
    assert sorted(name for names in splits for name in names) == store.names()
    assert [len(names) for names in splits] == [1, 1, 1]


class Frames(torch.utils.data.Dataset):
    def __init__(self, store):
        self.store, self.index = store, [(n, k) for n in store.names() for k in range(sim.STEPS)]

    def __len__(self):
        return len(self.index)

    def __getitem__(self, k):
        return torch.from_numpy(self.store.frame(*self.index[k])["velocity"])


def test_read_by_several_workers(store):
    store.names()  # opened here before the workers start
    frames = Frames(store)
    together = torch.stack(list(torch.utils.data.DataLoader(frames, batch_size=None, num_workers=2)))
    assert torch.equal(together, torch.stack([frames[k] for k in range(len(frames))]))


def test_a_store_can_be_pickled(store):
    there = pickle.loads(pickle.dumps(store))
    assert np.array_equal(there.frame("0", 1)["velocity"], store.frame("0", 1)["velocity"])


def test_what_a_store_does_not_have(store):
    with pytest.raises(SpecificationError, match="no trajectory '7'; it has 0, 1, 2"):
        store.mesh("7")
    with pytest.raises(SpecificationError, match="trajectory '0' has no step 4; it has 0 to 3"):
        store.frame("0", 4)


def test_fields_are_chosen_joined_and_renamed(tmp_path):
    u, v = np.moveaxis(sim.frames()["velocity"], -1, 0)
    source = sim.write_npz(tmp_path / "flow.npz", velocity=None, u=u, v=v)
    fields = Fields({"velocity": ("u", "v")})
    convert([source], tmp_path / "data.h5", Conversion(fields=fields))
    store = MeshStore(tmp_path / "data.h5")
    assert store.fields() == {"velocity": 2}
    assert np.array_equal(store.frame("flow", 2)["velocity"], sim.flow(2)["velocity"])


def test_node_types_from_a_field(tmp_path):
    kinds = np.repeat(sim.NODE_TYPE[None], sim.STEPS, 0).astype(np.float32)
    source = sim.write_npz(tmp_path / "flow.npz", node_type=None, kind=kinds)
    convert([source], tmp_path / "data.h5", Conversion(type_field="kind"))
    store = MeshStore(tmp_path / "data.h5")
    assert np.array_equal(store.mesh("flow").node_type, sim.NODE_TYPE)
    assert "kind" not in store.fields()


def rules_of(tmp_path, text):
    path = tmp_path / "rules.toml"
    path.write_text(text)
    return read_rules(path)


def test_the_first_rule_decides_and_the_rest_of_the_boundary_is_a_wall(tmp_path):
    text = 'boundary = "wall"\n[where]\ninflow = "x < 1e-6"\nobstacle = "x < 0.5 and y > 0.5"\n'
    (series,) = read_source(sim.write_npz(tmp_path / "flow.npz"))
    types = types_by_rules(series, rules_of(tmp_path, text))
    x, y = sim.POINTS.T
    edge = (y == 0) | (x == 1) | (y == 1)
    expected = np.where(edge, NodeType.WALL, NodeType.NORMAL)
    expected[(x < 0.5) & (y > 0.5)] = NodeType.OBSTACLE
    expected[x == 0] = NodeType.INFLOW
    assert np.array_equal(types, expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('walls = "wall"', "item 'walls': unknown; expected where, parts, boundary"),
        ('boundary = "rock"', "boundary: got 'rock', expected one of normal, obstacle"),
        ('[where]\nlid = "y > 1"', "where: got 'lid'"),
        ('[where]\nwall = "y >"', "where.wall: column"),
        ('[where]\nwall = "w > 1"', "'w' is not a known name"),
        ('[where]\nwall = "x + 1"', "expected a comparison"),
        ("[where]\nwall = 3", "expected a condition in quotes"),
        ("where = 3", "expected tables"),
        ("[where", "not a complete TOML file"),
    ],
)
def test_rules_that_do_not_parse(tmp_path, text, message):
    with pytest.raises(ProblemFileError, match=message):
        rules_of(tmp_path, text)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (NodeRules({NodeType.WALL: "x > 2"}), "rule where.wall = 'x > 2': no node meets it"),
        (NodeRules({NodeType.WALL: "z > 2"}), "'z' is not a known name"),
        (NodeRules(parts={"lid": NodeType.WALL}), "parts.lid: the mesh has no such part; it has none"),
    ],
)
def test_rules_that_do_not_fit_the_mesh(tmp_path, rules, message):
    (series,) = read_source(sim.write_npz(tmp_path / "flow.npz"))
    with pytest.raises(ProblemFileError, match=message):
        types_by_rules(series, rules)


def test_boundary_parts_of_a_problems_domain(tmp_path):
    (series,) = read_source(sim.write_npz(tmp_path / "flow.npz"))
    series = with_parts_of(series, Rectangle((0, 0), (1, 1)))
    x, y = sim.POINTS.T
    for part, there in {"left": x == 0, "right": x == 1, "bottom": y == 0, "top": y == 1}.items():
        assert np.array_equal(series.parts[part], np.flatnonzero(there))
    with pytest.raises(SpecificationError, match="no node of the mesh lies on a boundary part"):
        with_parts_of(series, Rectangle((5, 5), (6, 6)))


@pytest.mark.parametrize(("number", "fractions"), [(10, (0.8, 0.1, 0.1)), (3, (0.8, 0.1, 0.1)), (5, (0, 0.5, 0.5))])
def test_random_splits(number, fractions):
    names = [f"t{k}" for k in range(number)]
    splits = random_split(names, fractions, seed=3)
    assert splits == random_split(names, fractions, seed=3)
    assert splits.keys() == set(names)
    counts = [sum(split == wanted for split in splits.values()) for wanted in ("train", "validation", "test")]
    assert sum(counts) == number
    assert [count > 0 for count in counts] == [fraction > 0 for fraction in fractions]


def test_splits_that_cannot_be():
    with pytest.raises(SpecificationError, match="expected three fractions that add up to 1"):
        random_split(["a"], (0.8, 0.1, 0.2))
    with pytest.raises(SpecificationError, match="got 1 trajectories for 3 splits"):
        random_split(["a"], (0.8, 0.1, 0.1))


def test_leakage_is_refused_and_a_common_start_is_not():
    prints = {"a": np.array([1, 2, 3, 3]), "b": np.array([1, 4, 5]), "c": np.array([5, 3, 2])}
    refuse_leakage({"a": "train", "b": "test", "c": "train"}, {name: p.astype(np.uint64) for name, p in prints.items()})
    with pytest.raises(SpecificationError, match=r"'a' \(train\) and 'c' \(test\) have 2 frames in common"):
        refuse_leakage({"a": "train", "b": "train", "c": "test"}, prints)


def test_copies_in_two_splits_are_refused_when_converting(tmp_path):
    sources = [sim.write_npz(tmp_path / f"{name}.npz") for name in "ab"]
    with pytest.raises(SpecificationError, match="4 frames in common"):
        convert(sources, tmp_path / "data.h5", Conversion(split=(0.5, 0, 0.5)))
    assert not (tmp_path / "data.h5").exists()


def test_a_source_is_never_replaced(tmp_path):
    source = sim.write_meshgraphnets(tmp_path / "train.h5")
    convert([source], tmp_path / "data.h5")
    with writing_series(tmp_path / "flow.xdmf", sim.POINTS, {"triangle": sim.TRIANGLES}) as series:
        series.write(0.0, {"p": sim.POINTS[:, 0]})
    for sources, target in (
        (source, source),
        (tmp_path, tmp_path / "data.h5"),
        (tmp_path / "flow.xdmf", tmp_path / "flow.h5"),
    ):
        before = target.read_bytes()
        with pytest.raises(ProblemFileError, match="belongs to the source"):
            convert([sources], target)
        assert target.read_bytes() == before


def test_files_are_in_the_order_of_their_times(tmp_path):
    for time in (0.5, 0.25, 10.0, 2.0):
        vtu.write(
            tmp_path / f"flow_{time}.vtu",
            mesh_field(sim.POINTS, {"triangle": sim.TRIANGLES}, {"p": sim.POINTS[:, 0] + time}),
        )
    (series,) = read_source(tmp_path)
    assert [float(series.frame(k)["p"].min()) for k in range(4)] == [0.25, 0.5, 2.0, 10.0]
