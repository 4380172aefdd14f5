"""Marching in time: backward differences of second order, convection extrapolated, one factorisation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from ...errors import NumericalError, SpecificationError
from ._flow import Flow
from ._saddle import Saddle, pair


@dataclass(frozen=True, eq=False)
class Level:
    """The flow at an instant, with what the next step needs of the one before.

    velocity (2, n), pressure (m,), reaction (2, k) at the known nodes (zero at the start), convection (2, n).
    """

    time: float
    velocity: Float[np.ndarray, "2 n"]
    pressure: Float[np.ndarray, " m"]
    reaction: Float[np.ndarray, "2 k"]
    convection: Float[np.ndarray, "2 n"]
    before: tuple[Float[np.ndarray, "2 n"], Float[np.ndarray, "2 n"]] | None = None
    """Velocity and convection one step earlier; None at the start."""


@dataclass(frozen=True, eq=False)
class Stepper:
    """(3 u1 - 4 u0 + u_) / (2 dt) + 2 c(u0) - c(u_) + grad p1 = viscosity laplace(u1), div u1 = 0, of second order.

    Velocity and pressure are solved for together, so nothing is split and no pressure condition is made up. The first
    step is one of the Euler method. As convection is explicit dt is limited: about dt |u| < 0.3 of an edge.

    A flow that is faster than `speed_limit` is held to have blown up.

    Raises SpecificationError for a time step that is not positive.
    """

    flow: Flow
    dt: float
    speed_limit: float = np.inf

    def __post_init__(self) -> None:
        if not 0 < self.dt < np.inf:
            raise SpecificationError(f"dt: got {self.dt}, expected a positive number")

    def start(self, time: float = 0.0, velocity: Float[np.ndarray, "2 n"] | None = None) -> Level:
        """The flow at the start: the velocity given, or the Stokes flow of the boundary values at that time."""
        space = self.flow.space
        values, nothing = self.flow.boundary_values(time), np.zeros((2, len(space.points)))
        pressure = np.zeros(len(space.vertices))
        if velocity is None:
            velocity, pressure = Saddle(self.flow, pair(self.flow.viscosity * space.stiffness)).solve(nothing, values)
        return Level(time, velocity, pressure, np.zeros_like(values), space.convection(velocity))

    def step(self, level: Level) -> Level:
        """One step on.

        Raises NumericalError where the flow blows up.
        """
        mass, dt = self.flow.space.mass, self.dt
        if level.before is None:
            system, momentum, convection = self._euler, level.velocity / dt, level.convection
        else:
            system = self._bdf2
            momentum = (4 * level.velocity - level.before[0]) / (2 * dt)
            convection = 2 * level.convection - level.before[1]
        time = level.time + dt
        load = np.ascontiguousarray((mass @ momentum.T).T) - convection
        values = self.flow.boundary_values(time)
        velocity, pressure = system.solve(load, values)
        self._check(time, velocity)
        reaction = system.reaction(load, velocity, pressure)
        latest = (level.velocity, level.convection)
        return Level(time, velocity, pressure, reaction, self.flow.space.convection(velocity), latest)

    def _check(self, time: float, velocity: Float[np.ndarray, "2 n"]) -> None:
        fastest = float(np.abs(velocity).max())
        if not (np.isfinite(fastest) and fastest <= self.speed_limit):
            raise NumericalError(
                f"flow: blows up at t = {time:g} with a velocity of {fastest:.1e}: the time step {self.dt:g} is too long"
                " for the mesh, or the mesh too coarse for the viscosity"
            )

    @cached_property
    def _bdf2(self) -> Saddle:
        return self._system(1.5 / self.dt)

    @cached_property
    def _euler(self) -> Saddle:
        return self._system(1.0 / self.dt)

    def _system(self, rate: float) -> Saddle:
        space = self.flow.space
        return Saddle(self.flow, pair(rate * space.mass + self.flow.viscosity * space.stiffness))

