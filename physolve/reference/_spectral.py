"""Reference solutions of periodic problems in time: Fourier series in space, an adaptive Runge-Kutta method in time.

Pseudo-spectral (Canuto, Hussaini, Quarteroni, Zang: Spectral Methods, 2006): derivatives of the series, products on a
grid fine enough that those of two factors do not alias. Constant convection and dispersion are exact, being a rotation
of each mode's phase; a diffusive factor is not taken out, because its inverse overflows over long times.
"""

import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ..errors import SpecificationError
from ..spec import Problem
from ._evolution import evolution_of
from ._integration import Run, integrated

FIRST, GROWTH = 8, 1.5
LARGEST = (2048, 128, 24)
"""Modes per axis, by dimension."""


@dataclass(frozen=True)
class SpectralLevel:
    """One resolution: modes per axis, share of the last ones up to where the run ended or was given up (see
    `SpectralSolution.tail`), evaluations of the right-hand side, seconds so far."""

    modes: int
    tail: float
    evaluations: int
    seconds: float


@dataclass(frozen=True, eq=False)
class SpectralSolution:
    """A Fourier series in space with coefficients that depend on time.

    Attributes:
        problem: what was solved.
        modes: largest wave number kept along every axis, in waves per length of the domain.
        tail: how large the last modes are: root mean square of the last tenth (and the square of that of the upper
        half; and what the initial data hold beyond) relative to the largest unknown, at the worst time step. While the
        spectrum decays fast the error is no larger; a front that is too thin for the modes shows here.
        converged: whether `tail` met the tolerance.
        history: the resolutions tried.
    """

    problem: Problem
    modes: int
    tail: float
    converged: bool
    history: tuple[SpectralLevel, ...] = dataclasses.field(repr=False)
    run: Run = dataclasses.field(repr=False)

    def __call__(self, points: Float[ndarray, "n dim"]) -> Float[ndarray, "n components"]:
        """The unknowns at points (n, dim), time last; continued periodically in space, NaN at times not computed."""
        points, dim = np.asarray(points, dtype=np.float64), len(self.problem.coordinates)
        if points.ndim != 2 or points.shape[1] != dim:
            raise SpecificationError(f"points: got shape {points.shape}, expected (n, {dim})")
        return self.run(points)

    @property
    def seconds(self) -> float:
        """What it took."""
        return self.history[-1].seconds


def solve_spectral(
    problem: Problem, modes: int | None = None, tol: float = 1e-8, *, largest: int | None = None
) -> SpectralSolution:
    """Solves a problem that is periodic along every axis of space and of first order in time for every unknown.

    One to three space dimensions, systems, any derivatives in space, nonlinear, coefficients that depend on the
    coordinates. Each equation must hold the time derivative of one unknown, with a factor free of the unknowns.

    - `modes`: largest wave number along every axis; by default from 8 up, half as many again each time, until the last
      ones are below `tol` or there are `largest` (by default 2048, 128 or 24 in one, two and three dimensions).
    - `tol`: of the last modes relative to the solution; a step in time is a thousand times as accurate.

    A solution that stays unresolved is returned with `converged` False. Raises UnsupportedError with the reason for
    other problems, NumericalError where the solution is not finite or needs more time steps than memory can hold.
    """
    begun = time.perf_counter()
    evolution = evolution_of(problem)
    *coarser, last = _resolutions(len(evolution.lengths), modes, largest)
    history: list[SpectralLevel] = []

    def run_with(count: int) -> Run:
        run = integrated(evolution, count, tol, give_up=count != last)
        history.append(SpectralLevel(count, run.tail, run.evaluations, time.perf_counter() - begun))
        return run

    run = next((run for run in map(run_with, coarser) if run.complete), None) or run_with(last)
    return SpectralSolution(problem, history[-1].modes, run.tail, run.tail <= tol, tuple(history), run)


def _resolutions(dim: int, modes: int | None, largest: int | None) -> Iterator[int]:
    """Numbers of modes to be tried."""
    most = LARGEST[dim - 1] if largest is None else largest
    for name, value in (("modes", modes), ("largest", most)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise SpecificationError(f"spectral reference: {name} must be a positive whole number, got {value!r}")
    if modes is not None:
        yield modes
        return
    count = FIRST
    while count < most:
        yield count
        count = round(GROWTH * count)
    yield most
