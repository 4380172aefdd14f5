"""Solutions on disk: one safetensors file with the problem's text and all numbers in its header."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

from torch import Tensor

from physolve.errors import ProblemFileError
from physolve.io import read_tensors, write_tensors
from physolve.nets import Field, rebuild_field
from physolve.spec import Problem, dumps_problem, loads_problem

from ._enrichment import BasisPlan
from ._outcome import Cost, Estimate, History, Outcome, Step
from ._solution import Solution


def write_solution(path: str | PathLike[str], solution: Solution) -> None:
    """Everything of a solution; nothing is left half-written.

    Raises SpecificationError where the problem cannot be written as a file (a Python function in `on=`).
    """
    estimate = solution.estimate
    header = {
        "content": "solution",
        "problem": dumps_problem(solution.problem),
        "field": solution.field.config(),
        "outcome": solution.outcome.name,
        "message": solution.message,
        "estimate": None if estimate is None else [estimate.value, estimate.relative, estimate.method],
        "method": solution.method,
        "cost": vars(solution.cost),
        "parameters": dict(solution.parameters),
        "deviations": dict(solution.deviations),
        "valid_until": solution.valid_until,
        "history": [list(vars(step).values()) for step in solution.history],
    }
    write_tensors(path, solution.field.tensors(), header)


def read_solution(path: str | PathLike[str]) -> Solution:
    """The solution in a file that `write_solution` wrote.

    Raises ProblemFileError where the file is something else.
    """
    tensors, header = read_tensors(path)
    if header.get("content") != "solution":
        raise ProblemFileError(f"{path}: holds {header.get('content', 'unknown data')!r}, expected a saved solution")
    problem = loads_problem(header["problem"])
    estimate = header["estimate"]
    return Solution(
        problem,
        _field(problem, header["field"], tensors),
        Outcome[header["outcome"]],
        header["message"],
        None if estimate is None else Estimate(*estimate),
        header["method"],
        Cost(**header["cost"]),
        header["parameters"],
        History(tuple(Step(*step) for step in header["history"])),
        header["deviations"],
        header.get("valid_until"),
    )


def _field(problem: Problem, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Field:
    """The field that a file describes. One in a moving frame is built by the room above that knows what that is."""
    if config["kind"] == "lagrangian":
        from physolve.lagrangian import rebuild_field as rebuild_moving

        return rebuild_moving(problem, config, tensors)
    return rebuild_field(config, tensors, BasisPlan(problem).region)
