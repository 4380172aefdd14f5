"""What lies between stations: an interpolated field, where it ends, and flows from one to another."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray


def interpolated(
    places: Float[ndarray, "n 2"], values: Float[ndarray, " n"], at: Float[ndarray, "m 2"]
) -> Float[ndarray, " m"]:
    """Values between stations by the radial basis -r: exact at the stations, hardly any overshoot, cut to the range of
    the values. A guess for the eye, not a model. NaN values are left out."""
    from scipy.interpolate import RBFInterpolator

    known = np.isfinite(values)
    if not known.any():
        return np.full(len(at), np.nan)
    if known.sum() < 3:
        return np.full(len(at), values[known].mean())
    field = RBFInterpolator(places[known], values[known], kernel="linear", degree=0)(at)
    return np.clip(field, values[known].min(), values[known].max())


def net_fluxes(
    edges: Int[ndarray, "2 E"], fluxes: Float[ndarray, " E"]
) -> tuple[Int[ndarray, "2 pairs"], Float[ndarray, " pairs"]]:
    """Every pair once, in the direction in which more flows: edges that go there and back are taken together."""
    forth = edges[0] < edges[1]
    pairs, place = np.unique(np.sort(edges, axis=0), axis=1, return_inverse=True)
    net = np.zeros(pairs.shape[1])
    np.add.at(net, place.reshape(-1), np.where(forth, fluxes, -fluxes))
    return np.where(net < 0, pairs[::-1], pairs), np.abs(net)


def beyond(places: Float[ndarray, "n 2"], points: Float[ndarray, "m 2"]) -> Float[ndarray, " m"]:
    """How far points are outside the stations' convex hull: 0 inside."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        corners = places[ConvexHull(places).vertices]
    except QhullError:  # all stations on a line
        corners = places[np.lexsort(places.T)][[0, -1]]
    steps = np.roll(corners, -1, axis=0) - corners
    offset = points[:, None] - corners
    along = np.clip((offset * steps).sum(-1) / np.maximum((steps**2).sum(-1), 1e-300), 0, 1)
    distance = np.linalg.norm(offset - along[..., None] * steps, axis=-1).min(1)
    inside = (steps[:, 0] * offset[..., 1] - steps[:, 1] * offset[..., 0] >= 0).all(1) & (len(corners) > 2)
    return np.where(inside, 0.0, distance)
