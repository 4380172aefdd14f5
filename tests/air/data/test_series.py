"""Series: what fits together, parts, gaps, scales, files."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import made_series

from physolve.air.data import Scaler, Stations, fill_for_input, read_series, split, write_series
from physolve.errors import ProblemFileError, SpecificationError


@given(st.integers(12, 400), st.tuples(*[st.integers(1, 9)] * 3))
def test_parts_follow_each_other_and_lose_nothing(steps, shares):
    series = made_series(steps, 1)
    try:
        parts = split(series, shares)
    except SpecificationError:
        assert steps * min(shares) / sum(shares) < 1  # a part would be empty
        return
    assert np.array_equal(np.concatenate([part.times for part in parts]), series.times)
    assert all(a.times[-1] < b.times[0] for a, b in pairwise(parts))


def test_training_knows_nothing_of_the_test():
    series = made_series(100)
    spoilt = replace(series, values=series.values.copy(), weather=series.weather.copy())
    spoilt.values[70:], spoilt.weather[70:] = 1e4, 1e4
    for name, record in Scaler.fit(split(series)[0]).as_record().items():
        assert Scaler.fit(split(spoilt)[0]).as_record()[name] == record


def test_scaled_training_data_have_mean_zero_and_spread_one():
    train = made_series(400)
    scaler = Scaler.fit(train)
    values = (train.values - scaler.values_mean) / scaler.values_std
    for scaled in (values, scaler.scaled_weather(train.weather)):
        rows = scaled.reshape(-1, scaled.shape[-1])
        np.testing.assert_allclose(np.nanmean(rows, 0), 0, atol=1e-4)
        np.testing.assert_allclose(np.nanstd(rows, 0), 1, atol=1e-4)


def test_a_scaler_survives_its_record():
    scaler = Scaler.fit(made_series())
    assert Scaler.from_record(scaler.as_record()).as_record() == scaler.as_record()
    with pytest.raises(SpecificationError, match="no 'weather_std'"):
        Scaler.from_record({k: v for k, v in scaler.as_record().items() if k != "weather_std"})


def test_what_never_varies_and_what_was_never_measured_can_be_scaled():
    series = made_series()
    series.weather[..., 0], series.weather[..., 1] = 1013.25, np.nan
    scaler = Scaler.fit(series)
    assert scaler.weather_std[:2].tolist() == [1, 1]
    assert scaler.weather_mean[1] == 0


def test_gaps_are_filled_from_the_past_up_to_a_limit_then_by_the_mean():
    series = made_series(8, 1, gaps=0)
    series.values[:, 0, 0] = [np.nan, 4, np.nan, np.nan, np.nan, 7, np.nan, 8]
    scaler = Scaler.fit(made_series(100))
    filled = fill_for_input(series, scaler, limit=6)
    mean = scaler.values_mean[0]
    np.testing.assert_allclose(filled.values[:, 0, 0], [mean, 4, 4, 4, mean, 7, 7, 8])
    assert filled.values_seen[:, 0, 0].tolist() == [False, True, False, False, False, True, False, True]
    assert np.isnan(series.values[0, 0, 0])  # the target is as it was


@given(st.integers(0, 2**31), st.integers(1, 39))
def test_filling_never_looks_ahead(seed, now):
    series = made_series(seed=seed)
    scaler = Scaler.fit(series)
    early = fill_for_input(series.between(0, now), scaler)
    late = fill_for_input(series, scaler)
    np.testing.assert_array_equal(early.values, late.values[:now])
    np.testing.assert_array_equal(early.weather, late.weather[:now])


def test_files_keep_every_bit(tmp_path):
    series = made_series()
    write_series(tmp_path / "air.h5", series)
    back = read_series(tmp_path / "air.h5")
    for name in ("times", "values", "weather"):
        np.testing.assert_array_equal(getattr(back, name), getattr(series, name))
    assert (back.step, back.pollutants, back.weather_names) == (3.0, ("PM2.5", "O3"), series.weather_names)
    assert back.stations.names == series.stations.names
    np.testing.assert_array_equal(back.stations.latitude, series.stations.latitude)


def test_files_of_another_kind_are_refused(tmp_path):
    import h5py

    (tmp_path / "text.h5").write_text("no")
    h5py.File(tmp_path / "other.h5", "w").close()
    for name, message in (("text.h5", "not a complete HDF5"), ("other.h5", "physolve air prepare"), ("no.h5", "exist")):
        with pytest.raises(ProblemFileError, match=message):
            read_series(tmp_path / name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step": 1.0}, "is 3 h after 2020-01-01T00:00:00, expected 1 h"),
        ({"pollutants": ("PM2.5",)}, r"values: got shape \(40, 3, 2\), expected \(40, 3, 1\)"),
        ({"weather_names": ("a",)}, "weather_names: got"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, message):
    with pytest.raises(SpecificationError, match=message):
        replace(made_series(), **change)


def test_stations_are_made_of_any_sequences():
    stations = Stations(["a", "b"], [40, 41], (116, 117))  # type: ignore[arg-type]
    assert stations.names == ("a", "b")
    assert stations.longitude.dtype == stations.latitude.dtype == np.float64
    with pytest.raises(SpecificationError, match=r"latitude: got \['north'\], expected numbers"):
        Stations(("a",), ["north"], [116])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("station,lon,latitude\na,1,2\n", "no 'longitude'; it has station, lon, latitude"),
        ("station,longitude,latitude\na,1,2\nb,x,2\n", "line 3: longitude: got 'x', expected degrees"),
        ("station,longitude,latitude\na,1,2\na,3,4\n", "'a' is given twice"),
        ("station,longitude,latitude\na,1,200\n", "station 'a': latitude: got 200.0"),
        ("station,longitude,latitude\n", "got none"),
    ],
)
def test_station_tables_that_cannot_be_read(tmp_path, text, message):
    (tmp_path / "stations.csv").write_text(text)
    with pytest.raises(ProblemFileError, match=message):
        Stations.read(tmp_path / "stations.csv")


@pytest.mark.parametrize("fractions", [(1, 2), (7, 0, 3), (7, 1, float("nan"))])
def test_bad_fractions(fractions):
    with pytest.raises(SpecificationError, match="expected three positive numbers"):
        split(made_series(), fractions)
