"""Solutions: all that can be asked of one, on fields known in closed form; saving, loading, exporting."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
import sympy
import torch

from physolve.errors import ProblemFileError, SpecificationError, UnsupportedError
from physolve.io import MeshField, read_tensors
from physolve.nets import Expansion, Polynomials
from physolve.solve import Cost, Estimate, LeastSquares, Outcome, Solution, solve
from physolve.solve._adam import AdamLBFGS, AdamSchedule
from physolve.solve._saving import read_solution
from physolve.spec import (
    BoundaryEquation,
    Box,
    Dirichlet,
    Disk,
    Eq,
    GridData,
    Initial,
    Interface,
    Interval,
    Observations,
    Problem,
    Rectangle,
    TimeInterval,
    coordinates,
    d,
    div,
    dt,
    grad,
    laplacian,
    normal,
    parameter,
    unknown,
)

x, y, z, t = coordinates("x", "y", "z", "t")
u, w = unknown("u", x, y), unknown("w", x, t)
v = unknown("v", x, y, components=2)
DISK = Disk((0, 0), 1)
FRAME = Rectangle((-1, -1), (1, 1)) - Disk((0, 0), 0.5)
SMALL = LeastSquares(first=60, largest=110)


def polynomial(problem: Problem, *components: sympy.Expr) -> Solution:
    """The solution object of polynomials up to degree 4, exact to rounding."""
    lower, upper = problem.domain.bounds
    basis = Polynomials(tuple(map(float, lower)), tuple(map(float, upper)), 4)
    generator = torch.Generator().manual_seed(0)
    low, high = torch.tensor(lower), torch.tensor(upper)
    points = low + (high - low) * torch.rand(200, len(low), dtype=torch.float64, generator=generator)
    matrix = basis.operate(points, {(0,) * len(low): torch.ones(200, dtype=torch.float64)})
    values = [_values(c, problem.coordinates, points) for c in components]
    coefficients = torch.linalg.lstsq(matrix, torch.stack(values, 1)).solution
    estimate = Estimate(2e-9, 1e-9, "known")
    return Solution(problem, Expansion(basis, coefficients), Outcome.CONVERGED, "fine", estimate, "polynomials")


def _values(expression: sympy.Expr, names: tuple, points: torch.Tensor) -> torch.Tensor:
    rows = [float(sympy.sympify(expression).subs(dict(zip(names, p.tolist(), strict=True)))) for p in points]
    return torch.tensor(rows, dtype=torch.float64)


def scalar(expression: sympy.Expr, domain: object = DISK) -> Solution:
    problem = Problem(
        Eq(laplacian(u), expression.diff(x, 2) + expression.diff(y, 2)), domain, [Dirichlet(u, expression)]
    )
    return polynomial(problem, expression)


def vector(first: sympy.Expr, second: sympy.Expr, domain: object = DISK) -> Solution:
    problem = Problem(Eq(laplacian(v), 0 * v), domain, [Dirichlet(v, [first, second])])
    return polynomial(problem, first, second)


QUADRATIC = scalar(x**2 * y + 3 * y**2 - x)
POINTS = np.array([[0.1, 0.2], [-0.5, 0.3], [0.0, -0.9]])
X, Y = POINTS.T

# --- values


def test_call_gives_points_times_components() -> None:
    np.testing.assert_allclose(QUADRATIC(POINTS), (X**2 * Y + 3 * Y**2 - X)[:, None], rtol=1e-12)
    np.testing.assert_allclose(vector(x * y, y**2)(POINTS), np.stack([X * Y, Y**2], 1), atol=1e-14)


def test_nothing_outside_the_domain() -> None:
    found = scalar(x + y, FRAME)(np.array([[0.9, 0.9], [0.1, 0.1], [2.0, 0.0], [1.0, 1.0], [0.5, 0.0]]))
    np.testing.assert_array_equal(np.isnan(found[:, 0]), [False, True, True, False, False])


def test_lists_and_single_points_are_understood() -> None:
    assert QUADRATIC([[0.1, 0.2]]).shape == QUADRATIC([0.1, 0.2]).shape == (1, 1)
    assert QUADRATIC(np.zeros((0, 2))).shape == (0, 1)


@pytest.mark.parametrize(
    ("points", "shape"),
    [(np.zeros((4, 3)), "(4, 3)"), (np.zeros(5), "(1, 5)"), (np.zeros((2, 2, 2)), "(2, 2, 2)")],
)
def test_points_of_the_wrong_shape(points: np.ndarray, shape: str) -> None:
    message = f"points: expected shape (n, 2) for (x, y), got {shape}"
    for ask in (
        QUADRATIC,
        QUADRATIC.residual,
        QUADRATIC.derivative(u, x),
        lambda p: QUADRATIC.evaluate(u, p),
    ):
        with pytest.raises(SpecificationError, match=f"^{re.escape(message)}$"):
            ask(points)


def test_points_that_are_no_numbers() -> None:
    with pytest.raises(SpecificationError, match=r"^points: expected an array of numbers, got "):
        QUADRATIC([["a", "b"]])


@pytest.mark.parametrize(
    ("coordinates", "expected"),
    [
        ((x,), 2 * X * Y - 1),
        ((y,), X**2 + 6 * Y),
        ((x, y), 2 * X),
        ((y, y), 6 + 0 * X),
        ((x, x, y), 2 + 0 * X),
    ],
)
def test_derivatives(coordinates: tuple, expected: np.ndarray) -> None:
    np.testing.assert_allclose(QUADRATIC.derivative(u, *coordinates)(POINTS), expected, atol=1e-11)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (u, X**2 * Y + 3 * Y**2 - X),
        (u**2 + sympy.sin(x), (X**2 * Y + 3 * Y**2 - X) ** 2 + np.sin(X)),
        (laplacian(u), 2 * Y + 6),
        (div((1 + x) * grad(u)), (2 * X * Y - 1) + (1 + X) * (2 * Y + 6)),
        (7, 7 + 0 * X),
        (x, X),
    ],
)
def test_any_expression_can_be_evaluated(expression: object, expected: np.ndarray) -> None:
    np.testing.assert_allclose(QUADRATIC.evaluate(expression, POINTS), expected, atol=1e-11)


def test_vector_expressions_have_columns() -> None:
    np.testing.assert_allclose(
        QUADRATIC.evaluate(grad(u), POINTS), np.stack([2 * X * Y - 1, X**2 + 6 * Y], 1), atol=1e-12
    )
    assert vector(x * y, y**2).evaluate(grad(v), POINTS).shape == (3, 4)


def test_expression_outside_is_nan_and_strangers_are_refused() -> None:
    assert np.isnan(QUADRATIC.evaluate(d(u, x), np.array([[3.0, 0.0]]))).all()
    for stranger in (sympy.Symbol("q"), w, normal(x, y)[0]):
        message = f"expression: '{stranger}' is none of this problem's x, y, u(x, y)"
        with pytest.raises(SpecificationError, match=f"^{re.escape(message)}$"):
            QUADRATIC.evaluate(u + stranger, POINTS)


def test_found_parameters_appear_in_expressions() -> None:
    a = parameter("a", guess=1.0)
    problem = Problem(Eq(-laplacian(u), a * x), DISK, [Dirichlet(u, 0), Observations(u, POINTS, X)])
    base = polynomial(problem, x)
    solution = Solution(problem, base.field, base.outcome, "", None, "", parameters={"a": 4.0})
    np.testing.assert_allclose(solution.evaluate(a * u, POINTS), 4 * X, atol=1e-12)
    np.testing.assert_allclose(solution.residual(POINTS)[:, 0], -4 * X, atol=1e-9)
    assert "a=4" in repr(solution)


def test_residual_of_every_equation() -> None:
    np.testing.assert_allclose(QUADRATIC.residual(POINTS), np.zeros((3, 1)), atol=1e-10)
    found = vector(x**2, y**3).residual(POINTS)
    np.testing.assert_allclose(found, np.stack([2 + 0 * X, 6 * Y], 1), atol=1e-10)
    assert np.isnan(QUADRATIC.residual(np.array([[2.0, 2.0]]))).all()


# --- grids, meshes, boundaries


@pytest.mark.parametrize(("shape", "counts"), [(5, (5, 5)), ((3, 7), (3, 7))])
def test_grid(shape: object, counts: tuple[int, int]) -> None:
    grid = scalar(x + 10 * y, FRAME).on_grid(shape)  # type: ignore[arg-type]
    assert grid.values.shape == (*counts, 1)
    assert [len(axis) for axis in grid.axes] == list(counts)
    inside = np.abs(grid.points).max(1) <= 1
    outside = np.linalg.norm(grid.points, axis=1) < 0.5 - 1e-9
    flat = grid.values.reshape(-1)
    np.testing.assert_array_equal(np.isnan(flat), outside)
    np.testing.assert_allclose(flat[~outside], (grid.points @ [1, 10])[~outside], atol=1e-12)
    assert inside.all()


def test_grid_of_the_wrong_dimension() -> None:
    with pytest.raises(SpecificationError, match=r"^on_grid: expected 2 numbers of points, got \(3, 3, 3\)$"):
        QUADRATIC.on_grid((3, 3, 3))


def test_mesh_of_the_domain() -> None:
    mesh = scalar(x + 10 * y, FRAME).on_mesh(resolution=20)
    np.testing.assert_allclose(mesh.point_data["u"], mesh.points @ [1, 10], atol=1e-12)
    corners = mesh.points[mesh.cells["triangle"]]
    edges = corners[:, 1:] - corners[:, :1]
    area = np.abs(np.linalg.det(edges)).sum() / 2
    assert area == pytest.approx(4 - np.pi / 4, rel=1e-2)


def test_given_mesh_keeps_its_data_and_has_vectors_as_columns() -> None:
    given = MeshField(
        np.array([[0.0, 0.0], [0.5, 0.0], [0.0, 0.5], [3.0, 0.0]]),
        {"triangle": np.array([[0, 1, 2]])},
        {"k": np.arange(4.0)},
    )
    found = vector(x, 2 * y).on_mesh(given)
    assert set(found.point_data) == {"k", "v"}
    np.testing.assert_allclose(found.point_data["v"][:3], [[0, 0], [0.5, 0], [0, 1]], atol=1e-12)
    assert np.isnan(found.point_data["v"][3]).all()
    assert set(given.point_data) == {"k"}


@pytest.mark.parametrize("part", [None, "boundary"])
def test_boundary(part: str | None) -> None:
    edge = QUADRATIC.on_boundary(part, 64)
    assert edge.points.shape == edge.normals.shape == (64, 2)
    np.testing.assert_allclose(np.linalg.norm(edge.points, axis=1), 1)
    np.testing.assert_allclose(edge.normals, edge.points, atol=1e-12)
    assert edge.weights.sum() == pytest.approx(2 * np.pi, rel=1e-6)
    a, b = edge.points.T
    np.testing.assert_allclose(edge.values[:, 0], a**2 * b + 3 * b**2 - a, atol=1e-12)


def test_boundary_part_may_be_a_shape() -> None:
    edge = scalar(x, FRAME).on_boundary(Disk((0, 0), 0.5), 10)
    np.testing.assert_allclose(np.linalg.norm(edge.points, axis=1), 0.5)
    np.testing.assert_allclose(edge.normals, -2 * edge.points, atol=1e-9)  # out of the domain, into the hole


# --- integrals


def test_integral_over_the_domain() -> None:
    assert QUADRATIC.integral(u) == pytest.approx(3 * np.pi / 4, rel=1e-12)
    assert QUADRATIC.integral(1) == pytest.approx(np.pi, rel=1e-12)
    assert scalar(x**2, FRAME).integral(u) == pytest.approx(4 / 3 - np.pi / 64, rel=2e-3)


def test_integral_over_the_boundary_may_hold_normals() -> None:
    n_x, _ = normal(x, y)
    assert QUADRATIC.integral(n_x**2, on="boundary") == pytest.approx(np.pi, rel=1e-6)
    assert QUADRATIC.integral(u, on="boundary") == pytest.approx(3 * np.pi, rel=1e-6)


@pytest.mark.parametrize("domain", [DISK, FRAME, Rectangle((0, 0), (2, 1))], ids=["disk", "frame", "rectangle"])
def test_divergence_theorem(domain: object) -> None:
    """The flux through the boundary is the integral of the sources inside."""
    solution = scalar(x**4 - 2 * x * y**2 + y, domain)
    assert solution.flux(u) == pytest.approx(solution.integral(laplacian(u)), rel=2e-3, abs=1e-3)
    k = 1 + x**2
    assert solution.flux(k * grad(u)) == pytest.approx(solution.integral(div(k * grad(u))), rel=2e-3, abs=1e-3)


def test_flux_through_a_part() -> None:
    solution = scalar(x**2 + 3 * y, Rectangle((0, 0), (2, 1)))
    assert solution.flux(u, on="right") == pytest.approx(4)
    assert solution.flux(u, on="bottom") == pytest.approx(-6)
    assert solution.flux(v_as_expression(), on=("left", "right")) == pytest.approx(2)


def v_as_expression() -> sympy.Matrix:
    return sympy.Matrix([x, 0])


def test_flux_in_three_dimensions() -> None:
    f = unknown("f", x, y, z)
    problem = Problem(Eq(laplacian(f), 6), Box((0, 0, 0), (1, 2, 3)), [Dirichlet(f, x**2 + y**2 + z**2)])
    solution = polynomial(problem, x**2 + y**2 + z**2)
    assert solution.flux(f) == pytest.approx(36, rel=2e-3)
    assert solution.flux(f, on="right") == pytest.approx(12, rel=1e-6)


def test_flux_in_space_and_time_is_in_space_only() -> None:
    """Through the right end of a rod, integrated over time."""
    problem = Problem(
        Eq(dt(w), d(w, x, 2)),
        Interval(0, 1) * TimeInterval(0, 2),
        [Dirichlet(w, x**2 + 2 * t), Initial(w, x**2)],
    )
    solution = polynomial(problem, x**2 + 2 * t)
    assert solution.flux(w, on="right") == pytest.approx(4, rel=1e-6)
    assert solution.flux(w, on="left") == pytest.approx(0, abs=1e-9)


# --- saved and loaded


def a_linear() -> Solution:
    return solve(Problem(Eq(-laplacian(u), 1), FRAME, [Dirichlet(u, 0)], name="ring"), 1e-3, method=SMALL)


def an_interface() -> Solution:
    k = sympy.Piecewise((5, x**2 + y**2 < sympy.Rational(1, 4)), (1, True))
    problem = Problem(
        Eq(div(k * grad(u)), 0),
        Rectangle((-1, -1), (1, 1)),
        [Interface(u, on=Disk((0, 0), 0.5), flux=k * grad(u)), Dirichlet(u, x)],
    )
    return solve(problem, 1e-1, method=LeastSquares(first=80, largest=150))


def a_nonlinear() -> Solution:
    return solve(Problem(Eq(-laplacian(u), sympy.exp(-u)), DISK, [Dirichlet(u, 0)]), 1e-3, method=SMALL)


def an_inverse() -> Solution:
    a = parameter("a", guess=1.5)
    data = Observations(u, POINTS, (1 - X**2 - Y**2) / 2, noise=0.1)
    return solve(Problem(Eq(-laplacian(u), a), DISK, [Dirichlet(u, 0), data]), 1e-3, method=SMALL)


def a_vector() -> Solution:
    return solve(Problem(Eq(laplacian(v), v), DISK, [Dirichlet(v, [x, y])]), 1e-3, method=SMALL)


def in_slabs() -> Solution:
    problem = Problem(
        Eq(dt(w), d(w, x, 2)), Interval(0, 1) * TimeInterval(0, 1), [Dirichlet(w, 0), Initial(w, x * (1 - x))]
    )
    return solve(problem, 1e-1, method=LeastSquares(first=50, largest=90, slabs=2))


def on_data() -> Solution:
    data = GridData("source", np.random.default_rng(0).normal(size=(6, 5)), ((-1, 1), (-1, 1)))
    return solve(Problem(Eq(-laplacian(u), data(x, y)), DISK, [Dirichlet(u, 0)]), 1e-1, method=SMALL)


def a_network() -> Solution:
    method = AdamLBFGS(width=6, depth=2, rows=100, adam=AdamSchedule(steps=20), lbfgs_steps=25)
    return solve(Problem(Eq(-laplacian(u), 1), DISK, [Dirichlet(u, 0)]), 1e-3, method=method)


KINDS = [a_linear, an_interface, a_nonlinear, an_inverse, a_vector, in_slabs, on_data, a_network]


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_loaded_solution_is_the_saved_one(make: object, tmp_path: Path) -> None:
    solution = make()  # type: ignore[operator]
    path = tmp_path / "u.safetensors"
    solution.save(path)
    loaded = Solution.load(path)
    points = solution.problem.domain.sample_interior(200, seed=1).points
    np.testing.assert_array_equal(loaded(points), solution(points))
    np.testing.assert_array_equal(loaded.residual(points), solution.residual(points))
    assert loaded.problem == solution.problem
    for name in ("outcome", "message", "estimate", "method", "cost", "parameters"):
        assert getattr(loaded, name) == getattr(solution, name), name
    np.testing.assert_equal(  # nan equals nan here
        [vars(step) for step in loaded.history], [vars(step) for step in solution.history]
    )
    assert repr(loaded) == repr(solution)


def test_saving_twice_gives_the_same_content(tmp_path: Path) -> None:
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    QUADRATIC.save(first)
    Solution.load(first).save(second)
    (tensors, header), (tensors_again, header_again) = read_tensors(first), read_tensors(second)
    assert header == header_again
    assert tensors.keys() == tensors_again.keys()
    assert all(torch.equal(tensors[name], tensors_again[name]) for name in tensors)


def test_unfinished_estimate_can_be_saved(tmp_path: Path) -> None:
    bare = Solution(
        QUADRATIC.problem,
        QUADRATIC.field,
        Outcome.INTERRUPTED,
        "stopped",
        None,
        "polynomials",
        Cost(1.5, 2, 3, 4),
    )
    bare.save(tmp_path / "a.safetensors")
    loaded = read_solution(tmp_path / "a.safetensors")
    assert loaded.estimate is None
    assert (loaded.outcome, loaded.cost) == (Outcome.INTERRUPTED, Cost(1.5, 2, 3, 4))


def test_python_function_as_place_cannot_be_saved(tmp_path: Path) -> None:
    problem = Problem(Eq(laplacian(u), 0), DISK, [Dirichlet(u, 0, on=lambda p: p[:, 0] < 2)])
    path = tmp_path / "a.safetensors"
    with pytest.raises(SpecificationError, match="condition 1"):
        polynomial(problem, x).save(path)
    assert not path.exists()


def test_other_files_are_not_solutions(tmp_path: Path) -> None:
    from physolve.io import write_tensors

    write_tensors(tmp_path / "other.safetensors", {"a": torch.zeros(2)}, {"content": "weights"})
    with pytest.raises(ProblemFileError, match=r"other\.safetensors: holds 'weights', expected a saved solution$"):
        Solution.load(tmp_path / "other.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(ProblemFileError, match=r"text\.safetensors"):
        Solution.load(tmp_path / "text.safetensors")
    with pytest.raises(ProblemFileError, match=r"missing\.safetensors"):
        Solution.load(tmp_path / "missing.safetensors")


# --- exported


def test_vtu_is_read_by_meshio(tmp_path: Path) -> None:
    meshio = pytest.importorskip("meshio")
    vector(x * y, 2 + y).save(tmp_path / "v.vtu", resolution=12)
    mesh = meshio.read(tmp_path / "v.vtu")
    a, b = mesh.points[:, 0], mesh.points[:, 1]
    np.testing.assert_allclose(mesh.point_data["v"][:, :2], np.stack([a * b, 2 + b], 1), atol=1e-12)
    assert mesh.cells_dict["triangle"].max() == len(mesh.points) - 1


def test_npz_is_read_by_numpy(tmp_path: Path) -> None:
    scalar(x + y).save(tmp_path / "u.npz", resolution=8)
    with np.load(tmp_path / "u.npz") as archive:
        np.testing.assert_allclose(archive["point_data/u"], archive["points"].sum(1), atol=1e-12)
        assert archive["cells/triangle"].shape[1] == 3


def test_h5_is_read_by_h5py(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    scalar(x + y).save(tmp_path / "u.h5", resolution=8)
    with h5py.File(tmp_path / "u.h5") as file:
        np.testing.assert_allclose(file["point_data/u"][()], file["points"][()].sum(1), atol=1e-12)


def test_csv_is_read_by_csv(tmp_path: Path) -> None:
    vector(x, 2 * y).save(tmp_path / "v.csv", resolution=8)
    with open(tmp_path / "v.csv", newline="") as stream:
        names, *rows = csv.reader(stream)
    assert names[:2] == ["x", "y"]
    table = np.array(rows, dtype=float)
    np.testing.assert_allclose(table[:, 2:], table[:, :2] * [1, 2], atol=1e-12)


@pytest.mark.parametrize("name", ["u.docx", "u"])
def test_unknown_ending(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match=rf"{re.escape(name)}: file: .*; use one of \.safetensors, \.vtu, "):
        QUADRATIC.save(tmp_path / name)


def test_path_that_cannot_be_written(tmp_path: Path) -> None:
    for name in ("u.safetensors", "u.npz"):
        with pytest.raises(ProblemFileError):
            QUADRATIC.save(tmp_path / "nowhere" / name)


# --- shown


def test_repr_is_one_short_line() -> None:
    text = repr(QUADRATIC)
    assert text == "Solution(u; converged, estimated relative error 1.0e-09; polynomials, 0 features, 0.0 s)"
    bare = Solution(QUADRATIC.problem, QUADRATIC.field, Outcome.DIVERGED, "", None, "polynomials")
    assert "diverged, estimated relative error unknown" in repr(bare)


def test_estimate_is_a_number() -> None:
    estimate = QUADRATIC.estimate
    assert estimate is not None
    assert float(estimate) == 2e-9
    assert str(estimate) == "1.0e-09 relative (2.0e-09 in units of u, known)"


def test_plot_writes_a_picture(tmp_path: Path) -> None:
    QUADRATIC.plot(tmp_path / "u.png", resolution=20)
    assert (tmp_path / "u.png").read_bytes().startswith(b"\x89PNG")


def test_boundary_equation_with_data_survives(tmp_path: Path) -> None:
    """A nonlinear condition and its problem come back equal."""
    n_x, n_y = normal(x, y)
    radiation = BoundaryEquation(Eq(n_x * d(u, x) + n_y * d(u, y), 1 - u**4))
    solution = solve(Problem(Eq(laplacian(u), 0), DISK, [radiation]), 1e-3, method=SMALL)
    solution.save(tmp_path / "r.safetensors")
    assert Solution.load(tmp_path / "r.safetensors").problem == solution.problem
