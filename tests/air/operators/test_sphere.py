"""Distances and bearings on the sphere."""

import numpy as np
import pytest

from physolve.air.operators import bearing, haversine, local_plane
from physolve.air.operators._sphere import EARTH_RADIUS

NORTH, EAST, SOUTH, WEST = 0.0, np.pi / 2, np.pi, 3 * np.pi / 2


def test_distances_known_in_closed_form():
    degree = np.pi * EARTH_RADIUS / 180
    assert haversine(0.0, 10.0, 1.0, 10.0) == pytest.approx(degree)
    assert haversine(0.0, 10.0, 0.0, 11.0) == pytest.approx(degree)
    assert haversine(0.0, 0.0, 0.0, 180.0) == pytest.approx(np.pi * EARTH_RADIUS)


def test_beijing_to_shanghai():
    """1,067 km from city centre to city centre, whichever calculator is asked."""
    assert haversine(39.9042, 116.4074, 31.2304, 121.4737) == pytest.approx(1067e3, rel=2e-3)


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [(41, 116, NORTH), (39, 116, SOUTH), (40, 116.001, EAST), (40, 115.999, WEST)],
)
def test_bearings_of_the_four_directions(latitude, longitude, expected):
    """To the east and west a great circle bends by less than 1e-5 radians over 85 m."""
    assert bearing(40.0, 116.0, latitude, longitude) == pytest.approx(expected, abs=1e-5)


def test_latitude_and_longitude_are_not_mixed_up():
    """A step of one degree each way at latitude 60 goes twice as far north as east: atan(1/2) = 26.6 degrees."""
    assert np.degrees(bearing(60.0, 20.0, 60.01, 20.01)) == pytest.approx(26.57, abs=0.02)


@pytest.mark.parametrize("shift", [0.0, 360.0])
def test_a_plane_over_the_date_line(shift):
    longitude = np.array([179.8, -179.8, 180.0])
    plane = local_plane(np.zeros(3), np.where(longitude < 0, longitude + shift, longitude))
    degree = np.pi * EARTH_RADIUS / 180
    np.testing.assert_allclose(plane, [[-0.2 * degree, 0], [0.2 * degree, 0], [0, 0]], atol=1e-3)


def test_the_local_plane_keeps_distances():
    rng = np.random.default_rng(0)
    latitude, longitude = 39.6 + 0.7 * rng.random(20), 116 + 0.7 * rng.random(20)
    plane = local_plane(latitude, longitude)
    flat = np.linalg.norm(plane[:, None] - plane[None], axis=-1)
    round_ = haversine(latitude[:, None], longitude[:, None], latitude[None], longitude[None])
    assert np.allclose(flat, round_, rtol=3e-5, atol=1e-6)
