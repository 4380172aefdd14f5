"""`physolve check`."""

import json

import pytest


def test_a_good_problem(run, rod) -> None:
    ran = run("check", rod)
    assert (ran.code, ran.err) == (0, "")
    assert "linear with constant coefficients, second order" in ran.out
    assert "\\begin{aligned}" in ran.out
    assert "Nothing seems to be missing." in ran.out


def test_what_is_missing_is_listed(run, half_a_rod) -> None:
    ran = run("check", half_a_rod)
    assert ran.code == 1
    missing = [line for line in ran.out.splitlines() if "has no condition on" in line]
    assert len(missing) == 1
    assert "right" in missing[0]


def test_json(run, half_a_rod) -> None:
    ran = run("check", half_a_rod, "--json")
    record = json.loads(ran.out)
    assert ran.code == 1
    assert (record["order"], record["linear"], record["time_dependent"]) == (2, True, False)
    assert len(record["missing"]) == 1


@pytest.mark.parametrize("command", ["check", "solve", "compare"])
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("interval(0, 1)", "interval(1, 0)"), "domain"),
        (("d(u, x, 2)", "d(u, x, 2"), "equation 1"),
        (("d(u, x, 2)", "__import__('os').remove('rod.toml')"), "equation 1"),
        (('"dirichlet"', '"dirichlett"'), "dirichlett"),
        (("[[conditions]]", "[[conditions]"), "TOML"),
    ],
)
def test_a_bad_file_is_one_line(run, rod, command: str, change: tuple[str, str], named: str) -> None:
    rod.write_text(rod.read_text().replace(*change), encoding="utf-8")
    ran = run(command, rod)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert "rod.toml: " in ran.err
    assert named in ran.err
    assert rod.exists()


def test_a_file_that_is_not_there(run) -> None:
    ran = run("check", "nowhere.toml")
    assert ran.code == 2
    assert "nowhere.toml" in ran.err
    assert ran.err.count("\n") == 1


def test_debug_shows_the_traceback(run) -> None:
    ran = run("check", "nowhere.toml", "--debug")
    assert ran.code == 2
    assert "Traceback" in ran.err
