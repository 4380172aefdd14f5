"""The statement of a problem: equations, domain, conditions. It says what is to be solved, nothing of how."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import sympy
from sympy.core.function import AppliedUndef
from sympy.matrices import MatrixBase

from ..errors import SpecificationError, WellPosednessWarning
from ._check import check
from ._classify import Classification, classify
from ._condition import Condition
from ._conditions import Interface
from ._data import GridData, grid_data_of
from ._describe import describe, latex
from ._hints import hints
from ._jumps import check_jumps, jumps_by_item, without_jumps
from ._operators import as_operand, flatten_equation
from ._station_data import StationData
from ._symbols import (
    Parameter,
    is_unknown,
    name_of,
    space_of,
    time_of,
    unknowns_of,
    vector_index_of,
    vector_name_of,
)


@dataclass(frozen=True)
class Problem:
    """Find the unknowns such that the equations hold in the domain and the conditions on its boundary.

    - `equations`: `physolve.Eq(lhs, rhs)`, of scalars or vectors, one or a sequence; kept as a tuple of
      scalar `sympy.Eq` with derivatives carried out. A bare expression means = 0.
    - `domain`: a shape; for a time-dependent problem a product of a shape with a `TimeInterval`.
    - `conditions`: see `physolve.spec`.
    - `parameters`: unknown constants; those that appear in equations and conditions are found anyway.
    - `exact`: the exact solution if known, {unknown: expression}; for tests and comparison, solvers do not look.
    - `unknowns`: their order; by default the order of first appearance in the equations.

    Checks itself when built: raises `SpecificationError` (`UnsupportedError` for a statement that makes sense
    but is beyond this package) with one line naming the item, and warns with `WellPosednessWarning` for every
    hint that a condition is missing; `hints` keeps them. Problems are immutable and equal by value.
    """

    equations: tuple[sympy.Eq, ...]
    domain: Any
    conditions: tuple[Condition, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    exact: Mapping[AppliedUndef, sympy.Expr] | None = field(default=None, hash=False)
    name: str = ""
    description: str = ""
    unknowns: tuple[AppliedUndef, ...] = ()

    def __post_init__(self) -> None:
        equations, conditions = _equations(self.equations), _conditions(self.conditions)
        jumps = jumps_by_item(equations, conditions)
        self._set("equations", without_jumps(equations))
        self._set("conditions", without_jumps(conditions))
        self._set("unknowns", _unknowns(self.unknowns, self.equations))
        self._set("parameters", _parameters(self.parameters, self.equations, self.conditions))
        self._set("exact", _exact(self.exact))
        check(self)
        check_jumps(self, jumps)
        for hint in self.hints:
            warnings.warn(hint, WellPosednessWarning, stacklevel=3)

    def __getstate__(self) -> dict[str, Any]:
        state = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return state | {"exact": None if self.exact is None else dict(self.exact)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            self._set(name, MappingProxyType(value) if name == "exact" and value is not None else value)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @cached_property
    def coordinates(self) -> tuple[sympy.Symbol, ...]:
        """The coordinates of the unknowns, time last."""
        return tuple(self.unknowns[0].args)  # type: ignore[arg-type]

    @property
    def time(self) -> sympy.Symbol | None:
        """The time t, or None."""
        return time_of(self.coordinates)

    @property
    def space(self) -> tuple[sympy.Symbol, ...]:
        """The coordinates without the time."""
        return space_of(self.coordinates)

    @cached_property
    def residuals(self) -> tuple[sympy.Expr, ...]:
        """lhs - rhs of every scalar equation."""
        return tuple(e.lhs - e.rhs for e in self.equations)

    @cached_property
    def interfaces(self) -> tuple[Any, ...]:
        """Shapes across whose boundaries the unknowns may jump: those of its `Interface` conditions, each once."""
        found = (shape for c in self.conditions if isinstance(c, Interface) for shape in c.shapes(self.domain))
        return tuple(dict.fromkeys(found))

    @cached_property
    def data(self) -> tuple[GridData | StationData, ...]:
        """Data, on grids or at stations, used in equations, conditions and the exact solution."""
        exact = tuple(self.exact.values()) if self.exact else ()
        conditions = [e for c in self.conditions for e in condition_expressions(c)]
        return grid_data_of(*self.equations, *conditions, *exact)

    @cached_property
    def groups(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """(name, indices of its components in `unknowns`) of every vector unknown."""
        found: dict[str, list[int]] = {}
        for i, u in enumerate(self.unknowns):
            if vector_name_of(u) is not None:
                found.setdefault(vector_name_of(u), []).append(i)  # type: ignore[arg-type]
        return tuple((name, tuple(indices)) for name, indices in found.items())

    @cached_property
    def classification(self) -> Classification:
        """Order, linearity, type."""
        return classify(self)

    @cached_property
    def hints(self) -> tuple[str, ...]:
        """What seems to be missing for the problem to be well posed; one line each."""
        return hints(self)

    def describe(self) -> str:
        """The problem in words, several lines."""
        return describe(self)

    def _repr_latex_(self) -> str:
        return latex(self)

    def __repr__(self) -> str:
        names = ", ".join(name_of(u) for u in self.unknowns)
        title = f"{self.name!r}, " if self.name else ""
        return (
            f"Problem({title}{len(self.equations)} equation{'s' * (len(self.equations) != 1)} for {names}, "
            f"domain={self.domain!r}, {len(self.conditions)} condition{'s' * (len(self.conditions) != 1)})"
        )


def condition_expressions(condition: Condition) -> tuple[Any, ...]:
    """All sympy expressions and matrices in the fields of a condition."""
    values = [getattr(condition, name) for name in condition.__dataclass_fields__]  # type: ignore[attr-defined]
    flat = [v for value in values for v in (value if isinstance(value, tuple) else (value,))]
    return tuple(v for v in flat if isinstance(v, (sympy.Basic, MatrixBase)))


def _equations(given: Any) -> tuple[sympy.Eq, ...]:
    given = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    return tuple(e for i, each in enumerate(given, 1) for e in flatten_equation(each, f"equation {i}"))


def _conditions(given: Any) -> tuple[Condition, ...]:
    given = (given,) if isinstance(given, Condition) else tuple(given)
    for i, each in enumerate(given, 1):
        if not isinstance(each, Condition):
            raise SpecificationError(f"condition {i}: expected a condition such as Dirichlet(u, 0), got {each!r}")
    return given


def _unknowns(given: Any, equations: tuple[sympy.Eq, ...]) -> tuple[AppliedUndef, ...]:
    given = given if isinstance(given, (tuple, list)) else (given,)
    found: dict[Any, None] = {}
    for each in given:
        for u in each if isinstance(each, MatrixBase) else (each,):
            if not is_unknown(u):
                raise SpecificationError(f"unknowns: expected unknowns made by physolve.unknown, got {u!r}")
            if u in found:
                raise SpecificationError(f"unknowns: '{name_of(u)}' is given twice; name every unknown once")
            found.setdefault(u)
    appearing = unknowns_of(*equations)
    for u in appearing:  # the components of a vector come together, in their order
        vector = vector_name_of(u)
        for v in sorted((w for w in appearing if vector and vector_name_of(w) == vector), key=vector_index_of):
            found.setdefault(v)
        found.setdefault(u)
    if not found:
        raise SpecificationError("nothing to solve: no equation holds an unknown made by physolve.unknown")
    return tuple(found)


def _parameters(given: Any, equations: tuple, conditions: tuple) -> tuple[Parameter, ...]:
    given = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    for each in given:
        if not isinstance(each, Parameter):
            raise SpecificationError(f"parameters: expected physolve.parameter(name, guess), got {each!r}")
    found = dict.fromkeys(given)
    for expression in (*equations, *(e for c in conditions for e in condition_expressions(c))):
        for symbol in sorted(expression.free_symbols, key=str):
            if isinstance(symbol, Parameter):
                found.setdefault(symbol)
    return tuple(found)


def _exact(given: Any) -> Mapping[AppliedUndef, sympy.Expr] | None:
    """The exact solution by scalar unknown; a vector unknown may be given whole."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise SpecificationError(f"exact: expected a mapping {{unknown: expression}}, got {given!r}")
    made: dict[Any, sympy.Expr] = {}
    for u, value in given.items():
        parts, value = (
            (list(u) if isinstance(u, MatrixBase) else [u]),
            as_operand(value, f"exact solution of {u}"),
        )
        values = list(value) if isinstance(value, MatrixBase) else [value]
        if len(parts) != len(values):
            raise SpecificationError(f"exact: {len(values)} values for an unknown of {len(parts)} components")
        made.update(zip(parts, map(without_jumps, values), strict=True))
    return MappingProxyType(made)
