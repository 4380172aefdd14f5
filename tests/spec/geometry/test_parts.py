"""Names of boundary parts, sub-shapes, predicates, interfaces."""

import numpy as np
import pytest

from physolve.errors import SpecificationError
from physolve.spec.geometry import (
    Ball,
    Box,
    Cylinder,
    Disk,
    Interval,
    Polygon,
    Rectangle,
    TimeInterval,
    Triangle,
)

SQUARE = Rectangle((-1, -1), (1, 1))
L_SHAPE = SQUARE.named("square") - Rectangle((0, 0), (1, 1)).named("notch")


@pytest.mark.parametrize(
    ("shape", "parts"),
    [
        (Interval(0, 1), ("left", "right")),
        (TimeInterval(0, 1), ("initial", "final")),
        (SQUARE, ("left", "right", "bottom", "top")),
        (Box((0, 0, 0), (1, 1, 1)), ("left", "right", "bottom", "top", "back", "front")),
        (Disk((0, 0), 1), ()),
        (Ball((0, 0, 0), 1), ()),
        (Triangle((0, 0), (1, 0), (0, 1)), ("edge1", "edge2", "edge3")),
        (Polygon(((0, 0), (1, 0), (1, 1), (0, 1))), ("edge1", "edge2", "edge3", "edge4")),
        (Cylinder((0, 0, 0), 1, 1), ("side", "bottom", "top")),
        (SQUARE - Disk((0, 0), 0.5).named("hole"), ("left", "right", "bottom", "top", "hole")),
        (Interval(0, 1) * TimeInterval(0, 1), ("left", "walls", "right", "initial", "final")),
        (Disk((0, 0), 1) * TimeInterval(0, 1), ("walls", "initial", "final")),
        (Disk((0, 0), 1).named("rim"), ("rim",)),
    ],
    ids=repr,
)
def test_parts(shape, parts):
    assert shape.parts == (*parts, "boundary")
    assert all(shape.has_part(p) for p in shape.parts)
    assert not shape.has_part("lid")


NORMALS = {
    "left": (-1, 0, 0),
    "right": (1, 0, 0),
    "bottom": (0, -1, 0),
    "top": (0, 1, 0),
    "back": (0, 0, -1),
    "front": (0, 0, 1),
}


@pytest.mark.parametrize("shape", [Interval(0, 2), SQUARE, Box((0, 0, 0), (1, 2, 3))], ids=repr)
def test_normals_of_named_faces(shape):
    for part in shape.parts[:-1]:
        samples = shape.sample_boundary(7, on=part)
        assert np.array_equal(samples.normals, np.tile(NORMALS[part][: shape.dim], (7, 1)))


def test_removed_faces_lose_their_name_and_cut_ones_keep_it():
    assert L_SHAPE.boundary_measure("square.right") == pytest.approx(1, abs=1e-12)
    assert L_SHAPE.boundary_measure("notch") == pytest.approx(2, abs=1e-12)
    assert L_SHAPE.boundary_measure("left") == pytest.approx(3, abs=1e-12)  # the square's and the notch's
    assert not L_SHAPE.has_part("notch.right")
    assert L_SHAPE.has_part("notch.left")
    samples = L_SHAPE.sample_boundary(10, on="notch.left")
    assert np.array_equal(samples.normals, np.tile([1.0, 0.0], (10, 1)))  # out of the domain, into the notch


def test_coincident_faces_count_once():
    union = Rectangle((0, 0), (2, 1)).named("a") | Rectangle((1, 0), (3, 1)).named("b")
    assert union.boundary_measure() == pytest.approx(8, abs=1e-12)
    assert union.boundary_measure("a.bottom") == pytest.approx(2, abs=1e-12)
    assert union.boundary_measure("b.bottom") == pytest.approx(2, abs=1e-12)
    assert union.boundary_measure(("a.bottom", "b.bottom")) == pytest.approx(3, abs=1e-12)
    assert union.boundary_measure((Rectangle((0, 0), (2, 1)), Rectangle((1, 0), (3, 1)))) == pytest.approx(8, abs=1e-5)


def test_several_parts():
    samples = SQUARE.sample_boundary(40, on=("left", "top"))
    assert np.all((samples.points[:, 0] == -1) | (samples.points[:, 1] == 1))
    assert samples.weights.sum() == pytest.approx(4)
    assert SQUARE.boundary_measure(("left", "boundary")) == pytest.approx(8)


def test_predicate_cuts_curves_exactly():
    assert SQUARE.boundary_measure(where=lambda p: p[:, 0] < 0.3) == pytest.approx(2 + 2 * 1.3, abs=1e-9)
    samples = SQUARE.sample_boundary(50, on="top", where=lambda p: np.abs(p[:, 0]) < 0.25)
    assert np.abs(samples.points[:, 0]).max() < 0.25
    assert samples.weights.sum() == pytest.approx(0.5, abs=1e-9)
    with pytest.raises(SpecificationError, match=r"^no point of the part 'top' satisfies the given predicate$"):
        SQUARE.sample_boundary(5, on="top", where=lambda p: p[:, 0] > 2)
    with pytest.raises(SpecificationError, match=r"^where= must answer with booleans of shape"):
        SQUARE.sample_boundary(5, where=lambda p: p[:, 0])


def test_predicate_on_surfaces():
    box = Box((0, 0, 0), (1, 1, 1))
    assert box.boundary_measure(where=lambda p: p[:, 2] == 0) == 1
    assert box.boundary_measure(where=lambda p: p[:, 2] < 0.5) == pytest.approx(3, rel=1e-3)


def test_a_hole_as_sub_shape_is_the_domains_boundary():
    hole = Disk((0, 0), 0.5)
    samples = (SQUARE - hole).sample_boundary(100, on=hole)
    assert np.linalg.norm(samples.points, axis=1) == pytest.approx(np.full(100, 0.5), abs=1e-12)
    assert np.sum(samples.points * samples.normals, axis=1) == pytest.approx(np.full(100, -0.5), abs=1e-12)
    assert samples.weights.sum() == pytest.approx(np.pi, rel=1e-10)


def test_a_sub_shape_that_meets_the_boundary_means_where_it_does():
    strip = Rectangle((-2, -2), (2, 0))
    assert not np.any(np.abs(SQUARE.sample_boundary(10, on=Rectangle((-1, -1), (1, 0))).points[:, 1]) < 1e-9)
    assert SQUARE.boundary_measure(Rectangle((-1, -1), (1, 0))) == pytest.approx(4, abs=1e-9)
    assert SQUARE.boundary_measure(strip) == pytest.approx(2, abs=1e-9)  # only its top is in the square: an interface


def test_an_interface_inside_has_normals_out_of_the_sub_shape():
    core = Disk((0.1, 0), 0.5)
    samples = SQUARE.sample_boundary(100, on=core)
    assert np.linalg.norm(samples.points - (0.1, 0), axis=1) == pytest.approx(np.full(100, 0.5), abs=1e-12)
    assert np.sum((samples.points - (0.1, 0)) * samples.normals, axis=1) == pytest.approx(np.full(100, 0.5), abs=1e-12)


def test_a_named_interface_is_found_by_name():
    domain = SQUARE | Disk((0, 0), 0.5).named("core")
    assert domain.interfaces == ("core",)
    assert domain.has_part("core")
    assert "core" not in domain.parts
    assert domain.boundary_measure("core") == pytest.approx(np.pi, rel=1e-10)
    assert domain.boundary_measure() == pytest.approx(8, abs=1e-12)
    lifted = domain * TimeInterval(0, 2)
    assert lifted.boundary_measure(Disk((0, 0), 0.5)) == pytest.approx(2 * np.pi, rel=1e-6)


def test_space_time():
    domain = (SQUARE - Disk((0, 0), 0.5).named("hole")) * TimeInterval(1, 3)
    area, wall = 4 - np.pi / 4, 2 * np.pi
    assert domain.boundary_measure("hole") == pytest.approx(wall, rel=1e-10)
    assert domain.boundary_measure("walls") == pytest.approx(wall + 16, rel=1e-10)
    assert domain.boundary_measure("initial") == pytest.approx(area, rel=1e-10)
    hole = domain.sample_boundary(50, on="hole")
    assert np.all(hole.normals[:, -1] == 0)
    assert np.all((hole.points[:, -1] >= 1) & (hole.points[:, -1] <= 3))
    for part, t, sign in (("initial", 1, -1), ("final", 3, 1)):
        samples = domain.sample_boundary(50, on=part)
        assert np.all(samples.points[:, -1] == t)
        assert np.array_equal(samples.normals, np.tile([0.0, 0.0, sign], (50, 1)))
    assert np.allclose(domain.sample_boundary(9, on=Disk((0, 0), 0.5)).normals[:, -1], 0)
    assert domain.corners == domain.holes == ()


@pytest.mark.parametrize(
    ("shape", "on", "message"),
    [
        (
            Interval(0, 1).named("rod") * TimeInterval(0, 1),
            "lid",
            "boundary part 'lid' is not a part of this domain; "
            "it has 'left', 'rod', 'walls', 'right', 'initial', 'final'",
        ),
        (Disk((0, 0), 1), "left", "boundary part 'left' is not a part of this domain; it has 'boundary'"),
        (
            L_SHAPE,
            "notch.right",
            "boundary part 'notch.right' is not a part of this domain; "
            "it has 'left', 'square', 'right', 'bottom', 'top', 'notch'",
        ),
        (SQUARE, 3, "a boundary part must be a name or a shape, got 3"),
        (SQUARE, Interval(0, 1), "on= needs a shape of 2 dimensions as the domain has, got 1-D"),
        (
            SQUARE,
            Disk((9, 9), 1),
            "the boundary of Disk((9, 9), 1) neither meets this domain's boundary nor its inside",
        ),
        (SQUARE, (), "no boundary part is named; this domain has 'left', 'right', 'bottom', 'top'"),
    ],
)
def test_unknown_parts(shape, on, message):
    with pytest.raises(SpecificationError) as error:
        shape.sample_boundary(3, on=on)
    assert str(error.value) == message
