"""Small tables of measurements, clean or not."""

from pathlib import Path

import numpy as np

from physolve.air.data import Stations

HEADER = "station,time,PM2.5,temperature,pressure,dew_point,wind_direction,wind_speed"
STATIONS = Stations(("a", "b"), np.array([40.0, 40.5]), np.array([116.0, 116.5]))


def row(station="a", hour=0, pm="10", temperature="5", direction="N", speed="2", day=1):
    return f"{station},2020-01-{day:02d}T{hour:02d}:00,{pm},{temperature},1013,-3,{direction},{speed}"


def table(folder: Path, *rows: str, header: str = HEADER, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def day_of(station: str, **given) -> list[str]:
    """24 rows, one an hour, PM2.5 being the hour."""
    return [row(station, hour, **{"pm": str(hour), **given}) for hour in range(24)]


def made_series(steps=40, n=3, seed=0, gaps=0.2):
    """Random numbers with gaps."""
    from physolve.air.data import AirSeries

    rng = np.random.default_rng(seed)
    values, weather = (rng.normal(5, 2, (steps, n, k)).astype(np.float32) for k in (2, 5))
    for array in (values, weather):
        array[rng.random(array.shape) < gaps] = np.nan
    times = np.datetime64("2020-01-01T00", "s") + np.arange(steps) * np.timedelta64(3, "h")
    stations = Stations(tuple("abcdefgh"[:n]), np.linspace(40, 41, n), np.linspace(116, 117, n))
    return AirSeries(stations, times, 3.0, ("PM2.5", "O3"), values, weather)
