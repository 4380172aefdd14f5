"""Products of two bases, each of which knows some of the coordinates."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Points

from ._basis import Basis, Operator, Orders
from ._matrix_basis import MatrixBasis


class _Factor:
    """A basis of the coordinates `axes`, in the order it takes them, with what has been asked of it at these points."""

    def __init__(self, basis: Basis, axes: tuple[int, ...], points: Points) -> None:
        self.basis, self.axes, self.points = basis, axes, points[:, list(axes)]
        self._found: dict[Orders, Tensor] = {}

    def derivative(self, orders: Orders) -> Float[Tensor, "n size"]:
        """By all coordinates, of which others than its own have order 0."""
        own = tuple(orders[axis] for axis in self.axes)
        if own not in self._found:
            one = torch.ones(len(self.points), dtype=self.points.dtype)
            self._found[own] = self.basis.operate(self.points, {own: one})
        return self._found[own]


@dataclass(frozen=True, eq=False)
class Products(MatrixBasis):
    """f_i g_j for all functions f_i of `left` and g_j of `right`, bases of the coordinates `left_axes` and
    `right_axes`, which may share some. Every coordinate is one of theirs."""

    left: Basis
    left_axes: tuple[int, ...]
    right: Basis
    right_axes: tuple[int, ...]

    @property
    def size(self) -> int:
        return self.left.size * self.right.size

    @property
    def dim(self) -> int:
        return len({*self.left_axes, *self.right_axes})

    def operate(self, points: Points, operator: Operator) -> Float[Tensor, "n size"]:
        left, right = _Factor(self.left, self.left_axes, points), _Factor(self.right, self.right_axes, points)
        total = torch.zeros(len(points), self.left.size, self.right.size, dtype=points.dtype)
        for orders, coefficient in operator.items():
            for of_left, of_right, count in self._shares(orders):
                weighted = (count * coefficient)[:, None] * left.derivative(of_left)
                total += weighted[:, :, None] * right.derivative(of_right)[:, None, :]
        return total.flatten(1)

    def _shares(self, orders: Orders) -> Iterator[tuple[Orders, Orders, float]]:
        """Leibniz' rule: derivatives of the two factors, and how often each pair occurs."""
        choices = [
            range(k + 1) if axis in self.left_axes and axis in self.right_axes else [k if axis in self.left_axes else 0]
            for axis, k in enumerate(orders)
        ]
        for share in itertools.product(*choices):
            rest = tuple(k - s for k, s in zip(orders, share, strict=True))
            yield share, rest, math.prod(math.comb(k, s) for k, s in zip(orders, share, strict=True))

    def tensors(self) -> dict[str, Tensor]:
        sides = {"left": self.left, "right": self.right}
        return {f"{side}.{name}": t for side, basis in sides.items() for name, t in basis.tensors().items()}

    def config(self) -> dict[str, Any]:
        return {
            "kind": "products",
            "left": self.left.config(),
            "left_axes": self.left_axes,
            "right": self.right.config(),
            "right_axes": self.right_axes,
        }
