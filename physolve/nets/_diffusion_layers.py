"""Layers that diffuse into a domain from where initial and boundary values disagree: repeated integrals of erfc."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column, Points

from ._basis import Operator
from ._matrix_basis import MatrixBasis

FIRST_INSTANT = 1e-30
"""Least s = 4 kappa (t - t0), relative to the square of the distance: there, layers are steps. At the corner itself s
is this times itself: values there are those at `place`; derivatives, as large as 1e57, mean nothing."""


class Front(NamedTuple):
    """The end `place` of the interval of a coordinate, from which something diffuses at `diffusivity` from the time
    `start` on. `side` is +1 where the interval lies at x > place, -1 where it lies at x < place; `axis` is that
    coordinate's number."""

    place: float
    side: float
    start: float
    diffusivity: float
    axis: int = 0

    def columns(self, points: Points) -> Points:
        """The coordinate and time, of points that have more; time comes last."""
        return points[:, [self.axis, -1]]

    def variables(self, points: Points) -> tuple[Column, Column]:
        """Distance from the place, and s = 4 kappa (t - start), at points of the coordinate and time."""
        away = (self.side * (points[:, 0] - self.place)).clamp_min(0)
        s = 4 * self.diffusivity * (points[:, 1] - self.start)
        return away, torch.maximum(s, FIRST_INSTANT * away.square().clamp_min(FIRST_INSTANT))


@dataclass(frozen=True, eq=False)
class DiffusionLayers(MatrixBasis):
    """F_n(x, t) = s^(n/2) i^n erfc(z), n = 0 ... count - 1, with s = 4 kappa (t - start), z = |x - place| / sqrt(s).

    They solve u_t = kappa u_xx with F_n = 0 at the start; at `place`, F_n grows like (t - start)^(n/2): F_0 has a jump
    between its initial and its boundary value, F_1 between slopes, F_2 between rates (Carslaw and Jaeger 1959, section
    2.4 and appendix II).

    Every derivative is one of them again: dF_n/dx = -side F_(n-1), dF_n/dt = kappa F_(n-2), where i^(-1-k) erfc(z) =
    2/sqrt(pi) H_k(z) exp(-z^2) with Hermite's polynomials. They have no limit at the corner (place, start): what is
    returned there is finite, but says nothing.
    """

    front: Front
    count: int

    @property
    def size(self) -> int:
        return self.count

    @property
    def dim(self) -> int:
        return 2

    def operate(self, points: Points, operator: Operator) -> Float[Tensor, "n size"]:
        lowest = max(a + 2 * b for a, b in operator)
        table = self._table(points, lowest)
        total = points.new_zeros(len(points), self.count)
        for (a, b), coefficient in operator.items():
            first = lowest - a - 2 * b
            factor = coefficient * ((-self.front.side) ** a * self.front.diffusivity**b)
            total += factor[:, None] * table[:, first : first + self.count]
        return total

    def _table(self, points: Points, lowest: int) -> Float[Tensor, "n entries"]:
        """F_n for n = -lowest ... count - 1."""
        away, s = self.front.variables(points)
        z = away / s.sqrt()
        integrals = _integrals(z, lowest, self.count)
        return torch.stack([s ** (n / 2) * f for n, f in enumerate(integrals, -lowest)], 1)

    def tensors(self) -> dict[str, Tensor]:
        return {}

    def config(self) -> dict[str, Any]:
        return {"kind": "diffusion layers", "front": self.front._asdict(), "count": self.count}


def _integrals(z: Column, lowest: int, count: int) -> list[Column]:
    """i^n erfc(z) for n = -lowest ... count - 1."""
    bell = 2 / math.sqrt(math.pi) * torch.exp(-z.square())
    hermite = [torch.ones_like(z), 2 * z]
    for k in range(1, lowest):
        hermite.append(2 * z * hermite[k] - 2 * k * hermite[k - 1])
    before = [bell * h for h in hermite[: max(lowest, 1)]]  # of n = -1, -2, ...
    found = [before[0], torch.special.erfc(z)]
    for n in range(1, count):
        found.append((found[-2] - 2 * z * found[-1]) / (2 * n))
    return [*reversed(before[:lowest]), *found[1:]]
