"""The order of a folder's files, by the numbers in their names."""

from pathlib import Path

import pytest
import simulations as sim

from physolve.errors import ProblemFileError
from physolve.io import vtu
from physolve.io._mesh_field import mesh_field
from physolve.mesh.data import read_source
from physolve.mesh.data._step_files import in_order


def ordered(names):
    """In reverse, so that no order is one by chance."""
    return [file.stem for file in in_order(Path("here"), [Path(f"{name}.vtu") for name in reversed(names)])]


@pytest.mark.parametrize(
    "names",
    [
        [f"flow_{k}" for k in range(12)],
        [f"{k}" for k in (9, 10, 11)],
        [f"Re100.{k}" for k in range(13)],
        [f"run2.{k}" for k in (0, 1, 2, 9, 10, 11)],
        [f"Re_100.{k}" for k in (3, 6, 9, 12)],
        [f"case0.{k}" for k in (8, 9, 10, 11)],
        [f"Re100.5.{k}" for k in (2, 9, 11)],
        [f"t{k:04d}" for k in (9, 10, 100)],
        ["flow_0.1", "flow_0.25", "flow_0.5"],
        ["flow_0.05", "flow_0.1", "flow_0.15", "flow_0.2"],
        ["flow_0.25", "flow_0.5", "flow_2.0", "flow_10.0"],
        ["t1.0", "t1.25", "t1.5", "t1.75"],
        ["t2.10", "t2.25", "t2.50"],
        ["flow_0", "flow_0.5", "flow_1"],
        ["start", "start1", "start2"],
        ["alone"],
    ],
    ids=lambda names: names[0],
)
def test_files_are_in_the_order_of_their_numbers(names):
    assert ordered(names) == names


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["run2.9", "run2.11"], r"here: files: the order depends on whether the first one's number is 2.11 or 11;"),
        (["run2.1", "run2.10", "run3.1"], "'run2.1.vtu' and 'run2.10.vtu' have the same number"),
        (["Re100.5.0", "Re100.6.0"], r"got series called \['Re100.5.', 'Re100.6.'\]"),
        (["a_0", "b_0"], r"got series called \['a_', 'b_'\], expected one trajectory a folder"),
    ],
)
def test_names_that_give_no_order(names, message):
    with pytest.raises(ProblemFileError, match=message):
        ordered(names)


def test_a_folder_whose_name_of_files_ends_in_a_digit(tmp_path):
    for step in range(12):
        data = {"p": sim.POINTS[:, 0] + step}
        vtu.write(tmp_path / f"Re100.{step}.vtu", mesh_field(sim.POINTS, {"triangle": sim.TRIANGLES}, data))
    (series,) = read_source(tmp_path)
    assert [float(series.frame(k)["p"].min()) for k in range(12)] == list(range(12))


def test_a_step_in_two_formats(tmp_path):
    folder = sim.write_vtu_folder(tmp_path / "flow")
    (folder / "flow_2.vtk").touch()
    with pytest.raises(ProblemFileError, match=r"'flow_2.vtk' and 'flow_2.vtu' have the same number, expected one"):
        read_source(folder)
