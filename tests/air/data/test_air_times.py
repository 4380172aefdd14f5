"""Times as tables have them: stations that measure more or less often, zones, years mistyped."""

import numpy as np
import pytest
from tables import STATIONS, day_of, row, table

from physolve.air.data import Preparation, prepare
from physolve.errors import ProblemFileError

HOURLY = Preparation(hours=1)
SHORT = "station,time,PM2.5"


def short(*cells):
    return [f"{station},{time},{value}" for station, time, value in cells]


def quarters(station, hours):
    """A row every quarter of an hour, its value the hour."""
    return short(*((station, f"2020-01-01T{h:02d}:{m:02d}", h) for h in range(hours) for m in (0, 15, 30, 45)))


def times_of(folder, *times):
    rows = short(*(("a", time, k) for k, time in enumerate(times)))
    return prepare([table(folder, *rows, header=SHORT)], STATIONS, HOURLY)


def test_an_hourly_station_beside_one_that_measures_every_quarter(tmp_path):
    hourly = short(*(("b", f"2020-01-01T{h:02d}:00", h) for h in range(24) if h != 7))
    series, report = prepare([table(tmp_path, *quarters("a", 24), *hourly, header=SHORT)], STATIONS, HOURLY)
    assert np.nan_to_num(series.values[..., 0], nan=-1).T.tolist() == [[*range(24)], [*range(7), -1, *range(8, 24)]]
    assert report.absent == 1


def test_half_an_interval_is_half_of_what_that_station_has(tmp_path):
    """One row of four is too little for it, one of two enough for the other."""
    halves = short(*(("b", f"2020-01-01T{h:02d}:{m:02d}", h) for h in range(6) for m in (0, 30)))
    rows = [r for r in quarters("a", 6) + halves if "T03:" not in r or r.endswith("T03:00,3")]
    series, report = prepare([table(tmp_path, *rows, header=SHORT)], STATIONS, HOURLY)
    assert np.isnan(series.values[..., 0]).T.tolist() == [[h == 3 for h in range(6)], [False] * 6]
    assert report.absent == 4


def test_a_station_with_one_row_has_one_an_hour(tmp_path):
    rows = [*quarters("a", 4), *short(("b", "2020-01-01T01:00", 5))]
    series, report = prepare([table(tmp_path, *rows, header=SHORT)], STATIONS, HOURLY)
    assert np.isfinite(series.values[:, 1, 0]).tolist() == [False, True, False, False]
    assert report.absent == 3


@pytest.mark.parametrize(
    "times",
    [
        ("2024-03-31T00:00+01:00", "2024-03-31T01:00+01:00", "2024-03-31T03:00+02:00"),
        ("2024-03-31 00:00", "2024-03-31T01:00Z", "2024-03-31T03:00:00-0330"),
        ("2024-03-31", "2024-03-31 01:00 +08", "2024-03-31T03:00 Z"),
    ],
    ids=["summer time", "with and without", "a date alone"],
)
def test_zones_are_dropped_as_they_are_written(tmp_path, times):
    series, report = times_of(tmp_path, *times)
    assert np.nan_to_num(series.values[:, 0, 0], nan=-1).tolist() == [0, 1, -1, 2]
    assert str(series.times[0]) == "2024-03-31T00:00:00"
    assert not report.bad_times


def test_the_hour_that_autumn_repeats_is_joined(tmp_path):
    series, report = times_of(tmp_path, "2024-10-27T01:00+02:00", "2024-10-27T02:00+02:00", "2024-10-27T02:00+01:00")
    assert series.values[:, 0, 0].tolist() == [0, 1]
    assert report.contradicting == 1


def test_times_of_parquet_lose_their_zone_too(tmp_path, monkeypatch):
    import pandas as pd

    held = pd.DataFrame({"station": "a", "time": pd.to_datetime(["2024-01-01T05:00+08:00"]), "PM2.5": 1.0})
    monkeypatch.setattr(pd, "read_parquet", lambda path: held)
    (tmp_path / "table.parquet").write_bytes(b"")
    series, _ = prepare([tmp_path / "table.parquet"], STATIONS, HOURLY)
    assert str(series.times[0]) == "2024-01-01T05:00:00"


@pytest.mark.parametrize(("year", "days"), [("2204", 67204), ("1024", 363782)])
@pytest.mark.parametrize(("count", "words"), [(1, "1 of 48 rows is"), (2, "2 of 48 rows are")])
def test_a_few_years_mistyped_are_refused_with_their_time(tmp_path, year, days, count, words):
    rows = [*day_of("a"), *day_of("b")]
    last = slice(-count, None) if year > "2020" else slice(24, 24 + count)
    rows[last] = [r.replace("2020", year) for r in rows[last]]
    hour = rows[last][0 if year > "2020" else -1].split("T")[1][:2]
    message = rf"time {year}-01-01T{hour}:00:00 \(station 'b'\): {words} {days} days away from all others.*correct such"
    with pytest.raises(ProblemFileError, match=message):
        prepare([table(tmp_path, *rows)], STATIONS, HOURLY)


def test_a_long_silence_between_two_campaigns_is_none(tmp_path):
    rows = [*day_of("a"), *(r.replace("2020", "2024") for r in day_of("a"))]
    series, _ = prepare([table(tmp_path, *rows)], STATIONS, HOURLY)
    assert np.isfinite(series.values).sum() == 48


def test_a_table_that_is_not_utf8_says_so(tmp_path):
    file = table(tmp_path, row("München"))
    file.write_bytes(file.read_text(encoding="utf-8").encode("latin-1"))
    with pytest.raises(ProblemFileError, match=r"table.csv: content: got byte 0xfc, expected text in UTF-8; save it"):
        prepare([file], STATIONS, HOURLY)
