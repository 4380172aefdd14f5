"""Series of steps: written one by one, read back by the mesh readers and by VTK, complete after every step."""

import numpy as np
import pytest

from physolve.errors import ProblemFileError, SpecificationError
from physolve.io import SERIES_SUFFIXES, writing_series
from physolve.mesh.data import read_source

POINTS = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [2, 0], [2, 1]], dtype=float)
TRIANGLES = {"triangle": np.array([[0, 1, 2], [1, 3, 2]])}
MIXED = {"quad": np.array([[1, 4, 5, 3]]), **TRIANGLES}
CUBE = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)], dtype=float)
TETRA = {"tetra": np.array([[0, 1, 2, 4], [1, 2, 4, 7]])}


def fields(step, points):
    x = points.sum(1) + step
    return {"velocity <&>": np.stack([x * k for k in range(points.shape[1])], 1), "p": -x}


@pytest.mark.parametrize("suffix", SERIES_SUFFIXES)
@pytest.mark.parametrize(("points", "cells"), [(POINTS, TRIANGLES), (POINTS, MIXED), (CUBE, TETRA)])
def test_round_trip(tmp_path, suffix, points, cells):
    path = tmp_path / f"flow{suffix}"
    with writing_series(path, points, cells) as series:
        for step in range(3):
            series.write(0.1 * step, fields(step, points))
    (found,) = read_source(path)
    assert found.times.tolist() == [0.0, 0.1, 0.2]
    assert np.array_equal(found.points, points)
    assert {kind: block.tolist() for kind, block in found.cells.items()} == {k: b.tolist() for k, b in cells.items()}
    for step in range(3):
        frame = found.frame(step)
        for name, values in fields(step, points).items():
            assert np.allclose(frame[name][..., : values.shape[-1]], values, rtol=1e-7)


@pytest.mark.parametrize("suffix", SERIES_SUFFIXES)
def test_vtk_reads_it(tmp_path, suffix):
    import pyvista

    path = tmp_path / f"flow{suffix}"
    with writing_series(path, POINTS, TRIANGLES) as series:
        for step in range(2):
            series.write(float(step), fields(step, POINTS))
    reader = pyvista.get_reader(path)
    reader.set_active_time_value(1.0)
    grid = reader.read()
    grid = grid[0] if isinstance(grid, pyvista.MultiBlock) else grid
    assert np.allclose(grid.point_data["p"], fields(1, POINTS)["p"])


@pytest.mark.parametrize("suffix", SERIES_SUFFIXES)
def test_what_was_written_can_be_read_while_the_rest_is_not_there(tmp_path, suffix):
    path = tmp_path / f"flow{suffix}"
    with writing_series(path, POINTS, TRIANGLES) as series:
        series.write(0.0, fields(0, POINTS))
        series.write(0.5, fields(1, POINTS))
        text = path.read_text()
    assert text == path.read_text()


@pytest.mark.parametrize("suffix", SERIES_SUFFIXES)
def test_any_letters_in_the_names_of_files_and_fields(tmp_path, suffix):
    path = tmp_path / f"strömung été{suffix}"
    with writing_series(path, POINTS, TRIANGLES) as series:
        for step in range(3):
            series.write(np.float64(step), {"Größe": POINTS.sum(1) + step})
    (found,) = read_source(path)
    assert found.times.tolist() == [0.0, 1.0, 2.0]
    assert np.allclose(found.frame(2)["Größe"], POINTS.sum(1) + 2)


@pytest.mark.parametrize("suffix", SERIES_SUFFIXES)
@pytest.mark.parametrize("time", [float("nan"), float("inf"), "0.1"])
def test_a_time_that_is_none_is_refused(tmp_path, suffix, time):
    path = tmp_path / f"flow{suffix}"
    with writing_series(path, POINTS, TRIANGLES) as series:
        series.write(0, {"p": POINTS[:, 0]})
        with pytest.raises(SpecificationError, match="expected a finite number"):
            series.write(time, {"p": POINTS[:, 0]})
    assert read_source(path)[0].times.tolist() == [0.0]


def test_numbers_of_something_else_are_not_replaced(tmp_path):
    beside = tmp_path / "flow.h5"
    beside.write_bytes(b"somebody's")
    with (
        pytest.raises(ProblemFileError, match="not of a series of this name"),
        writing_series(tmp_path / "flow.xdmf", POINTS, TRIANGLES),
    ):
        pass
    assert beside.read_bytes() == b"somebody's"
    assert not (tmp_path / "flow.xdmf").exists()


@pytest.mark.parametrize("there", [None, "other.pvd", "flow.pvd"])
def test_steps_of_something_else_are_not_replaced(tmp_path, there):
    """With no list, with one of another name that speaks of them, or with one of this name that does not."""
    foreign, listed = tmp_path / "flow_00001.vtu", tmp_path / "flow.pvd"
    foreign.write_bytes(b"somebody's")
    if there is not None:
        (tmp_path / there).write_text('<DataSet file="my_flow_00001.vtu"/>' if there == "flow.pvd" else foreign.name)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with (
        pytest.raises(
            ProblemFileError, match=r"flow.pvd: file: its steps would replace '.*flow_00001.vtu', which is not"
        ),
        writing_series(listed, POINTS, TRIANGLES),
    ):
        pass
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize("suffix", SERIES_SUFFIXES)
def test_a_series_that_was_there_is_replaced_and_nothing_of_it_left(tmp_path, suffix):
    path, kept = (
        tmp_path / f"flow & [co]{suffix}",
        {"flow & [co]_fine_00000.vtu", "flow & [co]_mesh.vtu", "flow_00000.vtu"},
    )
    for name in kept:
        (tmp_path / name).write_bytes(b"somebody's")
    for steps in (3, 1):
        with writing_series(path, POINTS, TRIANGLES) as series:
            for step in range(steps):
                series.write(step, fields(step, POINTS))
    assert len(read_source(path)[0].times) == 1
    beside = "flow & [co].h5" if suffix == ".xdmf" else "flow & [co]_00000.vtu"
    assert {file.name for file in tmp_path.iterdir()} == {path.name, beside, *kept}


def test_what_cannot_be_written_is_named(tmp_path):
    with pytest.raises(ProblemFileError, match=r"got suffix '.vtu', expected one of .xdmf, .pvd"):
        writing_series(tmp_path / "flow.vtu", POINTS, TRIANGLES)
    with (
        pytest.raises(ProblemFileError, match="cannot be written"),
        writing_series(tmp_path / "no" / "f.xdmf", POINTS, TRIANGLES),
    ):
        pass
    with (
        writing_series(tmp_path / "flow.xdmf", POINTS, TRIANGLES) as series,
        pytest.raises(SpecificationError, match="data 'p' has shape"),
    ):
        series.write(0.0, {"p": np.zeros(3)})
