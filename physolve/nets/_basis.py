"""A basis: finitely many functions of the coordinates whose partial derivatives are known in closed form."""

import abc
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column, Points

Orders: TypeAlias = tuple[int, ...]
"""Multi-index of a partial derivative: orders[k] derivatives along coordinate k."""

Operator: TypeAlias = Mapping[Orders, Column]
"""Linear differential operator at given points: sum over alpha of coefficient_alpha(x) d^alpha."""


class Basis(abc.ABC):
    """Functions phi_1 ... phi_size on R^dim; every array is float64."""

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """Number of functions."""

    @property
    @abc.abstractmethod
    def dim(self) -> int:
        """Number of coordinates."""

    @abc.abstractmethod
    def operate(self, points: Points, operator: Operator) -> Float[Tensor, "n size"]:
        """Values of (L phi_j)(x_i) for L = sum_alpha operator[alpha] d^alpha."""

    @abc.abstractmethod
    def combine(
        self, points: Points, coefficients: Float[Tensor, "size k"], orders: Sequence[Orders]
    ) -> Float[Tensor, "orders n k"]:
        """Derivatives d^alpha of the k combinations sum_j coefficients[j, :] phi_j, without the n x size matrix
        of every alpha where the basis can avoid it."""

    @abc.abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """Arrays that define the basis, for saving."""

    @abc.abstractmethod
    def config(self) -> dict[str, Any]:
        """JSON-able rest of the definition; `kind` names the class."""


def monomials(directions: Float[Tensor, "size dim"], orders: Orders) -> Float[Tensor, " size"]:
    """w^alpha = prod_k w_k^alpha_k for every row w."""
    product = torch.ones(directions.shape[0], dtype=directions.dtype)
    for k, power in enumerate(orders):
        if power:
            product = product * directions[:, k] ** power
    return product


def sub_orders(orders: Orders) -> list[tuple[Orders, float]]:
    """Every beta <= alpha with its Leibniz factor binomial(alpha, beta)."""
    found: list[tuple[Orders, float]] = [((), 1.0)]
    for power in orders:
        found = [((*beta, q), c * math.comb(power, q)) for beta, c in found for q in range(power + 1)]
    return found
