"""P2 finite elements: observed orders on manufactured solutions, every kind of condition, refusals."""

import warnings

import numpy as np
import pytest
import sympy

from physolve.errors import NumericalError, UnsupportedError, WellPosednessWarning
from physolve.reference import mesh_shape, solve_fem
from physolve.spec import (
    BoundaryEquation,
    Dirichlet,
    Eq,
    GridData,
    Initial,
    Interface,
    MeanValue,
    Neumann,
    Periodic,
    PointValue,
    Problem,
    Program,
    Robin,
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
from physolve.spec.geometry import (
    Box,
    Disk,
    Ellipse,
    Interval,
    MeshDomain,
    Polygon,
    Rectangle,
    TimeInterval,
    Triangle,
)

x, y, t = coordinates("x", "y", "t")
u = unknown("u", x, y)
w = unknown("w", x)
n_x, n_y = normal(x, y)
SQUARE = Rectangle((0, 0), (1, 1))
SMOOTH = sympy.sin(2 * x + 1) * sympy.exp(y)  # no symmetry


def exactly(left, *conditions, domain=SQUARE, exact=SMOOTH, variable=u):
    """The problem left(u) = left(exact) with conditions that are functions of the exact solution."""
    source = left(variable).subs(variable, exact).doit()
    made = [make(exact) for make in conditions]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WellPosednessWarning)
        return Problem([Eq(left(variable), source)], domain, made, exact={variable: exact})


def dirichlet(on=None):
    return lambda v: Dirichlet(u, v, on=on)


def slope(v):
    """The normal derivative on a side of the unit square by the normal's symbols."""
    return n_x * sympy.diff(v, x) + n_y * sympy.diff(v, y)


def neumann(on=None):
    return lambda v: BoundaryEquation(Eq(n_x * d(u, x) + n_y * d(u, y), slope(v)), on=on)


def error(solution, n=2000):
    """Relative root mean square error at points of the interior."""
    problem = solution.problem
    points = problem.domain.sample_interior(n).points
    (variable,) = problem.unknowns
    (exact,) = Program([problem.exact[variable]], problem.coordinates)(*points.T)
    return np.linalg.norm(solution(points)[:, 0] - exact) / np.linalg.norm(exact)


K = sympy.Matrix([[2 + x, sympy.Rational(1, 2)], [sympy.Rational(1, 2), 1 + y**2]])
SIDES = ("left", "right", "bottom", "top")


def oblique(v):
    """A derivative along neither the normal nor the tangent."""
    return sympy.diff(v, x) + 2 * sympy.diff(v, y) + v


CASES = {
    "dirichlet": exactly(lambda v: -laplacian(v), dirichlet()),
    "neumann": exactly(
        lambda v: -laplacian(v),
        dirichlet("left"),
        lambda v: Neumann(u, sympy.diff(v, x), on="right"),
        lambda v: Neumann(u, -sympy.diff(v, y), on="bottom"),
        lambda v: Neumann(u, sympy.diff(v, y), on="top"),
    ),
    "robin": exactly(
        lambda v: -laplacian(v),
        dirichlet(("left", "bottom")),
        lambda v: Robin(u, 2 + y, 1 + x, (2 + y) * v + (1 + x) * sympy.diff(v, x), on="right"),
        lambda v: Robin(u, 1 + x, 3, (1 + x) * v + 3 * sympy.diff(v, y), on="top"),
    ),
    "convection": exactly(
        lambda v: -laplacian(v) + 3 * d(v, x) - x * y * d(v, y) + (1 + x) * v,
        dirichlet(("left", "bottom")),
        neumann(("right", "top")),
    ),
    "variable": exactly(
        lambda v: -div((1 + x + y**2) * grad(v)), dirichlet("left"), neumann(("right", "bottom", "top"))
    ),
    "anisotropic": exactly(lambda v: -div(K * grad(v)), dirichlet("left"), neumann(SIDES[1:])),
    "oblique": exactly(
        lambda v: -laplacian(v) + v,
        lambda v: BoundaryEquation(Eq(oblique(u), oblique(v)), on="top"),
        dirichlet(SIDES[:3]),
    ),
    "pure neumann": exactly(
        lambda v: -laplacian(v),
        neumann(),
        lambda v: MeanValue(u, sympy.integrate(sympy.integrate(v, (x, 0, 1)), (y, 0, 1))),
    ),
    "point value": exactly(
        lambda v: -laplacian(v), neumann(), lambda v: PointValue(u, (0.3, 0.6), v.subs({x: 0.3, y: 0.6}))
    ),
    "helmholtz": exactly(lambda v: laplacian(v) + 30 * v, dirichlet()),
    "disk": exactly(lambda v: -laplacian(v), neumann(x > 0.1), dirichlet(x <= 0.1), domain=Disk((0, 0), 1)),
    "holes": exactly(
        lambda v: -laplacian(v),
        dirichlet("outer"),
        neumann("hole"),
        domain=Rectangle((0, 0), (2, 1)).named("outer")
        - Ellipse((0.5, 0.5), (0.3, 0.15)).rotated(0.5, (0.5, 0.5)).named("hole")
        - Disk((0, 0), 0.2).translated((1.4, 0.5)).named("hole"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_third_order_in_l2(name):
    """Curved boundaries, all conditions and coefficients keep the order of P2 elements."""
    problem = CASES[name]
    h = 0.25 if "outer" not in problem.domain.parts else 0.3
    history = [solve_fem(problem, h=h, tol=None, refinements=k) for k in (1, 2, 3)]
    errors = [error(solution) for solution in history]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert errors[-1] < 2e-5
    assert 2.7 < orders[-1] < 3.7


@pytest.mark.parametrize("name", ["dirichlet", "convection", "holes"])
def test_estimate_is_close_to_the_error(name):
    solution = solve_fem(CASES[name], tol=1e-5)
    assert solution.converged
    assert solution.estimate <= 1e-5
    assert error(solution) < 1.5 * solution.estimate
    assert solution.estimate < 10 * error(solution)
    assert [level.unknowns for level in solution.history] == sorted(level.unknowns for level in solution.history)


def test_gradient_and_nan_outside():
    solution = solve_fem(CASES["disk"], tol=1e-5)
    points = Disk((0, 0), 0.99).sample_interior(500).points
    expected = Program([sympy.diff(SMOOTH, x), sympy.diff(SMOOTH, y)], (x, y))(*points.T)
    assert np.abs(solution.gradient(points) - np.stack(expected, 1)).max() < 5e-3
    outside = np.array([[1.01, 0], [0.8, 0.8]])
    assert np.isnan(solution(outside)).all()
    assert np.isnan(solution.gradient(outside)).all()
    on_boundary = Disk((0, 0), 1).sample_boundary(300).points
    (exact,) = Program([SMOOTH], (x, y))(*on_boundary.T)
    np.testing.assert_allclose(solution(on_boundary)[:, 0], exact, atol=3e-4)


def test_reentrant_corner_keeps_the_order():
    """u = r^(2/3) sin(2 theta / 3) about the corner of the L-shape; uniform meshes have order 4/3 here."""
    theta = sympy.atan2(-x, y)  # from the edge x = 0
    theta = sympy.Piecewise((theta, theta >= 0), (theta + 2 * sympy.pi, True))
    exact = (x**2 + y**2) ** sympy.Rational(1, 3) * sympy.sin(2 * theta / 3)
    problem = Problem(
        [Eq(laplacian(u), 0)],
        Rectangle((-1, -1), (1, 1)) - Rectangle((0, 0), (1, 1)),
        [Dirichlet(u, exact)],
        exact={u: exact},
    )
    solution = solve_fem(problem, tol=1e-5)
    assert error(solution) < 2e-5
    assert solution.unknowns < 60_000
    last = solution.history[-2:]
    assert np.log2(last[0].difference / last[1].difference) > 2.5


def test_change_of_condition_on_a_straight_side():
    """u = Im sqrt(z): zero for x > 0, no flux for x < 0 on y = 0; behaves as r^(1/2)."""
    r = sympy.sqrt(x**2 + y**2)
    exact = sympy.sqrt(sympy.Max((r - x) / 2, 0))
    problem = Problem(
        [Eq(laplacian(u), 0)],
        Rectangle((-1, 0), (1.2, 1)),
        [
            Dirichlet(u, 0, on=(y <= 0) & (x > 0.13)),
            Neumann(u, 0, on=(y <= 0) & (x <= 0.13)),
            Dirichlet(u, exact.subs(x, x - 0.13), on=("left", "right", "top")),
        ],
        exact={u: exact.subs(x, x - sympy.Float(0.13))},
    )
    solution = solve_fem(problem, tol=3e-5)
    assert solution.converged
    assert error(solution) < 6e-5


def test_grid_data_as_source_and_coefficient():
    axis = np.linspace(0, 1, 41)
    X, Y = np.meshgrid(axis, axis, indexing="ij")
    k = GridData("k", 1 + X * Y, ((0, 1), (0, 1)))
    f = GridData("f", 2 * np.sin(X) * np.cos(Y), ((0, 1), (0, 1)))
    exact = sympy.sin(x) * sympy.cos(y)
    source = solve_fem(Problem([Eq(-laplacian(u), f(x, y))], SQUARE, [Dirichlet(u, exact)], exact={u: exact}))
    assert error(source) < 1e-5
    right = -sum(sympy.diff((1 + x * y) * sympy.diff(exact, c), c) for c in (x, y))
    coefficient = solve_fem(
        Problem([Eq(-div(k(x, y) * grad(u)), right)], SQUARE, [Dirichlet(u, exact)], exact={u: exact})
    )
    assert error(coefficient) < 1e-5


def test_periodic_conditions():
    exact = sympy.sin(2 * sympy.pi * x) * sympy.cos(2 * sympy.pi * y + 1)
    operator = lambda v: -laplacian(v) + d(v, x) + v  # noqa: E731
    source = operator(u).subs(u, exact).doit()
    both = Problem([Eq(operator(u), source)], SQUARE, [Periodic(u, x), Periodic(u, y)], exact={u: exact})
    assert error(solve_fem(both, tol=1e-4)) < 2e-4
    one = Problem(
        [Eq(operator(u), source)],
        SQUARE,
        [Periodic(u, x), Dirichlet(u, exact, on=("bottom", "top"))],
        exact={u: exact},
    )
    assert error(solve_fem(one, tol=1e-4)) < 2e-4


def test_one_dimension():
    exact = sympy.exp(-x) * sympy.sin(3 * x)
    operator = lambda v: -d((1 + x) * d(v, x), x) + d(v, x) + 2 * v  # noqa: E731
    source = operator(w).subs(w, exact).doit()
    end = Robin(w, 1, 2, exact + 2 * sympy.diff(exact, x), on="right")
    conditions = [Dirichlet(w, exact, on="left"), end]
    problem = Problem([Eq(operator(w), source)], Interval(0, 2), conditions, exact={w: exact})
    solution = solve_fem(problem, tol=1e-7)
    assert error(solution) < 1e-7
    assert np.isnan(solution(np.array([[2.1]]))).all()
    assert solution.mesh_field().cells["line3"].shape[1] == 3
    wave = sympy.sin(2 * sympy.pi * x)
    equation = Eq(-d(w, x, x) + w, (1 + 4 * sympy.pi**2) * wave)
    ring = Problem([equation], Interval(0, 1), [Periodic(w, x)], exact={w: wave})
    assert error(solve_fem(ring)) < 1e-5


def test_mesh_field_holds_the_solution():
    solution = solve_fem(CASES["dirichlet"], h=0.3, tol=None)
    field = solution.mesh_field()
    assert field.cells["triangle6"].shape == (len(solution.mesh[1]), 6)
    np.testing.assert_allclose(field.point_data["u"], solution(field.points)[:, 0], atol=1e-12)
    assert np.isnan(solution.estimate)


def poisson(*conditions, equation=None, domain=SQUARE):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WellPosednessWarning)
        return Problem(equation if equation is not None else [Eq(-laplacian(u), 1)], domain, conditions)


p = parameter("p")
v = unknown("v", x, y, components=2)
q = unknown("q", x, t)
z = coordinates("x", "y", "z")[2]
s = unknown("s", x, y, z)

REFUSED = {
    "time": (
        lambda: poisson(
            Initial(q, 0),
            Dirichlet(q, 0),
            equation=[Eq(dt(q), d(q, x, x))],
            domain=Interval(0, 1) * TimeInterval(0, 1),
        ),
        "depends on time",
    ),
    "system": (
        lambda: poisson(Dirichlet(v, (0, 0)), equation=[Eq(-laplacian(v), sympy.Matrix([1, 1]))]),
        "2 equations",
    ),
    "nonlinear": (lambda: poisson(Dirichlet(u, 0), equation=[Eq(-laplacian(u) + u**3, 1)]), "not linear"),
    "nonlinear condition": (
        lambda: poisson(BoundaryEquation(Eq(u**2, 1))),
        "boundary_equation condition is not linear",
    ),
    "fourth order": (
        lambda: poisson(Dirichlet(u, 0), Neumann(u, 0), equation=[Eq(laplacian(laplacian(u)), 1)]),
        "order 3 or more",
    ),
    "first order": (
        lambda: poisson(Dirichlet(u, 0, on="left"), equation=[Eq(d(u, x), 1)]),
        "no second derivative",
    ),
    "three dimensions": (
        lambda: poisson(Dirichlet(s, 0), equation=[Eq(-laplacian(s), 1)], domain=Box((0, 0, 0), (1, 1, 1))),
        "three space dimensions",
    ),
    "parameters": (
        lambda: poisson(Dirichlet(u, 0), equation=[Eq(-p * laplacian(u), 1)]),
        r"unknown "
        r"parameters \(p\)",
    ),
    "no condition": (
        lambda: poisson(Dirichlet(u, 0, on="left")),
        r"no condition is given of the boundary "
        "near",
    ),
    "two conditions": (
        lambda: poisson(Dirichlet(u, 0), Neumann(u, 0, on="left")),
        r"condition 1 \(dirichlet\) and condition 2 \(neumann\) meet on the same part",
    ),
    "only neumann": (lambda: poisson(Neumann(u, 0)), "fixed only up to a constant; add MeanValue"),
    "mean value too much": (lambda: poisson(Dirichlet(u, 0), MeanValue(u, 0)), "already fix the solution"),
    "interface": (
        lambda: poisson(Dirichlet(u, 0, on=SIDES), Interface(u, on=Disk((0.5, 0.5), 0.2), jump=1)),
        "'interface' is not supported",
    ),
    "inner curve": (
        lambda: poisson(Dirichlet(u, 0, on=SIDES), Dirichlet(u, 1, on=Disk((0.5, 0.5), 0.2))),
        "lies inside the domain",
    ),
    "periodic disk": (
        lambda: poisson(Periodic(u, x), Dirichlet(u, 0), domain=Disk((0, 0), 1)),
        "periodic along x needs a rectangle",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_give_the_reason_in_one_line(name):
    make, reason = REFUSED[name]
    with pytest.raises(UnsupportedError, match=reason) as caught:
        solve_fem(make())
    assert "\n" not in str(caught.value)


def test_unbalanced_neumann_data():
    with pytest.raises(NumericalError, match="do not balance"):
        solve_fem(poisson(Neumann(u, 0), MeanValue(u, 0)))


def test_not_reaching_the_tolerance_is_told():
    solution = solve_fem(poisson(Dirichlet(u, 0)), tol=1e-9, max_unknowns=10_000)
    assert not solution.converged
    assert 1e-9 < solution.estimate < 1e-3
    assert solution.unknowns <= 10_000


def test_polygon_and_rotation_agree():
    vertices = np.array([(0, 0), (2, 0), (2, 1), (1, 1.5), (0, 1)])
    turned = Polygon([tuple(vertex) for vertex in vertices]).rotated(0.7, (1, 0)).translated((0.3, -2))
    c, s_ = np.cos(0.7), np.sin(0.7)
    moved = (vertices - [1, 0]) @ np.array([[c, s_], [-s_, c]]) + [1.3, -2]
    inside = turned.sample_interior(200).points
    a = solve_fem(poisson(Dirichlet(u, 0), domain=turned), tol=1e-4)(inside)
    plain = Polygon([tuple(vertex) for vertex in moved])
    b = solve_fem(poisson(Dirichlet(u, 0), domain=plain), tol=1e-4)(inside)
    np.testing.assert_allclose(a, b, atol=2e-4 * np.abs(b).max())


def test_a_domain_that_is_a_mesh_is_solved_on_its_own_triangles():
    points, triangles = mesh_shape(SQUARE, 0.3)
    domain = MeshDomain.of(points, triangles)
    problem = exactly(lambda v: -laplacian(v), dirichlet(), domain=domain)
    solution = solve_fem(problem, h=5.0, tol=None)
    assert len(solution.mesh[1]) == len(triangles)
    assert error(solve_fem(problem, tol=1e-4)) < 2e-4


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        (SQUARE, 1.0),
        (Rectangle((0, 0), (2, 1)) - Disk((1, 0.5), 0.25), 2 - np.pi / 16),
        (Disk((0, 0), 1) & Rectangle((0, -2), (2, 2)), np.pi / 2),
        (Triangle((0, 0), (1, 0), (0, 1)) | Rectangle((-1, 0), (0.2, 1)), 1.2 + 0.32),
        (Ellipse((1, 1), (2, 0.5)).rotated(1.0), np.pi),
    ],
)
def test_meshes_cover_their_shape(shape, area):
    """Straight triangles: the area is right to the square of the edge length."""
    points, triangles = mesh_shape(shape, 0.1)
    a, b, c = (points[triangles[:, k]] for k in range(3))
    areas = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert (areas > 0).all()
    assert areas.sum() == pytest.approx(area, rel=0.02)
    assert shape.signed_distance(points).max() < 0.06
    longest = max(np.linalg.norm(p - q, axis=1).max() for p, q in ((a, b), (b, c), (c, a)))
    assert longest < 0.2


def test_solids_and_lines_are_not_meshed():
    with pytest.raises(UnsupportedError, match="got a 3-dimensional domain"):
        mesh_shape(Box((0, 0, 0), (1, 1, 1)), 0.1)


@pytest.mark.parametrize(("name", "largest", "unknowns"), [("poisson_L", 0.1494, 60_000), ("poisson_G", 2.511, 30_000)])
def test_benchmarks_reach_the_known_maximum(shared_data, name, largest, unknowns):
    if name == "poisson_L":
        problem = poisson(Dirichlet(u, 0), domain=Rectangle((-1, -1), (1, 1)) - Rectangle((0, 0), (1, 1)))
    else:
        image = np.load(shared_data / "benchmarks" / "poisson_G.npz")["source"]
        f = GridData.from_raster("f", image, ((-1, 1), (-1, 1)))
        problem = poisson(Dirichlet(u, 0), equation=[Eq(-laplacian(u), f(x, y))], domain=Rectangle((-1, -1), (1, 1)))
    solution = solve_fem(problem, tol=1e-4)
    assert solution.converged
    assert solution.unknowns < unknowns
    assert solution.field.values.max() == pytest.approx(largest, rel=5e-4)
