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
        z, log, powers = self._powers(points)
        terms = [self._order(z, log, powers, k, c) for k, c in self._by_order(operator).items()]
        return self._parts(torch.stack(terms).sum(0))

    def combine(
        self, points: Points, coefficients: Float[Tensor, "size k"], orders: Sequence[Orders]
    ) -> Float[Tensor, "orders n k"]:
        z, log, powers = self._powers(points)
        one = torch.ones(len(points), dtype=points.dtype)
        rows = []
        for alpha in orders:
            ((order, factor),) = self._by_order({alpha: one}).items()
            rows.append(self._parts(self._order(z, log, powers, order, factor)) @ coefficients)
        return torch.stack(rows)

    @property
    def _rotation(self) -> Tensor:
        return torch.polar(
            torch.tensor(1 / self.radius, dtype=torch.float64), torch.tensor(-self.cut, dtype=torch.float64)
        )

    def _powers(self, points: Points) -> tuple[Tensor, Tensor, Tensor]:
        """z, log z and z^a for every exponent."""
        z = torch.complex(points[:, 0] - self.center[0], points[:, 1] - self.center[1]) * self._rotation
        # A point on the centre itself has no derivative there: move it by a rounding error.
        z = torch.where(z.abs() < 1e-14, torch.full_like(z, 1e-14), z)
        log = z.log()[:, None]
        modulus, angle = log.real * self.exponents[:, 0], log.imag * self.exponents[:, 0]
        return z[:, None], log, torch.polar(modulus.exp(), angle)

    def _by_order(self, operator: Operator) -> dict[int, Tensor]:
        """Sum over |alpha| = k of coefficient_alpha(x) i^alpha_y rotation^k, by k: all that tells d/dx from d/dy."""
        found: dict[int, Tensor] = {}
        for alpha, coefficient in operator.items():
            k = sum(alpha)
            term = coefficient * (self._rotation**k * 1j ** alpha[1])
            found[k] = found[k] + term if k in found else term
        return found

    def _order(self, z: Tensor, log: Tensor, powers: Tensor, order: int, coefficient: Tensor) -> Tensor:
        """coefficient(x) d^order/dz^order of z^a (log z)^m, from p z^a log z + q z^a with (p, q) = (m, 1 - m)."""
        a, m = self.exponents.unbind(1)
        p, q = m, 1 - m
        for step in range(order):
            p, q = (a - step) * p, (a - step) * q + p
        return (coefficient[:, None] * z**-order) * powers * (p * log + q)

    def _parts(self, values: Tensor) -> Float[Tensor, "n size"]:
        return values.real if self.real_only else torch.cat([values.real, values.imag], 1)

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
