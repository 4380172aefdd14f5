"""A basis that may jump: one part for each region of the domain, zero outside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from physolve._typing import Points

from ._basis import Basis, Operator, Orders


@dataclass(frozen=True, eq=False)
class Regional(Basis):
    """`parts[r]` counts at the points x with `region(x) == r`. On an interface, where one-sided values are wanted,
    the caller moves the point a rounding error to the side it means."""

    parts: tuple[Basis, ...]
    region: Callable[[Points], Int[Tensor, " n"]]

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    @property
    def dim(self) -> int:
        return self.parts[0].dim

    def operate(self, points: Points, operator: Operator) -> Float[Tensor, "n size"]:
        total = torch.zeros(len(points), self.size, dtype=points.dtype)
        for here, columns, part in self._shares(points):
            local = {alpha: coefficient[here] for alpha, coefficient in operator.items()}
            total[here, columns] = part.operate(points[here], local)
        return total

    def combine(
        self, points: Points, coefficients: Float[Tensor, "size k"], orders: Sequence[Orders]
    ) -> Float[Tensor, "orders n k"]:
        total = torch.zeros(len(orders), len(points), coefficients.shape[1], dtype=points.dtype)
        for here, columns, part in self._shares(points):
            total[:, here] = part.combine(points[here], coefficients[columns], orders)
        return total

    def _shares(self, points: Points) -> list[tuple[Tensor, slice, Basis]]:
        region, start, shares = self.region(points), 0, []
        for r, part in enumerate(self.parts):
            here = (region == r).nonzero()[:, 0]
            if len(here):
                shares.append((here, slice(start, start + part.size), part))
            start += part.size
        return shares

    def tensors(self) -> dict[str, Tensor]:
        return {f"{i}.{k}": v for i, part in enumerate(self.parts) for k, v in part.tensors().items()}

    def config(self) -> dict[str, Any]:
        return {"kind": "regional", "parts": [part.config() for part in self.parts]}
