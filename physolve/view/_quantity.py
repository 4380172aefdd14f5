"""What is drawn: components of the solution, its residual, or its error against a reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy.matrices import MatrixBase

from ..errors import SpecificationError
from ..spec import Program
from ._scale import Kind
from ._solution_like import Floats, SolutionLike
from ._style import one_of

Function = Callable[[Floats], Floats]
QUANTITIES = ("field", "residual", "error")


@dataclass(frozen=True)
class Quantity:
    """One scalar to be coloured, perhaps with directions.

    - `name`: plain text; `math`: the same for matplotlib; `unit`: text or empty.
    - `columns`: points (n, dim) to (n, k); the colour is column 0 if k = 1, else the Euclidean length of the row.
    - `directed`: the columns are components along the space coordinates: arrows make sense.
    """

    name: str
    math: str
    unit: str
    kind: Kind
    columns: Function
    directed: bool = False

    @property
    def label(self) -> str:
        """For a colour bar or an axis, with matplotlib's mathematics."""
        return self.math + (f" [{self.unit}]" if self.unit else "")

    @property
    def plain(self) -> str:
        """The same without mathematics."""
        return self.name + (f" [{self.unit}]" if self.unit else "")


def magnitude(columns: Floats, kind: Kind) -> Floats:
    """The number (n,) that is coloured."""
    if columns.shape[1] == 1:
        return np.abs(columns[:, 0]) if kind == "logarithmic" else columns[:, 0]
    return np.sqrt(np.square(columns).sum(axis=1))


def quantities(
    solution: SolutionLike,
    quantity: str,
    unknown: object,
    reference: object,
    units: Mapping[str, str],
    split: bool,
) -> tuple[Quantity, ...]:
    """What to draw, one per panel or curve.

    `unknown` None means every unknown, vector unknowns as one (by components if `split`); a name means a
    scalar unknown, a component, or a whole vector. Raises SpecificationError for anything that is not there.
    """
    one_of("quantity", quantity, QUANTITIES)
    chosen = _chosen(solution.problem, unknown)
    if split:
        names = _names(solution.problem)
        chosen = [(names[i], (i,)) for _, indices in chosen for i in indices]
    if quantity == "residual":
        return (Quantity("|residual|", "|residual|", "", "logarithmic", _rows(solution.residual)),)
    if quantity == "error":
        compared = reference_function(solution.problem, reference)
        return tuple(_error(solution, compared, units, *each) for each in chosen)
    return tuple(_field(solution, units, *each) for each in chosen)


def check_units(units: Mapping[str, str] | None, problem: Any) -> Mapping[str, str]:
    """Units by name of an unknown or a coordinate."""
    known = [name for name, _ in _choices(problem)] + [s.name for s in problem.coordinates]
    for name in units or {}:
        if name not in known:
            raise SpecificationError(f"units: '{name}' is not a name here; there are {', '.join(known)}")
    return units or {}


def mathematics(name: str) -> str:
    """A name as matplotlib sets it: theta_x with Greek letter and subscript."""
    return f"${sympy.latex(sympy.Symbol(name))}$"


def _field(solution: SolutionLike, units: Mapping[str, str], name: str, indices: tuple[int, ...]) -> Quantity:
    def columns(points: Floats) -> Floats:
        return _rows(solution)(points)[:, indices]

    unit, math = _unit(solution.problem, units, name), mathematics(name)
    if len(indices) == 1:
        return Quantity(name, math, unit, "sequential", columns)
    directed = len(indices) == len(solution.problem.space) > 1
    return Quantity(f"|{name}|", f"|{math}|", unit, "sequential", columns, directed)


def _error(
    solution: SolutionLike,
    reference: Function,
    units: Mapping[str, str],
    name: str,
    indices: tuple[int, ...],
) -> Quantity:
    def columns(points: Floats) -> Floats:
        return (_rows(solution)(points) - reference(points))[:, indices]

    unit, math = _unit(solution.problem, units, name), f"error of {mathematics(name)}"
    if len(indices) == 1:
        return Quantity(f"error of {name}", math, unit, "diverging", columns)
    return Quantity(f"|error of {name}|", f"|{math}|", unit, "sequential", columns)


def _rows(function: Callable[[Floats], Any]) -> Function:
    """The function with its values as (n, components), one column if they are (n,)."""

    def rows(points: Floats) -> Floats:
        values = np.asarray(function(points), dtype=np.float64)
        return values[:, None] if values.ndim == 1 else values

    return rows


def _unit(problem: Any, units: Mapping[str, str], name: str) -> str:
    """The unit of an unknown; components share that of their vector."""
    names = _names(problem)
    whole = {names[i]: group for group, indices in problem.groups for i in indices}
    return units.get(name, units.get(whole.get(name, ""), ""))


# --- choosing unknowns --------------------------------------------------------------------------------------


def _names(problem: Any) -> list[str]:
    return [u.func.__name__ for u in problem.unknowns]


def _choices(problem: Any) -> list[tuple[str, tuple[int, ...]]]:
    """Every name that can be asked for, with the components it means."""
    return [(name, tuple(indices)) for name, indices in problem.groups] + [
        (name, (i,)) for i, name in enumerate(_names(problem))
    ]


def _chosen(problem: Any, unknown: object) -> list[tuple[str, tuple[int, ...]]]:
    choices = _choices(problem)
    if unknown is None:
        grouped = {i for _, indices in problem.groups for i in indices}
        groups = choices[: len(problem.groups)]
        return sorted(
            groups + [(name, (i,)) for i, name in enumerate(_names(problem)) if i not in grouped],
            key=lambda each: each[1],
        )
    wanted = _name_asked(unknown)
    for name, indices in choices:
        if name == wanted:
            return [(name, indices)]
    known = ", ".join(name for name, _ in choices)
    raise SpecificationError(f"plot: '{wanted}' is not an unknown of this problem; there are {known}")


def _name_asked(unknown: Any) -> str:
    if isinstance(unknown, str):
        return unknown
    first = unknown[0] if isinstance(unknown, MatrixBase) else unknown
    function = getattr(first, "func", None)
    whole = getattr(function, "vector", None) if isinstance(unknown, MatrixBase) else None
    return str(whole or getattr(function, "__name__", unknown))


# --- references ---------------------------------------------------------------------------------------------


def reference_function(problem: Any, reference: Any) -> Function:
    """A function of points (n, dim) to (n, components) from what the user gave.

    A callable, an expression in the coordinates (for one unknown), a mapping {unknown or its name: expression}, or None
    for the problem's exact solution. Raises SpecificationError if there is none, or it does not fit.
    """
    reference = problem.exact if reference is None else reference
    if reference is None:
        raise SpecificationError(
            "plot: the error needs a reference and the problem has no exact solution; give reference="
        )
    if isinstance(reference, (int, float, sympy.Expr)):
        reference = {problem.unknowns[0]: reference} if len(problem.unknowns) == 1 else {}
    if isinstance(reference, Mapping):
        return _expressions(problem, reference)
    if not callable(reference):
        raise SpecificationError(
            f"plot: reference must be an expression, a mapping or a callable of points, got {reference!r}"
        )
    return _checked(_rows(reference), len(problem.unknowns))


def _expressions(problem: Any, reference: Mapping[Any, Any]) -> Function:
    given = {_name_asked(u): sympy.sympify(value) for u, value in reference.items()}
    missing = [name for name in _names(problem) if name not in given]
    if missing:
        raise SpecificationError(f"plot: reference has no expression for {', '.join(missing)}; give a mapping")
    program = Program([given[name] for name in _names(problem)], problem.coordinates)
    return lambda points: np.stack(program(*points.T), axis=1)


def _checked(function: Function, components: int) -> Function:
    def checked(points: Floats) -> Floats:
        values = function(points)
        if values.shape != (len(points), components):
            raise SpecificationError(
                f"plot: reference gave shape {values.shape} for {len(points)} points; "
                f"expected ({len(points)}, {components})"
            )
        return values

    return checked
