"""Signed distance: exact on primitives, right sign on composites."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path

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

PRIMITIVES = [
    Interval(-0.5, 2),
    TimeInterval(0, 3),
    Rectangle((-1, 0), (2, 1)),
    Box((-1, 0, 0), (1, 1, 3)),
    Disk((0.3, -0.2), 0.7),
    Ball((0.3, -0.2, 1), 0.7),
    Ellipse((0.1, 0.2), (2, 0.5)),
    Ellipse((0.1, 0.2), (0.3, 1.5)),
    Ellipse((0, 0), (1, 1)),
    Polygon(((0, 0), (2, 0), (2, 1), (1, 0.4), (0, 2))),
    Triangle((0, 0), (1, 0.2), (0.3, 1)),
    Cylinder((0.1, 0.2, -1), 0.5, 2),
    Rectangle((-1, 0), (2, 1)).rotated(0.7, about=(1, 1)),
    Cylinder((0, 0, 0), 0.5, 2).rotated(1.1, axis=(1, 1, 0)).translated((1, 0, 2)),
    Rectangle((0, 0), (1, 2)) * TimeInterval(0, 0.5),
]


def around(shape, n, seed=0):
    """Points in the bounding box widened by half its size."""
    lower, upper = shape.bounds
    u = np.random.default_rng(seed).random((n, shape.dim))
    return lower - 0.5 * (upper - lower) + 2 * u * (upper - lower)


@pytest.mark.parametrize("shape", PRIMITIVES, ids=repr)
def test_distance_is_that_to_the_nearest_boundary_point(shape):
    points = around(shape, 60)
    boundary = shape.sample_boundary(40_000).points
    nearest = np.array([np.min(np.linalg.norm(boundary - p, axis=1)) for p in points])
    distance = np.abs(shape.signed_distance(points))
    spacing = shape.size * (1e-3 if shape.dim < 3 else 3e-2)
    assert np.all(distance <= nearest + 1e-9)  # the sample is on the boundary, so never nearer than the distance
    assert np.all(nearest <= distance + spacing)


@pytest.mark.parametrize("shape", PRIMITIVES, ids=repr)
def test_gradient_has_length_one_off_the_skeleton(shape):
    points, h = around(shape, 2000, seed=1), 1e-6
    steps = np.eye(shape.dim) * h
    gradient = [(shape.signed_distance(points + e) - shape.signed_distance(points - e)) / (2 * h) for e in steps]
    length = np.linalg.norm(gradient, axis=0)
    assert np.mean(np.abs(length - 1) < 1e-6) > 0.998  # the skeleton's neighbourhood of width h has no measure


@pytest.mark.parametrize("shape", PRIMITIVES, ids=repr)
def test_sign_agrees_with_the_measure(shape):
    lower, upper = shape.bounds
    u = np.random.default_rng(2).random((40_000, shape.dim))
    inside = shape.contains(lower + u * (upper - lower))
    assert np.mean(inside) * np.prod(upper - lower) == pytest.approx(shape.measure, rel=0.03)


@pytest.mark.parametrize("shape", PRIMITIVES, ids=repr)
def test_boundary_samples_are_at_distance_zero(shape):
    samples = shape.sample_boundary(500)
    assert np.abs(shape.signed_distance(samples.points)).max() < 1e-12 * max(1, shape.size)
    assert shape.contains(samples.points, tolerance=1e-11).all()


def test_many_edges_are_no_slower_and_no_different():
    t = np.linspace(0, 2 * np.pi, 301)[:-1]
    r = 1 + 0.3 * np.cos(7 * t)
    outline = np.column_stack([r * np.cos(t), r * np.sin(t)])
    points = np.random.default_rng(0).uniform(-2, 2, (2000, 2))
    inside = Path(outline).contains_points(points)
    edges = np.roll(outline, -1, axis=0) - outline
    along = np.clip(np.sum((points[:, None] - outline) * edges, axis=2) / np.sum(edges**2, axis=1), 0, 1)
    nearest = np.linalg.norm(points[:, None] - outline - along[..., None] * edges, axis=2).min(axis=1)
    distance = Polygon(outline).signed_distance(points)
    assert distance == pytest.approx(np.where(inside, -nearest, nearest), abs=1e-12)


def test_ellipse_distance_on_the_axes_and_in_the_centre():
    shape = Ellipse((0, 0), (2, 1))
    points = np.array([[0, 0], [3, 0], [0, 3], [0, -0.5], [1.9, 0], [2, 0]])
    # (1.9, 0) lies beyond the centre of curvature 2 - 1/2: its nearest point is the end of the axis
    assert shape.signed_distance(points) == pytest.approx([-1, 1, 2, -0.5, -0.1, 0], abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(x=st.floats(-2, 2), y=st.floats(-2, 2), r=st.floats(0.1, 2), a=st.floats(-2, 2), b=st.floats(-2, 2))
def test_composites_have_the_sign_of_set_algebra(x, y, r, a, b):
    p, q = Disk((x, y), r), Rectangle((a, b), (a + 1, b + 2))
    points = np.random.default_rng(0).uniform(-4, 4, (300, 2))
    in_p, in_q = p.signed_distance(points) < 0, q.signed_distance(points) < 0
    assert np.array_equal((p | q).signed_distance(points) < 0, in_p | in_q)
    assert np.array_equal((p & q).signed_distance(points) < 0, in_p & in_q)
    assert np.array_equal((p - q).contains(points), in_p & ~in_q)


def test_composite_distance_is_a_lower_bound():
    shape = (Rectangle((-1, -1), (1, 1)) | Disk((1, 0), 0.5)) - Disk((-0.2, 0.1), 0.4)
    points = around(shape, 200)
    boundary = shape.sample_boundary(20_000).points
    nearest = np.array([np.min(np.linalg.norm(boundary - p, axis=1)) for p in points])
    assert np.all(np.abs(shape.signed_distance(points)) <= nearest + 1e-9)


@settings(max_examples=25, deadline=None)
@given(angle=st.floats(-7, 7), dx=st.floats(-3, 3), dy=st.floats(-3, 3))
def test_moving_the_shape_moves_the_distance(angle, dx, dy):
    shape = Polygon(((0, 0), (2, 0), (2, 1), (1, 0.4), (0, 2))) - Disk((0.5, 0.5), 0.2)
    points = np.random.default_rng(0).uniform(-2, 4, (50, 2))
    c, s = np.cos(angle), np.sin(angle)
    moved = points @ np.array([[c, s], [-s, c]]) + (dx, dy)
    distance = shape.rotated(angle).translated((dx, dy)).signed_distance(moved)
    assert distance == pytest.approx(shape.signed_distance(points), abs=1e-12)


def test_points_of_the_wrong_shape_are_refused():
    with pytest.raises(SpecificationError, match=r"^points must have shape \(n, 2\), got \(3,\)$"):
        Disk((0, 0), 1).signed_distance(np.zeros(3))
