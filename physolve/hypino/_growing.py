"""Least squares in columns that come block by block: an orthogonal factor grows, so that no block is factored twice.

    min |A a - b|^2 + ridge sum_j (s_j a_j)^2,   s_j the length of column j

is |[A / s; sqrt(ridge) I] s a - [b; 0]|. With the factor Q R of the columns so far a block B is

    B = Q S + Q_B R_B,   S = Q^T B,   Q_B R_B the factor of B - Q S

and because rounding leaves a share of Q in Q_B where little of B is new, Q_B is projected and factored once more (block
Gram-Schmidt with reorthogonalisation, Barlow and Smoktunowicz 2013): then Q is orthogonal to rounding as long as the
condition number, here at most ridge^(-1/2), is below 1e16. For ten blocks of 128 columns after a first one, and 3,000
rows, a QR of all columns after each block takes three times the operations, and slower ones.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


class GrowingLeastSquares:
    """A batch of least-squares problems, at first without columns."""

    def __init__(self, right: Float[Tensor, "batch rows"], ridge: float) -> None:
        self.rows, self._damping = right.shape[1], math.sqrt(ridge)
        self._q = right.new_zeros(*right.shape, 0)
        self._r = right.new_zeros(len(right), 0, 0)
        self._known = self._lengths = right.new_zeros(len(right), 0)
        self._left = right

    def append(self, columns: Float[Tensor, "batch rows more"]) -> None:
        """Take more columns in."""
        lengths = columns.norm(dim=1).clamp_min(1e-300)
        onto, q, r = self._factored(columns / lengths[:, None])
        known = (q.mT @ self._left.unsqueeze(-1)).squeeze(-1)
        self._left = self._left - (q @ known.unsqueeze(-1)).squeeze(-1)
        self._q = torch.cat([self._q, q], 2)
        below = torch.cat([torch.zeros_like(onto.mT), r], 2)
        self._r = torch.cat([torch.cat([self._r, onto], 2), below], 1)
        self._known, self._lengths = torch.cat([self._known, known], 1), torch.cat([self._lengths, lengths], 1)

    def solve(self) -> Float[Tensor, "batch columns"]:
        """The minimiser."""
        found = torch.linalg.solve_triangular(self._r, self._known.unsqueeze(-1), upper=True)
        return found.squeeze(-1) / self._lengths

    def _factored(self, columns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """S, Q_B and R_B of columns of length one, whose rows of the damping are added here, to all tensors."""
        more = columns.shape[2]
        self._q, self._left = _with_more_rows(self._q, more), _with_more_rows(self._left[..., None], more)[..., 0]
        block = _with_more_rows(columns, self._q.shape[1] - self.rows)
        block[:, -more:].diagonal(dim1=1, dim2=2).fill_(self._damping)
        onto, q, r = _projected(self._q, block)
        again, q, inner = _projected(self._q, q)
        return onto + again @ r, q, inner @ r


def _projected(q: Tensor, block: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Q^T B, and the factor of what is left of B."""
    onto = q.mT @ block
    return onto, *torch.linalg.qr(torch.baddbmm(block, q, onto, alpha=-1))


def _with_more_rows(matrix: Float[Tensor, "batch rows columns"], count: int) -> Float[Tensor, "batch more columns"]:
    """Zeros below."""
    return torch.cat([matrix, matrix.new_zeros(len(matrix), count, matrix.shape[2])], 1)
