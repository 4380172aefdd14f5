"""One resolution of the spectral reference: the coefficients of the kept modes integrated in time."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float
from numpy import ndarray
from scipy.integrate import DOP853, OdeSolution

from .._typing import PointArray
from ..errors import NumericalError
from ._evolution import Evolution
from ._fourier import FINEST, Fourier
from ._turning import Turning

MEMORY = 1.5e9
"""Bytes that the steps of one run may fill: they are kept for evaluation at any time."""

STABLE = 4.0
"""Largest step times the strongest damping. The method is stable up to 6, but close to that the polynomials between
the steps are a thousand times less accurate than the steps, and steps are rejected: 4 takes fewer evaluations."""

CHUNK = 2_000_000
"""Coefficients evaluated at once."""


@dataclass(frozen=True, eq=False)
class Run:
    """Coefficients at all times, between the steps by polynomials of degree 7; `path` is None for a run given up.

    `tail` as in `SpectralSolution`, `evaluations` of the right-hand side, `complete` where the end was reached."""

    turning: Turning
    path: OdeSolution | None
    tail: float
    evaluations: int

    @property
    def complete(self) -> bool:
        return self.path is not None

    def __call__(self, points: PointArray) -> Float[ndarray, "n components"]:
        """Values at points (n, dim), time last; NaN at times outside. Many points at few times are the fastest."""
        start, end = self.turning.evolution.start, self.turning.evolution.end
        values = np.full((len(points), self.turning.shape[0]), np.nan)
        known = np.flatnonzero(np.abs(points[:, -1] - (start + end) / 2) <= (0.5 + 1e-9) * (end - start))
        order = known[np.argsort(points[known, -1], kind="stable")]
        times, first = np.unique(np.clip(points[order, -1], start, end), return_index=True)
        groups = np.split(order, first[1:])
        room = max(1, CHUNK // int(np.prod(self.turning.shape)))
        for k in range(0, len(times), room):
            series = self.coefficients(times[k : k + room])
            for here, each in zip(groups[k : k + room], series, strict=True):
                values[here] = self.turning.fourier.at(each, points[here, :-1])
        return values

    def coefficients(self, times: Float[ndarray, " m"]) -> Complex[ndarray, "m components *kept"]:
        """Those of the series at some times."""
        assert self.path is not None
        return self.path(times).T.reshape(-1, *self.turning.shape) * self.turning.turn(times)


def integrated(evolution: Evolution, modes: int, tol: float, give_up: bool) -> Run:
    """From the initial data to the end; with `give_up` only up to where the tail exceeds `tol`.

    Raises NumericalError where values are not finite, or where the steps do not fit into memory."""
    turning = Turning(evolution, Fourier(evolution.lower, evolution.lengths, modes))
    start, tail = _start(turning)
    size = max(float(turning.fourier.size_of(start).max()), 1e-300)
    rtol = max(1e-3 * tol, 1e-13)
    accuracy = {"rtol": rtol, "atol": rtol * size / np.sqrt(start.size)}
    longest = STABLE / max(-float(turning.growth.min()), STABLE / (evolution.end - evolution.start))
    solver = DOP853(turning, evolution.start, start.ravel(), evolution.end, max_step=longest, **accuracy)
    steps, pieces = [evolution.start], []
    while solver.status == "running" and not (give_up and tail > tol):
        failure = solver.step()
        if failure or not np.isfinite(solver.y).all():
            raise NumericalError(f"{_where(solver.t, modes)}: {failure or 'the values are not finite'}")
        steps.append(solver.t)
        pieces.append(solver.dense_output())
        tail = max(tail, _tail(turning, solver.y))
        if 8 * start.nbytes * len(pieces) > MEMORY:
            raise NumericalError(
                f"{_where(solver.t, modes)}: the time steps fill more than {MEMORY / 1e9:g} GB, because the problem is "
                "stiff or its front unresolved; give fewer modes or a shorter time"
            )
    complete = solver.status == "finished" and not (give_up and tail > tol)
    return Run(turning, OdeSolution(steps, pieces) if complete else None, tail, solver.nfev)


def _start(turning: Turning) -> tuple[Complex[ndarray, "components *kept"], float]:
    """Initial coefficients, and the size of what they leave out relative to the largest unknown."""
    evolution, fourier = turning.evolution, turning.fourier
    grid = fourier.grid(max(fourier.size, FINEST[fourier.dim - 1]))
    values = np.stack(evolution.initial(*grid, evolution.start))
    if not np.isfinite(values).all():
        raise NumericalError("spectral reference: the initial values are not finite everywhere")
    size = float(np.sqrt((values**2).mean(axis=tuple(range(1, values.ndim)))).max())
    return fourier.coefficients(values), fourier.beyond(values) / max(size, 1e-300)


def _tail(turning: Turning, state: Complex[ndarray, " size"]) -> float:
    """Size of the last modes relative to the largest unknown; turning makes no difference.

    The last tenth, or the square of the upper half if that is more: a wave that repeats itself within the box has modes
    at multiples of one number only, perhaps none in the last tenth, but always one in the upper half; and where a
    spectrum has fallen to r at half of the modes, it falls to about r^2 at all of them."""
    fourier, coefficients = turning.fourier, state.reshape(turning.shape)
    size = max(float(fourier.size_of(coefficients).max()), 1e-300)
    tenth, half = (float(fourier.size_of(band * coefficients).max()) / size for band in turning.bands)
    return max(tenth, half**2)


def _where(t: float, modes: int) -> str:
    return f"spectral reference: at t = {t:.3g} with {modes} modes"
