"""What is known of the characteristics against what a trained map shows: no crossing is told that is none."""

from dataclasses import replace

import numpy as np
import pytest
import sympy
import torch
from rings import on_ring, u, x
from sympy import cos, exp, sin

import physolve as ps
from physolve import _solve
from physolve.errors import SpecificationError
from physolve.lagrangian import Crossing, Lagrangian, _lagrangian, lowered
from physolve.lagrangian._cells import first_below, least_sizes
from physolve.lagrangian._crossing import THRESHOLD, confirmed, mislearned
from physolve.solve import AdamLBFGS, GaussNewton, Outcome, solve
from physolve.spec import (
    Dirichlet,
    Eq,
    Initial,
    Interval,
    Problem,
    TimeInterval,
    Unbounded,
    d,
    dt,
    transport_form,
)

HURRIED = Lagrangian(width=3, depth=1, trainer=GaussNewton(steps=1), scout=GaussNewton(steps=1))


def entering(equation, value, start=0, until=1.0):
    domain = Interval(0, 1) * TimeInterval(0, until)
    return Problem(equation, domain, [Initial(u, start), Dirichlet(u, value, on="left")])


def in_unbounded_space(equation):
    return Problem(equation, Interval(0, 1) * TimeInterval(0, 1), [Initial(u, sin(3 * x)), Unbounded(u)])


WIND = on_ring(5 / (1 + cos(3 * x) / 2), until=2.0)
BEYOND = entering(Eq(dt(u) + u * d(u, x), 0), 2, start=2 - x, until=1.5)
BURGERS = on_ring(u, start=1 + sin(x), until=1.5)


# --- what was written is what is evaluated


def test_a_narrow_source_is_evaluated_as_it_was_written():
    """Multiplied out it is exp(-100) exp(400 x) exp(-400 x^2), and inf * 0 at x = 2."""
    source = exp(-(((x - sympy.Rational(1, 2)) / sympy.Rational(1, 20)) ** 2))
    problem = entering(Eq(dt(u) + 5 * d(u, x), source), 0)
    assert transport_form(problem).sources == (source,)
    assert np.isfinite(solve(problem, method=HURRIED).estimate.relative)


@pytest.mark.parametrize(
    ("equation", "velocity", "source"),
    [
        (Eq(dt(u) + 5 * d(u, x), ((x - 1000) / 2) ** 6), 5, (x / 2 - 500) ** 6),
        (Eq((1 + x) * (dt(u) + d(u, x)), exp(-((x - 9) ** 2))), 1, exp(-((x - 9) ** 2)) / (1 + x)),
        (Eq(dt(u) + (x - 9) ** 2 * d(u, x), (u - 1) ** 3), (x - 9) ** 2, (u - 1) ** 3),
    ],
)
def test_powers_are_not_multiplied_out(equation, velocity, source):
    form = transport_form(entering(equation, 0))
    assert (form.velocity, form.sources) == ((velocity,), (source,))


@pytest.mark.parametrize(
    ("equation", "velocity", "source"),
    [
        (Eq(dt(u) + (x + 1) * (d(u, x) + d(u, x, 2)), (x + 1) * d(u, x, 2)), x + 1, 0),
        (Eq(dt(u) + 2 * d(u, x), (d(u, x) ** 2 + d(u, x)) / d(u, x)), 1, 1),
        (Eq(((x + u) ** 2 - u**2 - 2 * x * u) * dt(u) + d(u, x), 0), 1 / x**2, 0),
    ],
    ids=["diffusion that cancels", "nothing over nothing", "a factor of the rate that cancels"],
)
def test_what_cancels_is_seen_to_cancel(equation, velocity, source):
    form = transport_form(entering(equation, 0))
    assert [sympy.simplify(a - b) for a, b in ((form.velocity[0], velocity), (form.sources[0], source))] == [0, 0]
    assert form.diffusive == (False,)


# --- the first look: whether characteristics come close


def test_small_steps_where_large_ones_seem_to_cross():
    """Up to 16 times as fast at one place as at another: fixed steps of 1/100 saw them cross at once."""
    frame = lowered(on_ring(10 / (1 + sympy.Rational(9, 10) * cos(2 * x)), start=cos(2 * x), until=2.0))
    grid, path = frame.pilot.grid[:, 0], frame.pilot.path[-1, :, 0]
    phase = path + 0.45 * torch.sin(2 * path) - grid - 0.45 * torch.sin(2 * grid)
    torch.testing.assert_close(phase, torch.full_like(phase, 20.0), atol=4e-3, rtol=0)


@pytest.mark.parametrize(
    ("problem", "close", "crossing"),
    [
        (WIND, None, None),
        (BURGERS, 1 - THRESHOLD, 1.0),
        (on_ring(u, start=1 + sin(x), until=0.9), None, None),
        (BEYOND, None, None),
        (entering(Eq(dt(u) + (1 - x) * 4 * d(u, x), 0), 0), -np.log(THRESHOLD) / 4, None),
    ],
    ids=["wind", "Burgers", "Burgers, earlier", "crossing beyond the end", "slowed down"],
)
def test_when_the_first_look_sees_them_close(problem, close, crossing):
    pilot = lowered(problem).pilot
    for found, expected in ((pilot.close, close), (pilot.crossing, crossing)):
        assert found == (expected if expected is None else pytest.approx(expected, abs=5e-3))


def test_sizes_of_cells_that_shrink_and_turn_over():
    """x = xi (1 - t), y = eta (1 + t) on 3 x 3 labels, of which the last begins at 1 / 2."""
    axis, times = torch.arange(3.0, dtype=torch.float64), torch.linspace(0, 2, 9, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    places = grid * torch.stack([1 - times, 1 + times], 1)[:, None]
    everywhere = torch.ones(9, 9, dtype=torch.bool)
    sizes = least_sizes(places, times, torch.zeros(9, dtype=torch.float64), everywhere)
    torch.testing.assert_close(sizes, torch.minimum(1 - times**2, torch.ones(())))
    assert first_below(0.0, sizes, times) == pytest.approx(1.0)
    nowhere = least_sizes(places, times, torch.zeros(9, dtype=torch.float64), ~everywhere)
    assert (nowhere == 1).all()
    late = least_sizes(places, times, torch.full((9,), 0.5, dtype=torch.float64), everywhere)
    torch.testing.assert_close(late[2:], (1 - times[2:] ** 2) / 0.75)


# --- what of a crossing is told

EARLY, LATE = Crossing(0.2, 0.3), Crossing(0.95, None)


@pytest.mark.parametrize(
    ("problem", "found", "told"),
    [
        (WIND, EARLY, None),
        (BURGERS, LATE, 0.95),
        (BURGERS, EARLY, 1 - THRESHOLD),
        (BURGERS, None, 1 - THRESHOLD),
        (entering(Eq(dt(u) + (1 - x) * 4 * d(u, x), 0), 0), LATE, None),
        (entering(Eq(dt(u) + (1 - x) * 4 * d(u, x), d(u, x, 2)), 0), LATE, 0.95),
        (on_ring(u, d(u, x, 2), start=1 + sin(x) / 9), EARLY, 0.2),
        (on_ring(u, d(u, x, 2), start=1 + sin(x) / 9), None, None),
    ],
)
def test_what_the_first_look_confirms(problem, found, told):
    """The pilot does not know diffusion: where that may change the velocity, it confirms whatever was found."""
    known = confirmed(found, lowered(problem))
    assert (known and known.close) == (told and pytest.approx(told, abs=2e-3))
    assert mislearned(found, lowered(problem)) is (found is EARLY)


def test_a_prescribed_velocity_brings_characteristics_close_at_most():
    frame = lowered(entering(Eq(dt(u) + (1 - x) * 4 * d(u, x), d(u, x, 2)), 0))
    assert confirmed(replace(LATE, crossing=0.98), frame) == LATE


def test_a_map_that_was_not_learned_is_no_crossing():
    solution = solve(WIND, method=HURRIED)
    assert solution.outcome is Outcome.TOLERANCE_NOT_REACHED
    assert solution.valid_until is None
    assert solution.message.startswith("the map of the characteristics was not learned: in it they come too close at t")
    assert np.isfinite(solution.estimate.relative)


def test_early_closeness_beside_diffusion_is_told_only_by_a_good_solution(monkeypatch):
    problem = on_ring(u, d(u, x, 2), start=1 + sin(x) / 9)
    monkeypatch.setattr(_lagrangian, "first_crossing", lambda *_: EARLY)
    assert solve(problem, 1e-9, method=HURRIED).outcome is Outcome.TOLERANCE_NOT_REACHED
    assert solve(problem, 1e9, method=HURRIED).outcome is Outcome.CHARACTERISTICS_CROSS


def test_a_crossing_is_told_whatever_was_learned():
    solution = ps.solve(BURGERS, method=HURRIED)
    assert solution.outcome is Outcome.CHARACTERISTICS_CROSS
    assert solution.valid_until == pytest.approx(1 - THRESHOLD, abs=0.1)


def test_a_crossing_beyond_the_end_is_none():
    """All that begins inside meets at x = 2, t = 1, and has left by t = 1 / 2: from then on w = 2."""
    solution = solve(BEYOND, 1e-2, method=Lagrangian(width=6, depth=1))
    assert (solution.outcome, solution.valid_until) == (Outcome.CONVERGED, None)
    np.testing.assert_allclose(solution([[0.8, 0.25], [0.2, 0.25], [0.5, 1.4]])[:, 0], [1.6, 2.0, 2.0], atol=2e-2)


# --- which method


@pytest.mark.parametrize(
    ("problem", "moving"),
    [
        (BURGERS, True),
        (on_ring(u, d(u, x, 2) / 1000, start=1 + sin(x), until=1.5), False),
        (on_ring(u, start=1 + sin(x), until=0.9), False),
        (in_unbounded_space(Eq(dt(u), d(u, x, 2))), False),
        (in_unbounded_space(Eq(dt(u) + d(u, x), d(u, x, 2))), True),
    ],
    ids=["inviscid, breaks", "viscous, breaks", "inviscid, does not", "heat in unbounded space", "carried there"],
)
def test_what_only_the_moving_frame_can_take_or_tell(problem, moving):
    assert _solve._for_the_moving_frame(problem) is moving


def test_unbounded_space_needs_no_method():
    solution = ps.solve(in_unbounded_space(Eq(dt(u) + d(u, x), 0)))
    assert (solution.method, solution.outcome) == (Lagrangian().name, Outcome.CONVERGED)


def test_the_default_method_takes_over_without_diffusion():
    problem = on_ring(1 + cos(x) / 2)
    solution = ps.solve(problem, 1e-2, method=HURRIED)
    assert solution.outcome is Outcome.CONVERGED
    assert "; solved in the plain frame, because in the moving one" in solution.message


@pytest.mark.parametrize(("problem", "first"), [(on_ring(1 + cos(x) / 2), 25), (BURGERS, 50)])
def test_half_of_a_budget_is_kept_where_the_default_method_may_help(problem, first, monkeypatch):
    budgets, climb = [], _solve.climb

    def listen(*arguments, **options):
        budgets.append(options["budget_s"])
        return climb(*arguments, **options)

    monkeypatch.setattr(_solve, "climb", listen)
    ps.solve(problem, 1e-2, method=HURRIED, budget_s=50.0)
    assert budgets[0] == first


# --- options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, "got width=0, expected a whole number from 1 on"),
        ({"depth": 0}, "got depth=0, expected a whole number from 1 on"),
        ({"width": 2.5}, "got width=2.5, expected a whole number from 1 on"),
        ({"activation": "tanh"}, "got activation='tanh', expected one of physolve.jets, such as TANH"),
        (
            {"trainer": AdamLBFGS},
            r"got trainer=<class .*>, expected an object such as GaussNewton\(\) or AdamLBFGS\(\)",
        ),
        ({"scout": None}, r"got scout=None, expected an object such as GaussNewton\(\) or AdamLBFGS\(\)"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(SpecificationError, match=f"^Lagrangian: {message}"):
        Lagrangian(**options)
