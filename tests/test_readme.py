"""What the README shows works: its Python, its commands, its problem file, its two set-up commands."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_SCREEN = 40


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def beside_the_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for output, from which `problems/` is found."""
    (tmp_path / "problems").symlink_to(ROOT / "problems")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_screen_has_two_set_up_commands_of_one_line() -> None:
    start = README.splitlines()[:FIRST_SCREEN]
    commands = [line for line in start if line.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert "physolve solve" in commands[0]
    assert commands[1].endswith("pytest")
    assert [block.count("\n") for block in blocks("sh")] == [1, 1]


def test_the_python_runs(beside_the_problems: Path) -> None:
    solving, carried, zero_shot, kernels = blocks("python")
    names: dict = {}
    exec(compile(solving, "README.md", "exec"), names)
    assert names["solution"].estimate.relative <= 1e-3
    assert (beside_the_problems / "u.vtu").stat().st_size > 0
    assert (beside_the_problems / "u.png").read_bytes().startswith(b"\x89PNG")
    exec(compile(carried, "README.md", "exec"), dict(names))
    exec(compile(zero_shot, "README.md", "exec"), names)
    assert names["twice"].residual < names["zero_shot"].residual
    assert names["quick"].estimate.relative <= 1e-3
    exec(compile(kernels, "README.md", "exec"), names)
    assert names["jets"].shape == (16, 5, 2048, 1)


def test_the_commands_run(beside_the_problems: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from physolve.cli import main

    lines = [line for block in blocks("console") for line in block.splitlines()]
    assert len(lines) >= 5
    for line in lines:
        dollar, program, *arguments = shlex.split(line)
        assert (dollar, program) == ("$", "physolve")
        assert main(arguments) == 0, f"{line}\n{capsys.readouterr().err}"
    assert {"heat.safetensors", "heat.png", "residual.png"} <= {p.name for p in beside_the_problems.iterdir()}


def test_the_problem_file_is_well_posed(tmp_path: Path) -> None:
    from physolve.spec import read_problem

    (text,) = blocks("toml")
    path = tmp_path / "problem.toml"
    path.write_text(text, encoding="utf-8")
    assert read_problem(path).hints == ()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_links_to_files_lead_somewhere(target: str) -> None:
    assert target.startswith("https://") or (ROOT / target).exists()
