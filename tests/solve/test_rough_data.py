"""What no smooth function can follow is said where a tolerance was not reached."""

import pytest
from sympy import And

import physolve as ps
from physolve.solve import LeastSquares
from physolve.solve._rough_data import rough_data

x, y, t = ps.coordinates("x", "y", "t")
SQUARE = ps.Rectangle((0, 0), (1, 1))
DISK = ps.Disk((0, 0), 1)


def steady(*conditions: ps.Condition) -> ps.Problem:
    return ps.Problem([ps.Eq(ps.laplacian(U), 0)], SQUARE, list(conditions))


def cooling(initial, wall, domain=DISK) -> ps.Problem:
    conditions = [ps.Initial(W, initial), ps.Dirichlet(W, wall)]
    return ps.Problem([ps.Eq(ps.dt(W), ps.laplacian(W))], domain * ps.TimeInterval(0, 0.1), conditions)


def cooling_in_turn(early, late) -> ps.Problem:
    walls = [ps.Dirichlet(W, value, on=when) for value, when in ((early, t < 0.05), (late, t > 0.05))]
    domain = DISK * ps.TimeInterval(0, 0.1)
    return ps.Problem([ps.Eq(ps.dt(W), ps.laplacian(W))], domain, [ps.Initial(W, 0), *walls])


def cooling_partly(*places) -> ps.Problem:
    walls = [ps.Dirichlet(W, 0, on=place) for place in places]
    domain = SQUARE * ps.TimeInterval(0, 0.1)
    return ps.Problem([ps.Eq(ps.dt(W), ps.laplacian(W))], domain, [ps.Initial(W, 1), *walls])


U, W = ps.unknown("u", x, y), ps.unknown("w", x, y, t)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("corner at (0, 1) and (1, 1) differ", steady(ps.Dirichlet(U, 1, on="top"), ps.Dirichlet(U, 0))),
        ("", steady(ps.Dirichlet(U, x, on="top"), ps.Dirichlet(U, x))),
        ("", steady(ps.Neumann(U, 1, on="top"), ps.Dirichlet(U, 0))),
        ("initial and boundary values of w differ where they meet", cooling(1, 0)),
        ("", cooling(1 - x**2 - y**2, 0)),
        ("", cooling(x * (1 - x) * y * (1 - y), 0, SQUARE)),
        ("", cooling(1, 0, SQUARE)),  # layers follow that
        ("initial and boundary values of w differ", cooling_partly(And(x < 1e-3, y < 0.5), "right")),
        ("", cooling(x, x + t)),
        ("", cooling_in_turn(0, 1)),
        ("initial and boundary values of w differ where they meet", cooling_in_turn(1, 0)),
    ],
)
def test_values_that_disagree_are_found(said, problem):
    found = rough_data(problem)
    assert (said in found) if said else not found


def test_it_is_said_where_the_tolerance_was_not_reached():
    solution = ps.solve(cooling(1, 0), tol=1e-6, method=LeastSquares(largest=300))
    assert solution.outcome is ps.Outcome.TOLERANCE_NOT_REACHED
    assert "initial and boundary values of w differ where they meet" in solution.message
