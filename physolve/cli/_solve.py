"""`physolve solve`: a problem file to a solution, its files and its picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._console import complain
from ._exit import ExitCode
from ._failures import told_in_one_line
from ._methods import MethodName, method_of
from ._options import AsJson, Data, Debug, ProblemFile, Quiet, Seed, Tolerance, data_files, positive
from ._outputs import PICTURES, SOLUTIONS, output, written
from ._progress import live_line
from ._summary import as_record, print_json, print_summary
from ._warnings import warnings_in_yellow

if TYPE_CHECKING:
    from ..solve import Solution


def solve(
    file: ProblemFile,
    tol: Tolerance = 1e-3,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help=f"Save the solution: {', '.join(SOLUTIONS)}.", callback=output(SOLUTIONS)),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", help=f"Draw the solution: {', '.join(PICTURES)}.", callback=output(PICTURES)),
    ] = None,
    method: Annotated[MethodName, typer.Option("--method", help="How to solve it.")] = MethodName.AUTO,
    seed: Seed = 0,
    budget: Annotated[
        float | None,
        typer.Option("--budget", metavar="SECONDS", help="Stop after about this time.", parser=positive),
    ] = None,
    data: Data = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Solve a problem file to a tolerance.

    Exit codes: 0 solved; 1 failed; 2 bad input; 3 tolerance not reached, what was found is written;
    130 interrupted by Ctrl-C, the best solution so far is written.
    """
    files = data_files(data)
    with told_in_one_line(debug), warnings_in_yellow(debug):
        with live_line(quiet or as_json) as progress:
            import physolve

            problem = physolve.read_problem(file, data=files)
            solution = physolve.solve(
                problem, tol, method=method_of(method), seed=seed, budget_s=budget, progress=progress
            )
        files = written(solution, out, plot)
    if as_json:
        print_json(as_record(solution, files))
    elif not quiet:
        print_summary(solution, files)
    _leave(solution, tol)


def _leave(solution: Solution, tol: float) -> None:
    """Exit with the code of the outcome, after one line unless all is well."""
    from ..solve import Outcome

    if solution.outcome is Outcome.CONVERGED:
        return
    if solution.outcome is Outcome.INTERRUPTED:
        complain("interrupted; this is the best solution so far")
        raise typer.Exit(ExitCode.INTERRUPTED)
    complain(f"not solved to the tolerance {tol:g}: {solution.message or solution.outcome.value}")
    raise typer.Exit(ExitCode.NOT_SOLVED)
