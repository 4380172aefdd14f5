"""Localised features: tanh features under Gaussian windows."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Points

from ._basis import Operator, Orders, monomials, sub_orders
from ._matrix_basis import MatrixBasis
from ._tanh_features import tanh_derivative


@dataclass(frozen=True, eq=False)
class WindowedFeatures(MatrixBasis):
    """phi_j(x) = tanh(w_j . (x - c_j)  + b_j) exp(-|(x - c_j) / h_j|^2 / 2), `widths` h (size, dim)."""

    centers: Float[Tensor, "size dim"]
    widths: Float[Tensor, "size dim"]
    slopes: Float[Tensor, "size dim"]
    biases: Float[Tensor, " size"]

    @property
    def size(self) -> int:
        return self.centers.shape[0]

    @property
    def dim(self) -> int:
        return self.centers.shape[1]

    def operate(self, points: Points, operator: Operator) -> Float[Tensor, "n size"]:
        s = torch.tanh(points @ self.slopes.T + (self.biases - (self.slopes * self.centers).sum(1)))
        top = max(sum(alpha) for alpha in operator)
        tanh = [tanh_derivative(s, k) for k in range(top + 1)]
        hermite = [self._hermite(points[:, k], k, max(a[k] for a in operator)) for k in range(self.dim)]
        window = math.prod(table[0] for table in hermite)
        total = torch.zeros_like(s)
        for alpha, coefficient in operator.items():
            total += coefficient[:, None] * self._leibniz(alpha, tanh, hermite)
        return total * window

    def _leibniz(self, alpha: Orders, tanh: list[Tensor], hermite: list[list[Tensor]]) -> Tensor:
        total = torch.zeros_like(tanh[0])
        for beta, factor in sub_orders(alpha):
            rest = [a - b for a, b in zip(alpha, beta, strict=True)]
            term = factor * monomials(self.slopes, beta) * tanh[sum(beta)]
            for k, order in enumerate(rest):
                if order:
                    term = term * hermite[k][order]
            total += term
        return total

    def _hermite(self, x: Tensor, k: int, top: int) -> list[Tensor]:
        """[g, g'/g, g''/g, ...] of g = exp(-((x - c) / h)^2 / 2): (-1/h)^q He_q((x - c) / h)."""
        h = self.widths[:, k]
        y = (x[:, None] - self.centers[:, k]) / h
        he = [torch.ones_like(y), y]
        for q in range(1, top):
            he.append(y * he[q] - q * he[q - 1])
        return [torch.exp(-0.5 * y * y), *[he[q] * (-1 / h) ** q for q in range(1, top + 1)]]

    def tensors(self) -> dict[str, Tensor]:
        return {"centers": self.centers, "widths": self.widths, "slopes": self.slopes, "biases": self.biases}

    def config(self) -> dict[str, Any]:
        return {"kind": "windows"}
