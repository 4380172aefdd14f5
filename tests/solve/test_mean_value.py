"""Mean values on domains without a chart: the error estimate cannot see a mean that is imposed wrongly."""

import numpy as np
import pytest
import sympy

from physolve.residual import Collocation, Density
from physolve.solve import Outcome, solve
from physolve.spec import (
    BoundaryEquation,
    Disk,
    Ellipse,
    Eq,
    MeanValue,
    Problem,
    Rectangle,
    Shape,
    TimeInterval,
    coordinates,
    d,
    dt,
    laplacian,
    normal,
    unknown,
)

x, y, t = coordinates("x", "y", "t")
u, w = unknown("u", x, y), unknown("w", x, y, t)
N_X, N_Y = normal(x, y)
PLATE = Rectangle((-1, -1), (1, 1)) - Disk((0.3, 0.2), 0.5)


@pytest.mark.parametrize(
    ("domain", "mean"),
    [
        (Ellipse((0, 0), (2, 1)), 1),
        (Disk((0, 0), 1) - Disk((0.3, 0), 0.5), (0.25 - 0.25 * (0.09 + 0.0625)) / 0.75),
        (PLATE, (4 / 3 - np.pi * 0.25 * (0.09 + 0.0625)) / (4 - np.pi / 4)),
    ],
    ids=["ellipse", "eccentric annulus", "plate with a hole"],
)
def test_true_error_is_below_its_estimate(domain: Shape, mean: float) -> None:
    """u = x^2, fixed by its slopes on the boundary and its mean alone."""
    slopes = BoundaryEquation(Eq(N_X * d(u, x) + N_Y * d(u, y), 2 * x * N_X))
    solution = solve(Problem(Eq(laplacian(u), 2), domain, [slopes, MeanValue(u, mean)]), 1e-6)
    assert solution.outcome is Outcome.CONVERGED
    assert solution.estimate is not None
    points = domain.sample_interior(1000).points
    exact = points[:, 0] ** 2
    error = np.linalg.norm(solution(points)[:, 0] - exact) / np.linalg.norm(exact)
    assert error < max(solution.estimate.relative, 1e-8)
    assert solution.estimate.relative < 1e-6


@pytest.mark.filterwarnings("ignore::physolve.errors.WellPosednessWarning")
def test_means_at_all_times_come_in_blocks_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    value = sympy.Rational(3, 2) * t
    problem = Problem(Eq(dt(w), laplacian(w)), PLATE * TimeInterval(0, 2), [MeanValue(w, value)])
    together = [rows for rows in Collocation(problem).rows(Density(20, 20)) if rows.average is not None]
    assert len(together) == 1
    monkeypatch.setattr("physolve.residual._collocate.MEAN_ROWS", 5 * together[0].average)
    apart = [rows for rows in Collocation(problem).rows(Density(20, 20)) if rows.average is not None]
    assert [len(rows) for rows in apart] == [5, 5, 5, 1]
    assert np.concatenate([rows.target for rows in apart]) == pytest.approx(together[0].target.numpy())
    assert np.concatenate([rows.points for rows in apart]) == pytest.approx(together[0].points.numpy())
