"""Every format gives back the same simulation."""

import h5py
import numpy as np
import pytest
import simulations as sim

from physolve.errors import ProblemFileError
from physolve.mesh.data import read_source

TIMES = {"npz": 1.0, "meshgraphnets": 0.25, "meshgraphnets_repeated": 0.25, "xdmf": 0.5, "vtu": 0.1, "pvd": 0.2}


def write(kind, tmp_path):
    match kind:
        case "npz":
            return sim.write_npz(tmp_path / "flow.npz")
        case "meshgraphnets" | "meshgraphnets_repeated":
            return sim.write_meshgraphnets(tmp_path / "train.h5", trajectories=1, repeat=kind.endswith("repeated"))
        case "xdmf":
            return sim.write_xdmf(tmp_path / "flow.xdmf")
        case "vtu":
            return sim.write_vtu_folder(tmp_path / "flow")
        case _:
            return sim.write_pvd(tmp_path / "flow")


@pytest.mark.parametrize("kind", TIMES)
def test_mesh_times_and_fields(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # meshio puts an XDMF file's numbers into the working folder
    (series,) = read_source(write(kind, tmp_path), **({"dt": 0.1} if kind == "vtu" else {}))
    assert np.allclose(series.points, sim.POINTS, rtol=0, atol=1e-7)
    assert np.array_equal(series.cells["triangle"], sim.TRIANGLES)
    assert series.times == pytest.approx(TIMES[kind] * np.arange(sim.STEPS))
    for step in (0, 3, 1):
        frame = series.frame(step)
        for name, expected in sim.flow(step).items():
            assert np.array_equal(frame[name].reshape(sim.N, -1)[:, : expected[0].size].squeeze(), expected)


@pytest.mark.parametrize("kind", ["npz", "meshgraphnets", "meshgraphnets_repeated"])
def test_node_types_of_the_source(kind, tmp_path):
    (series,) = read_source(write(kind, tmp_path))
    assert np.array_equal(series.node_type, sim.NODE_TYPE)


def test_openfoam_case_with_patches(tmp_path):
    (series,) = read_source(sim.write_openfoam(tmp_path / "case"))
    assert series.points.shape == (12, 3)
    assert len(series.cells["hexahedron"]) == 2
    assert series.times.tolist() == [0.0, 0.5, 1.0]
    assert np.allclose(series.frame(1)["U"], [0.5, 2, 3])
    assert np.array_equal(np.flatnonzero(series.points[:, 0] == 0), series.parts["inlet"])
    assert np.array_equal(np.flatnonzero(series.points[:, 0] == 2), series.parts["outlet"])
    assert len(series.parts["walls"]) == 12


def test_a_folder_of_folders_is_a_trajectory_each(tmp_path):
    for name in ("b", "a"):
        sim.write_vtu_folder(tmp_path / name)
    assert [series.name for series in read_source(tmp_path)] == ["a", "b"]


def test_files_are_ordered_by_number(tmp_path):
    (series,) = read_source(sim.write_vtu_folder(tmp_path / "flow", steps=[0, 2, 10, 9]))
    assert [float(series.frame(k)["pressure"][0]) for k in range(4)] == [0, 2, 9, 10]


def test_several_trajectories_in_a_meshgraphnets_file(tmp_path):
    series = read_source(sim.write_meshgraphnets(tmp_path / "train.h5"))
    assert [one.name for one in series] == ["0", "1", "2"]
    assert np.array_equal(series[2].frame(1)["velocity"], sim.flow(1, shift=0.2)["velocity"])


@pytest.mark.parametrize("shape", [(sim.N,), (sim.N, 1), (sim.STEPS, sim.N), (sim.STEPS, sim.N, 1)])
def test_node_types_of_meshgraphnets_in_any_shape(tmp_path, shape):
    path = sim.write_meshgraphnets(tmp_path / "train.h5", trajectories=1)
    with h5py.File(path, "r+") as file:
        del file["0/node_type"]
        file["0/node_type"] = np.broadcast_to(sim.NODE_TYPE.reshape(shape[-2:] if shape[-1] == 1 else -1), shape)
    (series,) = read_source(path)
    assert series.node_type.tolist() == sim.NODE_TYPE.tolist()


def test_a_file_without_trajectories(tmp_path):
    h5py.File(tmp_path / "none.h5", "w").close()
    with pytest.raises(ProblemFileError, match="got no trajectory"):
        read_source(tmp_path / "none.h5")


def test_what_is_not_there(tmp_path):
    with pytest.raises(ProblemFileError, match="does not exist"):
        read_source(tmp_path / "no.npz")
    with pytest.raises(ProblemFileError, match="nothing in it that can be read"):
        read_source(tmp_path)
    (tmp_path / "mesh.msh").touch()
    with pytest.raises(ProblemFileError, match=r"unknown kind '.msh'; expected .npz"):
        read_source(tmp_path / "mesh.msh")


@pytest.mark.parametrize("meta", [None, "{}"])
def test_the_time_between_steps_where_the_source_has_none(tmp_path, meta):
    path = sim.write_meshgraphnets(tmp_path / "train.h5", trajectories=1)
    path.with_name("meta.json").unlink()
    if meta is not None:
        path.with_name("meta.json").write_text(meta)
    for source in (path, sim.write_npz(tmp_path / "flow.npz"), sim.write_vtu_folder(tmp_path / "flow")):
        assert read_source(source, dt=0.1)[0].times == pytest.approx(0.1 * np.arange(sim.STEPS))


@pytest.mark.parametrize("kind", ["meshgraphnets", "xdmf", "pvd"])
def test_another_time_between_steps_than_the_source_has(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = write(kind, tmp_path)
    with pytest.raises(ProblemFileError, match=r"dt: got 0.1, but the source has times of its own: 0, 0\.\d+, .*leave"):
        read_source(source, dt=0.1)
    assert read_source(source, dt=TIMES[kind])[0].times == pytest.approx(TIMES[kind] * np.arange(sim.STEPS))


def test_the_time_between_steps_of_instants_in_single_precision(tmp_path):
    """0.1 s apart after four hours, where float32 is 1e-3 s: even, as it is for a rollout."""
    times = (15_000 + 0.1 * np.arange(sim.STEPS)).astype(np.float32).astype(float)
    source = sim.write_npz(tmp_path / "flow.npz", times=times)
    assert np.array_equal(read_source(source, dt=0.1)[0].times, times)


def test_another_time_between_steps_than_an_archive_has(tmp_path):
    source = sim.write_npz(tmp_path / "flow.npz", times=np.array([0.0, 1.0, 2.0, 4.0]))
    with pytest.raises(ProblemFileError, match=r"flow.npz: dt: got 1, but the source has times of its own: 0, 1, 2"):
        read_source(source, dt=1.0)
    with pytest.raises(ProblemFileError, match=r"flow.npz: dt: got 0.1, but the source has times of its own: 0, 1, 2"):
        read_source(source, dt=0.1)


QUADS = np.array([[4 * i + j, 4 * i + j + 4, 4 * i + j + 5, 4 * i + j + 1] for i in range(3) for j in range(3)])


@pytest.mark.parametrize(("kind", "cells"), [("triangle", sim.TRIANGLES), ("quad", QUADS)])
@pytest.mark.parametrize("height", [0.0, 2.5])
def test_cells_of_a_plane_in_space(tmp_path, kind, cells, height):
    points = np.pad(sim.POINTS, ((0, 0), (0, 1)), constant_values=height)
    archive = sim.write_npz(tmp_path / "flow.npz", points=points, triangles=None, cells=cells)
    graphs = sim.write_meshgraphnets(tmp_path / "train.h5", trajectories=1, mesh_pos=points, cells=cells)
    for source in (archive, graphs):
        (series,) = read_source(source)
        assert series.points.shape == (sim.N, 2)
        assert np.array_equal(series.cells[kind], cells)
