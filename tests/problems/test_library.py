"""Every file in problems/: it reads, its exact solution is one, it can be written and read again."""

import re
import tomllib
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from observations import EXPERIMENTS

from physolve.errors import ProblemFileError, WellPosednessWarning
from physolve.spec import Problem, Program, dumps_problem, loads_problem, normal, read_problem, select

FOLDER = Path(__file__).resolve().parents[2] / "problems"
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))
WITH_DATA = "poisson_gaussians"
WITHOUT_EXACT = {
    "poisson_lshape", "poisson_circles", "helmholtz_circles", WITH_DATA, "burgers", "lotka_volterra",
    "burgers_moving_shock", "burgers_standing_shock", "burgers_inviscid", "burgers_2d", "van_der_pol", "lorenz",
    "cylinder_flow",
}  # fmt: skip
WARNINGS: dict[str, str] = {}
TOLERANCE = 1e-9  # exact solutions are O(1), their fourth derivatives up to 1e3: rounding stays below 1e-11

# --- reading


@pytest.fixture(scope="session")
def raster(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with a raster to stand for the source of PS-G; its values do not matter here."""
    path = tmp_path_factory.mktemp("data") / "raster.npz"
    x = np.linspace(-1, 1, 32)
    np.savez(path, source=np.exp(-4 * (x[:, None] ** 2 + x**2)).astype(np.float32))
    return f"{path}:source"


@cache
def load(name: str, raster: str) -> tuple[Problem, tuple[str, ...]]:
    """The problem in the file, and the warnings it gave."""
    data = {"source": raster} if name == WITH_DATA else None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        problem = read_problem(FOLDER / f"{name}.toml", data=data)
    return problem, tuple(f"{w.category.__name__}: {w.message}" for w in caught)


def document(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def true_values(name: str) -> dict[str, float]:
    """Parameters as the comment states them: "True value: D = 0.3"."""
    found = re.findall(r"True value: (\w+) = (\d+(?:\.\d+)?)", document(name)["comment"])
    return {parameter: float(value) for parameter, value in found}


@pytest.mark.parametrize("name", NAMES)
def test_file_reads_without_surprise(name: str, raster: str) -> None:
    problem, caught = load(name, raster)
    assert problem.name == name
    if name in WARNINGS:
        assert len(caught) == 1
        assert caught[0].startswith(WellPosednessWarning.__name__)
        assert WARNINGS[name] in caught[0]
    else:
        assert caught == ()


@pytest.mark.parametrize("name", NAMES)
def test_file_is_readable_by_a_person(name: str, raster: str) -> None:
    given = document(name)
    assert 10 <= len(given["title"]) <= 80
    assert 2 <= len(given["comment"].strip().splitlines()) <= 8
    assert max(map(len, given["comment"].splitlines())) <= 120
    assert given["title"] in load(name, raster)[0].description


def test_raster_must_be_given() -> None:
    with pytest.raises(ProblemFileError, match="source"):
        read_problem(FOLDER / f"{WITH_DATA}.toml")


@pytest.mark.parametrize("name", NAMES)
def test_written_and_read_again(name: str, raster: str) -> None:
    problem, _ = load(name, raster)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WellPosednessWarning)
        again = loads_problem(dumps_problem(problem))
    assert again == problem


# --- exact solutions


@pytest.mark.parametrize("name", NAMES)
def test_exact_solution_is_given_for_every_unknown(name: str, raster: str) -> None:
    problem, _ = load(name, raster)
    if name in WITHOUT_EXACT:
        assert problem.exact is None
    else:
        assert set(problem.exact) == set(problem.unknowns)
    assert {p.name for p in problem.parameters} == set(true_values(name))


EXACT = [name for name in NAMES if name not in WITHOUT_EXACT]


@pytest.mark.parametrize("name", EXACT)
def test_exact_solution_is_of_order_one(name: str, raster: str) -> None:
    problem, _ = load(name, raster)
    points = problem.domain.sample_interior(500, seed=1).points
    largest = max(np.abs(column).max() for column in evaluate(problem, list(problem.exact.values()), points))
    assert 0.1 < largest < 10


@pytest.mark.parametrize("name", EXACT)
def test_exact_solution_satisfies_the_equations(name: str, raster: str) -> None:
    problem, _ = load(name, raster)
    points = problem.domain.sample_interior(200, seed=1).points
    for values in evaluate(problem, inserted(problem, name, problem.residuals), points):
        assert np.abs(values).max() < TOLERANCE


CONDITIONS = [
    (n, i) for n in EXACT for i, c in enumerate(document(n)["conditions"]) if c["kind"] != "unbounded"
]  # nothing holds on the sides of a window


@pytest.mark.parametrize(("name", "index"), CONDITIONS)
def test_exact_solution_satisfies_the_condition(name: str, index: int, raster: str) -> None:
    problem, _ = load(name, raster)
    condition = problem.conditions[index]
    expressions = inserted(problem, name, condition.equations(problem.coordinates))
    assert expressions
    misfits = MISFITS.get(condition.kind, boundary_misfit)(problem, condition, expressions)
    assert np.isfinite(misfits).all()
    assert np.abs(misfits).max() < TOLERANCE


def inserted(problem: Problem, name: str, expressions: Sequence[Any]) -> list[Any]:
    """The expressions with the exact solution and the true parameters put in."""
    truth = {p: sympy.Float(true_values(name)[p.name]) for p in problem.parameters}
    return [e.xreplace({**problem.exact, **truth}).doit() for e in expressions]


def evaluate(
    problem: Problem, expressions: Sequence[Any], points: np.ndarray, normals: np.ndarray | None = None
) -> list[np.ndarray]:
    """Values (n,) of expressions in the coordinates, and in the normals if these are given."""
    coords = problem.coordinates
    if normals is None:
        return Program(expressions, coords)(*points.T)
    symbols = normal(*coords)
    return Program(expressions, (*coords, *symbols))(*points.T, *normals.T[: len(symbols)])


def boundary_misfit(problem: Problem, condition: Any, expressions: list[Any]) -> np.ndarray:
    where = select(problem.domain, problem.coordinates, condition.on)
    samples = problem.domain.sample_boundary(100, on=where.on, where=where.where, seed=1)
    return np.stack(evaluate(problem, expressions, samples.points, samples.normals))


def initial_misfit(problem: Problem, condition: Any, expressions: list[Any]) -> np.ndarray:
    points = problem.domain.sample_boundary(100, on="initial", seed=1).points
    return np.stack(evaluate(problem, expressions, points))


def point_misfit(problem: Problem, condition: Any, expressions: list[Any]) -> np.ndarray:
    return np.stack(evaluate(problem, expressions, np.array([condition.point])))


def mean_misfit(problem: Problem, condition: Any, expressions: list[Any]) -> np.ndarray:
    """Mean over a rectangle by Gauss-Legendre, exact to rounding for these solutions."""
    lower, upper = problem.domain.bounds
    assert problem.domain.measure == pytest.approx(np.prod(upper - lower))
    nodes, weights = np.polynomial.legendre.leggauss(40)
    grid = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 2)
    points = (lower + upper) / 2 + grid * (upper - lower) / 2
    weights = np.outer(weights, weights).ravel() / 4
    (values,) = evaluate(problem, expressions, points)
    (wanted,) = condition.values()
    return np.array([weights @ values - float(wanted)])


def periodic_misfit(problem: Problem, condition: Any, expressions: list[Any]) -> np.ndarray:
    axis = problem.coordinates.index(condition.along)
    first = problem.domain.sample_interior(100, seed=1).points.copy()
    last = first.copy()
    first[:, axis], last[:, axis] = (bound[axis] for bound in problem.domain.bounds)
    return np.stack(evaluate(problem, expressions, first)) - np.stack(evaluate(problem, expressions, last))


def interface_misfit(problem: Problem, condition: Any, expressions: list[Any]) -> np.ndarray:
    """Jump outside minus inside, 1e-12 off the interface: the gradient moves the value by no more."""
    samples = problem.domain.sample_boundary(100, on=condition.on, seed=1)
    step = 1e-12 * samples.normals
    outside, inside = (
        np.stack(evaluate(problem, expressions, samples.points + s * step, samples.normals)) for s in (1, -1)
    )
    jumps = np.array([float(j) for j in condition.jumps()])
    return outside - inside - jumps[:, None]


def observation_misfit(problem: Problem, condition: Any, expressions: list[Any]) -> np.ndarray:
    """What the declared noise does not explain: zero if the deviations look like it."""
    (values,) = evaluate(problem, expressions, condition.points)
    deviations = (condition.values.ravel() - values) / condition.noise
    assert np.abs(deviations).max() < 4.5
    assert 0.75 < np.sqrt(np.mean(deviations**2)) < 1.25
    return np.zeros(1)


MISFITS = {
    "initial": initial_misfit,
    "point_value": point_misfit,
    "mean_value": mean_misfit,
    "periodic": periodic_misfit,
    "interface": interface_misfit,
    "observations": observation_misfit,
}


# --- inverse problems and reference values


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_measurements_are_those_of_the_experiment(name: str, raster: str) -> None:
    problem, _ = load(name, raster)
    experiment = EXPERIMENTS[name]
    observed = next(c for c in problem.conditions if c.kind == "observations")
    points, values = experiment.measure()
    assert np.array_equal(observed.points, points)
    assert np.array_equal(observed.values.ravel(), values)
    assert observed.noise == experiment.noise
    assert true_values(name) == {experiment.parameter: experiment.truth}


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_measurements_allow_one_percent(name: str) -> None:
    experiment = EXPERIMENTS[name]
    fit = experiment.fit()
    assert fit == pytest.approx(experiment.truth, rel=0.005)
    assert f"recovers {experiment.parameter} = {fit:.4g} " in " ".join(document(name)["comment"].split())


@pytest.mark.parametrize("name", ["lotka_volterra", "van_der_pol", "lorenz"])
def test_reference_values_of_ordinary_equations(name: str) -> None:
    """The numbers in the comment, against an integration of the file's own equations."""
    from scipy.integrate import solve_ivp

    found = re.findall(r"([uvxyz])\((\d+)\)\s+=\s+(-?\d+\.\d+)", document(name)["comment"])
    stated = {(unknown, float(time)): float(value) for unknown, time, value in found}
    problem = read_problem(FOLDER / f"{name}.toml")
    slopes = [sympy.diff(w, problem.time) for w in problem.unknowns]
    rates = [sympy.solve(r, s)[0] for r, s in zip(problem.residuals, slopes, strict=True)]
    program = Program(rates, problem.unknowns)
    start = [float(c.value) for c in problem.conditions]
    times = sorted({time for _, time in stated})
    options = {"method": "DOP853", "t_eval": times, "rtol": 1e-13, "atol": 1e-14}
    path = solve_ivp(lambda t, y: [float(r) for r in program(*y)], (0, times[-1]), start, **options)
    assert len(stated) == len(start) * len(times)
    for unknown, row in zip(problem.unknowns, path.y, strict=True):
        assert [stated[unknown.func.__name__, time] for time in times] == pytest.approx(row, abs=1e-9)


def test_lotka_volterra_conserves_its_invariant() -> None:
    found = re.findall(r"([uv])\(([14])\)\s+=\s+(\d+\.\d+)", document("lotka_volterra")["comment"])
    stated = {(unknown, time): float(value) for unknown, time, value in found}
    for t in "14":
        a, b = stated["u", t], stated["v", t]
        assert a - np.log(a) + b - np.log(b) == pytest.approx(3 - np.log(2), abs=1e-14)


# --- the table


def table() -> dict[str, list[str]]:
    """The rows of README.md's tables by file: title, coordinates, kind, linear, reference."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\w+)\.toml\]\(\1\.toml\) \| (.*) \|$", text, re.MULTILINE)
    assert len({name for name, _ in rows}) == len(rows)
    return {name: cells.split(" | ") for name, cells in rows}


def test_table_lists_every_file() -> None:
    assert sorted(table()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_table_tells_the_truth(name: str, raster: str) -> None:
    problem, _ = load(name, raster)
    title, coords, _, linear, reference = table()[name]
    assert title == document(name)["title"]
    assert coords == ", ".join(s.name for s in problem.coordinates)
    assert linear == ("yes" if problem.classification.linear else "no")
    assert (reference == "exact") == (problem.exact is not None)
