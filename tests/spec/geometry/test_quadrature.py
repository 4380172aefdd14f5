"""Quadrature rules: smooth integrals to rounding where there is a Gauss rule, to three digits elsewhere."""

import numpy as np
import pytest

from physolve.spec.geometry import Box, Disk, Interval, Rectangle, TimeInterval, quadrature

SQUARE = Rectangle((0, 0), (1, 2))
E = np.e


@pytest.mark.parametrize(
    ("shape", "exact"),
    [
        (Interval(0, 1), E - 1),
        (SQUARE, (E - 1) * (E**2 - 1)),
        (SQUARE.named("plate"), (E - 1) * (E**2 - 1)),
        (Box((0, 0, 0), (1, 1, 1)), (E - 1) ** 3),
        (SQUARE * TimeInterval(0, 1), (E - 1) ** 2 * (E**2 - 1)),
        # integral of exp(x + y) over the unit disk: 2 pi I_1(sqrt 2) / sqrt 2
        (Disk((0, 0), 1), 2 * np.pi * 0.8992442797523063 / np.sqrt(2)),
    ],
)
def test_gauss_rules_integrate_smooth_functions_to_rounding(shape, exact):
    rule = quadrature(shape, 1000)
    assert rule.weights @ np.exp(rule.points.sum(1)) == pytest.approx(exact, rel=1e-10)


def test_other_shapes_get_low_discrepancy_points():
    rule = quadrature(SQUARE - Disk((0.5, 1.0), 0.25), 4096)
    assert rule.weights @ rule.points[:, 0] == pytest.approx(0.5 * (2 - np.pi / 16), rel=2e-3)
