"""A solution in a few lines for people, or as one JSON object for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._console import results

if TYPE_CHECKING:
    from ..solve import Solution


def print_summary(solution: Solution, written: Mapping[str, str]) -> None:
    """Outcome, estimate and bound, cost, parameters found and files written."""
    cost = solution.cost
    rows = [
        ("outcome", f"{_word(solution)}: {solution.message or solution.outcome.value}"),
        ("estimate", str(solution.estimate) if solution.estimate is not None else "none"),
        *((("bound", str(solution.bound)),) if solution.bound is not None else ()),
        *((("valid", f"up to t = {solution.valid_until:.6g}"),) if solution.valid_until is not None else ()),
        ("method", solution.method),
        (
            "cost",
            f"{cost.seconds:.1f} s, {cost.features} features, {cost.rows} rows, {cost.iterations} iterations",
        ),
        *(("parameter", f"{name} = {value:.6g}") for name, value in solution.parameters.items()),
        *((what, path) for what, path in written.items()),
    ]
    print_table(rows)


def print_table(rows: list[tuple[str, str]]) -> None:
    """Label and text, the texts aligned."""
    width = max((len(label) for label, _ in rows), default=0)
    console = results()
    for label, text in rows:
        console.print(f"{label.ljust(width)}  {text}")


def print_json(content: Mapping[str, Any]) -> None:
    """One JSON object on stdout; numbers that JSON does not know become null."""
    results().print(json.dumps(_plain(content), indent=2, ensure_ascii=False))


def as_record(solution: Solution, written: Mapping[str, str]) -> dict[str, Any]:
    """What `solve --json` prints."""
    estimate, cost = solution.estimate, solution.cost
    return {
        "problem": solution.problem.name,
        "outcome": _word(solution),
        "message": solution.message,
        "estimate": None
        if estimate is None
        else {"value": estimate.value, "relative": estimate.relative, "method": estimate.method},
        "valid_until": solution.valid_until,
        "bound": None if solution.bound is None else vars(solution.bound),
        "method": solution.method,
        "cost": {
            "seconds": cost.seconds,
            "features": cost.features,
            "rows": cost.rows,
            "iterations": cost.iterations,
        },
        "parameters": dict(solution.parameters),
        "written": dict(written),
    }


def _word(solution: Solution) -> str:
    return solution.outcome.name.lower().replace("_", " ")


def _plain(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {str(key): _plain(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_plain(value) for value in content]
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    return content
