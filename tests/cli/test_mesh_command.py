"""`physolve mesh convert` in process."""

import json

import numpy as np
import pytest

from physolve.cli import main


@pytest.fixture
def archive(tmp_path):
    points = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=float)
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    path = tmp_path / "flow.npz"
    np.savez(path, points=points, triangles=[[0, 1, 2], [1, 3, 2]], node_type=[4, 0, 0, 6], u=values, v=-values)
    return path


def test_json_says_what_the_data_set_holds(archive, tmp_path, capsys):
    out = tmp_path / "data.h5"
    assert main(["mesh", "convert", str(archive), "-o", str(out), "--field", "w=u,v", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["trajectories"] == record["train"] == 1
    assert record["fields"] == {"w": 2}
    assert record["node_types"] == {"normal": 2, "inflow": 1, "wall": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--split", "0.8"], "expected three numbers such as 0.8,0.1,0.1, got '0.8'"),
        (["--split", "0.8,0.1,0.1"], "got 1 trajectories for 3 splits"),
        (["--field", "w="], "field 'w': got the arrays"),
        (["--field", "q"], "step 0 has no field 'q'; it has u, v"),
        (["--node-types", "no.toml"], "no.toml: file: does not exist"),
    ],
)
def test_one_line_for_what_is_wrong(archive, tmp_path, capsys, options, message):
    out = tmp_path / "data.h5"
    assert main(["mesh", "convert", str(archive), "-o", str(out), "--quiet", *options]) == 2
    err = " ".join(capsys.readouterr().err.split())
    assert message in err
    assert not out.exists()


PROBLEM = """
coordinates = ["x", "y"]
unknowns = ["u"]
equations = ["-laplacian(u) = 0"]
domain = "rectangle([0, 0], [1, 1])"

[[conditions]]
kind = "dirichlet"
unknown = "u"
value = "0"
"""


def test_boundary_parts_of_a_problem_file(archive, tmp_path, capsys):
    (tmp_path / "problem.toml").write_text(PROBLEM)
    (tmp_path / "rules.toml").write_text('[parts]\nleft = "inflow"\nright = "outflow"\n')
    options = ["--problem", str(tmp_path / "problem.toml"), "--node-types", str(tmp_path / "rules.toml"), "--json"]
    assert main(["mesh", "convert", str(archive), "-o", str(tmp_path / "data.h5"), *options]) == 0
    assert json.loads(capsys.readouterr().out)["node_types"] == {"inflow": 2, "outflow": 2}


def test_help_without_a_subcommand(capsys):
    assert main(["mesh"]) == 0
    assert "convert" in capsys.readouterr().out
