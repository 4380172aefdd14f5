"""Chebyshev polynomials on an interval: well conditioned to any degree, and their last coefficients tell the error."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Points

from ._basis import Operator
from ._matrix_basis import MatrixBasis


@dataclass(frozen=True, eq=False)
class Chebyshev(MatrixBasis):
    """T_0 ... T_degree in one coordinate, scaled so that the interval from `lower` to `upper` becomes [-1, 1]."""

    lower: float
    upper: float
    degree: int

    @property
    def size(self) -> int:
        return self.degree + 1

    @property
    def dim(self) -> int:
        return 1

    def operate(self, points: Points, operator: Operator) -> Float[Tensor, "n size"]:
        half = (self.upper - self.lower) / 2
        x = (points[:, 0].numpy() - (self.lower + self.upper) / 2) / half
        values = torch.from_numpy(np.polynomial.chebyshev.chebvander(x, self.degree))
        total = torch.zeros_like(values)
        for (order,), coefficient in operator.items():
            total += coefficient[:, None] * (values @ _derivatives(self.degree, order)) * half**-order
        return total

    def tensors(self) -> dict[str, Tensor]:
        return {}

    def config(self) -> dict[str, Any]:
        return {"kind": "chebyshev", "lower": self.lower, "upper": self.upper, "degree": self.degree}


@lru_cache(maxsize=64)
def _derivatives(degree: int, order: int) -> Float[Tensor, "size size"]:
    """Column k: the coefficients of the derivative of this order of T_k."""
    series = (
        np.polynomial.chebyshev.chebder(np.eye(degree + 1), order) if order <= degree else np.zeros((0, degree + 1))
    )
    padded = np.zeros((degree + 1, degree + 1))
    padded[: len(series)] = series
    return torch.from_numpy(padded)
