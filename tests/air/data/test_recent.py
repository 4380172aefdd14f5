"""What was measured lately."""

import numpy as np
import pytest
from tables import made_series

from physolve.air.data import ages, check_recent, instant_of
from physolve.errors import SpecificationError


@pytest.fixture
def series():
    """40 steps of 3 h, 3 stations; at step 30 station a was last measured 9 h ago, b's wind never, c now."""
    made = made_series(gaps=0)
    made.values[28:31, 0, 0] = np.nan
    made.weather[:31, 1, 3] = np.nan
    return made


def test_ages_count_from_the_last_value(series):
    concentration, wind = ages(series, 30)
    assert concentration.tolist() == [9, 0, 0]
    assert wind.tolist() == [0, np.inf, 0]


def test_what_comes_later_does_not_count(series):
    series.values[31:, 0] = 5
    assert ages(series, 30)[0][0] == 9


def test_too_old_values_are_named_with_their_stations(series):
    at = series.times[30]
    with pytest.raises(
        SpecificationError, match=r"the last PM2\.5 is older than 6 h at a \(9 h\); choose another time"
    ):
        check_recent(series, at, 6)
    with pytest.raises(SpecificationError, match=r"the last wind is older than 12 h at b \(never\)"):
        check_recent(series, at)


def test_the_limit_itself_is_tolerated(series):
    series.weather[30] = 0
    check_recent(series, series.times[30], 9)


def test_a_time_off_the_clock_is_refused(series):
    with pytest.raises(SpecificationError, match="no step begins then; the series has 2020-01-01T00:00:00 to"):
        instant_of(series, np.datetime64("2020-01-01T01:00", "s"))
