"""Shared half of the small bases: combinations by way of the matrix of each derivative."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Points

from ._basis import Basis, Orders


class MatrixBasis(Basis):
    """Abstract: `combine` from `operate`, for bases with few functions."""

    def combine(
        self, points: Points, coefficients: Float[Tensor, "size k"], orders: Sequence[Orders]
    ) -> Float[Tensor, "orders n k"]:
        one = torch.ones(len(points), dtype=points.dtype)
        return torch.stack([self.operate(points, {alpha: one}) @ coefficients for alpha in orders])
