"""Bases made of bases: side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Points

from ._basis import Basis, Operator, Orders


@dataclass(frozen=True, eq=False)
class Concatenated(Basis):
    """The functions of several bases, one after the other."""

    parts: tuple[Basis, ...]

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    @property
    def dim(self) -> int:
        return self.parts[0].dim

    def operate(self, points: Points, operator: Operator) -> Float[Tensor, "n size"]:
        return torch.cat([part.operate(points, operator) for part in self.parts], 1)

    def combine(
        self, points: Points, coefficients: Float[Tensor, "size k"], orders: Sequence[Orders]
    ) -> Float[Tensor, "orders n k"]:
        shares = coefficients.split([part.size for part in self.parts])
        found = [part.combine(points, c, orders) for part, c in zip(self.parts, shares, strict=True)]
        return torch.stack(found).sum(0)

    def tensors(self) -> dict[str, Tensor]:
        return {f"{i}.{k}": v for i, part in enumerate(self.parts) for k, v in part.tensors().items()}

    def config(self) -> dict[str, Any]:
        return {"kind": "concatenated", "parts": [part.config() for part in self.parts]}
