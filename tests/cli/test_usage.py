"""Wrong usage is one line on stderr, exit code 2, and nothing is computed."""

import pytest
from typer.testing import CliRunner

from physolve.cli import app

COMMANDS = ("solve", "check", "compare", "view", "doctor")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["sovle"], "No such command 'sovle'"),
        (["solve"], "Missing argument 'FILE'"),
        (["solve", "rod.toml", "--tool", "3"], "No such option: --tool"),
        (["solve", "rod.toml", "--tol", "small"], "expected a positive number such as 1e-3, got 'small'"),
        (["solve", "rod.toml", "--tol", "-1"], "expected a positive number such as 1e-3, got '-1'"),
        (["solve", "rod.toml", "--tol", "nan"], "expected a positive number such as 1e-3, got 'nan'"),
        (["solve", "rod.toml", "--budget", "0"], "expected a positive number such as 1e-3, got '0'"),
        (["solve", "rod.toml", "--seed", "-1"], "expected a whole number from 0 to 4294967295, got '-1'"),
        (["solve", "rod.toml", "--seed", "9" * 20], f"expected a whole number from 0 to 4294967295, got '{'9' * 20}'"),
        (
            ["solve", "rod.toml", "--method", "sgd"],
            "'sgd' is not one of 'auto', 'least-squares', 'gauss-newton', 'adam', 'lagrangian'",
        ),
        (["solve", "rod.toml", "--out", "u.doc"], "u.doc has suffix '.doc'; known are .safetensors, .vtu"),
        (["solve", "rod.toml", "--out", "u"], "u has no suffix"),
        (
            ["solve", "rod.toml", "--out", "missing/u.vtu"],
            "the folder missing does not exist; create it first",
        ),
        (["solve", "rod.toml", "--out", "folder.vtu"], "folder.vtu is a folder; give a file name"),
        (["solve", "rod.toml", "--plot", "u.vtu"], "u.vtu has suffix '.vtu'; known are .png"),
        (["solve", "rod.toml", "--data", "source"], "expected NAME=FILE or NAME=FILE:KEY, got 'source'"),
        (["solve", "rod.toml", "--data", "a=1", "--data", "a=2"], "the data 'a' are given twice"),
        (["compare", "rod.toml", "--against", "truth"], "'truth' is not one of 'auto', 'exact', 'fem'"),
        (["view", "u.safetensors"], "Missing option '--out' / '-o'"),
        (
            ["view", "u.safetensors", "-o", "u.png", "--quantity", "flux"],
            "'flux' is not one of 'field', 'residual'",
        ),
    ],
)
def test_wrong_usage_is_one_line(run, rod, tmp_path, arguments: list[str], line: str) -> None:
    (tmp_path / "folder.vtu").mkdir()
    before = sorted(tmp_path.iterdir())
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("physolve: ")
    assert line in ran.err
    assert ran.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_nothing_given_is_help(run) -> None:
    ran = run()
    assert ran.code == 0
    assert all(f"  {name} " in ran.out for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    ran = CliRunner().invoke(app, [command, "--help"])
    assert ran.exit_code == 0
    assert "--debug" in ran.output


def test_version(run) -> None:
    ran = run("--version")
    assert ran.code == 0
    assert ran.out.split()[0] == "physolve"
    assert ran.out.split()[1][0].isdigit()
