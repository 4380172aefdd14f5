"""Samples: inside, on the boundary, as many as asked for, with weights that sum to the measure."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from physolve.errors import SpecificationError
from physolve.spec.geometry import (
    Ball,
    Box,
    Cylinder,
    Disk,
    Ellipse,
    Interval,
    Polygon,
    Rectangle,
    TimeInterval,
    Triangle,
)

L_SHAPE = Rectangle((-1, -1), (1, 1)) - Rectangle((0, 0), (1, 1))
FOUR_HOLES = Rectangle((-0.5, -0.5), (0.5, 0.5))
for center in ((-0.3, -0.3), (0.3, -0.3), (-0.3, 0.3), (0.3, 0.3)):
    FOUR_HOLES = FOUR_HOLES - Disk(center, 0.1).named("hole")

SHAPES = {
    "interval": Interval(0, 2),
    "rectangle": Rectangle((0, 0), (2, 1)),
    "box": Box((0, 0, 0), (1, 2, 3)),
    "disk": Disk((1, 1), 0.5),
    "ball": Ball((1, 1, 0), 0.5),
    "ellipse": Ellipse((0, 1), (2, 0.3)),
    "polygon": Polygon(((0, 0), (2, 0), (2, 1), (1, 0.4), (0, 2))),
    "triangle": Triangle((0, 0), (1, 0), (0, 1)),
    "cylinder": Cylinder((0, 0, 0), 0.5, 2),
    "l_shape": L_SHAPE,
    "four_holes": FOUR_HOLES,
    "union": Rectangle((0, 0), (2, 1)) | Disk((2, 1), 0.5) | Rectangle((1, 0), (3, 1)),
    "intersection": Disk((0, 0), 1) & Rectangle((0, -2), (2, 0.5)),
    "two_intervals": Interval(0, 3) - Interval(1, 1.5),
    "turned": L_SHAPE.rotated(0.4, about=(1, 0)).translated((2, 3)),
    "drilled_box": Box((-1, -1, -1), (1, 1, 1)) - Cylinder((0, 0, -2), 0.5, 4),
    "hollow_ball": Ball((0, 0, 0), 1) - Ball((0.1, 0, 0), 0.5),
    "rod": Interval(0, 1) * TimeInterval(0, 2),
    "holes_in_time": FOUR_HOLES * TimeInterval(0, 2),
    "box_in_time": Box((0, 0, 0), (1, 1, 1)) * TimeInterval(1, 2),
}
METHODS = ("sobol", "uniform", "grid")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("refine", [0.0, 0.6])
@pytest.mark.parametrize("name", SHAPES)
def test_interior_samples(name, refine, method):
    shape = SHAPES[name]
    samples = shape.sample_interior(777, method=method, seed=3, refine=refine)
    assert samples.points.shape == (777, shape.dim)
    assert samples.points.dtype == np.float64
    assert (shape.signed_distance(samples.points) < 0).all()
    assert samples.weights.sum() == pytest.approx(shape.measure, rel=1e-12)
    assert (samples.weights > 0).all()
    assert samples.normals is None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SHAPES)
def test_boundary_samples(name, method):
    shape = SHAPES[name]
    samples = shape.sample_boundary(555, method=method, seed=3)
    assert samples.points.shape == samples.normals.shape == (555, shape.dim)
    assert np.abs(shape.signed_distance(samples.points)).max() < 1e-10
    assert np.linalg.norm(samples.normals, axis=1) == pytest.approx(np.ones(555), abs=1e-12)
    step = 1e-6 * shape.size
    assert (shape.signed_distance(samples.points + step * samples.normals) > 0).all()
    assert (shape.signed_distance(samples.points - step * samples.normals) < 0).all()
    assert samples.weights.sum() == pytest.approx(shape.boundary_measure(), rel=1e-12)


# What is integrated by quasi-Monte Carlo (cut surfaces) is good to about 1e-3, all else to rounding.
MEASURES = {
    "ellipse": (0.6 * np.pi, None, 1e-13),
    "l_shape": (3, 8, 1e-12),
    "four_holes": (1 - 0.04 * np.pi, 4 + 0.8 * np.pi, 1e-12),
    "union": (3 + np.pi / 8, None, 1e-12),
    "two_intervals": (2.5, 4, 1e-12),
    "turned": (3, 8, 1e-12),
    "drilled_box": (8 - np.pi / 2, 24 - np.pi / 2 + 2 * np.pi, 1e-3),
    "hollow_ball": (4 / 3 * np.pi * (1 - 1 / 8), 4 * np.pi * 1.25, 1e-10),
    "holes_in_time": (2 - 0.08 * np.pi, 2 * (1 - 0.04 * np.pi) + 2 * (4 + 0.8 * np.pi), 1e-12),
    "box_in_time": (1, 8, 1e-12),
}


@pytest.mark.parametrize("name", MEASURES)
def test_measures(name):
    area, perimeter, tolerance = MEASURES[name]
    assert SHAPES[name].measure == pytest.approx(area, rel=tolerance)
    if perimeter is not None:
        assert SHAPES[name].boundary_measure() == pytest.approx(perimeter, rel=tolerance)


@pytest.mark.parametrize("name", ["l_shape", "four_holes", "union", "turned", "holes_in_time"])
@pytest.mark.parametrize(("refine", "rel"), [(0.0, 2e-3), (0.6, 1e-2)])
def test_weights_integrate_a_function(name, refine, rel):
    shape = SHAPES[name]

    def f(x):
        return np.exp(x[:, 0] - 0.5 * x[:, 1])

    fine = shape.sample_interior(150_000, method="grid")
    samples = shape.sample_interior(8000, refine=refine)
    assert samples.weights @ f(samples.points) == pytest.approx(fine.weights @ f(fine.points), rel=rel)


def test_refinement_gathers_points_at_the_reentrant_corner_and_at_holes():
    near = [np.mean(np.linalg.norm(L_SHAPE.sample_interior(4000, refine=r).points, axis=1) < 0.1) for r in (0.0, 0.5)]
    assert near[1] > 8 * near[0]
    ring = [
        np.mean(np.linalg.norm(FOUR_HOLES.sample_interior(4000, refine=r).points - 0.3, axis=1) < 0.15)
        for r in (0.0, 0.5)
    ]
    assert ring[1] > 1.5 * ring[0]


@pytest.mark.parametrize("method", ["sobol", "uniform"])
@pytest.mark.parametrize("name", ["four_holes", "drilled_box", "holes_in_time"])
def test_deterministic_in_the_seed(name, method):
    shape = SHAPES[name]
    for draw in (shape.sample_interior, shape.sample_boundary):
        a, b, c = (draw(100, method=method, seed=seed).points for seed in (5, 5, 6))
        assert np.array_equal(a, b)
        assert not np.array_equal(a, c)


def test_sobol_integrates_better_than_uniform():
    shape = Rectangle((0, 0), (1, 1)) - Disk((0.5, 0.5), 0.25)

    def error(method, seed):
        s = shape.sample_interior(2048, method=method, seed=seed)
        return abs(s.weights @ s.points[:, 0] - 0.5 * shape.measure)

    assert np.mean([error("sobol", k) for k in range(8)]) < 0.25 * np.mean([error("uniform", k) for k in range(8)])


def test_grid_on_a_square_is_the_regular_grid():
    points = Rectangle((0, 0), (1, 1)).sample_interior(100, method="grid").points
    assert np.unique(points.round(12)[:, 0]) == pytest.approx(np.arange(10) / 10 + 0.05)


def test_every_piece_of_boundary_is_met():
    points = FOUR_HOLES.sample_boundary(20).points
    assert all(
        np.any(np.abs(h.signed_distance(points)) < 1e-12) for h in (Disk((0.3, 0.3), 0.1), Disk((-0.3, 0.3), 0.1))
    )


@settings(max_examples=10, deadline=None)
@given(
    x=st.floats(-1.2, 1.2),
    y=st.floats(-1.2, 1.2),
    r=st.floats(0.05, 0.9),
    angle=st.floats(0, 6.3),
    n=st.integers(1, 300),
    seed=st.integers(0, 99),
)
def test_any_plate_with_a_hole_or_bite(x, y, r, angle, n, seed):
    shape = Rectangle((-1, -1), (1, 1)).rotated(angle) - Disk((x, y), r)
    inside, boundary = shape.sample_interior(n, seed=seed), shape.sample_boundary(n, seed=seed)
    assert len(inside) == len(boundary) == n
    assert (shape.signed_distance(inside.points) < 0).all()
    assert np.abs(shape.signed_distance(boundary.points)).max() < 1e-10
    assert np.linalg.norm(boundary.normals, axis=1) == pytest.approx(np.ones(n), abs=1e-12)
    assert inside.weights.sum() == pytest.approx(shape.measure, rel=1e-10)
    # the divergence theorem ties points, normals and weights of the boundary to the area
    fine = shape.sample_boundary(4000, method="grid")
    assert fine.weights @ fine.normals == pytest.approx([0, 0], abs=5e-3)
    assert fine.weights @ np.sum(fine.points * fine.normals, axis=1) / 2 == pytest.approx(shape.measure, rel=5e-3)


@settings(max_examples=10, deadline=None)
@given(angle=st.floats(-4, 4), dx=st.floats(-3, 3), dy=st.floats(-3, 3))
def test_sampling_moves_with_the_shape(angle, dx, dy):
    moved = FOUR_HOLES.rotated(angle).translated((dx, dy))
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, s], [-s, c]])
    a, b = FOUR_HOLES.sample_interior(64, seed=1).points, moved.sample_interior(64, seed=1).points
    assert a @ turn + (dx, dy) == pytest.approx(b, abs=1e-12)
    assert moved.measure == pytest.approx(FOUR_HOLES.measure, rel=1e-10)


def test_the_empty_shape_says_so():
    nothing = Disk((0, 0), 1) - Rectangle((-2, -2), (2, 2))
    for draw in (nothing.sample_interior, nothing.sample_boundary):
        with pytest.raises(SpecificationError, match=r"^this shape is empty, .*Difference\(Disk\(\(0, 0\), 1\), Rect"):
            draw(10)
    with pytest.raises(SpecificationError, match="this shape is empty"):
        (Disk((0, 0), 1) & Disk((5, 0), 1)).sample_interior(10)
    apart = Disk((0, 0), 1) & Disk((5, 5), 1)  # the box around it is a point
    assert apart.parts == ("boundary",)
    for draw in (apart.sample_interior, apart.sample_boundary):
        with pytest.raises(
            SpecificationError, match=r"^this shape is empty, .*Intersection\(Disk\(\(0, 0\), 1\), Disk"
        ):
            draw(10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "number of interior points must be an integer of at least 1, got 0"),
        ({"n": 2.5}, "number of interior points must be an integer of at least 1, got 2.5"),
        ({"n": 5, "refine": 1.0}, "refine must be at least 0 and below 1, got 1.0"),
        ({"n": 5, "refine": -0.1}, "refine must be at least 0 and below 1, got -0.1"),
        ({"n": 5, "seed": -1}, "seed must be an integer of at least 0, got -1"),
        (
            {"n": 5, "method": "halton"},
            "sampling method 'halton' is not known; it is 'sobol', 'uniform' or 'grid'",
        ),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(SpecificationError) as error:
        L_SHAPE.sample_interior(**arguments)
    assert str(error.value) == message


@pytest.mark.parametrize("name", ["four_holes", "holes_in_time", "union"])
def test_ten_thousand_points_in_a_moment(name):
    shape = SHAPES[name]
    shape.measure, shape.features  # noqa: B018  (made once per shape)
    start = time.process_time()
    shape.sample_interior(10_000, refine=0.3)
    shape.sample_boundary(10_000)
    assert time.process_time() - start < 0.4  # 0.2 s each on an idle core; measured 0.03 s


def test_of_a_half_the_part_of_its_boundary_inside_is_an_interface():
    square, half = Rectangle((0, 0), (1, 1)), Rectangle((0, 0), (0.5, 1))
    assert square.boundary_measure(half) == pytest.approx(2)
    assert square.boundary_measure(half, inside=True) == pytest.approx(1)
    samples = square.sample_boundary(9, on=half, inside=True)
    assert samples.points[:, 0] == pytest.approx(0.5)
    assert samples.normals == pytest.approx(np.tile([1.0, 0.0], (9, 1)))
