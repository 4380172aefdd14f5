"""Where the wind comes from, and where it goes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from physolve.air.data import degrees_from, wind_vector
from physolve.air.data._wind import POINTS

SPEEDS = st.floats(0.1, 60)
DEGREES = st.floats(0, 360, exclude_max=True)


@pytest.mark.parametrize(("point", "east", "north"), [("N", 0, -1), ("E", -1, 0), ("S", 0, 1), ("W", 1, 0)])
def test_wind_from_a_side_blows_to_the_other(point, east, north):
    vector = wind_vector(np.array([2.0]), degrees_from([point]))
    np.testing.assert_allclose(vector, [[2 * east, 2 * north]], atol=1e-12)


def test_north_northwest_is_between_north_and_northwest():
    assert degrees_from(["NNW", " nnw ", "337.5", 337.5]).tolist() == [337.5] * 4


@given(SPEEDS, DEGREES)
def test_a_vector_has_its_speed_and_points_away_from_where_it_comes(speed, degrees):
    east, north = wind_vector(np.array(speed), np.array(degrees))
    assert np.hypot(east, north) == pytest.approx(speed, rel=1e-12)
    back = np.rad2deg(np.arctan2(-east, -north))
    assert abs((back - degrees + 180) % 360 - 180) < 1e-9


@given(SPEEDS, DEGREES)
def test_opposite_directions_are_opposite_vectors(speed, degrees):
    one, other = (wind_vector(np.array(speed), np.array(d)) for d in (degrees, degrees + 180))
    np.testing.assert_allclose(one, -other, atol=1e-9 * speed)


@given(st.integers(0, 15))
def test_points_of_the_compass_run_clockwise(k):
    assert degrees_from([POINTS[k]])[0] == 22.5 * k


@given(st.text(max_size=6).filter(lambda text: text.strip().upper() not in POINTS))
def test_what_is_no_direction_is_missing(text):
    degrees = degrees_from([text])[0]
    assert np.isnan(degrees) or degrees == float(text.strip())


@pytest.mark.parametrize("bad", [None, "", "NaN", "-1", 360.5, 999999, "variable"])
def test_directions_off_the_compass_are_missing(bad):
    assert np.isnan(degrees_from([bad])[0])


def test_a_calm_has_no_direction_and_is_not_missing():
    vectors = wind_vector(np.array([0.0, 3.0, np.nan]), np.array([np.nan, np.nan, 10.0]))
    assert vectors[0].tolist() == [0, 0]
    assert np.isnan(vectors[1:]).all()
