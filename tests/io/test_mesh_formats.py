"""Every mesh format: round trip, atomic writing, and one clear line for a bad file."""

import numpy as np
import pytest

from physolve.errors import ProblemFileError, SpecificationError, UnsupportedError
from physolve.io import SUFFIXES, MeshField, read_mesh_field, save_mesh_field

VELOCITY = 'velocity <m s> & "so"'  # to be escaped in XML
KEEPS_CELLS = tuple(suffix for suffix in SUFFIXES if suffix != ".csv")


def example(dim: int) -> MeshField:
    rng = np.random.default_rng(dim)
    points = rng.standard_normal((6, dim)) * 10.0 ** rng.integers(-9, 9, (6, dim))
    cells = {1: {"line": [[0, 1], [1, 2]]}, 2: {"triangle": [[0, 1, 2], [1, 2, 3]], "line": [[0, 5]]}}.get(
        dim, {"tetra": [[0, 1, 2, 3]], "triangle": [[0, 1, 2]]}
    )
    data = {
        "u": rng.standard_normal(6) / 3,
        'velocity <m s> & "so"': rng.standard_normal((6, 2)),
        "w": rng.random((6, 3)),
    }
    data["u"][2] = np.nan
    return MeshField(points, cells, data)


def assert_same(got: MeshField, expected: MeshField, cells: bool = True) -> None:
    np.testing.assert_array_equal(got.points, expected.points)
    assert list(got.point_data) == list(expected.point_data)
    for name, values in expected.point_data.items():
        np.testing.assert_array_equal(got.point_data[name], values)
    if cells:
        assert set(got.cells) == set(expected.cells)
        for name, block in expected.cells.items():
            np.testing.assert_array_equal(got.cells[name], block)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_round_trip_is_exact(tmp_path, suffix, dim):
    path = tmp_path / f"field{suffix}"
    save_mesh_field(path, example(dim))
    assert_same(read_mesh_field(path), example(dim), cells=suffix in KEEPS_CELLS)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_round_trip_of_a_cloud_without_cells(tmp_path, suffix):
    cloud = MeshField(example(2).points, {}, {"u": np.arange(6.0)})
    save_mesh_field(tmp_path / f"cloud{suffix}", cloud)
    got = read_mesh_field(tmp_path / f"cloud{suffix}")
    assert_same(got, cloud)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"field{suffix}"
    save_mesh_field(path, example(2))
    before = path.read_bytes()

    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("physolve.io._files.os.replace", fail)
    with pytest.raises(ProblemFileError, match="cannot be written \\(no space left on device\\)"):
        save_mesh_field(path, example(3))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("damage", ["truncated", "empty", "other kind"])
def test_a_bad_file_gives_one_line(tmp_path, suffix, damage):
    path = tmp_path / f"field{suffix}"
    save_mesh_field(path, example(2))
    whole = path.read_bytes()
    path.write_bytes(
        {"truncated": whole[: len(whole) * 2 // 3], "empty": b"", "other kind": b"\x89PNG\r\n" * 50}[damage]
    )
    if suffix == ".csv" and damage == "truncated":
        path.write_bytes(whole.rsplit(b",", 1)[0])
    with pytest.raises(ProblemFileError) as caught:
        read_mesh_field(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert len(message) < len(str(path)) + 300


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_missing_file_and_missing_folder(tmp_path, suffix):
    with pytest.raises(ProblemFileError, match="file: does not exist"):
        read_mesh_field(tmp_path / f"no{suffix}")
    with pytest.raises(ProblemFileError, match="create it first"):
        save_mesh_field(tmp_path / "no" / f"field{suffix}", example(2))


def test_unknown_suffixes_are_refused_with_the_list(tmp_path):
    message = "suffix '.stl' is not a mesh field format; use one of .vtu, .npz, .h5, .csv, .xdmf"
    with pytest.raises(UnsupportedError, match=message):
        save_mesh_field(tmp_path / "a.stl", example(2))
    with pytest.raises(UnsupportedError, match="has no suffix; use one of"):
        read_mesh_field(tmp_path / "a")


def test_npz_refuses_pickles_and_other_versions(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, points=np.array([{"a": 1}], dtype=object), format_version=1)
    with pytest.raises(ProblemFileError, match="allow_pickle=False"):
        read_mesh_field(path)
    np.savez(path, points=np.zeros((1, 2)), format_version=9)
    with pytest.raises(ProblemFileError, match="format_version: got 9, expected 1"):
        read_mesh_field(path)


def test_vtu_is_what_vtk_reads(tmp_path):
    pyvista = pytest.importorskip("pyvista")
    field = example(2)
    save_mesh_field(tmp_path / "a.vtu", field)
    grid = pyvista.read(tmp_path / "a.vtu")
    np.testing.assert_array_equal(np.asarray(grid.points)[:, :2], field.points)
    np.testing.assert_array_equal(
        np.asarray(grid.point_data['velocity <m s> & "so"'])[:, :2], field.point_data['velocity <m s> & "so"']
    )
    assert grid.n_cells == 3


@pytest.mark.parametrize(
    ("points", "cells", "data", "message"),
    [
        (np.zeros(3), {}, {}, r"points have shape \(3,\); expected \(n, dim\)"),
        (np.full((3, 2), np.nan), {}, {}, "not finite"),
        (np.zeros((3, 2)), {"blob": [[0]]}, {}, "cell type 'blob' is unknown; expected one of vertex"),
        (np.zeros((3, 2)), {"triangle": [[0, 1]]}, {}, r"expected \(m, 3\)"),
        (np.zeros((3, 2)), {"line": [[1, 3]]}, {}, "'line' cells refer to points outside 0..2"),
        (np.zeros((3, 2)), {}, {"u": np.zeros(4)}, r"data 'u' has shape \(4,\); expected \(3,\)"),
        (np.zeros((3, 2)), {}, {"a/b": np.zeros(3)}, "'a/b' cannot name data"),
    ],
)
def test_misfits_are_refused(points, cells, data, message):
    with pytest.raises(SpecificationError, match=message):
        MeshField(points, cells, data)


@pytest.mark.parametrize("name", ["x", "z", "v[0]"])
def test_csv_refuses_ambiguous_names(tmp_path, name):
    field = MeshField(np.zeros((1, 2)), {}, {"v": np.zeros((1, 2)), name: np.zeros(1)})
    with pytest.raises(SpecificationError, match="would be ambiguous"):
        save_mesh_field(tmp_path / "a.csv", field)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "line 1: the header must start with x"),
        ("x,u\n1,2\n1\n", "line 3: got 1 values, expected 2"),
        ("x,u\n1,two\n", "line 2: could not convert"),
    ],
)
def test_csv_says_which_line(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ProblemFileError, match=message):
        read_mesh_field(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("x,y,u,u", "'u' is there twice"),
        ("x,y,u[0],u[2]", r"components \[0, 2\], expected 0 to 1"),
        ("x,y,u,u[0]", "each once"),
    ],
)
def test_columns_of_text_that_do_not_fit_are_named(tmp_path, header, said):
    (tmp_path / "f.csv").write_text(f"{header}\n0,0,1,2\n")
    with pytest.raises(ProblemFileError, match=said):
        read_mesh_field(tmp_path / "f.csv")


def test_components_of_text_go_by_their_numbers(tmp_path):
    (tmp_path / "f.csv").write_text("x, y, v[1], v[0]\n0,0,1,2\n1,0,3,4\n")
    found = read_mesh_field(tmp_path / "f.csv")
    assert found.dim == 2
    assert found.point_data["v"].tolist() == [[2, 1], [4, 3]]


def test_components_that_xdmf_does_not_know_are_named(tmp_path):
    field = MeshField(np.array([[0.0, 0.0], [1.0, 1.0]]), {}, {"v": np.ones((2, 4))})
    with pytest.raises(SpecificationError, match="'v' has 4 components, expected 1, 2, 3, 6, 9"):
        save_mesh_field(tmp_path / "f.xdmf", field)
