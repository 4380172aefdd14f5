"""Largest values: peaks, edges and corners are found, on domains and on chosen parts of boundaries."""

import numpy as np
import pytest

from physolve.spec.geometry import Ball, Box, Disk, Interval, Rectangle, TimeInterval, boundary_maximum, maximum

L_SHAPE = Rectangle((-1, -1), (1, 1)) - Rectangle((0, 0), (1, 1))
SHAPES = {
    "interval": Interval(-1, 1),
    "square": Rectangle((-1, -1), (1, 1)),
    "l_shape": L_SHAPE,
    "disk": Disk((0, 0), 1),
    "ball": Ball((0, 0, 0), 1),
    "box": Box((-1, -1, -1), (1, 1, 1)),
    "square in time": Rectangle((-1, -1), (1, 1)) * TimeInterval(-1, 1),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_peak_between_samples_is_climbed(name: str) -> None:
    """A Gaussian as wide as three spacings of the samples: they see most of it, the search the rest."""
    shape = SHAPES[name]
    place = np.array([-0.3137, -0.2221, 0.1419])[: shape.dim]
    width = 3 * 2 * 8192 ** (-1 / shape.dim)
    found = maximum(shape, lambda p: np.exp(-0.5 * ((p - place) ** 2).sum(1) / width**2))
    assert 0.999 < found <= 1


@pytest.mark.parametrize("name", ["interval", "square", "l_shape", "box", "square in time"])
def test_a_steep_rise_into_a_corner_is_climbed(name: str) -> None:
    shape = SHAPES[name]
    found = maximum(shape, lambda p: np.exp(10 * (-p - 1).sum(1)))
    assert 0.99 < found < 1


@pytest.mark.parametrize(("name", "largest"), [("disk", 1.0), ("ball", 1.0), ("square", 2**0.5), ("box", 3**0.5)])
def test_the_farthest_boundary_point(name: str, largest: float) -> None:
    assert boundary_maximum(SHAPES[name], lambda p: np.linalg.norm(p, axis=1)) == pytest.approx(largest, rel=1e-12)


def test_a_part_of_the_boundary() -> None:
    square = SHAPES["square"]
    assert boundary_maximum(square, lambda p: p[:, 0], on="left") == pytest.approx(-1)
    near = boundary_maximum(square, lambda p: p[:, 0], on="top", where=lambda p: p[:, 0] < 0.25)
    assert near == pytest.approx(0.25, abs=1e-6)
    assert boundary_maximum(Interval(0, 2), lambda p: p[:, 0]) == 2


def test_no_number_counts_as_infinite() -> None:
    assert maximum(L_SHAPE, lambda p: np.where(p[:, 0] > 0.5, np.nan, 0.0)) == np.inf


def test_the_seed_decides() -> None:
    def rough(points: np.ndarray) -> np.ndarray:
        return np.sin(200 * points[:, 0]) * np.cos(170 * points[:, 1])

    assert maximum(L_SHAPE, rough, 512, seed=1) == maximum(L_SHAPE, rough, 512, seed=1)


CORNERS = {
    "square": (1, 1),
    "l_shape": (0, 0),
    "box": (1, -1, 1),
    "square in time": (-1, 1, -1),
    "disk": (0.6, 0.8),
    "ball": (0.6, 0, 0.8),
}


@pytest.mark.parametrize("name", CORNERS)
def test_a_layer_far_thinner_than_the_spacing_is_found(name: str) -> None:
    """A layer along the boundary, or where there are corners a peak in one, 1e-4 wide; points stay 1e-6 size inside."""
    shape, place = SHAPES[name], np.array(CORNERS[name])

    def values(points: np.ndarray) -> np.ndarray:
        away = -shape.signed_distance(points) if name in ("disk", "ball") else np.linalg.norm(points - place, axis=1)
        return np.exp(-away / 1e-4)

    assert maximum(shape, values) == pytest.approx(np.exp(-1e-6 * shape.size / 1e-4), rel=0.05)
