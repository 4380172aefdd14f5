"""`physolve hypino zero-shot`: a problem file to a solution by one pass of the hypernetwork."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._accuracy import differences, exact_function
from ._failures import told_in_one_line
from ._options import AsJson, Data, Debug, ProblemFile, Quiet, Weights, data_files, whole
from ._outputs import PICTURES, SOLUTIONS, output, written
from ._summary import print_json, print_table
from ._warnings import warnings_in_yellow

if TYPE_CHECKING:
    from ..hypino import Answer, HyPINO, Lowered
    from ..solve import Solution
    from ..spec import Problem

POINTS, EDGE = 2048, 1024
"""At which the least squares meet the equation and the conditions."""


def zero_shot(
    file: ProblemFile,
    weights: Weights = None,
    refine: Annotated[
        int,
        typer.Option("--refine", metavar="NUMBER", help="Ask again for what is left, so many times.", parser=whole),
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help=f"Save the solution: {', '.join(SOLUTIONS)}.", callback=output(SOLUTIONS)),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", help=f"Draw the solution: {', '.join(PICTURES)}.", callback=output(PICTURES)),
    ] = None,
    data: Data = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Solve a problem with functions that the hypernetwork writes in one pass, and least squares on them.

    For one linear equation of second order with constant coefficients in two variables; others are refused with the
    reason. There is no tolerance: the share of the data that is not met is told, and the error where the file has the
    exact solution.
    """
    files = data_files(data)
    with told_in_one_line(debug), warnings_in_yellow(debug):
        import physolve

        from ..hypino import HyPINO, lower

        model = HyPINO.load(weights)
        problem = physolve.read_problem(file, data=files)
        begun = time.perf_counter()
        lowered = lower(problem, grid=model.grid, points=POINTS, edge=EDGE)
        answer = model.refine(lowered.posed, refine)[-1]
        solution = _solution(model, lowered, answer, refine, time.perf_counter() - begun)
        record = _record(solution, answer, refine)
        record["written"] = written(solution, out, plot)
    if as_json:
        print_json(record)
    elif not quiet:
        _print(record)


def _solution(model: HyPINO, lowered: Lowered, answer: Answer, refinements: int, seconds: float) -> Solution:
    """The answer in the problem's coordinates, as something to be saved and drawn."""
    from ..solve import Cost, Outcome, Solution

    return Solution(
        problem=lowered.problem,
        field=lowered.field(model.target, answer.weights[0], answer.head[0]),
        outcome=Outcome.TOLERANCE_NOT_REACHED,
        message="zero-shot: no tolerance was asked for, the error was not estimated",
        estimate=None,
        method="hypernetwork, least squares",
        cost=Cost(seconds, answer.head.shape[1], POINTS + EDGE, refinements),
    )


def _record(solution: Solution, answer: Answer, refinements: int) -> dict[str, Any]:
    return {
        "problem": solution.problem.name,
        "residual": float(answer.residual[0]),
        "relative_l2": _error(solution.problem, solution),
        "refinements": refinements,
        "functions": solution.cost.features,
        "seconds": solution.cost.seconds,
    }


def _error(problem: Problem, solution: Solution) -> float | None:
    """Against the exact solution, where the file has it."""
    if not problem.exact:
        return None
    return max(row.relative for row in differences(problem, solution, exact_function(problem)))


def _print(record: dict[str, Any]) -> None:
    error = record["relative_l2"]
    print_table(
        [
            ("residual", f"{record['residual']:.2e} of the data, at points that the least squares did not see"),
            ("error", "no exact solution to compare with" if error is None else f"{error:.2e} relative L2"),
            (
                "cost",
                f"{record['seconds']:.2f} s, {record['functions']} functions, {record['refinements']} refinements",
            ),
            *record["written"].items(),
        ]
    )
