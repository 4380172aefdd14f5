"""Rows of every kind of condition: zero on a field that satisfies it, not zero on one that does not."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import sympy
import torch
from exact_field import ExactField

from physolve.errors import UnsupportedError
from physolve.nets import Concatenated, Expansion, Polynomials, Regional, TanhFeatures
from physolve.residual import Collocation, Density, Rows
from physolve.spec import (
    BoundaryEquation,
    Condition,
    Dirichlet,
    Disk,
    Eq,
    Initial,
    Interface,
    Interval,
    MeanValue,
    Neumann,
    Observations,
    Periodic,
    PointValue,
    Problem,
    Rectangle,
    Robin,
    Shape,
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

pytestmark = pytest.mark.filterwarnings("ignore::physolve.errors.WellPosednessWarning")

x, y, z, t = coordinates("x", "y", "z", "t")
u, w = unknown("u", x, y), unknown("w", x, t)
v = unknown("v", x, y, components=2)
N_X, N_Y = normal(x, y)
SQUARE, DISK, WIRE = Rectangle((0, 0), (1, 1)), Disk((0, 0), 2), Interval(0, 1) * TimeInterval(0, 2)
DENSITY = Density(60, 40)

SMOOTH = sympy.exp(x) * sympy.cos(2 * y) + x
WAVE = sympy.sin(sympy.pi * x) * sympy.cos(3 * t) + t
PERIODIC = sympy.sin(2 * sympy.pi * x + 1) * sympy.exp(y)
BENT = sympy.Piecewise((3 * x - 1, x**2 + y**2 < 1), (x * (5 - 2 / (x**2 + y**2)), True))
"""On the unit circle: jump 1 (outside minus inside), slopes 3 x inside and 7 x outside."""

POINTS = np.array([[0.1, 0.2], [0.5, 0.9], [0.7, 0.3]])


def on_disk(f: sympy.Expr) -> sympy.Expr:
    """n . grad f on DISK."""
    return (x * f.diff(x) + y * f.diff(y)) / 2


def sampled(f: sympy.Expr, points: np.ndarray) -> np.ndarray:
    return np.array([float(f.subs({x: a, y: b})) for a, b in points])


@dataclass(frozen=True)
class Case:
    """A condition, the field that satisfies it, and a change of the field that breaks it. The equation's own
    residual is of no interest here."""

    condition: Condition
    exact: tuple[sympy.Expr, ...]
    domain: Shape = SQUARE
    unknowns: object = u
    broken: sympy.Expr = 1 + x**2 + y
    rounding: float = 1e-12


CASES = {
    "dirichlet": Case(Dirichlet(u, SMOOTH), (SMOOTH,)),
    "dirichlet on a part": Case(Dirichlet(u, SMOOTH.subs(x, 1), on="right"), (SMOOTH,)),
    "dirichlet where x < y": Case(Dirichlet(u, SMOOTH, on=x < y), (SMOOTH,)),
    "dirichlet on a mask": Case(Dirichlet(u, SMOOTH, on=lambda p: p[:, 0] > 0.5), (SMOOTH,)),
    "dirichlet on a shape": Case(
        Dirichlet(u, SMOOTH, on=Disk((0.5, 0.5), 0.2)), (SMOOTH,), SQUARE - Disk((0.5, 0.5), 0.2)
    ),
    "dirichlet, vector": Case(Dirichlet(v, [SMOOTH, x * y]), (SMOOTH, x * y), unknowns=v),
    "neumann": Case(Neumann(u, on_disk(SMOOTH)), (SMOOTH,), DISK),
    "neumann on a part": Case(Neumann(u, -SMOOTH.diff(x), on="left"), (SMOOTH,), broken=x + y),
    "neumann, vector": Case(Neumann(v, [on_disk(SMOOTH), on_disk(x * y)]), (SMOOTH, x * y), DISK, v, broken=x),
    "robin": Case(Robin(u, 2 + x, y, (2 + x) * SMOOTH + y * on_disk(SMOOTH)), (SMOOTH,), DISK),
    "boundary equation": Case(
        BoundaryEquation(Eq(N_X * d(u, x) + N_Y * d(u, y) + u**3, on_disk(SMOOTH) + SMOOTH**3)),
        (SMOOTH,),
        DISK,
        rounding=1e-9,  # values up to 400
    ),
    "boundary equation of two unknowns": Case(
        BoundaryEquation(Eq(N_X * v[0] + N_Y * v[1], (x * SMOOTH + y * x * y) / 2)), (SMOOTH, x * y), DISK, v
    ),
    # Points of an end are found by a mask, up to 1e-9 of the size beside it.
    "periodic": Case(Periodic(u, along=x), (PERIODIC,), broken=x, rounding=1e-7),
    "periodic, second derivative": Case(Periodic(u, along=x, order=2), (PERIODIC,), broken=x**3, rounding=1e-6),
    "initial": Case(Initial(w, WAVE.subs(t, 0)), (WAVE,), WIRE, w, broken=1 + x),
    "initial velocity": Case(
        Initial(w, WAVE.subs(t, 0), velocity=WAVE.diff(t).subs(t, 0)), (WAVE,), WIRE, w, broken=t + 1
    ),
    "point": Case(PointValue(u, (0.3, 0.8), 2.5), (2.5 + (x - 0.3) * y,)),
    "mean": Case(MeanValue(u, sympy.Rational(7, 12)), (x * y + x**2,), rounding=1e-10),
    "mean over a part": Case(
        MeanValue(u, sympy.Rational(3, 4), over=Rectangle((0.5, 0), (1, 1))), (x,), rounding=1e-10
    ),
    "mean at every time": Case(MeanValue(w, t**2 + 1), (t**2 + 2 * x,), WIRE, w, 1 + x, 1e-10),
    # One-sided values are taken 1e-9 of the size beside the circle, where the field has moved by as much.
    "interface": Case(
        Interface(u, on=Disk((0, 0), 1), jump=1, flux_jump=4 * x), (BENT,), DISK, broken=BENT, rounding=1e-7
    ),
    "interface, flux": Case(
        Interface(u, on=Disk((0, 0), 1), jump=1, flux=(1 + y**2) * grad(u), flux_jump=4 * x * (1 + y**2)),
        (BENT,),
        DISK,
        broken=BENT,
        rounding=1e-7,
    ),
    "observations": Case(Observations(u, POINTS, sampled(SMOOTH, POINTS)), (SMOOTH,)),
    "observations of a vector": Case(
        Observations(v, POINTS, np.stack([sampled(SMOOTH, POINTS), POINTS.prod(1)], 1)),
        (SMOOTH, x * y),
        unknowns=v,
    ),
}


def problem_of(case: Case) -> Problem:
    """A problem with only this condition and any equation."""
    equations = dt(w, 2) - d(w, x, 2) if case.unknowns is w else laplacian(case.unknowns)
    return Problem(Eq(equations, 0 * equations), case.domain, [case.condition])


def condition_rows(problem: Problem, density: Density = DENSITY, seed: int = 0) -> list[Rows]:
    return [rows for rows in Collocation(problem).rows(density, seed) if rows.role != "equation"]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_condition_vanishes_on_a_field_that_satisfies_it(case: Case) -> None:
    problem = problem_of(case)
    field = ExactField(problem.coordinates, case.exact)
    rows = condition_rows(problem)
    assert len(rows) == len(case.condition.equations(problem.coordinates))
    for block in rows:
        assert len(block) > 0
        assert float(block.residual_of(field).abs().max()) < case.rounding


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_condition_sees_a_field_that_breaks_it(case: Case) -> None:
    problem = problem_of(case)
    field = ExactField(problem.coordinates, tuple(e + case.broken for e in case.exact))
    assert max(float(block.residual_of(field).abs().max()) for block in condition_rows(problem)) > 0.1


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_matrix_of_a_linear_condition_is_its_residual(case: Case) -> None:
    """A c - b from the matrix equals the residual of the field with coefficients c."""
    problem = problem_of(case)
    if not Collocation(problem).linear:
        pytest.skip("nonlinear: see the Newton test")
    field = random_expansion(problem, region_of_unit_disk if isinstance(case.condition, Interface) else None)
    for block in condition_rows(problem):
        matrix, right = block.matrix(field.basis, len(problem.unknowns), None)
        found = matrix @ field.coefficients.T.reshape(-1) - right
        torch.testing.assert_close(found, block.residual_of(field), rtol=1e-11, atol=1e-11)


def region_of_unit_disk(points: torch.Tensor) -> torch.Tensor:
    return (points.square().sum(1) < 1).long()


def random_expansion(problem: Problem, region: Callable | None = None) -> Expansion:
    """Some field of tanh features and polynomials."""
    generator = torch.Generator().manual_seed(1)
    lower, upper = (torch.tensor(bound) for bound in problem.domain.bounds)

    def part() -> Concatenated:
        smooth = Polynomials(tuple(lower.tolist()), tuple(upper.tolist()), 2)
        return Concatenated((TanhFeatures.draw(10, lower, upper, 3.0, generator), smooth))

    basis = part() if region is None else Regional((part(), part()), region)
    shape = (basis.size, len(problem.unknowns))
    return Expansion(basis, torch.randn(shape, generator=generator, dtype=torch.float64))


# --- equations, linear and not

A = parameter("A", guess=1.3)
FORCED = 1 + sympy.sin(x) * y
EQUATIONS = {
    "poisson": Eq(-div((1 + x**2) * grad(u)), FORCED),
    "amplitude": Eq(-laplacian(u), A * FORCED),
    "stokes-like": Eq(-laplacian(v), sympy.Matrix([FORCED, x])),
    "bratu": Eq(-laplacian(u), sympy.exp(u / 3)),
    "diffusivity": Eq(-A * laplacian(u) + u, FORCED),
    "convection": Eq(laplacian(v), grad(v) * v),
}


@pytest.mark.parametrize("equation", EQUATIONS.values(), ids=EQUATIONS)
def test_newton_row_at_the_state_is_the_residual(equation: object) -> None:
    """A (c, theta) - b = r(c, theta) where c and theta are themselves the state of the linearisation."""
    problem = Problem(equation, SQUARE)
    state = random_expansion(problem)
    thetas = [float(p.guess) for p in problem.parameters]
    together = torch.cat([state.coefficients.T.reshape(-1), torch.tensor(thetas, dtype=torch.float64)])
    for block in Collocation(problem).rows(DENSITY):
        matrix, right = block.matrix(state.basis, len(problem.unknowns), state, thetas)
        residual = block.residual_of(state, thetas)
        size = float(matrix.abs().max() * together.abs().max())
        torch.testing.assert_close(matrix @ together - right, residual, rtol=1e-12, atol=1e-12 * size)


@pytest.mark.parametrize("equation", EQUATIONS.values(), ids=EQUATIONS)
def test_matrix_is_the_jacobian_of_the_residual(equation: object) -> None:
    """Central differences of the residual in coefficients and parameters against A times the direction."""
    problem = Problem(equation, SQUARE)
    state = random_expansion(problem)
    state = replace(state, coefficients=0.1 * state.coefficients)
    thetas = torch.tensor([float(p.guess) for p in problem.parameters], dtype=torch.float64)
    way = torch.randn(state.coefficients.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    theta_way, h = torch.ones_like(thetas), 1e-5
    for block in Collocation(problem).rows(Density(20, 10)):

        def residual(length: float, block: Rows = block) -> torch.Tensor:
            moved = replace(state, coefficients=state.coefficients + length * way)
            return block.residual_of(moved, list(thetas + length * theta_way))

        matrix, _ = block.matrix(state.basis, len(problem.unknowns), state, thetas.tolist())
        expected = matrix @ torch.cat([way.T.reshape(-1), theta_way])
        # h^2 of the third derivative and rounding / h: both below 1e-7 of the size
        torch.testing.assert_close(
            (residual(h) - residual(-h)) / (2 * h),
            expected,
            rtol=1e-6,
            atol=1e-6 * float(expected.abs().max()),
        )


@pytest.mark.parametrize(
    ("name", "linear"),
    [("poisson", True), ("amplitude", True), ("stokes-like", True), ("bratu", False), ("diffusivity", False)],
)
def test_collocation_knows_linear_problems(name: str, linear: bool) -> None:
    assert Collocation(Problem(EQUATIONS[name], SQUARE)).linear is linear


def test_nonlinear_boundary_makes_the_problem_nonlinear() -> None:
    radiation = BoundaryEquation(Eq(N_X * d(u, x) + N_Y * d(u, y), -(u**4)))
    assert not Collocation(Problem(EQUATIONS["poisson"], SQUARE, [radiation])).linear


# --- where and how many


WALLS = {
    "everywhere": Dirichlet(w, 0),
    "named": Dirichlet(w, 0, on="right"),
    "several names": Dirichlet(w, 0, on=("left", "right")),
    "predicate": Neumann(w, 0, on=x < 0.5),
    "mask": Robin(w, 1, 1, 0, on=lambda p: p[:, 0] > 0.5),
    "equation": BoundaryEquation(Eq(w**2, 1)),
}


@pytest.mark.parametrize("condition", WALLS.values(), ids=WALLS)
def test_conditions_on_space_leave_first_and_last_instant_alone(condition: Condition) -> None:
    (rows,) = condition_rows(Problem(Eq(dt(w), d(w, x, 2)), WIRE, [condition]))
    place, time = rows.points.unbind(1)
    assert len(rows) >= 10
    assert bool(((place == 0) | (place == 1)).all())
    assert bool(((time > 0) & (time < 2)).all())
    assert float(time.max() - time.min()) > 1.5
    assert rows.sides[0].normals is not None
    assert bool((rows.sides[0].normals[:, 1] == 0).all())


@pytest.mark.parametrize(("name", "time"), [("initial", 0.0), ("final", 2.0)])
def test_instants_can_be_named(name: str, time: float) -> None:
    (rows,) = condition_rows(Problem(Eq(dt(w), d(w, x, 2)), WIRE, [Dirichlet(w, 0, on=name)]))
    assert bool((rows.points[:, 1] == time).all())


def test_initial_condition_is_at_the_first_instant() -> None:
    value, velocity = condition_rows(Problem(Eq(dt(w, 2), d(w, x, 2)), WIRE, [Initial(w, x, velocity=1)]))
    assert bool((value.points[:, 1] == 0).all())
    assert torch.equal(value.points, velocity.points)
    assert float(value.points[:, 0].max() - value.points[:, 0].min()) > 0.8


def test_moving_walls() -> None:
    """A circle in three coordinates x, y, t: normals have no time component."""
    c = unknown("c", x, y, t)
    problem = Problem(Eq(dt(c), laplacian(c)), Disk((0, 0), 1) * TimeInterval(0, 1), [Neumann(c, 0)])
    (rows,) = condition_rows(problem)
    radius = rows.points[:, :2].norm(dim=1)
    torch.testing.assert_close(radius, torch.ones_like(radius))
    normals = rows.sides[0].normals
    assert normals is not None
    torch.testing.assert_close(normals[:, :2], rows.points[:, :2])
    assert bool((normals[:, 2] == 0).all())


def test_periodic_sides_face_each_other() -> None:
    (value, slope) = condition_rows(Problem(Eq(laplacian(u), 0), SQUARE, [Periodic(u, along=x)]))
    for rows in (value, slope):
        low, high = rows.sides
        assert float(low.points[:, 0].abs().max()) < 2e-9
        assert bool((high.points[:, 0] == 1).all())
        assert torch.equal(low.points[:, 1], high.points[:, 1])
        assert (low.sign, high.sign) == (1.0, -1.0)


def test_interface_points_lie_on_their_sides() -> None:
    inner = Disk((0, 0), 1)
    rows = condition_rows(Problem(Eq(laplacian(u), 0), DISK, [Interface(u, on=inner)]))
    outside, inside = rows[0].sides
    assert bool((inner.signed_distance(outside.points.numpy()) > 0).all())
    assert bool((inner.signed_distance(inside.points.numpy()) < 0).all())
    assert float((outside.points - inside.points).norm(dim=1).max()) < 1e-7


@pytest.mark.parametrize(("half", "normal_x"), [(Rectangle((0, 0), (0.5, 1)), 1), (Rectangle((0.5, 0), (1, 1)), -1)])
def test_interface_of_a_half_lies_between_the_halves(half: Shape, normal_x: float) -> None:
    """The other three sides of the half are the domain's own."""
    for on, domain in [(half, SQUARE), (half.named("half"), SQUARE), ("half", half.named("half") | SQUARE)]:
        value, flux = condition_rows(Problem(Eq(laplacian(u), 0), domain, [Interface(u, on=on)]))
        for side in (*value.sides, *flux.sides):
            assert side.points[:, 0].numpy() == pytest.approx(0.5, abs=1e-8)
            assert side.normals is not None
            assert side.normals.numpy() == pytest.approx(np.tile([normal_x, 0], (len(side.points), 1)))


def test_ends_of_an_interval_are_two_points() -> None:
    f = unknown("f", x)
    (rows,) = condition_rows(Problem(Eq(d(f, x, 2), 0), Interval(-1, 3), [Dirichlet(f, x)]))
    assert sorted(rows.points[:, 0].tolist()) == [-1.0, 3.0]


def test_initial_condition_of_an_ordinary_equation_is_one_row() -> None:
    q = unknown("q", t)
    value, velocity = condition_rows(Problem(Eq(dt(q, 2), -q), TimeInterval(1, 4), [Initial(q, 2, velocity=3)]))
    assert value.points.tolist() == velocity.points.tolist() == [[1.0]]


@pytest.mark.parametrize("interior", [16, 61, 300])
def test_number_of_rows_and_their_weights(interior: int) -> None:
    problem = Problem(Eq(laplacian(u), 1), SQUARE, [Dirichlet(u, 0, on="left"), Dirichlet(u, 1, on=x > 0)])
    equation, left, rest = Collocation(problem).rows(Density(interior, 200))
    assert len(equation) == interior
    assert float(equation.weights.sum()) == pytest.approx(1.0)
    assert len(left) == 50
    assert len(rest) == pytest.approx(150 + 16, abs=3)  # also near two corners; the values jump at the others
    assert float(left.weights.sum()) == pytest.approx(1.0)
    assert float(rest.weights.sum()) == pytest.approx(3.0, rel=0.02)


def near_corners(points: np.ndarray) -> np.ndarray:
    """Those within 1e-4 of a corner of the square."""
    return points[np.linalg.norm(points - points.round(), axis=1) < 1e-4]


@pytest.mark.parametrize(
    ("conditions", "continuous"),
    [
        ([Dirichlet(u, x + y)], 4),
        ([Dirichlet(u, 1, on="top"), Dirichlet(u, 0, on=("left", "right", "bottom"))], 2),
        ([Dirichlet(u, x, on=("bottom", "top")), Dirichlet(u, 0, on="left"), Neumann(u, 1, on="right")], 4),
        ([Dirichlet(u, 1e6 + 1e5 * y, on=("left", "right")), Dirichlet(u, 1e6, on=("bottom", "top"))], 2),
    ],
)
def test_values_near_corners_are_asked_for_where_they_do_not_jump(conditions: list[Condition], continuous: int) -> None:
    collocation = Collocation(Problem(Eq(laplacian(u), 1), SQUARE, conditions))
    assert len(collocation.corners.continuous) == continuous
    valued = [rows.points.numpy() for rows in collocation.rows(DENSITY)[1:] if rows.form.order == 0]
    others = [rows.points.numpy() for rows in collocation.rows(DENSITY)[1:] if rows.form.order > 0]
    close = near_corners(np.concatenate(valued))
    assert {tuple(point.round(3)) for point in close} == {c.point for c in collocation.corners.continuous}
    assert not len(near_corners(np.concatenate([*others, np.empty((0, 2))])))


def test_values_near_corners_only_of_components_that_agree() -> None:
    """One component jumps at the upper corners: none is asked for there."""
    top, other = Dirichlet(v, (1, 0), on="top"), Dirichlet(v, (0, 0), on=("left", "right", "bottom"))
    collocation = Collocation(Problem(Eq(laplacian(v), sympy.zeros(2, 1)), SQUARE, [top, other]))
    assert sorted(corner.point[1] for corner in collocation.corners.continuous) == [0.0, 0.0]


def test_rows_are_deterministic_in_the_seed() -> None:
    problem = Problem(Eq(laplacian(u), 1), SQUARE, [Dirichlet(u, 0)])
    first, again, other = (Collocation(problem).rows(DENSITY, seed) for seed in (4, 4, 5))
    assert all(torch.equal(a.points, b.points) for a, b in zip(first, again, strict=True))
    assert not any(torch.equal(a.points, b.points) for a, b in zip(first, other, strict=True))


def test_two_conditions_of_one_part_have_different_points() -> None:
    rows = condition_rows(
        Problem(Eq(laplacian(v), sympy.zeros(2, 1)), SQUARE, [Dirichlet(v[0], 0), Dirichlet(v[1], 0)])
    )
    assert not torch.equal(rows[0].points, rows[1].points)


def test_rows_are_named_after_their_origin() -> None:
    problem = Problem([Eq(laplacian(u), 1)], SQUARE, [Dirichlet(u, 0, on="left"), Neumann(u, 0, on="right")])
    names = [rows.name for rows in Collocation(problem).rows(DENSITY)]
    assert names == ["equation 1", "condition 1 (dirichlet)", "condition 2 (neumann)"]


def test_parameter_in_a_mean_value_is_refused() -> None:
    problem = Problem(Eq(-laplacian(u), A), SQUARE, [MeanValue(u, A)])
    with pytest.raises(UnsupportedError, match=r"^condition 1 \(mean_value\): its value A holds an unknown"):
        Collocation(problem).rows(DENSITY)


# --- time slabs


def test_later_slab_continues_value_and_velocity() -> None:
    """The initial condition of a slab is the field before it, and its velocity that field's velocity."""
    problem = Problem(Eq(dt(w, 2), d(w, x, 2)), WIRE, [Initial(w, 5, velocity=7)])
    before = ExactField((x, t), (WAVE,))
    slab = Collocation(problem, part=Interval(0, 1) * TimeInterval(1, 2), start=before)
    rows = [block for block in slab.rows(DENSITY) if block.role == "condition"]
    assert len(rows) == 2
    for block in rows:
        assert bool((block.points[:, 1] == 1).all())
        assert float(block.residual_of(before).abs().max()) < 1e-12


# --- branches of sources and coefficients

NARROW = {
    "strip": (x > 0.3) & (x < 0.3004),
    "disk": (x - 0.3) ** 2 + (y - 0.6) ** 2 < 1e-6,
    "cross": (x > 0.3) & (x < 0.3004) & (y > 0.6) & (y < 0.6004),
}


@pytest.mark.parametrize("branch", NARROW.values(), ids=NARROW)
def test_branches_between_the_points_are_seen(branch: sympy.logic.boolalg.Boolean) -> None:
    source = sympy.Piecewise((1000, branch), (0, True))
    problem = Problem(Eq(-laplacian(u), source), SQUARE, [Dirichlet(u, 0)])
    (rows, _), inside = Collocation(problem).rows(DENSITY), sympy.lambdify((x, y), source)
    assert sum(inside(*p) == 1000 for p in rows.points.tolist()) >= 8
    assert problem.domain.contains(rows.points.numpy()).all()


@pytest.mark.parametrize(
    "source", [x, sympy.Piecewise((1, x < 0.3), (3, True)), sympy.Piecewise((1, u < 0), (0, True))]
)
def test_branches_that_the_points_see_get_no_more_of_them(source: sympy.Expr) -> None:
    problem = Problem(Eq(-laplacian(u), source), SQUARE, [Dirichlet(u, 0)])
    assert len(Collocation(problem).rows(DENSITY)[0].points) == DENSITY.interior


def test_branches_outside_a_slab_get_no_points_in_it() -> None:
    source = sympy.Piecewise((1000, (t > 0.3) & (t < 0.3004)), (0, True))
    whole = Collocation(Problem(Eq(dt(w), laplacian(w) + source), WIRE, [Initial(w, 0), Dirichlet(w, 0)]))
    count = {
        end: len(whole.on(Interval(0, 1) * TimeInterval(end - 0.5, end), None).rows(DENSITY)[0].points)
        for end in (0.5, 1.5)
    }
    assert count[0.5] >= DENSITY.interior + 8
    assert count[1.5] == DENSITY.interior
