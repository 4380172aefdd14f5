"""Corner and hole functions: real and imaginary parts of z^lambda and z^lambda log z about a point of the plane."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Points

from ._basis import Operator, Orders
from ._matrix_basis import MatrixBasis


@dataclass(frozen=True, eq=False)
class ComplexPowers(MatrixBasis):
    """Re and Im of z^a (log z)^m, z = (x - cx + i (y - cy)) e^(-i cut) / radius, over `exponents` (rows a, m).

    They are harmonic, so at a corner of opening omega they hold the singular functions r^(k pi / omega) sin(k pi
    theta / omega) of the Laplacian (Grisvard 1985), and about a hole the multipoles r^-k cos(k theta) and log r.
    The branch cut of z leaves the centre in the direction `cut` + pi; put it outside the domain.
    `real_only` leaves the imaginary parts away: about a hole the branch cut of Im log z would lie in the domain.
    Any derivative is exact: d/dx = d/dz, d/dy = i d/dz, and d/dz (z^a log z) = a z^(a-1) log z + z^(a-1).
    """

    center: tuple[float, float]
    cut: float
    radius: float
    exponents: Float[Tensor, "count 2"]
    real_only: bool = False

    @property
    def size(self) -> int:
        return self.exponents.shape[0] * (1 if self.real_only else 2)

    @property
    def dim(self) -> int:
        return 2

    def operate(self, points: Points, operator: Operator) -> Float[Tensor, "n size"]:
        rotation = torch.exp(torch.tensor(-1j * self.cut, dtype=torch.complex128)) / self.radius
        x, y = points[:, 0] - self.center[0], points[:, 1] - self.center[1]
        z = torch.complex(x, y) * rotation
        # A point on the centre itself has no derivative there: move it by a rounding error.
        z = torch.where(z.abs() < 1e-14, torch.full_like(z, 1e-14), z)
        log = z.log()
        powers = self.exponents[:, 0].to(torch.complex128)
        logs = self.exponents[:, 1].to(torch.complex128)
        total = torch.zeros(len(points), self.exponents.shape[0], dtype=torch.complex128)
        for alpha, coefficient in operator.items():
            total += coefficient[:, None] * self._derivative(log, powers, logs, alpha, rotation)
        return total.real if self.real_only else torch.cat([total.real, total.imag], 1)

    @staticmethod
    def _derivative(log: Tensor, a: Tensor, m: Tensor, alpha: Orders, rotation: Tensor) -> Tensor:
        """d^alpha of p z^a log z + q z^a, starting from (p, q) = (m, 1 - m)."""
        p, q = m, 1 - m
        for step in range(sum(alpha)):
            p, q = (a - step) * p, (a - step) * q + p
        shifted = torch.exp(log[:, None] * (a - sum(alpha)))
        factor = rotation ** sum(alpha) * (1j) ** alpha[1]
        return factor * shifted * (p * log[:, None] + q)

    def tensors(self) -> dict[str, Tensor]:
        return {"exponents": self.exponents}

    def config(self) -> dict[str, Any]:
        return {
            "kind": "powers",
            "center": list(self.center),
            "cut": self.cut,
            "radius": self.radius,
            "real_only": self.real_only,
        }
