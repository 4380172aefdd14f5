"""Monomials up to a total degree, in coordinates scaled to the box."""

import itertools
import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Points

from ._basis import Operator
from ._matrix_basis import MatrixBasis


@dataclass(frozen=True, eq=False)
class Polynomials(MatrixBasis):
    """x^beta for |beta| <= degree, with x scaled so that the box from `lower` to `upper` becomes [-1, 1]^dim."""

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    degree: int

    @property
    def powers(self) -> list[tuple[int, ...]]:
        ranges = itertools.product(range(self.degree + 1), repeat=self.dim)
        return [beta for beta in ranges if sum(beta) <= self.degree]

    @property
    def size(self) -> int:
        return math.comb(self.degree + self.dim, self.dim)

    @property
    def dim(self) -> int:
        return len(self.lower)

    def operate(self, points: Points, operator: Operator) -> Float[Tensor, "n size"]:
        lower, upper = torch.tensor([self.lower, self.upper], dtype=points.dtype)
        half = (upper - lower) / 2
        x = (points - (lower + upper) / 2) / half
        total = torch.zeros(len(points), self.size, dtype=points.dtype)
        for alpha, coefficient in operator.items():
            scale = float(torch.prod(half ** -torch.tensor(alpha, dtype=points.dtype)))
            for j, beta in enumerate(self.powers):
                if all(a <= b for a, b in zip(alpha, beta, strict=True)):
                    factor = math.prod(math.perm(b, a) for a, b in zip(alpha, beta, strict=True))
                    rest = torch.tensor([b - a for a, b in zip(alpha, beta, strict=True)])
                    total[:, j] += coefficient * (scale * factor) * torch.prod(x**rest, 1)
        return total

    def tensors(self) -> dict[str, Tensor]:
        return {}

    def config(self) -> dict[str, Any]:
        return {"kind": "polynomials", "lower": self.lower, "upper": self.upper, "degree": self.degree}
