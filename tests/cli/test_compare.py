"""`physolve compare`: the numbers are right, not only printed."""

import json

import numpy as np
import pytest

from physolve.cli._accuracy import differences, exact_function
from physolve.errors import SpecificationError
from physolve.spec import read_problem


def test_differences_are_norms(rod) -> None:
    problem = read_problem(rod)
    exact = exact_function(problem)
    (row,) = differences(problem, lambda p: exact(p) + 0.01, exact)
    assert row.unknown == "u"
    assert row.rms == pytest.approx(0.01)
    assert row.largest == pytest.approx(0.01)
    assert row.relative == pytest.approx(0.01 * np.sqrt(2), rel=1e-3)  # ||sin(pi x)|| = sqrt(1/2), 16384 points


def test_points_without_a_value_are_left_out(rod) -> None:
    problem = read_problem(rod)
    exact = exact_function(problem)
    (row,) = differences(problem, lambda p: np.where(p < 0.25, np.nan, exact(p) + 0.01), exact)
    assert row.rms == pytest.approx(0.01)


def test_no_exact_solution_is_said(rod) -> None:
    rod.write_text(rod.read_text().partition("[exact]")[0], encoding="utf-8")
    with pytest.raises(SpecificationError, match="no exact solution for u"):
        exact_function(read_problem(rod))


def test_a_vector_is_compared_as_one(library) -> None:
    problem = read_problem(library / "acoustics.toml")
    exact = exact_function(problem)
    rows = differences(problem, lambda p: exact(p) + np.array([0.03, 0.04, 0.0]), exact)
    assert [row.unknown for row in rows] == ["v", "p"]
    assert [row.rms for row in rows] == pytest.approx([0.05, 0.0])


def test_solves_and_compares(run, rod) -> None:
    ran = run("compare", rod, "--tol", "1e-5", "--json")
    record = json.loads(ran.out)
    assert ran.code == 0
    assert record["reference"] == "exact solution"
    assert 0 < record["relative_l2"] <= record["estimate"] <= 1e-5
    assert record["effectivity"] == pytest.approx(record["estimate"] / record["relative_l2"])
    assert record["bound"] >= record["unknowns"][0]["largest"]


def test_compares_a_saved_solution(run, rod) -> None:
    assert run("solve", rod, "--out", "u.safetensors", "--quiet").code == 0
    ran = run("compare", rod, "--solution", "u.safetensors")
    assert ran.code == 0
    assert ran.out.startswith("against: exact solution\n")
    assert "effectivity: " in ran.out
    assert "bound: " in ran.out


def test_a_solution_of_another_problem_is_told_or_refused(run, rod) -> None:
    assert run("solve", rod, "--out", "u.safetensors", "--quiet").code == 0
    text = rod.read_text(encoding="utf-8")
    rod.write_text(text.replace("-d(u", "-2*d(u"), encoding="utf-8")
    ran = run("compare", rod, "--solution", "u.safetensors")
    assert ran.code == 0
    assert ran.err == "warning: the saved solution is of a problem with other equations than the file's\n"
    assert "estimate: none, for that of the saved solution is about another problem\n" in ran.out
    assert "effectivity" not in ran.out
    assert "bound" not in ran.out
    record = json.loads(run("compare", rod, "--solution", "u.safetensors", "--json").out)
    assert [record[key] for key in ("estimate", "effectivity", "bound")] == [None, None, None]
    assert record["relative_l2"] > 0
    rod.write_text(text.replace("(u,", "(v,").replace('"u"', '"v"').replace("u =", "v ="), encoding="utf-8")
    ran = run("compare", rod, "--solution", "u.safetensors")
    assert (ran.code, ran.out) == (2, "")
    assert "--solution: is one for u(x), expected one for v(x)" in ran.err


def test_finite_elements_where_there_is_no_exact_solution(run, library) -> None:
    ran = run("compare", library / "poisson_lshape.toml", "--tol", "1e-2", "--json")
    record = json.loads(ran.out)
    assert ran.code == 0
    assert record["reference"].startswith("finite elements")
    assert 0 < record["relative_l2"] <= 1e-2


def test_what_finite_elements_cannot_do_is_said(run, library) -> None:
    ran = run("compare", library / "heat.toml", "--against", "fem")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1


def test_no_effectivity_where_the_reference_is_the_poorer_one(run, rod) -> None:
    record = json.loads(run("compare", rod, "--against", "fem", "--tol", "1e-2", "--json").out)
    assert record["relative_l2"] > 0
    assert record["effectivity"] is None
