"""Tables, clean and dirty, on a regular clock."""

import gzip

import numpy as np
import pytest
from tables import HEADER, STATIONS, day_of, row, table

from physolve.air.data import BEIJING, Columns, Preparation, Stations, prepare, read_columns
from physolve.errors import ProblemFileError, SpecificationError

HOURLY = Preparation(hours=1)


def test_three_hours_are_their_mean_and_start_at_midnight(tmp_path):
    series, report = prepare([table(tmp_path, *day_of("a"), *day_of("b"))], STATIONS)
    assert series.times[[0, -1]].tolist() == [np.datetime64(f"2020-01-01T{h}", "s").item() for h in ("00", "21")]
    np.testing.assert_allclose(series.values[:, 0, 0], np.arange(8) * 3 + 1)
    assert report.rows == 48
    assert not report.absent


def test_winds_are_averaged_as_vectors(tmp_path):
    rows = [row(hour=0, direction="N"), row(hour=1, direction="180"), row(hour=2, direction="W", speed="3")]
    series, _ = prepare([table(tmp_path, *rows)], STATIONS)
    np.testing.assert_allclose(series.wind[0, 0], [1, 0], atol=1e-6)


@pytest.mark.parametrize(("hours_measured", "counts"), [(1, False), (2, True), (3, True)])
def test_less_than_half_of_an_interval_is_missing(tmp_path, hours_measured, counts):
    rows = [row(hour=h, pm="6" if h < hours_measured else "") for h in range(3)]
    series, _ = prepare([table(tmp_path, *rows)], STATIONS)
    assert np.isfinite(series.values[0, 0, 0]) == counts


def test_absent_hours_are_missing_and_nothing_is_invented(tmp_path):
    rows = [row(hour=h) for h in (0, 1, 2, 5, 6)] + [row("b", hour=h) for h in range(7)]
    series, report = prepare([table(tmp_path, *rows)], STATIONS, HOURLY)
    assert np.isnan(series.values[[3, 4], 0]).all()
    assert np.isfinite(series.values[:, 1]).all()
    assert report.absent == 2
    assert report.missing["PM2.5"] == pytest.approx(2 / 14)


def test_of_repeated_and_contradicting_rows_the_first_value_is_kept(tmp_path):
    rows = [row(pm="10"), row(pm="10"), row(pm="99"), row(hour=1)]
    series, report = prepare([table(tmp_path, *rows)], STATIONS, HOURLY)
    assert series.values[0, 0, 0] == 10
    assert (report.joined, report.contradicting) == (1, 1)


def test_concentrations_and_weather_may_lie_in_different_tables(tmp_path):
    air = table(tmp_path, "a,2020-01-01T00:00,7", "b,2020-01-01T00:00,8", header="station,time,PM2.5", name="air.csv")
    header = HEADER.replace(",PM2.5", "")
    weather = table(tmp_path, "a,2020-01-01T00:00,5,1013,-3,N,2", header=header, name="weather.csv")
    for order in ([air, weather], [weather, air]):
        series, report = prepare(order, STATIONS, HOURLY)
        assert series.values[0, :, 0].tolist() == [7, 8]
        np.testing.assert_allclose(series.weather[0, 0], [5, 1013, -3, 0, -2], atol=1e-6)
        assert np.isnan(series.weather[0, 1]).all()
        assert (report.joined, report.contradicting) == (1, 0)


@pytest.mark.parametrize(
    ("given", "where", "name"),
    [
        ({"pm": "999999"}, "sentinels", "PM2.5"),
        ({"pm": "-999"}, "sentinels", "PM2.5"),
        ({"temperature": "999999"}, "sentinels", "temperature"),
        ({"pm": "-3"}, "impossible", "PM2.5"),
        ({"temperature": "300"}, "impossible", "temperature"),
        ({"speed": "400"}, "impossible", "wind_speed"),
        ({"pm": "broken"}, "unreadable", "PM2.5"),
        ({"direction": "up"}, "unreadable", "wind_direction"),
        ({"direction": "999999"}, "unreadable", "wind_direction"),
    ],
)
def test_what_cannot_be_is_missing_and_counted(tmp_path, given, where, name):
    series, report = prepare([table(tmp_path, row(**given), row(hour=1))], STATIONS, HOURLY)
    assert getattr(report, where)[name] == 1
    spoilt = np.isnan(np.concatenate([series.values[0, 0], series.weather[0, 0]]))
    assert spoilt.sum() == (2 if "wind" in name else 1)
    assert np.isfinite(series.values[1, 0]).all()
    assert any(name in words for _, words in report.lines)


def test_unknown_stations_and_bad_times_are_left_out(tmp_path):
    rows = [row(), row(hour=1), row("z"), row("z", 1), row().replace("2020-01-01", "yesterday")]
    series, report = prepare([table(tmp_path, *rows)], STATIONS, HOURLY)
    assert series.stations.names == ("a",)
    assert report.unknown_stations == {"z": 2}
    assert report.silent_stations == ("b",)
    assert report.bad_times == 1


def test_weather_every_three_hours_beside_hourly_concentrations_counts(tmp_path):
    """Each variable as often as it is measured: one row of weather is a whole interval of three hours."""
    header = HEADER.replace(",PM2.5", "")
    air = table(
        tmp_path, *(f"a,2020-01-01T{h:02d}:00,{h}" for h in range(24)), header="station,time,PM2.5", name="air.csv"
    )
    rows = [f"a,2020-01-01T{h:02d}:00,{h},1013,-3,N,2" for h in range(0, 24, 3)]
    series, report = prepare([air, table(tmp_path, *rows, header=header, name="weather.csv")], STATIONS)
    assert series.weather[:, 0, 0].tolist() == list(range(0, 24, 3))
    assert report.missing["wind"] == 0


def test_stations_are_called_as_they_are_written(tmp_path):
    stations = Stations(("007", "NA"), STATIONS.latitude, STATIONS.longitude)
    series, report = prepare([table(tmp_path, row("007"), row("NA"))], stations, HOURLY)
    assert series.stations.names == ("007", "NA")
    assert not report.unknown_stations


def test_marks_of_missing_values_are_those_of_the_tables_own_units(tmp_path):
    rows = [row("a", h, pm=pm) for h, pm in enumerate(("2", "-999", "99999"))]
    how = Preparation(1, columns=Columns(factors={"PM2.5": 1000}))
    series, report = prepare([table(tmp_path, *rows)], STATIONS, how)
    assert np.nan_to_num(series.values[:, 0, 0], nan=-1).tolist() == [2000, -1, -1]
    assert report.sentinels["PM2.5"] == 2


def test_columns_by_other_names_and_units(tmp_path):
    header = "site,utc,pm,ta,p,rh,wdir,ws,co"
    rows = [f"a,2020-01-01 0{h}:30:00+00:00,7,280,101300,55,90,36,2" for h in range(2)]
    (tmp_path / "columns.toml").write_text(
        'station = "site"\ntime = "utc"\npressure = "p"\nhumidity = "rh"\nwind_direction = "wdir"\nwind_speed = "ws"\n'
        '[pollutants]\n"PM2.5" = "pm"\nCO = "co"\n[factors]\npressure = 0.01\nwind_speed = 0.2777777778\nCO = 1000\n'
    )
    how = Preparation(1, ("PM2.5", "CO"), columns=read_columns(tmp_path / "columns.toml"))
    series, _ = prepare([table(tmp_path, *rows, header=header)], STATIONS, how)
    assert series.values[0, 0].tolist() == [7, 2000]
    assert series.weather_names[2] == "humidity"
    np.testing.assert_allclose(series.weather[0, 0, 1:], [1013, 55, -10, 0], atol=1e-4)
    assert np.isnan(series.weather[0, 0, 0])  # no column for the temperature
    assert str(series.times[0]) == "2020-01-01T00:00:00"


def test_beijings_columns_in_compressed_files_and_folders(tmp_path):
    header = '"No","year","month","day","hour","PM2.5","TEMP","PRES","DEWP","RAIN","wd","WSPM","station"'
    rows = [f'{h + 1},2013,3,1,{h},{h},-0.7,1023,-18.8,0,"NNW",4.4,"a"' for h in range(6)]
    with gzip.open(tmp_path / "a.csv.gz", "wt") as file:
        file.write("\n".join([header, *rows, ""]))
    (tmp_path / "stations.csv").write_text("station,longitude,latitude\n")
    series, _ = prepare([tmp_path], STATIONS)
    assert series.values[:, 0, 0].tolist() == [1, 4]
    np.testing.assert_allclose(series.weather[0, 0, :3], [-0.7, 1023, -18.8], rtol=1e-6)
    assert series.wind[0, 0, 0] > 0 > series.wind[0, 0, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"header": HEADER.replace("PM2.5", "pm25")}, "no 'PM2.5', nor in any other table; it has station, time, pm25"),
        ({"header": HEADER.replace("station", "site")}, "no 'station'"),
        ({"name": "table.xlsx"}, "suffix '.xlsx'; known are .csv"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path, change, message):
    with pytest.raises(ProblemFileError, match=message):
        prepare([table(tmp_path, row(), **change)], STATIONS)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row("z")], "nothing is left of 1 rows: 1 are of unknown stations"),
        ([row().replace("2020-01-01T00:00", "1577836800")], "got numbers such as 1577836800, expected times such as"),
    ],
)
def test_tables_without_anything_to_keep(tmp_path, rows, message):
    with pytest.raises(ProblemFileError, match=message):
        prepare([table(tmp_path, *rows)], STATIONS)


@pytest.mark.parametrize(("hours", "message"), [(5, "a divisor of 24"), (1, "a row every 2 h; ask for that")])
def test_hours_that_do_not_fit(tmp_path, hours, message):
    path = table(tmp_path, *(row(hour=h) for h in range(0, 24, 2)))
    with pytest.raises(SpecificationError, match=message):
        prepare([path], STATIONS, Preparation(hours=hours))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('sation = "a"', "item 'sation': unknown; expected station, time"),
        ("station = 3", "station: got 3, expected the name of a column"),
        ('time = ["year", "month"]', "expected the columns of year, month, day and hour"),
        ("[factors]\nwind = 2", "factors.wind: no such variable"),
        ("[pollutants]\nCO = 1", "NAME = column in quotes"),
    ],
)
def test_columns_that_cannot_be_read(tmp_path, text, message):
    (tmp_path / "columns.toml").write_text(text)
    with pytest.raises(ProblemFileError, match=message):
        read_columns(tmp_path / "columns.toml")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    import pandas as pd

    def absent(path):
        raise ImportError("pyarrow")

    monkeypatch.setattr(pd, "read_parquet", absent)
    (tmp_path / "table.parquet").write_bytes(b"")
    with pytest.raises(ProblemFileError, match="pip install"):
        prepare([tmp_path / "table.parquet"], STATIONS)


def test_beijing_is_one_choice_of_columns():
    assert BEIJING.scalars["wind_speed"] == "WSPM"
    assert Columns().scalars["wind_speed"] == "wind_speed"
