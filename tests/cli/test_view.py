"""`physolve view`."""

import pytest


@pytest.fixture
def saved(run, rod) -> str:
    assert run("solve", rod, "--out", "u.safetensors", "--quiet").code == 0
    return "u.safetensors"


@pytest.mark.parametrize("quantity", ["field", "residual", "error"])
def test_draws_what_is_asked(run, saved, tmp_path, quantity: str) -> None:
    ran = run("view", saved, "-o", f"{quantity}.png", "--quantity", quantity)
    assert (ran.code, ran.err) == (0, "")
    assert (tmp_path / f"{quantity}.png").read_bytes().startswith(b"\x89PNG")


def test_a_file_that_is_no_solution(run, rod) -> None:
    ran = run("view", rod, "-o", "u.png")
    assert (ran.code, ran.out) == (2, "")
    assert "rod.toml" in ran.err
    assert ran.err.count("\n") == 1


def test_an_unknown_that_is_not_there(run, saved) -> None:
    ran = run("view", saved, "-o", "u.png", "--unknown", "w")
    assert ran.code == 2
    assert "'w'" in ran.err
