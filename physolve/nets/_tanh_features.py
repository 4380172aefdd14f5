"""Random tanh features: phi_j(x) = tanh(w_j . x + b_j) with w, b drawn once and kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Points
from physolve.errors import UnsupportedError

from ._basis import Basis, Operator, Orders, monomials

# Derivatives of tanh as polynomials in s = tanh(z), lowest power first: d/dz p(s) = p'(s) (1 - s^2).
TANH_DERIVATIVES: tuple[tuple[float, ...], ...] = (
    (0, 1),
    (1, 0, -1),
    (0, -2, 0, 2),
    (-2, 0, 8, 0, -6),
    (0, 16, 0, -40, 0, 24),
)


def tanh_derivative(s: Tensor, order: int) -> Tensor:
    """The order-th derivative of tanh where tanh has the value s (Horner). Raises UnsupportedError above the fourth."""
    if order >= len(TANH_DERIVATIVES):
        raise UnsupportedError(f"random features: got a derivative of order {order}, expected one of 0 to 4")
    polynomial = TANH_DERIVATIVES[order]
    value = torch.full_like(s, polynomial[-1])
    for c in reversed(polynomial[:-1]):
        value.mul_(s)
        if c:
            value.add_(c)
    return value


@dataclass(frozen=True, eq=False)
class TanhFeatures(Basis):
    """`weights` (size, dim) and `biases` (size,), float64."""

    weights: Float[Tensor, "size dim"]
    biases: Float[Tensor, " size"]

    @property
    def size(self) -> int:
        return self.weights.shape[0]

    @property
    def dim(self) -> int:
        return self.weights.shape[1]

    @classmethod
    def draw(
        cls,
        size: int,
        lower: Float[Tensor, " dim"],
        upper: Float[Tensor, " dim"],
        scale: float | Float[Tensor, " dim"],
        generator: torch.Generator,
    ) -> "TanhFeatures":
        """Slopes uniform in [-scale, scale] per half width of the box (a scale for each coordinate, or one for all),
        centres (zeros of the argument) uniform in the box, so that every feature bends somewhere inside."""
        half = (upper - lower) / 2
        slopes = (2 * torch.rand(size, len(half), generator=generator, dtype=torch.float64) - 1) * scale / half
        share = torch.rand(size, len(half), generator=generator, dtype=torch.float64)
        return cls.through(lower + share * (upper - lower), slopes)

    @classmethod
    def through(cls, centers: Float[Tensor, "size dim"], slopes: Float[Tensor, "size dim"]) -> "TanhFeatures":
        """tanh(slope . (x - centre))."""
        return cls(slopes, -(slopes * centers).sum(1))

    def operate(self, points: Points, operator: Operator) -> Float[Tensor, "n size"]:
        s = torch.tanh(torch.addmm(self.biases, points, self.weights.T))
        result: Tensor | None = None
        for order in sorted({sum(alpha) for alpha in operator}):
            alphas = [alpha for alpha in operator if sum(alpha) == order]
            # sum over |alpha| = k of coefficient(x) w^alpha is one thin matrix product; tanh^(k) is shared.
            coefficient = torch.stack([operator[alpha] for alpha in alphas], 1)
            symbol = torch.stack([monomials(self.weights, alpha) for alpha in alphas], 0)
            term = (coefficient @ symbol).mul_(tanh_derivative(s, order))
            result = term if result is None else result.add_(term)
        return torch.zeros(len(points), self.size, dtype=points.dtype) if result is None else result

    def combine(
        self, points: Points, coefficients: Float[Tensor, "size k"], orders: Sequence[Orders]
    ) -> Float[Tensor, "orders n k"]:
        s = torch.tanh(torch.addmm(self.biases, points, self.weights.T))
        slopes = {order: tanh_derivative(s, order) for order in {sum(alpha) for alpha in orders}}
        return torch.stack(
            [slopes[sum(alpha)] @ (monomials(self.weights, alpha)[:, None] * coefficients) for alpha in orders]
        )

    def tensors(self) -> dict[str, Tensor]:
        return {"weights": self.weights, "biases": self.biases}

    def config(self) -> dict[str, Any]:
        return {"kind": "tanh"}
