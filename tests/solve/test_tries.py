"""Ways tried one after the other: whatever ends a later one, what was found before is kept."""

from collections.abc import Callable

import pytest
import sympy

import physolve
from physolve.errors import NumericalError, SpecificationError
from physolve.hypino import HyPINO
from physolve.nets import Field
from physolve.solve import Estimate, GaussNewton, History, LeastSquares, MethodResult, Outcome, Progress, solve
from physolve.solve._tries import Tries, best_of
from physolve.spec import (
    Dirichlet,
    Eq,
    Initial,
    Interval,
    Periodic,
    Problem,
    Rectangle,
    TimeInterval,
    coordinates,
    d,
    dt,
    unknown,
)
from physolve.spec import laplacian as lap

x, y, t = coordinates("x", "y", "t")
u, w = unknown("u", x, y), unknown("w", x, t)
PLAIN = Problem(Eq(-lap(u), 1), Rectangle((0, 0), (1, 1)), [Dirichlet(u, 0)])
ROD = Interval(0, 1) * TimeInterval(0, 1)


def ended(relative: float | None, outcome: Outcome = Outcome.TOLERANCE_NOT_REACHED) -> MethodResult:
    estimate = None if relative is None else Estimate(relative, relative, "made up")
    return MethodResult(None, {}, History(), outcome, "", estimate)  # type: ignore[arg-type]


def tried(*results: MethodResult | BaseException, budget_s: float | None = None) -> Tries[MethodResult]:
    def way(result: MethodResult | BaseException) -> Callable[[float | None], MethodResult]:
        def run(left: float | None) -> MethodResult:
            if isinstance(result, BaseException):
                raise result
            return result

        return run

    tries = Tries[MethodResult](budget_s)
    for result in results:
        tries.attempt(way(result))
    return tries


@pytest.mark.parametrize(
    ("results", "best", "outcome"),
    [
        ((ended(0.5), ended(0.1)), 0.1, Outcome.TOLERANCE_NOT_REACHED),
        ((ended(0.01), ended(0.5)), 0.01, Outcome.TOLERANCE_NOT_REACHED),
        ((ended(None), ended(0.5)), 0.5, Outcome.TOLERANCE_NOT_REACHED),
        ((ended(0.5), NumericalError("none"), ended(0.1)), 0.1, Outcome.TOLERANCE_NOT_REACHED),
        ((ended(0.5), KeyboardInterrupt(), ended(0.1)), 0.5, Outcome.INTERRUPTED),
        ((ended(0.5), ended(0.9, Outcome.INTERRUPTED), ended(0.1)), 0.5, Outcome.INTERRUPTED),
        ((ended(0.5, Outcome.INTERRUPTED), ended(0.1)), 0.5, Outcome.INTERRUPTED),
    ],
)
def test_the_best_is_kept_and_an_interruption_told(results: tuple, best: float, outcome: Outcome) -> None:
    result = best_of(tried(*results))
    assert (result.estimate.relative, result.outcome) == (best, outcome)


@pytest.mark.parametrize("error", [NumericalError("none"), KeyboardInterrupt()])
def test_where_nothing_was_found_it_is_raised(error: BaseException) -> None:
    with pytest.raises(type(error)):
        tried(error, ended(0.1))


def test_no_way_begins_without_time() -> None:
    assert len(tried(ended(0.5), ended(0.1), budget_s=1e-9).found) == 1


def test_ctrl_c_in_a_later_climb_is_told_whichever_result_is_better() -> None:
    """A problem in time that the whole domain at once does not yield to goes on in slabs."""
    front = Eq(dt(w) + w * d(w, x), 1e-3 * d(w, x, 2))
    problem = Problem(
        front, Interval(-1, 1) * TimeInterval(0, 1), [Initial(w, -sympy.sin(sympy.pi * x)), Dirichlet(w, 0)]
    )
    stages: list[str] = []

    def listen(progress: Progress) -> None:
        stages.append(progress.stage)
        if stages[0] != progress.stage:
            raise KeyboardInterrupt

    solution = solve(problem, 1e-9, progress=listen)
    assert solution.outcome is Outcome.INTERRUPTED
    assert solution.message.startswith(Outcome.INTERRUPTED.value)


def test_a_solution_in_the_moving_frame_is_not_lost_by_ctrl_c_in_the_plain_one(monkeypatch) -> None:
    climb = physolve._solve.climb

    def interrupted(*arguments: object, **options: object) -> object:
        if "method" not in options:
            raise KeyboardInterrupt
        return climb(*arguments, **options | {"budget_s": 1.0})  # type: ignore[arg-type]

    monkeypatch.setattr(physolve._solve, "climb", interrupted)
    ring = Interval(0, 2 * sympy.pi) * TimeInterval(0, 1)
    wave = Problem(Eq(dt(w) + d(w, x), 0.01 * d(w, x, 2)), ring, [Initial(w, sympy.sin(x)), Periodic(w, x)])
    solution = physolve.solve(wave, 1e-12, method=physolve.Lagrangian())
    assert solution.outcome is Outcome.INTERRUPTED
    assert solution.method == "Lagrangian PINN"
    assert solution.message.startswith(Outcome.INTERRUPTED.value)


class Nothing(Field):
    components = 1  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": "nonsense"}, "start must be a field, such as the `field` of a solution, got 'nonsense'"),
        ({"source": "nonsense"}, r"source must make functions, as HyPINO.load\(\) does, got 'nonsense'"),
        ({"source": HyPINO, "method": LeastSquares()}, "source is for the default method; LeastSquares"),
    ],
)
def test_arguments_that_would_be_ignored_are_refused(options: dict, message: str) -> None:
    with pytest.raises(SpecificationError, match=f"^solve: {message}"):
        solve(PLAIN, **options)


def test_a_start_is_refused_by_methods_that_do_not_begin_with_it() -> None:
    start = solve(PLAIN, 1e-1).field
    with pytest.raises(SpecificationError, match="start is for least squares, not for GaussNewton"):
        solve(PLAIN, method=GaussNewton(), start=start)
