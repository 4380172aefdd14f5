"""Dense least squares in bounded memory: a triangular factor accumulated block by block."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from physolve.errors import NumericalError


@dataclass(frozen=True, eq=False)
class LeastSquaresSolution:
    """`coefficients` (columns, k) and the norm (k,) of what is left of every right side."""

    coefficients: Float[Tensor, "columns k"]
    remainder: Float[Tensor, " k"]


BLOCK_NUMBERS = 150_000_000
"""Numbers in a block of rows: 1.2 GB in float64."""


class TriangularFactor:
    """R of the QR factorisation of all rows fed so far, with the right sides as its last columns.

    Householder QR keeps the condition number of the matrix where normal equations square it, and random features
    are conditioned like 1e14. Blocks are gathered until they fill `block_rows`, then folded into R, so that the
    peak is (columns + block_rows) x columns numbers whatever the number of rows: 100,000 rows of 10,000 columns
    peak at about 9 GB (tests/solve/test_least_squares.py measures it), where the matrix and its factor take 16.
    """

    def __init__(self, columns: int, right_sides: int = 1, block_rows: int | None = None) -> None:
        self.columns = columns
        self.right_sides = right_sides
        self.block_rows = block_rows or max(columns, 2_000, min(4 * columns, BLOCK_NUMBERS // columns))
        self.rows = 0
        self._pending: list[Tensor] = []
        self._height = 0

    def add(self, matrix: Float[Tensor, "m columns"], right: Float[Tensor, "m k"]) -> None:
        """Feed rows."""
        for part, b in zip(matrix.split(self.block_rows), right.split(self.block_rows), strict=True):
            if self._height and self._height + len(part) > self.block_rows:
                self._fold()
            self._pending.append(torch.cat([part, b], 1))
            self._height += len(part)
        self.rows += len(matrix)

    def solve(self, ridge: float) -> LeastSquaresSolution:
        """Minimise sum of squares + (ridge |column|)^2 for every coefficient.

        `ridge` near the rounding unit picks the small coefficients among the many that fit equally well.
        Raises NumericalError where the rows hold NaN or infinity.
        """
        norms = torch.stack([part[:, : self.columns].square().sum(0) for part in self._pending]).sum(0).sqrt()
        norms = torch.where(norms > 0, norms, torch.ones_like(norms))
        damping = torch.zeros(self.columns, self.columns + self.right_sides, dtype=torch.float64)
        damping.diagonal()[:] = ridge * norms
        self._pending.append(damping)
        self._fold()
        factor = self._pending[0]
        if not torch.isfinite(factor).all():
            raise NumericalError(
                "least squares: the rows hold NaN or infinity; likely causes: a coefficient or source is singular "
                "at a point of the domain, or Newton's iteration diverged"
            )
        triangle, right = factor[: self.columns, : self.columns], factor[:, self.columns :]
        # Solve in columns of unit length: otherwise the smallest ones lose their digits.
        scaled = torch.linalg.solve_triangular(triangle / norms, right[: self.columns], upper=True)
        return LeastSquaresSolution(scaled / norms[:, None], right[self.columns :].norm(dim=0))

    def _fold(self) -> None:
        stacked = torch.cat(self._pending)
        self._pending = [torch.linalg.qr(stacked, mode="r").R]
        self._height = 0


def least_squares(
    blocks: Iterable[tuple[Float[Tensor, "m columns"], Float[Tensor, "m k"]]],
    columns: int,
    ridge: float = 1e-15,
    block_rows: int | None = None,
) -> LeastSquaresSolution:
    """Minimise |A c - b| over rows that come in blocks (A, b), float64."""
    factor: TriangularFactor | None = None
    for matrix, right in blocks:
        right = right if right.ndim == 2 else right[:, None]
        factor = factor or TriangularFactor(columns, right.shape[1], block_rows)
        factor.add(matrix, right)
    if factor is None:
        raise NumericalError("least squares: there are no rows; the problem has neither equations nor conditions")
    return factor.solve(ridge)
