"""Distances, bearings and a local plane on the Earth taken as a sphere."""

import numpy as np
from jaxtyping import Float

EARTH_RADIUS = 6_371_008.8
"""Mean radius, m (IUGG)."""

KM_PER_DEGREE = EARTH_RADIUS * np.pi / 180e3
"""Along a meridian, and along the equator."""

Degrees = Float[np.ndarray, "*shape"]


def haversine(latitude: Degrees, longitude: Degrees, to_latitude: Degrees, to_longitude: Degrees) -> Degrees:
    """Great-circle distance in metres, exact to rounding for near points as well; arguments broadcast."""
    a, b = np.radians(latitude), np.radians(to_latitude)
    half = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(np.radians(to_longitude - longitude) / 2) ** 2
    return 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(half, 1)))


def bearing(latitude: Degrees, longitude: Degrees, to_latitude: Degrees, to_longitude: Degrees) -> Degrees:
    """Direction in which the great circle leaves the first point, radians clockwise from north, in [0, 2 pi)."""
    a, b, turn = np.radians(latitude), np.radians(to_latitude), np.radians(to_longitude - longitude)
    east = np.sin(turn) * np.cos(b)
    north = np.cos(a) * np.sin(b) - np.sin(a) * np.cos(b) * np.cos(turn)
    return np.arctan2(east, north) % (2 * np.pi)


def middle_of(latitude: Float[np.ndarray, " n"], longitude: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """Latitude and longitude of the middle of the points' extent, on both sides of the date line too."""
    away = (longitude - longitude[0] + 180) % 360 - 180
    middle = longitude[0] + (away.min() + away.max()) / 2
    return float(latitude.min() + latitude.max()) / 2, float((middle + 180) % 360 - 180)


def local_plane(
    latitude: Float[np.ndarray, " n"], longitude: Float[np.ndarray, " n"], middle: tuple[float, float] | None = None
) -> Float[np.ndarray, "n 2"]:
    """Metres east and north of a middle, by default the points': distance and bearing from there are the sphere's.

    Distances between the points are too long by less than (extent / EARTH_RADIUS)^2 / 6: 2e-5 for 70 km.
    """
    middle_latitude, middle_longitude = (np.array(x) for x in middle or middle_of(latitude, longitude))
    distance, angle = (
        haversine(middle_latitude, middle_longitude, latitude, longitude),
        bearing(middle_latitude, middle_longitude, latitude, longitude),
    )
    return np.stack([distance * np.sin(angle), distance * np.cos(angle)], axis=1)
