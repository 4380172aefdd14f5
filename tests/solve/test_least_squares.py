"""Dense least squares in blocks: against numpy, whatever the blocks, in bounded memory."""

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from physolve.errors import NumericalError
from physolve.solve._least_squares import TriangularFactor, least_squares

Block = tuple[torch.Tensor, torch.Tensor]


def system(rows: int, columns: int, right_sides: int = 1, condition: float = 1e3) -> Block:
    """A matrix with singular values from 1 to 1/condition, and right sides that it cannot meet."""
    generator = np.random.default_rng(rows + 1000 * columns)
    left, _ = np.linalg.qr(generator.standard_normal((rows, columns)))
    right, _ = np.linalg.qr(generator.standard_normal((columns, columns)))
    matrix = left * np.geomspace(1, 1 / condition, columns) @ right
    return torch.from_numpy(matrix), torch.from_numpy(generator.standard_normal((rows, right_sides)))


def in_blocks(matrix: torch.Tensor, right: torch.Tensor, sizes: list[int]) -> Iterator[Block]:
    return zip(matrix.split(sizes), right.split(sizes), strict=True)


@pytest.mark.parametrize("right_sides", [1, 3])
@pytest.mark.parametrize("condition", [1e1, 1e6])
def test_agrees_with_numpy(condition: float, right_sides: int) -> None:
    matrix, right = system(120, 30, right_sides, condition)
    expected, squares, *_ = np.linalg.lstsq(matrix.numpy(), right.numpy(), rcond=None)
    found = least_squares([(matrix, right)], 30)
    # Backward stability: the error is rounding times condition^2 at worst, the remainder much better.
    bound = 1e-15 * condition**2 + 1e-13 * condition
    np.testing.assert_allclose(found.coefficients, expected, atol=bound * np.abs(expected).max())
    np.testing.assert_allclose(found.remainder, np.sqrt(squares), rtol=1e-12)


@pytest.mark.parametrize("block_rows", [None, 1, 7, 30, 1000])
@pytest.mark.parametrize("sizes", [[90], [1] * 90, [1, 0, 40, 49], [80, 10]], ids=["one", "rows", "odd", "two"])
def test_blocks_do_not_matter(sizes: list[int], block_rows: int | None) -> None:
    matrix, right = system(90, 30)
    expected = least_squares([(matrix, right)], 30)
    found = least_squares(in_blocks(matrix, right, sizes), 30, block_rows=block_rows)
    torch.testing.assert_close(found.coefficients, expected.coefficients, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(found.remainder, expected.remainder, rtol=1e-12, atol=1e-12)


def test_right_side_may_be_a_vector() -> None:
    matrix, right = system(50, 5)
    found = least_squares([(matrix, right[:, 0])], 5)
    assert found.coefficients.shape == (5, 1)
    torch.testing.assert_close(found.coefficients, least_squares([(matrix, right)], 5).coefficients)


def test_columns_of_any_size_are_solved_alike() -> None:
    """Scaling a column by s scales its coefficient by 1 / s, over twenty powers of ten."""
    matrix, right = system(60, 8)
    sizes = torch.logspace(-10, 10, 8, dtype=torch.float64)
    plain = least_squares([(matrix, right)], 8).coefficients
    scaled = least_squares([(matrix * sizes, right)], 8).coefficients * sizes[:, None]
    torch.testing.assert_close(scaled, plain, rtol=1e-9, atol=0)


@pytest.mark.parametrize("ridge", [1e-3, 0.5])
def test_ridge_is_relative_to_the_columns(ridge: float) -> None:
    """The minimiser of |A c - b|^2 + sum_j (ridge |A_j| c_j)^2, from the normal equations."""
    matrix, right = system(60, 8, condition=10)
    damping = torch.diag((ridge * matrix.norm(dim=0)) ** 2)
    expected = torch.linalg.solve(matrix.T @ matrix + damping, matrix.T @ right)
    found = least_squares([(matrix, right)], 8, ridge)
    torch.testing.assert_close(found.coefficients, expected, rtol=1e-10, atol=1e-10)


def test_ridge_makes_dependent_columns_harmless() -> None:
    """Two equal columns share one coefficient evenly, the smallest solution of all; how evenly is determined
    up to the rounding unit over ridge^2."""
    matrix, right = system(40, 3)
    doubled = torch.cat([matrix, matrix[:, :1]], 1)
    found = least_squares([(doubled, right)], 4, ridge=1e-6).coefficients[:, 0]
    expected = least_squares([(matrix, right)], 3).coefficients[:, 0]
    torch.testing.assert_close(found[0] + found[3], expected[0], rtol=1e-4, atol=0)
    torch.testing.assert_close(found[0], found[3], rtol=1e-3, atol=0)


def test_column_of_zeros_gets_no_coefficient() -> None:
    matrix, right = system(40, 3)
    found = least_squares([(torch.cat([matrix, torch.zeros(40, 1)], 1), right)], 4).coefficients
    assert float(found[3].abs().max()) == 0
    assert bool(torch.isfinite(found).all())


@pytest.mark.parametrize("rows", [2, 4])
def test_fewer_rows_than_columns_fit_exactly(rows: int) -> None:
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(rows, 6, dtype=torch.float64, generator=generator)
    right = torch.randn(rows, 1, dtype=torch.float64, generator=generator)
    found = least_squares([(matrix, right)], 6, ridge=1e-8)
    torch.testing.assert_close(matrix @ found.coefficients, right, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", ["matrix", "right"])
def test_what_is_not_finite_is_an_error(bad: float, place: str) -> None:
    matrix, right = system(40, 3)
    {"matrix": matrix, "right": right}[place][17, 0] = bad
    with pytest.raises(NumericalError, match=r"^least squares: the rows hold NaN or infinity; likely causes: "):
        least_squares([(matrix, right)], 3)


def test_no_rows_are_an_error() -> None:
    with pytest.raises(NumericalError, match=r"^least squares: there are no rows; "):
        least_squares([], 3)


def test_nothing_but_the_factor_is_kept() -> None:
    """After any number of rows the factor holds its triangle and at most `block_rows` pending rows."""
    factor = TriangularFactor(columns=20, block_rows=64)
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        factor.add(*torch.randn(37, 21, dtype=torch.float64, generator=generator).split([20, 1], 1))
        assert sum(len(part) for part in factor._pending) <= 64 + 21
    assert factor.rows == 50 * 37


PEAK = """
import resource, sys, torch
from physolve.solve._least_squares import least_squares
features, rows, block = map(int, sys.argv[1:])
def blocks():
    generator = torch.Generator().manual_seed(0)
    for _ in range(rows // block):
        matrix = torch.randn(block, features, dtype=torch.float64, generator=generator)
        yield matrix, matrix.sum(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = least_squares(blocks(), features)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((peak - before) / 2**20, float((found.coefficients - 1).abs().max()))
"""


def peak_gigabytes(features: int, rows: int, block: int, seconds: float) -> tuple[float, float]:
    """Peak memory beyond the start in a new process, and the error of the coefficients (all ones)."""
    arguments = [sys.executable, "-c", PEAK, str(features), str(rows), str(block)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=seconds)
    peak, error = map(float, done.stdout.split())
    return peak, error


def test_memory_does_not_grow_with_the_rows() -> None:
    """40,000 x 400 numbers are 0.13 GB; about five copies of a block of 1,600 rows are 0.03 GB."""
    peak, error = peak_gigabytes(400, 40_000, 400, 120)
    assert peak < 0.08
    assert error < 1e-12


@pytest.mark.slow
def test_memory_at_ten_thousand_features() -> None:
    """10,000 features x 100,000 rows: the matrix alone would be 7.5 GB and its factor as much again."""
    peak, error = peak_gigabytes(10_000, 100_000, 5_000, 3600)
    assert peak < 12.0  # measured on a fifth of both sizes: 9 GB when scaled up
    assert error < 1e-10
