"""Wind through the faces of cells from a stream function, for winds without divergence behind a closed rim.

A wind w = (psi_y, -psi_x) has no divergence, and carries psi(B) - psi(A) through any line from A to B, to its right. So
the flows through a cell's faces add up to nothing, exactly, and psi = 0 on the rim lets nothing through there. psi is
the smooth function that has the stations' winds and is zero at the rim's corners,

    psi(x) = sum_r alpha_r phi(x - x_r) + sum_s beta_s . (d_y, -d_x) phi(x - x_s) + a quadratic,      phi(d) = |d|^5,

the polyharmonic spline whose second derivatives, which winds are interpolated with, are smooth themselves (Hermite-
Birkhoff interpolation: Wendland, Scattered Data Approximation, 2005, section 16.2). |d|^3 bends winds at stations:
5.4 % off at the faces of data/air's basin, where |d|^5 is 0.6 % off and the mean of both ends, rid of its divergence
by the gradient that removes it, 5.5 %.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ._graph import StationGraph

SAME = 6
"""Digits, of the region's size, that tell corners of the rim from each other."""

_TURN = np.array([[0.0, 1.0], [-1.0, 0.0]])
"""(d_y, -d_x) = _TURN (d_x, d_y)."""


def stream_speeds(graph: StationGraph) -> Float[Tensor, "pairs n 2"]:
    """The matrix from winds at stations, m/s, to the wind along the first edge of every pair, a mean over its face."""
    position, ends, rim = (part.double().numpy() for part in (graph.position, graph.ends[::2], graph.wall_ends))
    size = np.ptp(rim.reshape(-1, 2), axis=0).max()
    rim, stations = _different(rim.reshape(-1, 2) / size), position / size
    system = np.vstack([_stream(rim, rim, stations), _winds(stations, rim, stations), _side(rim, stations)])
    known = np.zeros((len(system), 2 * len(stations)))
    known[len(rim) : len(rim) + known.shape[1]] = np.eye(known.shape[1])
    psi = _stream(ends.reshape(-1, 2) / size, rim, stations) @ np.linalg.solve(system, known)
    begin, end = size * np.moveaxis(psi.reshape(graph.pairs, 2, len(stations), 2), 1, 0)
    return torch.tensor((end - begin) / graph.face[::2, None, None].double().numpy(), dtype=graph.face.dtype)


Points = Float[np.ndarray, "m 2"]


def _different(points: Points) -> Points:
    return points[np.unique(np.round(points, SAME), axis=0, return_index=True)[1]]


def _stream(at: Points, rim: Points, stations: Points) -> Float[np.ndarray, "m unknowns"]:
    """psi of every unknown: alpha, beta (east and north of a station next to each other), the quadratic."""
    of_winds = -_gradient(at[:, None] - stations) @ _TURN.T  # by the second argument
    return np.hstack([_phi(at[:, None] - rim), of_winds.reshape(len(at), -1), _quadratic(at)])


def _winds(at: Points, rim: Points, stations: Points) -> Float[np.ndarray, "m2 unknowns"]:
    """Winds of every unknown, east and north of a point below each other."""
    of_rim = (_gradient(at[:, None] - rim) @ _TURN.T).swapaxes(1, 2)
    of_winds = -(_TURN @ _hessian(at[:, None] - stations) @ _TURN.T).swapaxes(1, 2)
    of_quadratic = _TURN @ _quadratic_gradient(at)
    return np.concatenate([of_rim, of_winds.reshape(len(at), 2, -1), of_quadratic], axis=2).reshape(2 * len(at), -1)


def _side(rim: Points, stations: Points) -> Float[np.ndarray, "6 unknowns"]:
    """What makes the unknowns as many as the conditions: the splines see no quadratic."""
    of_winds = (_TURN @ _quadratic_gradient(stations)).reshape(2 * len(stations), -1)
    quadratic = np.vstack([_quadratic(rim), of_winds])
    return np.hstack([quadratic.T, np.zeros((quadratic.shape[1],) * 2)])


def _phi(d: Float[np.ndarray, "m k 2"]) -> Float[np.ndarray, "m k"]:
    return np.linalg.norm(d, axis=-1) ** 5


def _gradient(d: Float[np.ndarray, "m k 2"]) -> Float[np.ndarray, "m k 2"]:
    return 5 * np.linalg.norm(d, axis=-1, keepdims=True) ** 3 * d


def _hessian(d: Float[np.ndarray, "m k 2"]) -> Float[np.ndarray, "m k 2 2"]:
    r = np.linalg.norm(d, axis=-1)[..., None, None]
    return 5 * r**3 * np.eye(2) + 15 * r * d[..., :, None] * d[..., None, :]


def _quadratic(at: Points) -> Float[np.ndarray, "m 6"]:
    x, y = at.T
    return np.stack([np.ones(len(at)), x, y, x * x, x * y, y * y], axis=1)


def _quadratic_gradient(at: Points) -> Float[np.ndarray, "m 2 6"]:
    x, y = at.T
    zero, one = np.zeros(len(at)), np.ones(len(at))
    return np.stack([np.stack([zero, one, zero, 2 * x, y, zero], 1), np.stack([zero, zero, one, zero, x, 2 * y], 1)], 1)
