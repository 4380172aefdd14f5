"""Wind: where it comes FROM, as the weather services write it, and the vector TO which the air moves."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

POINTS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
"""Of the compass, clockwise, 22.5 degrees apart."""

_DEGREES = {name: 22.5 * k for k, name in enumerate(POINTS)}


def degrees_from(texts: Sequence[object]) -> Float[ndarray, " n"]:
    """Directions in degrees clockwise from north, 0 to 360, of compass points such as "NNW" or numbers of degrees.

    NaN for everything else: nothing, words, degrees below 0 or above 360.
    """
    known: dict[object, float] = {}
    for text in texts:
        if text not in known:
            known[text] = _one(str(text).strip().upper())
    return np.array([known[text] for text in texts], dtype=float)


def _one(word: str) -> float:
    if word in _DEGREES:
        return _DEGREES[word]
    try:
        degrees = float(word)
    except ValueError:
        return np.nan
    return degrees if 0 <= degrees <= 360 else np.nan


def wind_vector(speed: Float[ndarray, "*n"], degrees: Float[ndarray, "*n"]) -> Float[ndarray, "*n 2"]:
    """East and north components of the air's motion: wind FROM the north (0 degrees) blows to the south (0, -speed).

    The vector is 0 in a calm, whatever its direction, and NaN where speed or direction are missing otherwise.
    """
    angle = np.deg2rad(degrees)
    moving = -speed[..., None] * np.stack([np.sin(angle), np.cos(angle)], -1)
    return np.where(speed[..., None] == 0, 0.0, moving)
