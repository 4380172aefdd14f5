"""Corners of an interval and time: where they are found, what their functions are, what is solved with them."""

import json

import numpy as np
import pytest
import sympy
import torch
from scipy.integrate import solve_bvp
from scipy.special import erfc

import physolve as ps
from physolve.nets import (
    DiffusionLayers,
    Expansion,
    Front,
    Polynomials,
    Products,
    SimilarityFeatures,
    rebuild_field,
)
from physolve.residual import Collocation, Density
from physolve.solve._enrichment import BasisPlan

X, T = ps.coordinates("x", "t")
U = ps.unknown("u", X, T)
V = ps.unknown("v", X, T)
HEAT = ps.Eq(ps.dt(U), ps.d(U, X, 2))


def problem(equation=HEAT, *conditions, initial=1, duration=0.2) -> ps.Problem:
    equations = equation if isinstance(equation, list) else [equation]
    starts = [ps.Initial(u, v) for u, v in zip((U, V)[: len(equations)], np.atleast_1d(initial), strict=True)]
    domain = ps.Interval(0, 1) * ps.TimeInterval(0, duration)
    return ps.Problem(equations=equations, domain=domain, conditions=[*starts, *conditions])


def fronts(*arguments, **options) -> set[tuple[float, float, float]]:
    found = Collocation(problem(*arguments, **options)).fronts.found
    return {(front.place, front.side, round(front.diffusivity, 9)) for front in found}


def draw(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


ENDS = "left", "right"
LEFT, RIGHT = (0.0, 1.0, 1.0), (1.0, -1.0, 1.0)
SLOW = ps.Eq(ps.dt(U), ps.d((1 + U) * ps.d(U, X), X) / 10)


@pytest.mark.parametrize(
    ("found", "arguments", "initial"),
    [
        ({LEFT, RIGHT}, (HEAT, ps.Dirichlet(U, 0)), 1),
        ({RIGHT}, (HEAT, ps.Dirichlet(U, 0)), X),
        ({RIGHT}, (HEAT, ps.Dirichlet(U, 0, on="left"), ps.Neumann(U, 0, on="right")), X),
        ({LEFT, RIGHT}, (HEAT, ps.Robin(U, 1, 1, 0)), 1),
        ({LEFT, RIGHT}, (HEAT, ps.Dirichlet(U, 0)), X * (1 - X)),
        ({LEFT, RIGHT}, (HEAT, ps.Dirichlet(U, T)), 0),
        ({LEFT, RIGHT}, (ps.Eq(ps.dt(U), ps.d(U, X, 2) + 1), ps.Dirichlet(U, 0)), 0),
        ({(0.0, 1.0, 0.2), (1.0, -1.0, 0.2)}, (SLOW, ps.Dirichlet(U, 0)), 1),
        (set(), (HEAT, ps.Dirichlet(U, 0)), sympy.sin(sympy.pi * X)),
        (set(), (HEAT, ps.Neumann(U, 0)), sympy.cos(sympy.pi * X)),
        (set(), (HEAT, ps.Dirichlet(U, 2 * T)), X**2 - X),  # both rates are 2
        (set(), (HEAT, ps.Periodic(U, X)), X),
        (set(), (ps.Eq(ps.dt(U), ps.d(U, X)), ps.Dirichlet(U, 0, on="right")), 1),
        (set(), (ps.Eq(ps.dt(U), ps.d(U, X, 2) - ps.d(U, X, 4)), ps.Dirichlet(U, 0)), 1),
    ],
)
def test_corners_are_found_where_values_slopes_or_rates_disagree(found, arguments, initial):
    assert fronts(*arguments, initial=initial) == found


def test_a_damped_wave_has_none():
    domain = ps.Interval(0, 1) * ps.TimeInterval(0, 1)
    conditions = [ps.Initial(U, 1, velocity=0), ps.Dirichlet(U, 0)]
    wave = ps.Problem([ps.Eq(ps.dt(U, 2) + ps.dt(U), ps.d(U, X, 2))], domain, conditions)
    assert Collocation(wave).fronts.found == ()


def test_every_unknown_has_a_diffusivity_of_its_own():
    equations = [ps.Eq(ps.dt(U), ps.d(U, X, 2) - U * V), ps.Eq(ps.dt(V), ps.d(V, X, 2) / 10 + U * V)]
    found = fronts(
        equations, ps.Dirichlet(U, 0), ps.Dirichlet(V, 1, on="left"), ps.Neumann(V, 0, on="right"), initial=(1, 1)
    )
    assert found == {LEFT, RIGHT, (0.0, 1.0, 0.1)}


(Y,) = ps.coordinates("y")
W = ps.unknown("w", X, Y, T)
COOLING = ps.Eq(ps.dt(W), ps.d(W, X, 2) + ps.d(W, Y, 2) / 4)
SQUARE = ps.Rectangle((0, 0), (1, 2))
SIDES = {
    "left": (0, 0.0, 1.0, 1.0),
    "right": (0, 1.0, -1.0, 1.0),
    "bottom": (1, 0.0, 1.0, 0.25),
    "top": (1, 2.0, -1.0, 0.25),
}


def cooling(equation=COOLING, *conditions, initial=1, space=SQUARE) -> Collocation:
    domain = space * ps.TimeInterval(0, 0.1)
    return Collocation(ps.Problem([equation], domain, [ps.Initial(W, initial), *conditions]))


WALLS = ps.Dirichlet(W, 0)


@pytest.mark.parametrize(
    ("sides", "arguments", "options"),
    [
        (set(SIDES), (COOLING, WALLS), {}),
        ({"left", "top"}, (COOLING, ps.Dirichlet(W, 0, on=["left", "top"]), ps.Neumann(W, 0)), {}),
        (set(SIDES), (COOLING, ps.Robin(W, 1, 1, 0)), {}),
        ({"right", "top"}, (COOLING, WALLS), {"initial": X * Y}),
        (set(SIDES), (ps.Eq(ps.dt(W), COOLING.rhs - W + sympy.sin(X) * ps.d(W, X)), WALLS), {}),
        (set(SIDES), (COOLING, WALLS), {"space": SQUARE.named("plate")}),
        (set(), (COOLING, WALLS), {"initial": sympy.sin(sympy.pi * X) * sympy.sin(sympy.pi * Y)}),
        (set(), (COOLING, WALLS), {"space": ps.Disk((0, 0), 1)}),
        (set(), (ps.Eq(ps.dt(W), COOLING.rhs + W * (1 - W)), WALLS), {}),
        (set(), (ps.Eq(ps.dt(W), ps.div((1 + X) * ps.grad(W, X, Y))), WALLS), {}),
        (set(), (ps.Eq(ps.dt(W), COOLING.rhs + ps.d(W, X, Y)), WALLS), {}),
        ({"right"}, (COOLING, ps.Dirichlet(W, 0, on=sympy.Or(X > 0.999, sympy.And(X < 1e-3, Y < 1)))), {}),
        (
            {"right"},
            (COOLING, ps.Dirichlet(W, 0, on=sympy.Or(X > 0.999, sympy.And(X < 1e-3, sympy.Abs(Y - 1) > 0.4)))),
            {},
        ),
        (set(SIDES), (COOLING, WALLS), {"space": ps.Rectangle((-3, 1), (-2, 3)).translated((3, -1))}),
        ({"bottom", "top"}, (COOLING, ps.Dirichlet(W, Y * 0 + X * (1 - X))), {"initial": 0, "space": SQUARE}),
    ],
)
def test_sides_of_rectangles(sides, arguments, options):
    found = cooling(*arguments, **options).fronts.found
    assert {(f.axis, f.place, f.side, round(f.diffusivity, 9)) for f in found} == {SIDES[side] for side in sides}


def test_rows_lie_in_the_layers_of_rectangles_too():
    collocation = cooling(COOLING, WALLS)
    points = collocation.rows(Density(400, 200))[0].points
    near = torch.minimum(points[:, 0], 1 - points[:, 0]) ** 2 + 4 * points[:, 2] < 0.01
    assert int(near.sum()) > 10
    plain = collocation.boundary_samples(collocation.conditions[1][0], Density(400, 200), 0)
    walls = collocation.fronts.joined(plain, lambda points: np.ones(len(points), dtype=bool), 0)
    early = walls.points[len(plain) :]
    assert (early[:, 2] < 1e-3).sum() > 10
    assert ((early >= [0, 0, 0]) & (early <= [1, 2, 0.1])).all()
    ends = np.stack([np.isclose(early[:, :2], end, atol=1e-12) for end in ([0, 0], [1, 2])]).astype(float)
    assert ((ends[1] - ends[0]) * walls.normals[len(plain) :, :2]).sum(1).min() == 1
    assert walls.weights.sum() == pytest.approx(plain.weights.sum())


def quenched(x, t):
    x, s = np.asarray(x), 2 * np.sqrt(t)
    images = [erfc((k + x) / s) + erfc((k + 1 - x) / s) for k in range(4)]
    return 1 - images[0] + images[1] - images[2] + images[3]


@pytest.mark.parametrize("rate", [0.0, 5.0])
def test_a_square_quenched_on_all_sides(rate):
    equation = ps.Eq(ps.dt(W), ps.d(W, X, 2) + ps.d(W, Y, 2) - rate * W)
    problem = cooling(equation, WALLS, space=ps.Rectangle((0, 0), (1, 1))).problem
    solution = ps.solve(problem, tol=1e-2)
    points = np.random.default_rng(0).random((20000, 3)) * [1, 1, 0.1]
    x, y, t = points.T
    exact = quenched(x, t) * quenched(y, t) * np.exp(-rate * t)
    assert solution.outcome is ps.Outcome.CONVERGED
    assert np.linalg.norm(solution(points)[:, 0] - exact) / np.linalg.norm(exact) < solution.estimate.relative


def test_steady_problems_and_time_alone_have_none():
    x, y = ps.coordinates("x", "y")
    u = ps.unknown("u", x, y)
    steady = ps.Problem(
        equations=[ps.Eq(ps.laplacian(u), 1)], domain=ps.Rectangle((0, 0), (1, 1)), conditions=[ps.Dirichlet(u, 0)]
    )
    assert Collocation(steady).fronts.found == ()


@pytest.mark.parametrize(("start", "length"), [(0.0, 1e-9), (5e5, 1.0)])
def test_ends_are_told_apart_however_close_they_are(start, length):
    domain = ps.Interval(start, start + length) * ps.TimeInterval(0, 1)
    conditions = [ps.Initial(U, 0), ps.Dirichlet(U, 1, on="left"), ps.Dirichlet(U, 0, on="right")]
    collocation = Collocation(ps.Problem([HEAT], domain, conditions))
    assert [front.side for front in collocation.fronts.found] == [1.0]
    later = Collocation(ps.Problem([HEAT], domain, [ps.Initial(U, 0), *(ps.Dirichlet(U, 1, on=e) for e in ENDS)]))
    for rows, place in zip(later.rows(Density(100, 60))[2:], domain.bounds, strict=True):
        assert np.ptp(rows.points[:, 0].numpy()) < 1e-6 * length, place


EARLY, LATE = (sympy.And(X < 1e-9, when) for when in (T < 0.5, T > 0.5))
SLOWLY = ps.Eq(ps.dt(U), ps.d(U, X, 2) / 10)


def test_conditions_that_begin_later_have_no_points_before():
    conditions = ps.Dirichlet(U, 1, on=EARLY), ps.Neumann(U, 0, on=LATE), ps.Dirichlet(U, 0, on="right")
    collocation = Collocation(problem(SLOWLY, *conditions, initial=0, duration=1))
    assert [front.place for front in collocation.fronts.found] == [0.0]
    _, _, early, late, _ = collocation.rows(Density(400, 80))
    assert early.points[:, 1].min() < 1e-4
    assert early.points[:, 1].max() < 0.5 < late.points[:, 1].min()


def test_conditions_that_begin_later_disagree_with_no_initial_value():
    assert fronts(SLOWLY, ps.Dirichlet(U, 0, on=EARLY), ps.Dirichlet(U, 1, on=LATE), initial=0, duration=1) == set()


def test_values_that_change_later_do_not_change_the_beginning():
    late = ps.Dirichlet(U, 1 + 16 * (T - 0.5) ** 4, on=LATE)
    conditions = ps.Dirichlet(U, 1, on=EARLY), late, ps.Dirichlet(U, 0, on="right")
    solution = ps.solve(problem(SLOWLY, *conditions, initial=0, duration=1), tol=1e-3)
    assert solution.outcome is ps.Outcome.CONVERGED
    assert solution([[0.2, 0.2]])[0, 0] == pytest.approx(erfc(0.2 / np.sqrt(0.08)), abs=2e-3)


def test_interfaces_have_none_and_no_points_near_them():
    step = sympy.Piecewise((1, X < 0.5), (2, True))
    equation = ps.Eq(ps.dt(U), ps.div(step * ps.grad(U, X)))
    join = ps.Interface(U, on=ps.Interval(0, 0.5), flux=step * ps.grad(U, X))
    collocation = Collocation(problem(equation, ps.Dirichlet(U, 0), join))
    rows = collocation.rows(Density(400, 60))
    assert collocation.fronts.found == ()
    assert len(rows[0].points) == 400
    assert rows[0].factor is None


def test_a_diffusivity_that_is_sought_has_none():
    k = ps.parameter("k", guess=2.0)
    sought = ps.Eq(ps.dt(U), k * ps.d(U, X, 2)), ps.Eq(ps.dt(V), ps.d(V, X, 2) / 10 + k * U)
    starts = [ps.Initial(U, 1), ps.Initial(V, 1)]
    sides = [ps.Dirichlet(U, 0), ps.Dirichlet(V, 0), ps.PointValue(U, (0.5, 0.1), 0.5)]
    domain = ps.Interval(0, 1) * ps.TimeInterval(0, 0.2)
    collocation = Collocation(ps.Problem(list(sought), domain, [*starts, *sides], parameters=[k]))
    assert {front.diffusivity for front in collocation.fronts.found} == {0.1}


def test_a_diffusivity_that_depends_on_a_sought_value_has_none():
    k = ps.parameter("k", guess=2.0)
    domain = ps.Interval(0, 1) * ps.TimeInterval(0, 0.2)
    conditions = [ps.Initial(U, k), ps.Dirichlet(U, 0), ps.PointValue(U, (0.5, 0.1), 0.5)]
    for equation, count in ((SLOW, 0), (HEAT, 2)):
        made = Collocation(ps.Problem([equation], domain, conditions, parameters=[k]))
        assert len(made.fronts.found) == count


@pytest.mark.parametrize("kind", [TypeError, AttributeError])
def test_what_cannot_be_differentiated_has_none(monkeypatch, kind):
    def fails(*_):
        raise kind("sympy's own")

    collocation = Collocation(problem(HEAT, ps.Dirichlet(U, 0)))
    assert collocation.equations
    assert collocation.conditions
    monkeypatch.setattr(sympy, "diff", fails)
    assert collocation.fronts.found == ()


def test_layers_and_the_points_near_them_are_as_thin_as_they_come():
    kappa, duration = 1e-4, 0.2
    thin = ps.Eq(ps.dt(U), kappa * ps.d(U, X, 2))
    found = Collocation(problem(thin, ps.Dirichlet(U, 0), duration=duration))
    points, near = found.rows(Density(400, 60))[0].points, found.fronts.points(400, 0)
    away = torch.minimum(points[:, 0], 1 - points[:, 0])
    assert torch.all(found.fronts.factor(points.numpy())[away > 0.05] == 1)
    assert np.minimum(near[:, 0], 1 - near[:, 0]).max() < 0.05
    for drawn in (near, found.rows(Density(400, 200))[2].points.numpy()):
        assert drawn[:, 1].max() < duration
        assert (drawn[:, 1] < 1e-2 * duration).sum() > 5


def test_rows_lie_near_the_corners_and_count_less_there():
    rows = Collocation(problem(HEAT, ps.Dirichlet(U, 0))).rows(Density(400, 60))
    points, factor = rows[0].points, rows[0].factor
    rho = torch.sqrt(torch.minimum(points[:, 0], 1 - points[:, 0]) ** 2 + 4 * points[:, 1])
    assert int((rho < 0.01).sum()) > 5
    assert torch.all(factor[rho < 0.01] < 1e-3)
    assert torch.all(factor[rho > 0.8] > 0.2)


def test_fronts_are_found_on_ends_of_whatever_interval_and_on_short_sides():
    for space in (ps.Interval(0, 1).translated((1,)), ps.Interval(0, 0.5) | ps.Interval(0.5, 1)):
        conditions = [ps.Initial(U, 1), ps.Dirichlet(U, 0)]
        found = Collocation(ps.Problem([HEAT], space * ps.TimeInterval(0, 0.1), conditions)).fronts.found
        assert [front.place for front in found] == [float(end[0]) for end in space.bounds]
    assert len(cooling(COOLING, WALLS, space=ps.Rectangle((0, 0), (100, 1))).fronts.found) == 4


def test_nothing_is_asked_beside_a_condition():
    half = ps.Dirichlet(W, 0, on=ps.Rectangle((-1, -1), (0, 0.5)))
    Z = ps.unknown("z", X, Y, T)
    cold = ps.Eq(ps.dt(Z), ps.d(Z, X, 2) + ps.d(Z, Y, 2))
    conditions = [ps.Initial(W, 1), ps.Initial(Z, 1), ps.Dirichlet(Z, 0, on="left"), half]
    domain = ps.Rectangle((0, 0), (1, 1)) * ps.TimeInterval(0, 0.1)
    collocation = Collocation(ps.Problem([COOLING, cold], domain, conditions))
    assert [front.axis for front in collocation.fronts.found] == [0]
    *_, rows = collocation.rows(Density(400, 200))
    assert float(rows.points[:, 1].max()) <= 0.5
    assert float(rows.points[:, 2].min()) < 1e-3


def test_only_layers_of_one_unknown_meet():
    Z = ps.unknown("z", X, Y, T)
    slow = ps.Eq(ps.dt(Z), (ps.d(Z, X, 2) + ps.d(Z, Y, 2)) / 10)
    domain = SQUARE * ps.TimeInterval(0, 0.1)
    conditions = [ps.Initial(W, 1), ps.Initial(Z, 1), WALLS, ps.Dirichlet(Z, 0)]
    fronts = Collocation(ps.Problem([COOLING, slow], domain, conditions)).fronts
    assert len(fronts.found) == 8
    assert {(a.diffusivity, b.diffusivity) for a, b in fronts.meeting} == {(1.0, 0.25), (0.1, 0.1)}
    coupled = ps.Eq(ps.dt(W), COOLING.rhs + ps.d(Z, X, 2))
    fronts = Collocation(ps.Problem([coupled, slow], domain, conditions)).fronts
    assert {front.diffusivity for front in fronts.found} == {0.1}


FUNCTIONS = {
    "layers from the left": DiffusionLayers(Front(0.3, 1.0, 0.1, 0.7), 6),
    "layers from the right": DiffusionLayers(Front(1.5, -1.0, 0.0, 0.2), 6),
    "similarity": SimilarityFeatures(Front(0.3, 1.0, 0.1, 0.7), 2 * draw(5) - 1, draw(5), draw(5) - 0.5),
}
POINTS = torch.tensor([[0.5, 0.4], [0.9, 0.2], [1.2, 1.0]]).double()
ONE = torch.ones(3, dtype=torch.float64)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    "orders", [(1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (2, 1), (1, 2), (2, 2), (3, 1), (0, 3), (0, 4)]
)
def test_their_derivatives_agree_with_nested_autograd(name, orders):
    basis = FUNCTIONS[name]
    found = basis.operate(POINTS, {orders: ONE})
    for j in range(basis.size):
        x = POINTS.clone().requires_grad_(True)
        value = basis.operate(x, {(0, 0): ONE})[:, j]
        for k, order in enumerate(orders):
            for _ in range(order):
                value = torch.autograd.grad(value.sum(), x, create_graph=True)[0][:, k]
        assert torch.allclose(found[:, j], value.detach(), rtol=1e-10, atol=1e-10 * float(found.abs().max()))


LEFT_LAYERS, TOP_LAYERS = (DiffusionLayers(f, 2) for f in (Front(0.3, 1.0, 0.1, 0.7), Front(2.0, -1.0, 0.1, 0.2, 1)))
CORNER = Products(
    Products(LEFT_LAYERS, (0, 2), TOP_LAYERS, (1, 2)), (0, 1, 2), Polynomials((0.3, 0, 0), (2, 2, 1), 1), (0, 1, 2)
)


@pytest.mark.parametrize(
    "orders", [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (2, 0, 0), (0, 2, 0), (1, 1, 0), (0, 1, 1)]
)
def test_products_of_layers_have_derivatives_and_survive_saving(orders):
    points = torch.tensor([[0.5, 1.2, 0.4], [0.9, 1.9, 0.2], [1.2, 0.7, 0.8]]).double()
    found = CORNER.operate(points, {orders: ONE})
    for j in range(CORNER.size):
        x = points.clone().requires_grad_(True)
        value = CORNER.operate(x, {(0, 0, 0): ONE})[:, j]
        for k, order in enumerate(orders):
            for _ in range(order):
                value = torch.autograd.grad(value.sum(), x, create_graph=True)[0][:, k]
        assert torch.allclose(found[:, j], value.detach(), rtol=1e-10, atol=1e-10 * float(found.abs().max()))
    field = Expansion(CORNER, draw(CORNER.size, 1))
    again = rebuild_field(json.loads(json.dumps(field.config())), field.tensors())
    assert torch.equal(again.values(points), field.values(points))


def test_layers_diffuse_from_nothing_and_grow_like_powers_of_the_root_of_time():
    front = Front(0.3, 1.0, 0.1, 0.7)
    basis = DiffusionLayers(front, 5)
    assert not basis.operate(POINTS, {(0, 1): ONE, (2, 0): -0.7 * ONE}).any()
    start = torch.tensor([[0.4, 0.1], [2.0, 0.1]]).double()
    assert not basis.operate(start, {(0, 0): ONE[:2]}).any()
    at = torch.tensor([[0.3, 0.1 + 1e-4], [0.3, 0.1 + 4e-4]], dtype=torch.float64)
    early, late = basis.operate(at, {(0, 0): ONE[:2]})
    assert torch.allclose(late / early, 2.0 ** torch.arange(5.0).double(), rtol=1e-9)
    expected = torch.tensor(erfc((POINTS[:, 0] - 0.3).numpy() / np.sqrt(2.8 * (POINTS[:, 1].numpy() - 0.1))))
    assert torch.allclose(basis.operate(POINTS, {(0, 0): ONE})[:, 0], expected)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_they_survive_saving(name):
    field = Expansion(FUNCTIONS[name], draw(FUNCTIONS[name].size, 2))
    again = rebuild_field(field.config(), field.tensors())
    assert torch.equal(again.values(POINTS), field.values(POINTS))


def test_only_where_something_begins_it_is_asked_whether_it_diffuses():
    for value, asked in ((0, True), (1, False)):
        plan = BasisPlan(problem(HEAT, ps.Dirichlet(U, value)))
        plan.build(100, 2.0, 0)
        assert ("_only_diffuses" in vars(plan)) is asked


def error(solution: ps.Solution, exact, times) -> float:
    x = np.linspace(0, 1, 401)[1:-1]
    points = np.stack([a.ravel() for a in np.meshgrid(x, times, indexing="ij")], 1)
    expected = exact(*points.T)
    return float(np.linalg.norm(solution(points)[:, 0] - expected) / np.linalg.norm(expected))


def test_a_plate_quenched_at_both_ends():
    def exact(x, t):
        k = 2 * np.arange(400)[:, None] + 1
        return (4 / np.pi / k * np.sin(k * np.pi * x) * np.exp(-((k * np.pi) ** 2) * t)).sum(0)

    solution = ps.solve(problem(HEAT, ps.Dirichlet(U, 0)), tol=1e-4)
    assert solution.outcome is ps.Outcome.CONVERGED
    assert error(solution, exact, np.linspace(1e-3, 0.2, 200)) < solution.estimate.relative < 1e-4


def test_a_tracer_breaks_through():
    # Ogata and Banks (1961), as long as nothing has come to the other end.
    speed, kappa = 3.0, 0.1
    equation = ps.Eq(ps.dt(U) + speed * ps.d(U, X), kappa * ps.d(U, X, 2))

    def exact(x, t):
        root = 2 * np.sqrt(kappa * t)
        return (erfc((x - speed * t) / root) + np.exp(speed * x / kappa) * erfc((x + speed * t) / root)) / 2

    conditions = ps.Dirichlet(U, 1, on="left"), ps.Neumann(U, 0, on="right")
    solution = ps.solve(problem(equation, *conditions, initial=0, duration=0.05), tol=1e-4)
    assert solution.outcome is ps.Outcome.CONVERGED
    assert error(solution, exact, np.linspace(1e-3, 0.05, 100)) < 1e-4


def test_a_diffusivity_that_grows_with_the_solution():
    # Boltzmann's similarity solution, u = f(x / sqrt(t)), -z f'/2 = ((1 + f) f')'/10, as long as the other end is far.
    def system(z, y):
        return np.stack([y[1] / (1 + y[0]), -5 * z * y[1] / (1 + y[0])])

    z = np.linspace(0, 6, 400)
    start = np.stack([np.exp(-(z**2)), -2 * z * np.exp(-(z**2)) - 0.1])
    similar = solve_bvp(system, lambda a, b: np.array([a[0] - 1, b[0]]), z, start, tol=1e-10, max_nodes=100_000)
    conditions = ps.Dirichlet(U, 1, on="left"), ps.Dirichlet(U, 0, on="right")
    solution = ps.solve(problem(SLOW, *conditions, initial=0, duration=0.03), tol=1e-4)

    def exact(x, t):
        far = x / np.sqrt(t)
        return np.where(far < 6, similar.sol(np.minimum(far, 6))[0], 0)

    assert similar.success
    assert solution.outcome is ps.Outcome.CONVERGED
    assert error(solution, exact, np.linspace(1e-3, 0.03, 100)) < 1e-4


def test_only_the_first_time_slab_has_them():
    whole = Collocation(problem(HEAT, ps.Dirichlet(U, 0)))
    first, later = (ps.Interval(0, 1) * ps.TimeInterval(*times) for times in ((0, 0.1), (0.1, 0.2)))
    assert whole.on(first, None).fronts.found == whole.fronts.found
    assert whole.on(later, None).fronts.found == ()
    for slab in (first, later):
        rows = whole.on(slab, None).rows(Density(400, 60))
        assert all(bool(slab.contains(block.points.numpy(), 1e-12).all()) for block in rows)


def test_slopes_and_rates_that_disagree_are_solved_as_well():
    for condition, initial in ((ps.Neumann(U, 0), X), (ps.Robin(U, 2, 1, 0), 1), (ps.Dirichlet(U, 0), X * (1 - X))):
        solution = ps.solve(problem(HEAT, condition, initial=initial), tol=1e-5)
        assert solution.outcome is ps.Outcome.CONVERGED
        assert solution.cost.features < 1000
