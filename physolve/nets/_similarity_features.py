"""Features of a similarity variable: what diffuses from the end of an interval, whatever the equation makes of it."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Points

from ._basis import Operator
from ._diffusion_layers import Front
from ._matrix_basis import MatrixBasis
from ._tanh_features import tanh_derivative


@dataclass(frozen=True, eq=False)
class SimilarityFeatures(MatrixBasis):
    """phi_j = tanh(w_j z + v_j sqrt(s) + b_j), z = |x - place| / sqrt(s), s = 4 kappa (t - start).

    Near a jump between an initial and a boundary value solutions are series f_0(z) + sqrt(s) f_1(z) + ..., of
    functions that erfc and its integrals are for u_t = kappa u_xx, and others for other equations. Derivatives have no
    limit at the corner (place, start): what is returned there is finite, but says nothing.
    """

    front: Front
    slopes: Float[Tensor, " size"]
    rates: Float[Tensor, " size"]
    biases: Float[Tensor, " size"]

    @property
    def size(self) -> int:
        return len(self.slopes)

    @property
    def dim(self) -> int:
        return 2

    def operate(self, points: Points, operator: Operator) -> Float[Tensor, "n size"]:
        away, s = (column[:, None] for column in self.front.variables(points))
        value = torch.tanh(self.slopes * away / s.sqrt() + self.rates * s.sqrt() + self.biases)
        tanh = [tanh_derivative(value, k) for k in range(max(a + b for a, b in operator) + 1)]
        most = max(b for _, b in operator)
        inner = [self._inner(away, s, k) for k in range(1, most + 1)]
        bell = _bell(inner)
        total = torch.zeros_like(value)
        for (a, b), coefficient in operator.items():
            factor = coefficient[:, None] * (self.front.side * self.slopes) ** a * (4 * self.front.diffusivity) ** b
            total += factor * sum(
                math.comb(b, q) * _power(s, -a / 2, b - q) * sum(tanh[a + m] * bell[q][m] for m in range(q + 1))
                for q in range(b + 1)
            )
        return total

    def _inner(self, away: Tensor, s: Tensor, order: int) -> Tensor:
        """The derivative in s of what tanh is of."""
        return self.slopes * away * _power(s, -0.5, order) + self.rates * _power(s, 0.5, order)

    def tensors(self) -> dict[str, Tensor]:
        return {"slopes": self.slopes, "rates": self.rates, "biases": self.biases}

    def config(self) -> dict[str, Any]:
        return {"kind": "similarity features", "front": self.front._asdict()}


def _power(s: Tensor, exponent: float, order: int) -> Tensor:
    """The derivative of s^exponent."""
    return math.prod(exponent - k for k in range(order)) * s ** (exponent - order)


def _bell(inner: list[Tensor]) -> list[list[Tensor | float]]:
    """Bell polynomials B[q][m] of the derivatives of an inner function: d^q f(g) = sum over m of f^(m)(g) B[q][m]."""
    table: list[list[Tensor | float]] = [[1.0]]
    for q in range(1, len(inner) + 1):
        row: list[Tensor | float] = [0.0]
        for m in range(1, q + 1):
            terms = [math.comb(q - 1, i - 1) * inner[i - 1] * table[q - i][m - 1] for i in range(1, q - m + 2)]
            row.append(sum(terms[1:], terms[0]))
        table.append(row)
    return table
