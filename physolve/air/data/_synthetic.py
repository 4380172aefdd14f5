"""Measurements that we make ourselves: a known equation sampled at stations."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from physolve.errors import SpecificationError
from physolve.spec import Problem

from ..operators import KM_PER_DEGREE
from ._basin import Basin
from ._series import WEATHER, AirSeries
from ._stations import Stations

CALM_WEATHER = (15.0, 1013.0, 5.0)
"""Temperature, pressure and dew point where the equation knows of none: constant."""

START = np.datetime64("2001-01-01T00:00:00", "s")


@dataclass(frozen=True)
class Sampling:
    """Where and when an equation in km and hours is sampled.

    stations     columns and rows: one station in every cell of a regular grid
    jitter       how far from the cell's middle, as a share of the cell
    hours        between samples
    spin_up      hours that are left out at the beginning
    modes, tol   of the Fourier reference
    seed         of the places
    """

    stations: tuple[int, int] = (6, 5)
    jitter: float = 0.15
    hours: float = 3.0
    spin_up: float = 240.0
    modes: int = 12
    tol: float = 1e-4
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.stations) < 1 or not 0 <= self.jitter < 0.5 or not self.hours > 0 or not self.spin_up >= 0:
            raise SpecificationError(
                f"sampling: got {self}; expected stations from 1 x 1, a jitter from 0 to 0.5, positive hours, spin-up"
                " from 0"
            )


def generate(problem: Problem, sampling: Sampling | None = None) -> AirSeries:
    """The concentration of a closed basin (see `Basin`) and its wind at stations, at instants, without noise.

    `problem` is in km, hours and micrograms per cubic metre, with its corner (0, 0) at longitude and latitude 0, x to
    the east and y to the north: at the equator distances on the sphere are those of the plane to 2e-4.
    Raises UnsupportedError and SpecificationError as `Basin.solve`, SpecificationError for a spin-up that leaves none.
    """
    how = sampling or Sampling()
    basin = Basin.solve(problem, how.modes, how.tol)
    start, end = basin.span
    hours = np.arange(start + how.spin_up, end + 1e-9, how.hours)
    if not len(hours):
        raise SpecificationError(f"sampling: the spin-up of {how.spin_up:g} h leaves nothing of {end - start:g} h")
    points = places(basin.size, how)
    wind = basin.wind(points, hours) / 3.6  # km/h to m/s
    calm = np.broadcast_to(CALM_WEATHER, (*wind.shape[:2], len(CALM_WEATHER)))
    return AirSeries(
        stations=_stations(points),
        times=START + np.round(3600 * (hours - hours[0])).astype("timedelta64[s]"),
        step=how.hours,
        pollutants=("PM2.5",),
        values=basin.concentration(points, hours)[..., None].astype(np.float32),
        weather=np.concatenate([calm, wind], -1).astype(np.float32),
        weather_names=WEATHER,
    )


def places(size: tuple[float, float], sampling: Sampling) -> Float[ndarray, "n 2"]:
    """One point in every cell of a grid over the rectangle from (0, 0) to `size`."""
    cells = np.stack(np.meshgrid(*map(np.arange, sampling.stations), indexing="ij"), -1).reshape(-1, 2)
    shift = np.random.default_rng(sampling.seed).uniform(-sampling.jitter, sampling.jitter, cells.shape)
    return (cells + 0.5 + shift) / sampling.stations * size


def _stations(points: Float[ndarray, "n 2"]) -> Stations:
    names = tuple(f"s{k:02d}" for k in range(len(points)))
    return Stations(names, latitude=points[:, 1] / KM_PER_DEGREE, longitude=points[:, 0] / KM_PER_DEGREE)
