"""`physolve doctor`."""

import json

import torch


def test_names_what_is_there(run) -> None:
    ran = run("doctor", "--json")
    found = json.loads(ran.out)
    assert (ran.code, ran.err) == (0, "")
    assert found["torch"] == torch.__version__
    for kernels in ("kernels", "attention"):
        assert found[kernels].split(":")[0] in ("compiled, not on a GPU", "compiled, with CUDA", "plain torch")
    assert all(found[name] != "not installed" for name in ("numpy", "scipy", "sympy", "pyvista", "meshio"))


def test_prints_one_line_each(run) -> None:
    ran = run("doctor")
    assert [line.split()[0] for line in ran.out.splitlines()][:3] == ["physolve", "Python", "system"]


def test_says_why_the_plain_path_is_active(run, monkeypatch) -> None:
    monkeypatch.setenv("PHYSOLVE_KERNELS", "plain")
    found = json.loads(run("doctor", "--json").out)
    assert found["kernels"] == "plain torch: PHYSOLVE_KERNELS=plain"


def test_a_wrong_choice_of_kernels_is_one_line(run, monkeypatch) -> None:
    monkeypatch.setenv("PHYSOLVE_KERNELS", "fast")
    ran = run("doctor")
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert "PHYSOLVE_KERNELS: got 'fast', expected 'plain', 'compiled' or nothing" in ran.err
