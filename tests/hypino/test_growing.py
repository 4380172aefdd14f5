"""Least squares whose columns come block by block, against all columns at once."""

import pytest
import torch

from physolve.hypino._growing import GrowingLeastSquares

RIDGE = 1e-20


def nearly_dependent(blocks: int, digits: int) -> torch.Tensor:
    """Problems of `blocks` blocks of 6 columns; each differs from the first by 10^-digits, 10^-2 digits, ..."""
    generator = torch.Generator().manual_seed(0)

    def block(rows: int) -> torch.Tensor:
        return torch.randn(3, rows, 6, generator=generator, dtype=torch.float64)

    first = block(80)
    return torch.cat([first, *(first @ block(6) + 10.0 ** (-digits * k) * block(80) for k in range(1, blocks))], 2)


def grown(matrix: torch.Tensor, right: torch.Tensor) -> GrowingLeastSquares:
    found = GrowingLeastSquares(right, RIDGE)
    for block in matrix.split(6, 2):
        found.append(block)
    return found


def remainder_of_all(matrix: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """What the minimiser leaves, by a QR of all columns with the rows of the ridge."""
    damping = RIDGE**0.5 * torch.eye(18, dtype=torch.float64).expand(3, -1, -1)
    q, _ = torch.linalg.qr(torch.cat([matrix / matrix.norm(dim=1, keepdim=True), damping], 1))
    known = torch.cat([right, torch.zeros_like(right[:, :18])], 1)
    return (known - (q @ (q.mT @ known.unsqueeze(-1))).squeeze(-1))[:, :80]


@pytest.mark.parametrize("digits", [0, 2, 4])
def test_blocks_give_the_minimiser_of_all_columns(digits: int) -> None:
    matrix = nearly_dependent(3, digits)
    right = torch.randn(3, 80, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = grown(matrix, right)
    left = right - (matrix @ found.solve().unsqueeze(-1)).squeeze(-1)
    # The condition number is 10^(2 digits), and so much are roundings of 1e-16 worth in the plane of the columns.
    torch.testing.assert_close(left, remainder_of_all(matrix, right), rtol=0, atol=1e-14 * 100.0**digits)


def test_the_factor_stays_orthogonal_though_columns_repeat() -> None:
    matrix = nearly_dependent(2, 3)
    found = grown(torch.cat([matrix, matrix], 2), matrix[..., 0])
    q = found._q
    torch.testing.assert_close(q.mT @ q, torch.eye(24, dtype=torch.float64).expand(3, -1, -1), rtol=0, atol=1e-12)


def test_columns_that_repeat_share_their_coefficient() -> None:
    """The ridge decides what the rows leave open."""
    matrix = nearly_dependent(1, 0)
    found = grown(torch.cat([matrix, matrix], 2), 2 * matrix[..., 0]).solve()
    expected = torch.zeros(12, dtype=torch.float64)
    expected[[0, 6]] = 1.0
    # A part of 1e-10 of the rows decides: rounding 1e-16 over that.
    torch.testing.assert_close(found, expected.expand(3, -1), rtol=0, atol=1e-4)


def test_a_column_of_zeros_has_no_coefficient() -> None:
    matrix = torch.cat([nearly_dependent(1, 0), torch.zeros(3, 80, 6, dtype=torch.float64)], 2)
    found = grown(matrix, matrix[..., 0]).solve()
    assert found.isfinite().all()
    assert not found[:, 6:].any()
