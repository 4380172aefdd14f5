"""Quadrature rules: polynomials to rounding on primitives, to 1e-8 on joined plane shapes, to 1e-5 in space."""

from collections.abc import Callable
from itertools import product
from math import comb

import numpy as np
import pytest
from scipy.special import beta

from physolve.spec.geometry import (
    Ball,
    Box,
    Cylinder,
    Disk,
    Ellipse,
    Interval,
    MeshDomain,
    Polygon,
    Rectangle,
    Shape,
    TimeInterval,
    Triangle,
    quadrature,
)

SQUARE = Rectangle((0, 0), (1, 2))
TIME = TimeInterval(0, 1)
E = np.e
N = 1024
PLANE = [(i, j) for i, j in product(range(5), range(5)) if i + j <= 4]
"""Exponents of the monomials of degree 4 at the most."""

Moment = Callable[[int, int], float]


def moment(shape: Shape, *powers: int, n: int = N) -> float:
    rule = quadrature(shape, n)
    return float(rule.weights @ np.prod(rule.points ** np.array(powers), axis=1))


def of_rectangle(lower: tuple[float, float], upper: tuple[float, float]) -> Moment:
    (a, b), (c, d) = lower, upper
    return lambda i, j: (c ** (i + 1) - a ** (i + 1)) / (i + 1) * (d ** (j + 1) - b ** (j + 1)) / (j + 1)


def of_ellipse(center: tuple[float, float], rx: float, ry: float) -> Moment:
    """By the binomial theorem from the moments about the centre, which are beta functions."""

    def central(i: int, j: int) -> float:
        even = i % 2 == j % 2 == 0
        return 2 * rx ** (i + 1) * ry ** (j + 1) * beta((i + 1) / 2, (j + 1) / 2) / (i + j + 2) if even else 0.0

    def found(i: int, j: int) -> float:
        return sum(
            comb(i, k) * comb(j, m) * center[0] ** (i - k) * center[1] ** (j - m) * central(k, m)
            for k, m in product(range(i + 1), range(j + 1))
        )

    return found


def of_disk(center: tuple[float, float], radius: float) -> Moment:
    return of_ellipse(center, radius, radius)


def of_outline(vertices: np.ndarray) -> Moment:
    """Green: the integral of x^(i+1) / (i+1) y^j along the edges, of degree 5, by Gauss."""
    s, w = np.polynomial.legendre.leggauss(6)
    a, step = vertices[None], (np.roll(vertices, -1, axis=0) - vertices)[None]
    x, y = np.moveaxis(a + (s[:, None, None] + 1) / 2 * step, -1, 0)
    return lambda i, j: float(w / 2 @ (x ** (i + 1) / (i + 1) * y**j) @ step[0, :, 1])


def less(whole: Moment, *holes: Moment) -> Moment:
    return lambda i, j: whole(i, j) - sum(hole(i, j) for hole in holes)


def quarter(i: int, j: int) -> float:
    """Of the unit disk's part with x, y > 0."""
    return beta((i + 1) / 2, (j + 1) / 2) / (i + j + 2) / 2


ANGLES = np.linspace(0, 2 * np.pi, 14, endpoint=False)
STAR = np.where(np.arange(14) % 2, 1.0, 0.4)[:, None] * np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1)
ROUND = np.stack([np.cos(a := np.linspace(0, 2 * np.pi, 1000, endpoint=False)), np.sin(a)], 1)
HOLES = [((0.2 + 0.17 * k, 0.3 + 0.31 * (k * k % 4)), 0.05 + 0.01 * k) for k in range(4)]
PLATE = Rectangle((0, 0), (1, 2))
for center, radius in HOLES:
    PLATE = PLATE - Disk(center, radius)

EXACT: dict[str, tuple[Shape, Moment]] = {
    "ellipse": (Ellipse((0.3, -0.2), (2, 1)), of_ellipse((0.3, -0.2), 2, 1)),
    "triangle": (Triangle((0, 0), (1, 0.3), (0.2, 1)), of_outline(np.array([(0, 0), (1, 0.3), (0.2, 1)]))),
    "star": (Polygon(tuple(map(tuple, STAR))), of_outline(STAR)),
    "L-shape": (
        Rectangle((-1, -1), (1, 1)) - Rectangle((0, 0), (1, 1)),
        less(of_rectangle((-1, -1), (1, 1)), of_rectangle((0, 0), (1, 1))),
    ),
    "annulus": (Disk((0, 0), 1) - Disk((0, 0), 0.4), less(of_disk((0, 0), 1), of_disk((0, 0), 0.4))),
    "thin annulus": (Disk((0, 0), 1) - Disk((0, 0), 0.999), less(of_disk((0, 0), 1), of_disk((0, 0), 0.999))),
    "eccentric annulus": (Disk((0, 0), 1) - Disk((0.3, 0.2), 0.5), less(of_disk((0, 0), 1), of_disk((0.3, 0.2), 0.5))),
    "hole that touches the outline": (
        Disk((0, 0), 1) - Disk((0, 0.5), 0.5),
        less(of_disk((0, 0), 1), of_disk((0, 0.5), 0.5)),
    ),
    "holes": (PLATE, less(of_rectangle((0, 0), (1, 2)), *(of_disk(*hole) for hole in HOLES))),
    "ellipse cut out of a polygon": (
        Polygon(tuple(map(tuple, 3 * STAR))) - Ellipse((0.1, 0), (0.6, 0.3)),
        less(of_outline(3 * STAR), of_ellipse((0.1, 0), 0.6, 0.3)),
    ),
    "bite": (Rectangle((0, 0), (2, 2)) - Disk((0, 0), 1), less(of_rectangle((0, 0), (2, 2)), quarter)),
    "quarter": (Rectangle((0, 0), (2, 2)) & Disk((0, 0), 1), quarter),
    "cross": (
        Rectangle((-2, -1), (2, 1)) | Rectangle((-1, -2), (1, 2)),
        less(of_rectangle((-2, -2), (2, 2)), *(of_rectangle((x, y), (x + 1, y + 1)) for x in (-2, 1) for y in (-2, 1))),
    ),
    "union with a shared side": (
        Rectangle((0, 0), (1, 1)) | Rectangle((1, 0), (2, 1)),
        of_rectangle((0, 0), (2, 1)),
    ),
    "turned square with a hole": (
        Rectangle((-1, -1), (1, 1)).rotated(0.5) - Disk((0.1, 0.2), 0.4),
        less(
            of_outline(
                np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
                @ np.array([(np.cos(0.5), np.sin(0.5)), (-np.sin(0.5), np.cos(0.5))])
            ),
            of_disk((0.1, 0.2), 0.4),
        ),
    ),
}


@pytest.mark.parametrize(
    ("shape", "exact"),
    [
        (Interval(0, 1), E - 1),
        (Interval(0, 3) - Interval(1, 2), E - 1 + E**3 - E**2),
        (SQUARE, (E - 1) * (E**2 - 1)),
        (SQUARE.named("plate"), (E - 1) * (E**2 - 1)),
        (SQUARE.translated((1, 0)), E * (E - 1) * (E**2 - 1)),
        (Box((0, 0, 0), (1, 1, 1)), (E - 1) ** 3),
        (SQUARE * TIME, (E - 1) ** 2 * (E**2 - 1)),
        # integral of exp(x + y) over the unit disk: 2 pi I_1(sqrt 2) / sqrt 2
        (Disk((0, 0), 1), 2 * np.pi * 0.8992442797523063 / np.sqrt(2)),
        (Disk((0, 0), 1) * TIME, (E - 1) * 2 * np.pi * 0.8992442797523063 / np.sqrt(2)),
        # of exp(x + y + z) over the unit ball: 4 pi (cosh(k) / k^2 - sinh(k) / k^3), k = sqrt 3
        (Ball((0, 0, 0), 1), 4 * np.pi * (np.cosh(3**0.5) / 3 - np.sinh(3**0.5) / 3**1.5)),
        (Cylinder((0, 0, 0), 1, 1), (E - 1) * 2 * np.pi * 0.8992442797523063 / np.sqrt(2)),
        (
            Rectangle((0, 0), (3, 3)) - Rectangle((1, 1), (2, 2)),
            (E**3 - 1) ** 2 - (E**2 - E) ** 2,
        ),
    ],
)
def test_gauss_rules_integrate_smooth_functions_to_rounding(shape, exact):
    rule = quadrature(shape, 1000)
    assert rule.weights @ np.exp(rule.points.sum(1)) == pytest.approx(exact, rel=1e-10)


def test_many_points_on_a_line_are_cheap_and_no_less_exact():
    """Sixteen thousand nodes of one Gauss rule took minutes and gigabytes."""
    rule = quadrature(Interval(0, 2), 16_384)
    assert len(rule) < 17_000
    assert rule.weights @ np.sin(50 * rule.points[:, 0]) == pytest.approx((1 - np.cos(100)) / 50, abs=1e-14)


@pytest.mark.parametrize("n", [64, N, 16_384])
@pytest.mark.parametrize("name", EXACT)
def test_polynomials_are_integrated_over_plane_shapes(name: str, n: int) -> None:
    shape, exact = EXACT[name]
    area, reach = exact(0, 0), float(np.abs(shape.bounds).max())
    for i, j in PLANE:
        assert abs(moment(shape, i, j, n=n) - exact(i, j)) < 1e-8 * area * max(1, reach) ** (i + j)


@pytest.mark.parametrize("name", EXACT)
def test_points_are_inside_few_and_of_positive_weight(name: str) -> None:
    shape, _ = EXACT[name]
    rule = quadrature(shape, N)
    assert bool((shape.signed_distance(rule.points) < 0).all())
    assert bool((rule.weights > 0).all())
    assert len(rule) < 6 * N


@pytest.mark.parametrize("name", ["L-shape", "eccentric annulus", "holes"])
def test_a_moved_shape_has_the_moved_rule(name: str) -> None:
    shape, exact = EXACT[name]
    rule = quadrature(shape.rotated(0.7).named("part").translated((3, -1)), N)
    x, y = (rule.points - np.array([3, -1])).T
    back = np.cos(0.7) * x + np.sin(0.7) * y
    assert rule.weights @ back**4 == pytest.approx(exact(4, 0), abs=1e-8)


@pytest.mark.parametrize("name", ["ellipse", "L-shape", "holes"])
def test_product_with_time(name: str) -> None:
    shape, exact = EXACT[name]
    assert moment(shape * TimeInterval(1, 3), 2, 1, 3) == pytest.approx(exact(2, 1) * 20, abs=1e-7)


@pytest.mark.parametrize(("hidden", "distance"), [(1, 0.5), (1, 1.9), (0.3, 1.0)])
def test_two_disks(hidden: float, distance: float) -> None:
    """Their lens by the circles' segments; the centre of equal ones' is half way."""
    a, b = Disk((0, 0), 1), Disk((distance * 0.6, distance * 0.8), hidden)
    inner = (distance**2 + 1 - hidden**2) / (2 * distance)
    outer = distance - inner
    lens = np.arccos(inner) - inner * np.sqrt(1 - inner**2)
    lens += hidden**2 * np.arccos(outer / hidden) - outer * np.sqrt(hidden**2 - outer**2)
    assert moment(a & b, 0, 0) == pytest.approx(lens, abs=1e-8)
    assert moment(a | b, 0, 0) == pytest.approx(np.pi * (1 + hidden**2) - lens, abs=1e-8)
    assert moment(a - b, 0, 0) == pytest.approx(np.pi - lens, abs=1e-8)
    if hidden == 1:
        assert moment(a & b, 1, 0) == pytest.approx(0.3 * distance * lens, abs=1e-9)


BOX = Box((-1, -1, -1), (1, 1, 1))
ROD = Cylinder((0, 0, -2), 0.5, 4)
LENS = np.pi * (4 + np.sqrt(0.5)) * (2 - np.sqrt(0.5)) ** 2 / 12
SOLIDS: dict[str, tuple[Shape, float]] = {
    "box minus ball": (BOX - Ball((0.1, 0.2, 0), 0.5), 8 - np.pi / 6),
    "turned box minus ball": (BOX.rotated(0.3, axis=(1, 1, 0)) - Ball((0.1, 0.2, 0), 0.5), 8 - np.pi / 6),
    "box minus ball at its corner": (BOX - Ball((1, 1, 1), 0.5), 8 - np.pi / 48),
    "drilled along x": (BOX - ROD.rotated(np.pi / 2, axis=(0, 1, 0)), 8 - np.pi / 2),
    "drilled along y": (BOX - ROD.rotated(np.pi / 2, axis=(1, 0, 0)), 8 - np.pi / 2),
    "drilled along z": (BOX - ROD, 8 - np.pi / 2),
    "tilted cylinder inside": (
        BOX - Cylinder((0, 0, -0.4), 0.5, 0.8).rotated(0.9, axis=(1, 2, 0.3)),
        8 - np.pi / 5,
    ),
    "two rods' common part": (
        ROD.rotated(np.pi / 2, axis=(0, 1, 0)) & ROD.rotated(np.pi / 2, axis=(1, 0, 0)),
        2 / 3,
    ),
    "octant": (Ball((0, 0, 0), 1) & Box((0, 0, 0), (2, 2, 2)), np.pi / 6),
    "lens": (Ball((0, 0, 0), 1) & Ball((0.3, 0.4, 0.5), 1), LENS),
    "two balls": (Ball((0, 0, 0), 1) | Ball((0.3, 0.4, 0.5), 1), 8 / 3 * np.pi - LENS),
    "two boxes": (BOX | Box((0, 0, 0), (2, 2, 2)), 15.0),
    "hole that opens later": (SQUARE * TimeInterval(0, 2) - Disk((0.5, 1), 0.2) * TIME, 4 - np.pi * 0.04),
}


@pytest.mark.parametrize("n", [N, 16_384])
@pytest.mark.parametrize("name", SOLIDS)
def test_volumes_of_joined_solids(name: str, n: int) -> None:
    shape, volume = SOLIDS[name]
    rule = quadrature(shape, n)
    assert rule.weights.sum() == pytest.approx(volume, rel=1e-5)
    assert bool((shape.signed_distance(rule.points) < 0).all())
    assert bool((rule.weights > 0).all())
    assert len(rule) < 60_000


def test_moments_of_a_box_minus_a_ball() -> None:
    shape, _ = SOLIDS["turned box minus ball"]
    a = BOX.rotated(0.3, axis=(1, 1, 0))
    ball = Ball((0.1, 0.2, 0), 0.5)
    for powers in [(1, 0, 0), (0, 1, 0), (2, 0, 0), (1, 1, 0), (2, 0, 2), (0, 4, 0)]:
        assert moment(shape, *powers) == pytest.approx(moment(a, *powers) - moment(ball, *powers), rel=1e-5, abs=1e-5)


def test_outline_of_very_many_edges() -> None:
    shape = Polygon(tuple(map(tuple, ROUND)))
    exact = of_outline(ROUND)
    for i, j in PLANE:
        assert moment(shape, i, j) == pytest.approx(exact(i, j), abs=1e-6)


def test_features_that_are_small_are_not_overlooked() -> None:
    assert moment(SQUARE - Disk((0.5, 1), 1e-4), 0, 0) == pytest.approx(2 - np.pi * 1e-8, abs=1e-11)
    assert moment(SQUARE - Disk((0.5, 1), 0.499999), 0, 0) == pytest.approx(2 - np.pi * 0.499999**2, abs=1e-8)


def test_mesh_of_cells_gets_gauss_points_in_each() -> None:
    middle = [[0, 0], [1, 0], [1, 1], [0, 1], [0.4, 0.6]]
    mesh = MeshDomain.of(middle, [[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    for i, j in PLANE:
        assert moment(mesh, i, j) == pytest.approx(1 / (i + 1) / (j + 1), rel=1e-12)
    assert moment(mesh, 1, 1, n=4) == pytest.approx(0.25, rel=1e-12)
    assert moment(mesh * TIME, 1, 1, 2) == pytest.approx(1 / 12, rel=1e-12)
    corner = MeshDomain.of(np.vstack([np.zeros(3), np.eye(3)]), [[0, 1, 2, 3]])
    assert moment(corner, 1, 0, 0, n=1) == pytest.approx(1 / 24, rel=1e-12)
    assert moment(corner, 2, 0, 0, n=8) == pytest.approx(1 / 60, rel=1e-12)
    assert moment(corner, 1, 1, 1) == pytest.approx(1 / 720, rel=1e-12)


def test_other_shapes_get_low_discrepancy_points():
    shape = SQUARE * TIME - Polygon(((0.2, 0.2), (0.7, 0.2), (0.2, 0.7))) * TIME
    rule = quadrature(shape, 4096)
    assert len(rule) == 4096
    assert rule.weights.sum() == pytest.approx(2 - 0.125, rel=2e-3)


def test_a_changed_rule_does_not_change_the_next() -> None:
    shape, _ = EXACT["L-shape"]
    first = quadrature(shape, N)
    weights = first.weights.copy()
    first.weights[:] = 0
    assert np.array_equal(quadrature(shape, N).weights, weights)
