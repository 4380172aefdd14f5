"""`physolve doctor`."""

import json

import torch


def test_names_what_is_there(run) -> None:
    ran = run("doctor", "--json")
    found = json.loads(ran.out)
    assert (ran.code, ran.err) == (0, "")
    assert found["torch"] == torch.__version__
    assert found["kernels"] == "plain torch"
    assert all(found[name] != "not installed" for name in ("numpy", "scipy", "sympy", "pyvista", "meshio"))


def test_prints_one_line_each(run) -> None:
    ran = run("doctor")
    assert [line.split()[0] for line in ran.out.splitlines()][:3] == ["physolve", "Python", "system"]
