"""`physolve compare`: the true error beside the estimated one."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.table import Table

from ..errors import SpecificationError
from ._accuracy import Deviation, Function, differences, exact_function
from ._console import messages, results
from ._failures import told_in_one_line
from ._options import AsJson, Data, Debug, ProblemFile, Quiet, Seed, Tolerance, data_files
from ._progress import live_line
from ._summary import print_json
from ._warnings import warnings_in_yellow

if TYPE_CHECKING:
    from ..solve import Solution
    from ..spec import Problem


class Against(enum.StrEnum):
    """What to compare with; `auto` is the exact solution where the file has one, else finite elements."""

    AUTO = "auto"
    EXACT = "exact"
    FEM = "fem"


RESOLVED = 2.0
"""The difference must be this many times the reference's error to be the solution's."""


class Reference(NamedTuple):
    """What to compare with, and its own relative error."""

    name: str
    values: Function
    error: float


def compare(
    file: ProblemFile,
    solution: Annotated[
        Path | None,
        typer.Option("--solution", metavar="SAVED", help="A saved solution (.safetensors); else solve now."),
    ] = None,
    against: Annotated[Against, typer.Option("--against", help="What to compare with.")] = Against.AUTO,
    tol: Tolerance = 1e-3,
    seed: Seed = 0,
    data: Data = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Compare a solution with the exact one or with finite elements.

    Prints the relative L2 error, the root mean square and the largest error in units of the unknown, the
    estimate, the effectivity (estimate over error; at least 1 for an honest estimate), and where the problem has
    a maximum principle the bound of the largest error.
    """
    files = data_files(data)
    with told_in_one_line(debug), warnings_in_yellow(debug):
        import physolve

        from ..solve import Solution

        with live_line(quiet or as_json) as progress:
            problem = physolve.read_problem(file, data=files)
            if solution is None:
                found, same = physolve.solve(problem, tol, seed=seed, progress=progress), True
            else:
                found = Solution.load(solution)
                same = _is_same(problem, found.problem)
            reference = _reference(problem, against, tol)
        rows = differences(problem, found, reference.values)
    record = _record(found, same, reference, rows)
    if as_json:
        print_json(record)
    elif not quiet:
        _print(record, same)


def _is_same(problem: Problem, saved: Problem) -> bool:
    """Whether the saved solution is of this problem; warns where it is of another one in the same unknowns.

    Raises:
        SpecificationError: its unknowns are others, so that there is nothing to compare.
    """
    if problem.unknowns != saved.unknowns:
        got, expected = (", ".join(map(str, each.unknowns)) for each in (saved, problem))
        raise SpecificationError(f"--solution: is one for {got}, expected one for {expected}, as in the problem file")
    others = [part for part in ("equations", "domain", "conditions") if getattr(problem, part) != getattr(saved, part)]
    if others:
        text = f"warning: the saved solution is of a problem with other {' and '.join(others)} than the file's"
        messages().print(text, style="yellow")
    return not others


def _reference(problem: Problem, against: Against, tol: float) -> Reference:
    if against is Against.EXACT or (against is Against.AUTO and problem.exact):
        return Reference("exact solution", exact_function(problem), 0.0)
    from ..reference import solve_fem

    fem = solve_fem(problem, tol=tol / 10)
    if not fem.converged:
        messages().print(f"warning: the finite elements reached {fem.estimate:.1e}, not {tol / 10:.1e}", style="yellow")
    name = f"finite elements ({fem.unknowns} unknowns, error about {fem.estimate:.1e})"
    return Reference(name, fem, fem.estimate)


def _record(solution: Solution, same: bool, reference: Reference, rows: list[Deviation]) -> dict[str, Any]:
    """What is known of the error; estimate and bound of a solution of another problem say nothing of this one."""
    estimate, bound = (solution.estimate, solution.bound) if same else (None, None)
    error = max(row.relative for row in rows)
    told = estimate is not None and error > RESOLVED * reference.error
    return {
        "reference": reference.name,
        "unknowns": [vars(row) for row in rows],
        "relative_l2": error,
        "estimate": None if estimate is None else estimate.relative,
        "effectivity": estimate.relative / error if estimate is not None and told else None,
        "bound": None if bound is None else bound.value,
    }


def _print(record: dict[str, Any], same: bool) -> None:
    table = Table("unknown", "relative L2", "root mean square", "largest", box=None, pad_edge=False)
    for row in record["unknowns"]:
        table.add_row(row["unknown"], *(f"{row[key]:.3e}" for key in ("relative", "rms", "largest")))
    console = results()
    console.print(f"against: {record['reference']}")
    console.print(table)
    estimate, effectivity = record["estimate"], record["effectivity"]
    none = "none" if same else "none, for that of the saved solution is about another problem"
    console.print(f"estimate: {none if estimate is None else f'{estimate:.3g}'}")
    if effectivity is not None:
        console.print(f"effectivity: {effectivity:.3g}")
    elif estimate is not None:
        console.print("effectivity: not known, the difference is no larger than the reference's own error")
    if record["bound"] is not None:
        console.print(f"bound: {record['bound']:.3g} on the largest error (maximum principle, sampled)")
