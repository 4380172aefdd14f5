"""Rollouts: the same as single steps, boundary values overwritten, written and judged, stopped where they blow up."""

import dataclasses

import numpy as np
import pytest
import torch
from waves import DT, frame, square, write_flows

from physolve.errors import ProblemFileError, SpecificationError
from physolve.io import read_tensors, write_tensors, writing_series
from physolve.mesh import (
    Channels,
    Design,
    MessageSizes,
    NodeType,
    Scales,
    Sight,
    Simulator,
    TransformerSizes,
    load_simulator,
    save_simulator,
    simulation_graph,
)
from physolve.mesh.data import Conversion, MeshStore, NodeRules, convert, read_source
from physolve.mesh.rollout import Judge, RolloutErrors, RolloutOutcome, Snapshots, run_rollout, stored_case

STATE, OUTPUTS = Channels(("velocity",), (2,)), Channels(("pressure",), (0,))
SIZES = TransformerSizes(blocks=2, width=16, heads=2, rotary=2)
DESIGN = Design(STATE, OUTPUTS, 2, DT, 0.2, 1.0, SIZES, Sight(reach=1, dilation=2))


def simulator(design=DESIGN, increment=0.01):
    torch.manual_seed(0)
    made = Simulator(design).eval()
    ones = torch.ones(2)
    made.set_scales(Scales(0 * ones, ones, increment * ones, torch.zeros(1), torch.ones(1)))
    return made


@pytest.fixture
def case(flow_data):
    return stored_case(MeshStore(flow_data), "flow1", DESIGN)


def test_a_rollout_is_step_after_step_with_the_boundary_overwritten(case):
    made = simulator()
    done = run_rollout(made, case, 3)
    points, triangles, types = square(7)
    graph = simulation_graph(points, {"triangle": triangles}, types, DESIGN)
    state = torch.from_numpy(frame(points, 0, 0.7)["velocity"])
    for step in (1, 2, 3):
        with torch.no_grad():
            said = made(state, graph)
        known = torch.from_numpy(frame(points, DT * step, 0.7)["velocity"])
        state = torch.where(
            torch.isin(graph.node_type, torch.tensor([4, 6]))[:, None], known, state + 0.01 * said[:, :2]
        )
    assert (done.outcome, done.steps, done.message) == (RolloutOutcome.FINISHED, 3, "")
    assert np.allclose(done.state["velocity"], state.numpy(), atol=1e-6)
    assert np.allclose(done.state["pressure"], said[:, 2].numpy(), atol=1e-6)


def test_without_known_values_the_boundary_stays(case):
    done = run_rollout(simulator(), dataclasses.replace(case, known=None), 2)
    inflow = case.node_type == 4
    assert np.array_equal(done.state["velocity"][inflow], case.start["velocity"][inflow])


def test_beyond_the_truth_it_goes_on_without_errors(case):
    assert case.steps == 7
    done = run_rollout(simulator(), case, 9)
    assert (done.steps, done.compared) == (9, 7)
    assert done.errors == run_rollout(simulator(), case, 7).errors


def test_a_case_may_begin_later_and_take_longer_steps(flow_data):
    store = MeshStore(flow_data)
    case = stored_case(store, "flow0", dataclasses.replace(DESIGN, dt=2 * DT), first=1)
    assert case.steps == 3
    assert np.array_equal(case.truth(2)["velocity"], store.frame("flow0", 5)["velocity"])
    with pytest.raises(SpecificationError, match=r"has frames 0\.1 apart, and the simulator makes steps of 0\.15"):
        stored_case(store, "flow0", dataclasses.replace(DESIGN, dt=0.15))
    with pytest.raises(SpecificationError, match="ends before the first frame"):
        stored_case(store, "flow0", DESIGN, first=8)


def test_errors_are_root_mean_squares_over_normal_nodes():
    node_type = torch.tensor([0, 0, 6, 5])
    errors = RolloutErrors(STATE, node_type)
    for step in range(1, 61):
        off = torch.zeros(4, 2)
        off[:2, 0] = float(step)  # of both normal nodes, one component of two
        off[2:] = 100.0
        errors.add(off, torch.zeros(4, 2))
    root = 2**-0.5
    assert errors.figures() == pytest.approx(
        {
            "velocity rmse 1": root,
            "velocity rmse 50": 50 * root,
            "velocity rmse": root * np.sqrt(np.mean(np.arange(1, 61) ** 2.0)),
        }
    )


@pytest.mark.parametrize("sight", [DESIGN.sight, Sight(global_nodes=2)])
def test_a_rollout_in_parts_is_the_rollout(case, sight):
    made = simulator(dataclasses.replace(DESIGN, sight=sight))
    whole, parts = run_rollout(made, case, 5), run_rollout(made, case, 5, parts=4)
    for name, values in whole.state.items():
        assert np.allclose(parts.state[name], values, atol=1e-5)  # float32, values of order one
    assert parts.errors == pytest.approx(whole.errors, rel=1e-4)


def test_parts_that_the_mesh_does_not_have_are_refused(case):
    for parts in (0, 50):
        with pytest.raises(SpecificationError, match=f"got {parts} parts for a mesh of 49 nodes, expected 1 to 49"):
            run_rollout(simulator(), case, 1, parts=parts)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_ends_it(case, value):
    made = simulator()
    with torch.no_grad():
        made.network.decode_module[-1].bias[2] = value
    done = run_rollout(made, case, 5)
    assert (done.outcome, done.steps) == (RolloutOutcome.NOT_FINITE, 0)
    assert done.message == "49 of 49 nodes have values that are not finite"
    assert np.array_equal(done.state["velocity"], case.start["velocity"])


def test_what_leaves_the_data_by_far_ends_it(case, tmp_path):
    """Increments of order one a step, ten deviations allowed."""
    made = simulator(increment=1.0)
    with torch.no_grad():
        made.network.decode_module[-1].bias[:2] = 3.0
    path = tmp_path / "flow.xdmf"
    with writing_series(path, case.points, case.cells) as series:
        done = run_rollout(made, case, 50, bound=10.0, writers=[series])
    assert done.outcome is RolloutOutcome.BLEW_UP
    assert 1 <= done.steps < 5
    assert "standard deviations from its mean at node" in done.message
    assert np.abs(done.state["velocity"]).max() <= 10.0
    (found,) = read_source(path)
    assert len(found.times) == done.steps + 1


def test_what_is_written_is_what_was_predicted(case, tmp_path):
    path = tmp_path / "flow.xdmf"
    with writing_series(path, case.points, case.cells) as series:
        done = run_rollout(simulator(), case, 7, writers=[series])
    (found,) = read_source(path)
    assert np.allclose(found.times, DT * np.arange(8))
    seventh = found.frame(7)
    assert np.array_equal(seventh["velocity"][:, :2], done.state["velocity"].astype(np.float32))
    truth = case.truth(7)["velocity"]
    assert np.array_equal(seventh["velocity truth"][:, :2], truth)
    assert np.allclose(seventh["velocity error"], seventh["velocity"] - seventh["velocity truth"], atol=1e-6)


@pytest.mark.parametrize("suffix", [".xdmf", ".pvd"])
def test_beyond_the_truth_files_have_the_same_fields_at_every_step(case, tmp_path, suffix):
    """So that they are read again; films show the truth as far as it goes."""
    path, snapshots = tmp_path / f"flow{suffix}", Snapshots("velocity", every=2, case=case)
    with writing_series(path, case.points, case.cells) as series:
        run_rollout(simulator(), case, 8, writers=[series, snapshots])
    convert([path], tmp_path / "again.h5", Conversion(rules=NodeRules(boundary=NodeType.WALL)))
    store = MeshStore(tmp_path / "again.h5")
    assert store.fields() == {"pressure": 0, "velocity": 2}
    assert np.allclose(store.times("flow"), DT * np.arange(9))
    assert snapshots.found.shape == (5, 49)
    assert np.allclose(snapshots.times, [0, 0.2, 0.4, 0.6, 0.8])
    assert np.isnan(snapshots.truth).all(1).tolist() == [False, False, False, False, True]


def test_without_outputs_at_the_beginning_files_begin_with_the_first_step(case, tmp_path):
    path, snapshots = tmp_path / "flow.xdmf", Snapshots("velocity", case=case)
    late = dataclasses.replace(case, start={"velocity": case.start["velocity"]})
    with writing_series(path, case.points, case.cells) as series:
        run_rollout(simulator(), late, 3, writers=[series, snapshots])
    (found,) = read_source(path)
    assert np.allclose(found.times, DT * np.arange(1, 4))
    assert len({tuple(sorted(found.frame(k))) for k in range(3)}) == 1
    expected = [np.linalg.norm(case.truth(step)["velocity"], axis=1) for step in (1, 2, 3)]
    assert np.array_equal(snapshots.truth, expected)


def test_errors_of_outputs_are_told_where_the_truth_has_them(case):
    done = run_rollout(simulator(), case, 7)
    assert set(done.errors) == {f"{name} rmse{after}" for name in ("velocity", "pressure") for after in (" 1", "")}
    last = dataclasses.replace(case, truth=lambda step: {"velocity": case.truth(step)["velocity"]})
    without = run_rollout(simulator(), last, 7).errors
    assert without == {name: value for name, value in done.errors.items() if "pressure" not in name}
    shifted = dataclasses.replace(
        case, truth=lambda step: {**case.truth(step), "pressure": done.state["pressure"] + np.float32(2)}
    )
    inner = case.node_type == 0
    steps = []
    run_rollout(simulator(), shifted, 7, writers=[Keeping(steps)])
    off = [frame["pressure"][inner] - done.state["pressure"][inner] - 2 for frame in steps[1:]]
    found = run_rollout(simulator(), shifted, 7).errors["pressure rmse"]
    assert found == pytest.approx(np.sqrt(np.square(off).mean()), rel=1e-5)


class Keeping:
    def __init__(self, steps):
        self.steps = steps

    def write(self, time, point_data):
        self.steps.append(point_data)


def test_histories_have_a_row_for_every_step(case):
    done = run_rollout(simulator(), case, 8, judge=Judge(case))
    assert {name: len(rows) for name, rows in done.histories.items()} == {
        "time": 9,
        "divergence": 9,
        "truth divergence": 8,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": {"pressure": np.zeros(49)}}, "has no field 'velocity' to begin with; it has pressure"),
        ({"start": {"velocity": np.zeros(49)}}, "field 'velocity' of case 'flow1' has 1 components, expected 2"),
        ({"points": np.zeros((49, 3))}, "got a mesh in 3-D, expected 2-D as trained"),
        ({"node_type": np.full(49, 12)}, r"got the node types \[12\], expected 0 to 8"),
    ],
)
def test_a_case_that_does_not_fit_is_refused(case, changes, message):
    with pytest.raises(SpecificationError, match=message):
        run_rollout(simulator(), dataclasses.replace(case, **changes), 2)


def test_no_steps_are_refused(case):
    with pytest.raises(SpecificationError, match="got 0 steps"):
        run_rollout(simulator(), case, 0)


@pytest.mark.parametrize("network", [SIZES, MessageSizes(steps=2, width=8)])
def test_simulators_on_disk(tmp_path, case, network):
    path = tmp_path / "w.safetensors"
    made = simulator(dataclasses.replace(DESIGN, network=network))
    save_simulator(path, made)
    again = load_simulator(path)
    assert again.design == made.design
    one, other = (run_rollout(each, case, 2).state["velocity"] for each in (made, again))
    assert np.array_equal(one, other)


def test_a_foreign_file_is_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    save_simulator(path, simulator())
    tensors, header = read_tensors(path)
    write_tensors(path, tensors, {**header, "kind": "other"})
    with pytest.raises(ProblemFileError, match="kind: got 'other'"):
        load_simulator(path)
    write_tensors(path, tensors, {**header, "design": {}})
    with pytest.raises(ProblemFileError, match="design: not that of a simulator"):
        load_simulator(path)
    tensors.pop("mean")
    write_tensors(path, tensors, header)
    with pytest.raises(ProblemFileError, match="these are weights of another network"):
        load_simulator(path)


def test_a_mesh_joined_with_others_gives_what_it_gives_alone(tmp_path):
    """Batches: node i of a mesh sees nothing of the others."""
    from physolve.mesh import joined_graphs

    store = MeshStore(write_flows(tmp_path / "f.h5"))
    made = simulator()
    meshes = [store.mesh(name) for name in store.names()]
    graphs = [simulation_graph(m.points, m.cells, m.node_type, DESIGN) for m in meshes]
    states = [torch.from_numpy(store.frame(name, 2)["velocity"]) for name in store.names()]
    with torch.no_grad():
        alone = torch.cat([made(state, graph) for state, graph in zip(states, graphs, strict=True)])
        together = made(torch.cat(states), joined_graphs(graphs))
    assert torch.allclose(alone, together, atol=1e-6)
