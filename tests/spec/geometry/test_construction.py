"""Constructors: values, equality, repr, and the one-line errors."""

import copy
import pickle

import numpy as np
import pytest

from physolve.errors import SpecificationError
from physolve.spec import geometry as g
from physolve.spec.geometry import (
    Ball,
    Box,
    Cylinder,
    Disk,
    Ellipse,
    Interval,
    Polygon,
    Rectangle,
    SpaceTime,
    TimeInterval,
    Triangle,
    split_time,
)

SQUARE = Rectangle((0, 0), (1, 1))
BOW_TIE = ((0, 0), (2, 2), (2, 0), (0, 1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Interval(1, 1), "Interval: end 1 must exceed start 1"),
        (lambda: TimeInterval(2, 1), "TimeInterval: end 1 must exceed start 2"),
        (lambda: Interval("a", 1), "Interval: start must be a number, got 'a'"),
        (lambda: Interval(float("nan"), 1), "Interval: start must be finite, got nan"),
        (
            lambda: Rectangle((0, 0), (1, 0)),
            "Rectangle: upper corner (1, 0) must exceed lower corner (0, 0) in every coordinate",
        ),
        (lambda: Rectangle((0, 0, 0), (1, 1, 1)), "Rectangle: lower must have 2 coordinates, got 3"),
        (lambda: Rectangle(0, 1), "Rectangle: lower must be a sequence of 2 numbers, got 0"),
        (lambda: Rectangle((0, float("inf")), (1, 1)), "Rectangle: lower[1] must be finite, got inf"),
        (lambda: Box((0, 0), (1, 1)), "Box: lower must have 3 coordinates, got 2"),
        (lambda: Disk((0, 0), -1), "Disk: radius must be positive, got -1"),
        (lambda: Disk((0, 0), 0), "Disk: radius must be positive, got 0"),
        (lambda: Disk((0, 0), None), "Disk: radius must be a number, got None"),
        (lambda: Ball((0, 0), 1), "Ball: center must have 3 coordinates, got 2"),
        (lambda: Ellipse((0, 0), (1, -2)), "Ellipse: radius must be positive, got -2"),
        (lambda: Ellipse((0, 0), (1, 2, 3)), "Ellipse: radii must have 2 coordinates, got 3"),
        (lambda: Cylinder((0, 0, 0), 1, 0), "Cylinder: height must be positive, got 0"),
        (lambda: Polygon(((0, 0), (1, 0))), "Polygon: at least 3 vertices are needed, got 2"),
        (lambda: Polygon(7), "Polygon: vertices must be a sequence of (x, y) pairs, got 7"),
        (lambda: Polygon(((0, 0), (1, 0), (1,))), "Polygon: vertex 3 must have 2 coordinates, got 1"),
        (
            lambda: Polygon(((0, 0), (1, 0), (1, 1), (0, 0))),
            "Polygon: vertices 1 and 4 are the same point (0, 0); list each vertex once, the first one too",
        ),
        (
            lambda: Polygon(BOW_TIE),
            "Polygon: edges 1 and 3 cross or touch; order the vertices so that the outline is simple",
        ),
        (
            lambda: Polygon(((0, 0), (2, 0), (1, 0), (1, 1))),
            "Polygon: edges 1 and 2 cross or touch; order the vertices so that the outline is simple",
        ),
        (
            lambda: Triangle((0, 0), (1, 1), (2, 2)),
            "Triangle: the vertices enclose no area; they lie on one line or cross themselves",
        ),
        (
            lambda: SQUARE | Ball((0, 0, 0), 1),
            "union needs shapes of one dimension, got a 2-D and a 3-D shape; "
            "multiply the spatial one with a TimeInterval if time is missing",
        ),
        (
            lambda: SQUARE * Interval(0, 1),
            "a product needs a TimeInterval, got Rectangle * Interval; "
            "write shape * TimeInterval(t0, t1), and Rectangle or Box for products in space",
        ),
        (
            lambda: SQUARE * TimeInterval(0, 1) * TimeInterval(0, 1),
            "SpaceTime: the space shape has a time already; multiply with time once",
        ),
        (lambda: SpaceTime(SQUARE, (0, 1)), "SpaceTime: time must be a TimeInterval, got (0, 1)"),
        (lambda: SQUARE.translated((1, 2, 3)), "translation must have 2 coordinates, got 3"),
        (lambda: SQUARE.rotated("x"), "rotation angle must be a number, got 'x'"),
        (lambda: SQUARE.rotated(1, axis=(0, 0, 1)), "rotation in 2-D has no axis; give angle and about"),
        (lambda: Interval(0, 1).rotated(1), "rotation needs a shape of 2 or 3 dimensions, got a 1-D shape"),
        (
            lambda: (SQUARE * TimeInterval(0, 1)).rotated(1),
            "rotation is for shapes in space; move or turn the shape before multiplying with time",
        ),
        (lambda: Box((0, 0, 0), (1, 1, 1)).rotated(1, axis=(0, 0, 0)), "rotation axis must not be zero"),
        (lambda: SQUARE.named(""), "a shape's name must be a non-empty string, got ''"),
        (
            lambda: SQUARE.named("boundary"),
            "a shape cannot be named 'boundary': that is every shape's whole boundary",
        ),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(SpecificationError) as error:
        make()
    assert str(error.value) == message


def test_operators_refuse_what_is_no_shape():
    for join in (lambda: SQUARE | 1, lambda: SQUARE - "x", lambda: SQUARE & None, lambda: SQUARE * 2):
        with pytest.raises(TypeError):
            join()


COMPOSITE = ((SQUARE | Disk((1, 0.5), 0.2)) - Ellipse((0.5, 0.5), (0.1, 0.2)).named("hole")).rotated(0.1)


@pytest.mark.parametrize(
    "shape",
    [
        Interval(0, 0.1),
        COMPOSITE,
        COMPOSITE.translated((1, 2)) * TimeInterval(0, 1),
        Box((0, 0, 0), (1, 1, 1)).rotated(0.3, axis=(1, 2, 2)) & Ball((0, 0, 0), 1),
        Polygon([[0, 0], [1, 0], [0, 1]]),
        Triangle((0, 0), (1, 0), (0, 1)),
        Cylinder((0, 0, 0), 1, 2),
    ],
    ids=lambda s: type(s).__name__,
)
def test_repr_reads_like_the_constructor(shape):
    again = eval(repr(shape), vars(g))
    assert again == shape
    assert hash(again) == hash(shape)
    assert repr(again) == repr(shape)
    assert again.bounds[0] == pytest.approx(shape.bounds[0])


def test_repr():
    assert repr(SQUARE - Disk((0.5, 0.5), 0.25)) == "Difference(Rectangle((0, 0), (1, 1)), Disk((0.5, 0.5), 0.25))"


def test_values_are_plain_floats_whatever_was_given():
    shape = Rectangle(np.array([0, 0]), [np.float32(1), 1])
    assert shape == SQUARE
    assert all(type(c) is float for c in (*shape.lower, *shape.upper))


def test_immutable():
    with pytest.raises(AttributeError):
        SQUARE.lower = (1.0, 1.0)  # type: ignore[misc]


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_are_equal_after_use(clone):
    COMPOSITE.sample_boundary(10)
    assert clone(COMPOSITE) == COMPOSITE


def test_clockwise_polygons_are_turned():
    there, back = Polygon(((0, 0), (1, 0), (1, 1))), Polygon(((0, 0), (1, 1), (1, 0)))
    assert there == back
    assert there.measure == back.measure == 0.5


def test_split_time():
    time = TimeInterval(0, 1)
    assert split_time(SQUARE * time) == split_time(time * SQUARE) == (SQUARE, time)
    assert split_time((SQUARE * time).named("all")) == (SQUARE, time)
    assert split_time(SQUARE) == (SQUARE, None)
    assert split_time(time) == (None, time)


def test_quarter_turns_are_exact():
    turned = Rectangle((0, 0), (2, 1)).rotated(np.pi / 2)
    assert turned.bounds[0].tolist() == [-1, 0]
    assert turned.bounds[1].tolist() == [0, 2]
