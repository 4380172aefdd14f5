"""Boundaries on a smooth piece of which values end to be prescribed: solutions behave like r^(1/2) there."""

import numpy as np
import pytest
import sympy

from physolve.residual import notable_corners
from physolve.solve import Outcome, solve
from physolve.spec import Dirichlet, Disk, Eq, Neumann, Polygon, Problem, Rectangle, coordinates, laplacian, unknown

x, y = coordinates("x", "y")
u = unknown("u", x, y)
SINGULAR = sympy.sqrt((sympy.sqrt(x**2 + y**2) - x) / 2)
"""r^(1/2) sin(theta / 2): zero for x > 0 on the axis, without a slope across it for x < 0."""

STRIP = Rectangle((-1, 0), (1, 1))
NODED = Polygon([(-1, 0), (0, 0), (1, 0), (1, 1), (-1, 1)])
FAR = ["left", "right", "top"]
POINTS = np.random.default_rng(0).uniform((-1, 0), (1, 1), (1000, 2))
EXACT = np.sqrt((np.hypot(*POINTS.T) - POINTS[:, 0]) / 2)


def by_predicates(equation: sympy.Eq) -> Problem:
    bottom = sympy.Eq(y, 0)
    zero, insulated = Dirichlet(u, 0, on=bottom & (x > 0)), Neumann(u, 0, on=bottom & (x < 0))
    return Problem(equation, STRIP, [Dirichlet(u, SINGULAR, on=FAR), zero, insulated])


def by_sides(equation: sympy.Eq) -> Problem:
    values = Dirichlet(u, SINGULAR, on=[f"edge{k}" for k in (2, 3, 4, 5)])
    return Problem(equation, NODED, [values, Neumann(u, 0, on="edge1")])


EQUATIONS = {"laplace": Eq(laplacian(u), 0), "reaction": Eq(u - laplacian(u), SINGULAR)}


@pytest.mark.parametrize("stated", [by_predicates, by_sides])
@pytest.mark.parametrize("equation", EQUATIONS)
def test_a_change_within_a_side_is_solved(stated, equation: str) -> None:
    """Without the singular functions the error was 22 %, or the problem was called a contradiction."""
    solution = solve(stated(EQUATIONS[equation]), 1e-3)
    assert solution.outcome is Outcome.CONVERGED
    assert np.linalg.norm(solution(POINTS)[:, 0] - EXACT) < solution.estimate.relative * np.linalg.norm(EXACT)


def changes(*conditions: object, domain: object = STRIP) -> list[tuple[float, float, float]]:
    """Places where the kind changes, with the cosine of the direction at which the inside begins."""
    found = notable_corners(Problem(EQUATIONS["laplace"], domain, conditions))
    return sorted((*corner.point, np.cos(corner.start)) for corner in found if corner.angle == np.pi)


@pytest.mark.filterwarnings("ignore::physolve.errors.WellPosednessWarning")
def test_only_where_values_end_to_be_prescribed() -> None:
    top, disk = Eq(y, 1), Disk((0, 0), 1)
    halves = Dirichlet(u, 0, on=top & (x < 0.5)), Dirichlet(u, 1, on=top & (x > 0.5))
    assert changes(*halves, Dirichlet(u, 0, on="bottom")) == []
    assert changes(Dirichlet(u, 0)) == changes(Dirichlet(u, 0), domain=disk) == []
    assert changes(halves[0]) == [pytest.approx((0.5, 1, -1), abs=1e-9)]
    assert changes(Dirichlet(u, 0, on="top"), Neumann(u, 0, on=["left", "right", "bottom"])) == []
    assert changes(Dirichlet(u, 0, on=y > 0), domain=disk) == [
        pytest.approx((-1, 0, 0), abs=1e-9),
        pytest.approx((1, 0, 0), abs=1e-9),
    ]
