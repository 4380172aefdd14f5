"""Marching in time: backward differences of second order, transported by the extrapolated velocity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sparse
from jaxtyping import Float

from ...errors import NumericalError, SpecificationError
from .._triangulation import Floats
from ._flow import Flow
from ._iteration import iterated
from ._oseen import Oseen
from ._saddle import Factor, pair, saddle, solved

_STALE = 4  # corrections; a new factorisation costs about thirty, and brings back one or two a step
_LIMIT = 40


@dataclass(frozen=True, eq=False)
class Level:
    """The flow at an instant, with what the next step needs.

    velocity (2, n), pressure (m,), reaction (2, k): the force that holds the fluid at the known nodes, which a start
    does not know.
    """

    time: float
    velocity: Float[np.ndarray, "2 n"]
    pressure: Float[np.ndarray, " m"]
    reaction: Float[np.ndarray, "2 k"]
    before: Level | None = None
    """One step earlier, with what is needed of the one before it; None at a start."""
    factor: Factor | None = None
    """Of the system some steps earlier, if it still serves."""


@dataclass(frozen=True, eq=False)
class Stepper:
    """(3 u1 - 4 u0 + u_) / (2 dt) + (w . grad) u1 + grad p1 = viscosity laplace(u1), div u1 = 0, w = 2 u0 - u_.

    Of second order, and stable for any dt: the transport by w neither makes nor takes energy inside. Velocity and
    pressure are solved for together: nothing is split, no pressure condition is made up, and the discrete divergence
    is zero to rounding. The system changes with w, its factorisation does not: it preconditions the iteration until
    that takes too long. (Tried: explicit convection, for which one factorisation does: it blows up where dt |u| is a
    fifth of an edge.) The first step is one of Euler's method.

    Raises SpecificationError for a time step or a tolerance that is not positive.
    """

    flow: Flow
    dt: float
    rtol: float = 1e-8
    """Of the residual of a step, in its load."""

    def __post_init__(self) -> None:
        for name in ("dt", "rtol"):
            if not 0 < getattr(self, name) < np.inf:
                raise SpecificationError(f"{name}: got {getattr(self, name)}, expected a positive number")

    def start(self, time: float = 0.0, velocity: Float[np.ndarray, "2 n"] | None = None) -> Level:
        """The flow at the start: the velocity given, or the Stokes flow of the boundary values at that time."""
        space, values = self.flow.space, self.flow.boundary_values(time)
        n, m = len(space.points), len(space.vertices)
        if velocity is not None:
            return Level(time, velocity, np.zeros(m), np.zeros_like(values))
        stokes = saddle(self.flow, pair(self.flow.viscosity * space.stiffness))
        x = solved(self.flow, stokes, np.zeros(2 * n + m), values)
        return Level(time, x[: 2 * n].reshape(2, n), x[2 * n :], np.zeros_like(values))

    def step(self, level: Level) -> Level:
        """One step on.

        Raises NumericalError where the flow blows up.
        """
        u0, p0 = level.velocity, level.pressure
        if level.before is None:
            still, past, wind, guess = self._euler, u0 / self.dt, u0, (u0, p0)
        else:
            u_ = level.before.velocity
            still, past, wind, guess = (
                self._bdf2,
                (4 * u0 - u_) / (2 * self.dt),
                2 * u0 - u_,
                _guess(level, level.before),
            )
        system = Oseen(self.flow, still, wind)
        load = np.concatenate([(self.flow.space.mass @ past.T).T.ravel(), np.zeros_like(p0)])
        x = np.concatenate([guess[0].ravel(), guess[1]])
        x[self.flow.known_rows] = self.flow.boundary_values(level.time + self.dt).ravel()
        x, factor = self._solved(system, level, load, x)
        n2, known = 2 * u0.shape[1], self.flow.known_rows
        reaction = (system.apply(x) - load)[known].reshape(2, -1)
        recent = replace(level, before=level.before and replace(level.before, before=None), factor=None)
        return Level(level.time + self.dt, x[:n2].reshape(2, -1), x[n2:], reaction, recent, factor)

    def _solved(self, system: Oseen, level: Level, load: Floats, x: Floats) -> tuple[Floats, Factor | None]:
        """The solution, and the factorisation to go on with; one that no longer serves is replaced."""
        tol = self.rtol * float(np.linalg.norm(system.free(load - system.apply(x - system.free(x)))))
        residual = system.free(load - system.apply(x))
        for factor in (level.factor, None):
            if factor is None:
                factor = system.factorised()
            found, corrections = iterated(system.apply_free, factor.correct, x, residual, tol, _LIMIT)
            if corrections <= _LIMIT:
                return found, factor if corrections <= _STALE else None
        raise NumericalError(
            f"flow: blows up at t = {level.time + self.dt:g}, from a velocity of {np.abs(level.velocity).max():.1e};"
            f" take a shorter time step than {self.dt:g}, or a finer mesh"
        )

    @cached_property
    def _bdf2(self) -> sparse.csr_matrix:
        return self._without_transport(1.5 / self.dt)

    @cached_property
    def _euler(self) -> sparse.csr_matrix:
        return self._without_transport(1 / self.dt)

    def _without_transport(self, rate: float) -> sparse.csr_matrix:
        space = self.flow.space
        return saddle(self.flow, pair(rate * space.mass + self.flow.viscosity * space.stiffness))


def _guess(level: Level, one: Level) -> tuple[Floats, Floats]:
    """The next velocity and pressure, extrapolated: a quadratic through three levels saves an iteration in five."""
    two = one.before
    if two is None:
        return 2 * level.velocity - one.velocity, 2 * level.pressure - one.pressure
    return (
        3 * (level.velocity - one.velocity) + two.velocity,
        3 * (level.pressure - one.pressure) + two.pressure,
    )
