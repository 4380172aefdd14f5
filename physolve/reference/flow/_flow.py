"""An incompressible flow: the space, the viscosity, and the velocities that are known on the boundary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from ...errors import SpecificationError
from .._triangulation import Floats, Ints
from ._taylor_hood import TaylorHood

Velocity = Callable[[Floats, float], Floats]
"""(k, 2) velocities at points (k, 2) and a time."""


def at_rest(points: Floats, t: float) -> Floats:
    """No slip."""
    return np.zeros_like(points)


@dataclass(frozen=True, eq=False)
class Flow:
    """u_t + (u . grad) u + grad p = viscosity laplace(u), div u = 0, the density one.

    velocities: label of a boundary part to the velocity on it; where two meet the later one holds. On other
    parts the flow is free: viscosity du/dn = p n. Where there is none of these the pressure is fixed to zero at
    the first vertex.

    Raises SpecificationError for a viscosity that is not positive and a label that the boundary does not have.
    """

    space: TaylorHood
    viscosity: float
    velocities: Mapping[int, Velocity]

    def __post_init__(self) -> None:
        if not 0 < self.viscosity < np.inf:
            raise SpecificationError(f"viscosity: got {self.viscosity}, expected a positive number")
        labels = np.unique(self.space.space.labels).tolist()
        for label in self.velocities:
            if label not in labels:
                raise SpecificationError(f"velocities: no boundary part has the label {label}; there are {labels}")

    def nodes_of(self, label: int) -> Ints:
        """Velocity nodes on a boundary part."""
        return np.unique(self.space.space.dofs_of(label))

    @cached_property
    def known(self) -> Ints:
        """(k,) velocity nodes whose velocity is known, sorted."""
        return np.unique(np.concatenate([self.nodes_of(label) for label in self.velocities]))

    @cached_property
    def is_enclosed(self) -> bool:
        """Whether the velocity is known all around, and the pressure only but for a constant."""
        return set(np.unique(self.space.space.labels).tolist()) <= set(self.velocities)

    @cached_property
    def known_rows(self) -> Ints:
        """(2 k,) of the known velocities in a vector (2 n + m,) of all velocities and pressures."""
        return np.concatenate([self.known, self.known + len(self.space.points)])

    @cached_property
    def unknown_rows(self) -> Ints:
        """The others, sorted."""
        n, m = len(self.space.points), len(self.space.vertices)
        fixed = np.append(self.known_rows, 2 * n) if self.is_enclosed else self.known_rows
        return np.setdiff1d(np.arange(2 * n + m), fixed)

    def boundary_values(self, t: float) -> Float[np.ndarray, "2 k"]:
        """Velocities at the known nodes."""
        values = np.zeros((2, len(self.known)))
        for label, velocity in self.velocities.items():
            nodes = self.nodes_of(label)
            values[:, np.searchsorted(self.known, nodes)] = velocity(self.space.points[nodes], t).T
        return values
