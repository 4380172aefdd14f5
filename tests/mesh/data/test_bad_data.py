"""One clear error for each kind of bad input, and nothing half written."""

import numpy as np
import pytest
import simulations as sim

from physolve.errors import ProblemFileError, SpecificationError
from physolve.mesh.data import Conversion, Fields, MeshStore, NodeRules, convert

RULES = Conversion(rules=NodeRules(boundary=None))


def refused(tmp_path, message, *sources, how=RULES):
    target = tmp_path / "out" / "data.h5"
    target.parent.mkdir(exist_ok=True)
    with pytest.raises((ProblemFileError, SpecificationError), match=message) as caught:
        convert(sources, target, how)
    assert "\n" not in str(caught.value)
    assert not list(target.parent.iterdir())


def vtu_with(tmp_path, change):
    """A folder in which step 2 is another one."""
    return sim.write_vtu_folder(tmp_path / "flow", change=lambda step, *mesh: change(*mesh) if step == 2 else mesh)


def test_a_step_on_another_mesh(tmp_path):
    points, triangles = sim.grid(5)
    folder = vtu_with(tmp_path, lambda *_: (points, {"triangle": triangles}, sim.flow(2, points)))
    refused(tmp_path, r"flow_2.vtu: step 2 has 25 nodes and the first one 16", folder)


def test_changing_connectivity(tmp_path):
    folder = vtu_with(tmp_path, lambda p, c, d: (p, {"triangle": c["triangle"][::-1]}, d))
    refused(tmp_path, "step 2 connects its nodes otherwise", folder)


def test_a_moving_mesh(tmp_path):
    refused(tmp_path, "step 2 has its nodes elsewhere", vtu_with(tmp_path, lambda p, c, d: (p + 0.1, c, d)))


def test_a_missing_field(tmp_path):
    folder = vtu_with(tmp_path, lambda p, c, d: (p, c, {"velocity": d["velocity"]}))
    refused(tmp_path, "field 'pressure' has shape None at step 2", folder)
    how = Conversion(fields=Fields({"p": ("pressure",)}), rules=NodeRules())
    refused(tmp_path, "step 2 has no field 'pressure'; it has velocity", folder, how=how)


def test_a_frame_of_nan(tmp_path):
    values = sim.frames()["pressure"]
    values[3, 5:7] = np.nan
    source = sim.write_npz(tmp_path / "flow.npz", pressure=values)
    refused(tmp_path, "field 'pressure' of step 3 is not finite at 2 of 16 nodes, first at node 5", source)


@pytest.mark.parametrize("wrong", [9.0, -1.0, 0.5, np.nan])
def test_wrong_node_types(tmp_path, wrong):
    types = sim.NODE_TYPE.astype(float)
    types[5] = wrong
    source = sim.write_npz(tmp_path / "flow.npz", node_type=types)
    refused(tmp_path, rf"node 5 has {wrong}, expected 0 to 8: 0 normal", source, how=Conversion())


def test_no_node_types(tmp_path):
    source = sim.write_npz(tmp_path / "flow.npz", node_type=None)
    refused(tmp_path, r"the source has none; give rules \(--node-types FILE\)", source, how=Conversion())
    refused(tmp_path, "no field 'kind' with node types; it has pressure", source, how=Conversion(type_field="kind"))


@pytest.mark.parametrize("kind", ["h5", "npz", "vtu", "xdmf"])
def test_truncated_files(tmp_path, kind, monkeypatch):
    monkeypatch.chdir(tmp_path)
    match kind:
        case "h5":
            source = damaged = sim.write_meshgraphnets(tmp_path / "train.h5")
        case "npz":
            source = damaged = sim.write_npz(tmp_path / "flow.npz")
        case "vtu":
            source = sim.write_vtu_folder(tmp_path / "flow")
            damaged = source / "flow_1.vtu"
        case _:
            source = damaged = sim.write_xdmf(tmp_path / "flow.xdmf")
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    refused(tmp_path, rf"{damaged.name}: content: not a complete \w+ file", source)


def test_a_changing_meshgraphnets_mesh(tmp_path):
    cells = np.repeat(sim.TRIANGLES[None], sim.STEPS, 0)
    cells[2] = cells[2, ::-1]
    source = sim.write_meshgraphnets(tmp_path / "train.h5", cells=cells)
    refused(tmp_path, "step 2 connects its nodes otherwise", source)


def test_trajectories_with_other_fields_or_dimension(tmp_path):
    flow = sim.write_npz(tmp_path / "flow.npz")
    refused(
        tmp_path,
        r"b.npz: got the fields velocity \[2\], expected pressure, velocity \[2\] as before",
        *(flow, sim.write_npz(tmp_path / "b.npz", pressure=None)),
    )
    solid = sim.write_npz(tmp_path / "c.npz", points=np.pad(sim.POINTS, ((0, 0), (0, 1))) + sim.POINTS[:, :1])
    refused(tmp_path, "c.npz: the mesh is 3-D and those before are 2-D", flow, solid)


def test_a_slash_in_a_name(tmp_path):
    values = sim.frames()["pressure"]
    source = sim.write_npz(tmp_path / "flow.npz", **{"pressure": None, "p/rho": values})
    refused(tmp_path, "field 'p/rho' has a slash in its name; rename it: --field NAME=p/rho", source)
    convert([source], tmp_path / "data.h5", Conversion(fields=Fields({"p": ("p/rho",)}), rules=NodeRules()))
    assert np.array_equal(MeshStore(tmp_path / "data.h5").frame("flow", 2)["p"], values[2])


def test_a_name_twice(tmp_path):
    flow = sim.write_npz(tmp_path / "flow.npz")
    refused(tmp_path, "the name 'flow' is taken", flow, flow)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": None}, "no array 'points'"),
        ({"triangles": None}, "cells: got none among"),
        (
            {"triangles": sim.TRIANGLES + 1},
            r"triangle 8 has the nodes \[11, 15, 16\], expected 0 to 15; number nodes from 0",
        ),
        ({"triangles": sim.TRIANGLES[:, :2]}, r"got 'triangle' of shape \(18, 2\)"),
        ({"velocity": np.zeros((4, 7, 2))}, r"array 'velocity' has shape \(4, 7, 2\), expected \(steps, 16\)"),
        ({"velocity": np.zeros((3, 16, 2))}, "expected the same for all"),
        ({"times": np.arange(3)}, "times: got 3, expected one for each of the 4 steps"),
        ({"times": np.array([0, 1, 1, 2])}, "time 1 of step 2 is not after the one before"),
        ({"points": np.full((16, 2), np.nan)}, "points: node 0 is not a finite number"),
        ({"times": np.array([0, 1, np.nan, 3])}, "time nan of step 2 is not a finite number"),
        ({"points": np.zeros((16, 4))}, r"points: got shape \(16, 4\)"),
        ({"triangles": sim.TRIANGLES + 0.5}, "cells: got 'triangle' with fractions"),
        ({"pressure": np.full((4, 16), 1j)}, "entries of type complex128, expected real numbers"),
        ({"pressure": np.full((4, 16), 1e300)}, "is not finite at 16 of 16 nodes"),
    ],
)
def test_archives_that_do_not_fit(tmp_path, changes, message):
    refused(tmp_path, message, sim.write_npz(tmp_path / "flow.npz", **changes))


def test_a_store_that_is_none(tmp_path):
    source = sim.write_meshgraphnets(tmp_path / "train.h5")
    with pytest.raises(ProblemFileError, match="not a physolve mesh data file; make one with 'physolve mesh convert'"):
        MeshStore(source)
    source.write_bytes(source.read_bytes()[:3000])
    with pytest.raises(ProblemFileError, match="not a complete HDF5 file"):
        MeshStore(source)
