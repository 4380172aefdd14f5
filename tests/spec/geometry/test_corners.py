"""Corners and holes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from physolve.spec.geometry import Ball, Box, Disk, Ellipse, Hole, Polygon, Rectangle, TimeInterval, Triangle

SQUARE = Rectangle((-1, -1), (1, 1))
L_SHAPE = SQUARE - Rectangle((0, 0), (1, 1))


def corner_at(shape, point):
    found = [c for c in shape.corners if np.allclose(c.point, point, atol=1e-10)]
    assert len(found) == 1
    return found[0]


def opens_inward(shape, corner, h=1e-3):
    """Directions inside the sector lead into the shape, directions outside of it out."""
    theta = corner.start + corner.angle * np.array([0.02, 0.5, 0.98])
    beyond = corner.start + corner.angle + (2 * np.pi - corner.angle) * np.array([0.02, 0.5, 0.98])
    ray = [np.array(corner.point) + h * np.column_stack([np.cos(t), np.sin(t)]) for t in (theta, beyond)]
    return (shape.signed_distance(ray[0]) < 0).all() and (shape.signed_distance(ray[1]) > 0).all()


def test_l_shape():
    assert len(L_SHAPE.corners) == 6
    reentrant = corner_at(L_SHAPE, (0, 0))
    assert reentrant.point == (0.0, 0.0)
    assert reentrant.angle == pytest.approx(1.5 * np.pi, abs=1e-14)
    assert reentrant.start == pytest.approx(0.5 * np.pi, abs=1e-14)
    for point in ((-1, -1), (1, -1), (1, 0), (0, 1), (-1, 1)):
        assert corner_at(L_SHAPE, point).angle == pytest.approx(0.5 * np.pi, abs=1e-14)


@pytest.mark.parametrize(
    "shape",
    [
        L_SHAPE,
        L_SHAPE.rotated(0.3).translated((1, 2)),
        Polygon(((0, 0), (2, 0), (2, 1), (1, 0.4), (0, 2))),
        Triangle((0, 0), (3, 0.1), (1, 1)),
        SQUARE - Disk((1, 0), 0.5),
        SQUARE | Disk((1, 0.2), 0.5),
        SQUARE & Ellipse((0, 0), (1.2, 0.7)),
        Disk((0, 0), 1) | Disk((1, 0), 0.7),
        Disk((0, 0), 1) & Disk((1, 0), 0.7),
        SQUARE - Triangle((0, 0), (0.3, 0.1), (0.2, 0.5)),
    ],
    ids=repr,
)
def test_sectors_open_into_the_shape(shape):
    assert shape.corners
    assert all(opens_inward(shape, c) for c in shape.corners)


def test_disk_and_rectangle_cross():
    shape = SQUARE - Disk((1, 0), 0.5)
    assert len(shape.corners) == 6
    for y in (-0.5, 0.5):
        assert corner_at(shape, (1, y)).angle == pytest.approx(np.pi / 2, abs=1e-9)
    bump = SQUARE | Disk((1, 0), 0.5)
    assert corner_at(bump, (1, 0.5)).angle == pytest.approx(1.5 * np.pi, abs=1e-9)


@settings(max_examples=12, deadline=None)
@given(x=st.floats(0.55, 1.4), r=st.floats(0.5, 0.9))
def test_two_circles_cross_at_the_known_points(x, r):
    lens = Disk((0, 0), 1) | Disk((x, 0), r)
    if abs(x - r) > 0.98 or x + r < 1.02:
        return
    a = (x * x + 1 - r * r) / (2 * x)
    h = np.sqrt(1 - a * a)
    cos_angle = (1 + r * r - x * x) / (2 * r)  # between the radii, and so between the circles
    if h < 0.05:
        return
    for y in (-h, h):
        corner = corner_at(lens, (a, y))
        assert corner.angle == pytest.approx(np.pi + np.arccos(cos_angle), abs=1e-6)


@pytest.mark.parametrize(
    "shape",
    [
        Disk((0, 0), 1),
        Ellipse((0, 0), (2, 1)),
        SQUARE * TimeInterval(0, 1),
        Box((0, 0, 0), (1, 1, 1)),
        Disk((0, 0), 1) - Disk((0, 0), 0.5),
    ],
    ids=repr,
)
def test_no_corners(shape):
    assert shape.corners == ()


def test_collinear_edges_make_no_corner():
    joined = Rectangle((0, 0), (1, 1)) | Rectangle((1, 0), (3, 1)) | Rectangle((2.5, 0), (4, 1))
    assert sorted(c.point for c in joined.corners) == [(0, 0), (0, 1), (4, 0), (4, 1)]
    assert len(Polygon(((0, 0), (1, 0), (2, 0), (2, 2), (0, 2))).corners) == 4


def test_two_squares_that_touch_at_a_point_have_two_sectors_there():
    touching = Rectangle((0, 0), (1, 1)) | Rectangle((1, 1), (2, 2))
    sectors = [c for c in touching.corners if np.allclose(c.point, (1, 1))]
    assert sorted(round(c.start, 9) for c in sectors) == [0.0, round(np.pi, 9)]
    assert all(c.angle == pytest.approx(np.pi / 2) for c in sectors)


def test_a_shape_that_occurs_twice_counts_once():
    a, b = Rectangle((0, 0), (2, 2)), Rectangle((1, 1), (3, 3))
    either = (a | b) - (a & b)
    assert either.boundary_measure() == pytest.approx(16, abs=1e-12)
    assert either.measure == pytest.approx(6, abs=1e-12)
    assert len(either.corners) == 2 + 2 + 2 + 2 * 2 + 2  # outer ones, reentrant ones, two touching sectors twice
    assert (Disk((0, 0), 1) | Disk((0, 0), 1)).boundary_measure() == pytest.approx(2 * np.pi)


def test_square_with_four_holes():
    centers = ((-0.3, -0.3), (0.3, -0.3), (-0.3, 0.3), (0.3, 0.3))
    shape = Rectangle((-0.5, -0.5), (0.5, 0.5))
    for c in centers:
        shape = shape - Disk(c, 0.1)
    assert shape.holes == tuple(Hole(c, 0.1) for c in centers)
    assert len(shape.corners) == 4
    assert shape.features == (*shape.corners, *shape.holes)
    assert shape * TimeInterval(0, 1) != shape
    assert (shape * TimeInterval(0, 1)).space.holes == shape.holes


@pytest.mark.parametrize(
    ("body", "center", "radius"),
    [
        (Disk((0.2, 0.1), 0.3), (0.2, 0.1), 0.3),
        (Disk((0.2, 0.1), 0.3).named("pipe"), (0.2, 0.1), 0.3),
        (Ellipse((0, 0.1), (0.4, 0.1)), (0, 0.1), 0.2),
        (Triangle((0, 0), (0.3, 0), (0, 0.3)), (0.1, 0.1), np.sqrt(0.045 / np.pi)),
        (Rectangle((0, 0), (0.2, 0.4)).rotated(np.pi / 2), (-0.2, 0.1), np.sqrt(0.08 / np.pi)),
    ],
    ids=repr,
)
def test_hole(body, center, radius):
    (hole,) = (SQUARE - body).holes
    assert hole.center == pytest.approx(center, abs=1e-12)
    assert hole.radius == pytest.approx(radius, rel=1e-12)
    (moved,) = (SQUARE - body).rotated(np.pi / 2).translated((1, 0)).holes
    assert moved.center == pytest.approx((1 - center[1], center[0]), abs=1e-12)


def test_what_is_no_hole():
    assert L_SHAPE.holes == ()
    assert (SQUARE - Disk((1, 0), 0.5)).holes == ()
    assert (SQUARE - (Disk((0, 0), 0.3) & Disk((0.1, 0), 0.3))).holes[0].center == pytest.approx((0.05, 0), abs=1e-9)
    assert len((SQUARE - (Disk((0.5, 0), 0.1) | Disk((-0.5, 0), 0.1) | Disk((1, 0), 0.2))).holes) == 2
    assert ((SQUARE - Disk((0, 0), 0.3)) | Disk((0, 0), 0.5)).holes == ()  # filled again
    (bubble,) = (Box((-1, -1, -1), (1, 1, 1)) - Ball((0, 0, 0), 0.5)).holes
    assert bubble.center == (0, 0, 0)
    assert bubble.radius == pytest.approx(0.5, rel=1e-14)


@pytest.mark.parametrize("shape", [L_SHAPE, SQUARE - Disk((1, 0), 0.5), Triangle((0, 0), (3, 0.1), (1, 1))], ids=repr)
def test_points_on_the_way_to_corners(shape):
    samples = shape.sample_corners(shape.corners, 5, seed=3)
    assert len(samples) == 2 * 5 * len(shape.corners)
    assert np.abs(shape.signed_distance(samples.points)).max() < 1e-9
    outside = shape.signed_distance(samples.points + 1e-9 * samples.normals)
    assert (outside > shape.signed_distance(samples.points)).all()
    tops = np.array([corner.point for corner in shape.corners])
    away = np.linalg.norm(samples.points[:, None] - tops, axis=2)
    nearest = np.array([np.sort(away[away.argmin(1) == k, k])[:2] for k in range(len(tops))])
    assert (nearest < 1e-5).all()  # on either side


def test_points_on_the_way_to_some_corners_of_some_parts():
    corner = corner_at(SQUARE, (1, 1))
    top = SQUARE.sample_corners([corner], 4, on="top")
    assert len(top) == 4
    assert (top.points[:, 1] == 1).all()
    assert len(SQUARE.sample_corners([corner], 4, on="bottom")) == 0
    assert len(SQUARE.sample_corners([], 4)) == 0
    upper = SQUARE.sample_corners(SQUARE.corners, 4, where=lambda p: p[:, 1] > 0)
    assert len(upper) == 4 * 4
