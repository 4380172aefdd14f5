"""`physolve check`: what a problem file says, and what is missing in it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import typer

from ._console import results
from ._exit import ExitCode
from ._failures import told_in_one_line
from ._options import AsJson, Data, Debug, ProblemFile, data_files
from ._summary import print_json

if TYPE_CHECKING:
    from ..spec import Problem


def check(file: ProblemFile, data: Data = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Read a problem file; describe it in words and LaTeX, classify it, list what is missing.

    Exit codes: 0 nothing is missing; 1 something seems to be missing; 2 the file is wrong.
    """
    files = data_files(data)
    with told_in_one_line(debug):
        problem = _read(file, files)
        if as_json:
            print_json(_record(problem))
        else:
            _print(problem)
    if problem.hints:
        raise typer.Exit(ExitCode.FAILED)


def _read(file: Any, data: dict[str, str]) -> Problem:
    """The problem; its warnings are its hints, which are printed below."""
    from ..errors import WellPosednessWarning
    from ..spec import read_problem

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WellPosednessWarning)
        return read_problem(file, data=data)


def _print(problem: Problem) -> None:
    """The words (hints among them), then the LaTeX."""
    console = results()
    console.print(problem.describe())
    if not problem.hints:
        console.print("Nothing seems to be missing.")
    console.print("\nLaTeX:", style="bold")
    console.print(problem._repr_latex_())


def _record(problem: Problem) -> dict[str, Any]:
    found = problem.classification
    return {
        "name": problem.name,
        "description": problem.describe(),
        "latex": problem._repr_latex_(),
        "order": found.order,
        "linear": found.linear,
        "constant_coefficients": found.constant_coefficients,
        "kind": found.kind,
        "time_dependent": found.time_dependent,
        "convection_dominated": found.convection_dominated,
        "peclet": found.peclet,
        "missing": list(problem.hints),
    }
