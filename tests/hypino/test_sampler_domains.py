"""Random domains against plain geometry: what is inside, where the boundary runs, where its normals point."""

import numpy
import pytest
import torch

from physolve.hypino.sampler._boundary import LEFT, SIDES, TOP, random_rim
from physolve.hypino.sampler._draws import Draws
from physolve.hypino.sampler._interior import random_interior
from physolve.hypino.sampler._settings import ShapeSettings
from physolve.hypino.sampler._shapes import random_holes

COUNT, EDGE = 150, 200
ALL = torch.ones(COUNT, dtype=torch.bool)
SETTINGS = ShapeSettings(holes=0.8, notch=0.3)


@pytest.fixture
def draws():
    return Draws(torch.Generator().manual_seed(7))


@pytest.fixture
def holes(draws):
    return random_holes(draws, SETTINGS, ALL)


def in_a_hole(holes, sample, points):
    """By the circle's equation and the crossings of a ray with the polygon's sides, hole by hole."""
    inside = numpy.zeros(len(points), bool)
    for slot in torch.nonzero(holes.present[sample])[:, 0].tolist():
        if holes.disk[sample, slot]:
            center, radius = holes.center[sample, slot].numpy(), float(holes.radius[sample, slot])
            inside |= ((points - center) ** 2).sum(1) < radius**2
        else:
            inside |= crossings(holes.corners[sample, slot].numpy(), points) % 2 == 1
    return inside


def crossings(corners, points):
    count = numpy.zeros(len(points), int)
    for (x0, y0), (x1, y1) in zip(corners, numpy.roll(corners, -1, 0), strict=True):
        spans = (y0 > points[:, 1]) != (y1 > points[:, 1])
        with numpy.errstate(divide="ignore", invalid="ignore"):
            x = x0 + (points[:, 1] - y0) / (y1 - y0) * (x1 - x0)
        count += spans & (points[:, 0] < x)
    return count


def test_all_kinds_of_holes_occur(holes):
    triangles = holes.lengths[..., 2] == 0
    for kind in (holes.disk, triangles & ~holes.disk, ~triangles & ~holes.disk):
        assert (kind & holes.present).sum() > 20
    assert (holes.corners[:, 0].abs() > 1).any(), "no notch reaches over the rim"
    assert (~holes.present.any(1)).any()


def test_levels_agree_with_plain_geometry(draws, holes):
    points = draws.uniform(COUNT, 300, 2, low=-1, high=1)
    deepest = holes.deepest(points)
    for sample in range(COUNT):
        clear = deepest[sample].abs() > 1e-5
        expected = in_a_hole(holes, sample, points[sample].numpy())
        assert ((deepest[sample] > 0).numpy() == expected)[clear.numpy()].all()


def test_interior_points_fill_the_domain_alone(draws, holes):
    points = random_interior(draws, holes, 400)
    assert points.abs().max() <= 1
    for sample in range(COUNT):
        assert not in_a_hole(holes, sample, points[sample].numpy()).any()
        assert len(points[sample].unique(dim=0)) == 400
    whole = ~holes.present.any(1)
    assert points[whole].mean((0, 1)).abs().max() < 0.05


def test_enough_of_the_square_is_left(draws, holes):
    probe = draws.uniform(COUNT, 2000, 2, low=-1, high=1)
    assert (holes.deepest(probe) < 0).float().mean(1).min() > SETTINGS.area - 0.12  # it was judged by 256 points


def test_boundary_points_lie_on_the_boundary_with_outward_normals(draws, holes):
    used = torch.ones(COUNT, SIDES + SETTINGS.most, dtype=torch.bool)
    rim = random_rim(draws, holes, used, EDGE)
    torch.testing.assert_close(rim.normals.norm(dim=-1), torch.ones(COUNT, EDGE), rtol=0, atol=1e-5)
    step = 1e-4
    for sample in range(COUNT):
        out, within = (in_domain(holes, sample, rim.points[sample] + s * step * rim.normals[sample]) for s in (1, -1))
        # but for points as near to a sharp corner, or to another hole, as the step is long
        assert out.mean() < 0.01
        assert within.mean() > 0.99


def in_domain(holes, sample, points):
    points = points.numpy()
    return (abs(points) <= 1).all(1) & ~in_a_hole(holes, sample, points)


def test_boundary_points_are_spread_by_length(draws):
    holes = random_holes(draws, ShapeSettings(holes=0, notch=0), ALL)
    used = torch.ones(COUNT, SIDES + 3, dtype=torch.bool)
    used[:, TOP] = False
    rim = random_rim(draws, holes, used, 3 * 64)
    for part in range(LEFT, TOP):
        assert ((rim.part == part).sum(1) - 64).abs().max() <= 1
    assert not (rim.part == TOP).any()


def test_gaps_between_boundary_points_around_holes_are_small(draws, holes):
    used = torch.ones(COUNT, SIDES + SETTINGS.most, dtype=torch.bool)
    few, many = (random_rim(draws, holes, used, n) for n in (EDGE, 8 * EDGE))
    gap = torch.cdist(many.points, few.points).amin(-1).amax(-1)
    # at most 8 of the square and 3 circles of radius 0.4 or so, evenly: no point of it is farther than one spacing
    assert gap.max() < 16 / EDGE
