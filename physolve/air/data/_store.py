"""A series on disk.

attributes      kind = "physolve air data", format_version, step (hours), pollutants, weather_names
stations/name   (n,) text;  stations/latitude, stations/longitude (n,) float64, degrees
times           (T,) int64, seconds since 1970-01-01T00:00 of the source's clock
values          (T, n, pollutants) float32, micrograms per cubic metre, NaN where missing
weather         (T, n, 5) float32, NaN where missing
"""

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from physolve.errors import ProblemFileError
from physolve.io import reading, replacing

from ._series import AirSeries
from ._stations import Stations

KIND = "physolve air data"
FORMAT_VERSION = 1


def write_series(path: str | PathLike[str], series: AirSeries) -> None:
    """Write an HDF5 file, whole or not at all. Raises ProblemFileError where it cannot be written."""
    import h5py

    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update(kind=KIND, format_version=FORMAT_VERSION, step=series.step)
        file.attrs["pollutants"] = list(series.pollutants)
        file.attrs["weather_names"] = list(series.weather_names)
        stations = file.create_group("stations")
        stations.create_dataset("name", data=list(series.stations.names), dtype=h5py.string_dtype())
        stations.create_dataset("latitude", data=series.stations.latitude)
        stations.create_dataset("longitude", data=series.stations.longitude)
        file.create_dataset("times", data=series.times.astype("datetime64[s]").astype(np.int64))
        for name in ("values", "weather"):
            values = getattr(series, name).astype(np.float32)
            file.create_dataset(name, data=values, compression="gzip" if values.size else None, shuffle=True)


def read_series(path: str | PathLike[str]) -> AirSeries:
    """What `write_series` wrote, equal to the last bit. Raises ProblemFileError for missing and foreign files."""
    return reading(path, "HDF5", _read)


def _read(path: Path) -> AirSeries:
    import h5py

    with h5py.File(path, "r") as file:
        _check(path, file)
        stations = file["stations"]
        return AirSeries(
            stations=Stations(tuple(stations["name"].asstr()[()]), stations["latitude"][()], stations["longitude"][()]),
            times=file["times"][()].astype("datetime64[s]"),
            step=float(file.attrs["step"]),
            pollutants=tuple(map(str, file.attrs["pollutants"])),
            values=file["values"][()],
            weather=file["weather"][()],
            weather_names=tuple(map(str, file.attrs["weather_names"])),
        )


def _check(path: Path, file: Any) -> None:
    if file.attrs.get("kind") != KIND:
        raise ProblemFileError(f"{path}: content: not a {KIND} file; make one with 'physolve air prepare'")
    if file.attrs["format_version"] != FORMAT_VERSION:
        got = file.attrs["format_version"]
        raise ProblemFileError(f"{path}: format_version: got {got}, expected {FORMAT_VERSION}; prepare it again")
