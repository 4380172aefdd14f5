"""When a climb goes on, when it gives up, and which rung it returns."""

import dataclasses
import math

import pytest
import sympy

import physolve as ps
from physolve.nets import ZeroField
from physolve.solve import LeastSquares
from physolve.solve._climb import Climb
from physolve.solve._error import Distance, Rung
from physolve.solve._outcome import Estimate
from physolve.solve._system import Projection, Scale

x, y, t = ps.coordinates("x", "y", "t")


def climb(*rungs: Rung, estimated: float = 1.0) -> Climb:
    """A climb of u'' = 1 that has got this far."""
    u = ps.unknown("u", x)
    problem = ps.Problem([ps.Eq(ps.d(u, x, 2), 1)], ps.Interval(0, 1), [ps.Dirichlet(u, 0)])
    begun = Climb(LeastSquares(give_up=0.05), problem, 1e-3, 0, None, None, None)
    begun.rungs = list(rungs)
    begun.estimate = Estimate(estimated, estimated, "test")
    begun.before = Projection(ZeroField(1), (), Scale((1.0,)), 10, 20)
    begun.best = dataclasses.replace(begun.before, field=ZeroField(1))
    begun._not_determined = lambda deviations: ""  # it asks a field that is a solution
    return begun


def rung(distance: float, before: float, after: float) -> Rung:
    return Rung(Distance(distance, distance), before, after)


def test_gives_up_where_neither_residual_nor_distance_falls():
    assert climb(rung(0.1, 1.0, 0.9), rung(0.1, 0.9, 0.8))._hopeless()


def test_goes_on_where_solutions_approach_each_other():
    # What a standing wave in the plane does: its residual falls only once the features are fine enough.
    assert not climb(rung(0.55, 8.1, 4.1), rung(0.16, 4.3, 3.1))._hopeless()


def test_goes_on_near_a_solution_however_slow():
    assert not climb(rung(0.01, 1.0, 0.9), rung(0.01, 0.9, 0.8), estimated=0.04)._hopeless()


def test_gives_up_where_the_residual_explodes():
    assert climb(rung(0.1, 1.0, 3.5))._hopeless()


def test_a_rung_with_a_larger_residual_is_not_the_solution():
    ended = climb(rung(1e-3, 1.0, 0.1), rung(0.2, 0.1, 5.0))
    result = ended._unverified()
    assert result.field is ended.before.field
    # All that is known is the distance to the poor rung: the estimate is no smaller.
    assert result.estimate.relative > 0.2
    assert result.outcome is ps.Outcome.TOLERANCE_NOT_REACHED


def test_a_rung_with_a_smaller_residual_is():
    ended = climb(rung(1e-3, 1.0, 0.1), rung(1e-4, 0.1, 0.01), estimated=2e-4)
    result = ended._unverified()
    assert result.field is ended.best.field
    assert result.field is not ended.before.field
    assert result.estimate.relative == pytest.approx(6e-4)
    assert result.outcome is ps.Outcome.CONVERGED


def test_the_last_rung_is_cut_to_what_is_allowed_where_the_tolerance_is_near():
    # 4800 columns at most, fewer than 1.7 times 3000. The next error is about 0.02 * 0.1, the tolerance 1e-3.
    assert climb(rung(0.1, 1.0, 0.1), estimated=0.02)._next_size(3000) == 4800
    assert climb(rung(0.1, 1.0, 0.9), estimated=0.02)._next_size(3000) == 5100
    assert climb(rung(0.1, 1.0, 0.1), estimated=0.02)._next_size(2000) == 3400


def test_a_rung_that_only_verifies_is_small():
    assert climb(rung(0.1, 1.0, 0.1), estimated=1e-4)._next_size(1000) == 1250


def test_a_wave_in_the_plane_is_solved_on_all_times_at_once():
    u = ps.unknown("u", x, y, t)
    mode = sympy.sin(sympy.pi * x) * sympy.sin(2 * sympy.pi * y)
    drum = ps.Problem(
        equations=[ps.Eq(ps.dt(u, 2), ps.laplacian(u))],
        domain=ps.Rectangle((0, 0), (1, 1)) * ps.TimeInterval(0, 1),
        conditions=[ps.Dirichlet(u, 0), ps.Initial(u, mode, velocity=0)],
    )
    solution = ps.solve(drum, 3e-2)
    points = drum.domain.sample_interior(2048, seed=5).points
    exact = ps.Program([mode * sympy.cos(math.sqrt(5) * sympy.pi * t)], (x, y, t))(*points.T)[0]
    error = math.sqrt(((solution(points)[:, 0] - exact) ** 2).mean() / (exact**2).mean())
    assert solution.method == LeastSquares().name
    assert error <= solution.estimate.relative <= 3e-2
