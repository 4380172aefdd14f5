"""Running the command line in process."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from physolve.cli import main

ROD = """
coordinates = ["x"]
unknowns = ["u"]
equations = ["-d(u, x, 2) = pi^2*sin(pi*x)"]
domain = "interval(0, 1)"

[[conditions]]
kind = "dirichlet"
unknown = "u"
value = "0"
{more}
[exact]
u = "sin(pi*x)"
"""


class Ran(NamedTuple):
    """Exit code and what was printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """`run("solve", "x.toml")` in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main([str(a) for a in arguments])
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def library() -> Path:
    """The problem library."""
    return Path(__file__).resolve().parents[2] / "problems"


@pytest.fixture
def rod(tmp_path: Path) -> Path:
    """A problem solved in a moment, with its exact solution."""
    path = tmp_path / "rod.toml"
    path.write_text(ROD.format(more=""), encoding="utf-8")
    return path


@pytest.fixture
def half_a_rod(tmp_path: Path) -> Path:
    """The same with no condition at the right end: a warning."""
    path = tmp_path / "half.toml"
    path.write_text(ROD.format(more='on = "left"\n'), encoding="utf-8")
    return path
