"""What conditions share: immutable statements about unknowns, how messages name one, the one form of their fields.

`on` says where a condition holds: None (the whole boundary of space; for a time-dependent problem at all times), the
name of a boundary part, a shape (its boundary), a tuple of names and shapes, a sympy condition in the coordinates, or a
Python callable(points (n, dim)) -> mask (n,), which cannot be written to a file.

`condition.equations(coordinates)` are residual expressions, zero where the condition holds, with the symbols n_x, n_y,
... for the outward normal. Four kinds instead give plain expressions whose values are compared: `Periodic` (equal at
both ends), `Interface` (jump across), `MeanValue` (its mean is `value`), `Observations`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, TypeAlias

import numpy as np
import sympy
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean
from sympy.matrices import MatrixBase

from ..errors import SpecificationError
from ._operators import as_operand
from ._symbols import is_unknown, name_of, vector_name_of

Where: TypeAlias = Any  # None | str | Shape | tuple of those | sympy Boolean | callable(points) -> mask
Expressions: TypeAlias = tuple[sympy.Expr, ...]
Coordinates: TypeAlias = Sequence[sympy.Symbol]


class Condition(ABC):
    """What every condition can tell."""

    kind: ClassVar[str]
    on: Where

    @abstractmethod
    def unknowns(self) -> tuple[AppliedUndef, ...]:
        """The scalar unknowns that the condition speaks of."""

    @abstractmethod
    def equations(self, coords: Coordinates) -> Expressions:
        """Residual expressions, or the expressions that are compared (see the module's text)."""


def condition_subject(condition: Condition) -> str:
    """The unknowns of a condition as written: "u", "v" for a vector, "u, p" for several."""
    found: dict[str, None] = {}
    whole = isinstance(getattr(condition, "u", None), MatrixBase)
    for u in condition.unknowns():
        found.setdefault((vector_name_of(u) if whole else None) or name_of(u))
    return ", ".join(found)


def condition_label(index: int, condition: Condition) -> str:
    """How messages name a condition, counted from one: "condition 2 ('dirichlet' on u)"."""
    subject = condition_subject(condition)
    return f"condition {index} ('{condition.kind}'" + (f" on {subject})" if subject else ")")


def is_shape(value: object) -> bool:
    """Whether `value` is a geometric shape."""
    return hasattr(value, "signed_distance") and hasattr(value, "contains")


def set_field(condition: Any, name: str, value: Any) -> None:
    """Set a field of a frozen condition while it is made."""
    object.__setattr__(condition, name, value)


def normalise(condition: Any, *values: str) -> None:
    """u, the values and `on` in their one form: expressions, columns for vectors, tuples for lists."""
    kind = condition.kind
    set_field(condition, "u", _unknown(condition.u, kind))
    for name in values:
        value = as_operand(getattr(condition, name), f"{kind} condition, {name}")
        if isinstance(condition.u, MatrixBase) and value == 0:
            value = sympy.ImmutableDenseMatrix(sympy.zeros(len(condition.u), 1))
        set_field(condition, name, value)
    if "on" in type(condition).__dataclass_fields__:
        set_field(condition, "on", checked_where(condition.on, kind))


def _unknown(u: Any, kind: str) -> Any:
    if isinstance(u, (tuple, list, MatrixBase)) and len(u) and all(is_unknown(c) for c in u):
        return sympy.ImmutableDenseMatrix(list(u))
    if is_unknown(u):
        return u
    raise SpecificationError(f"{kind} condition: expected an unknown made by physolve.unknown, got {u!r}")


def checked_where(on: Any, kind: str) -> Any:
    """`on` in its one form. Raises SpecificationError for what names no part of a boundary."""
    if isinstance(on, (list, tuple)):
        for each in on:
            if not isinstance(each, str) and not is_shape(each):
                raise SpecificationError(f"{kind} condition: a list for 'on' holds part names and shapes, got {each!r}")
        if not on:
            raise SpecificationError(f"{kind} condition: the list for 'on' is empty")
        return tuple(on)
    if on is None or isinstance(on, (str, Boolean)) or is_shape(on) or callable(on):
        return on
    raise SpecificationError(
        f"{kind} condition: 'on' must be a part's name, a shape, a condition such as x < 0.5 or a function, got {on!r}"
    )


def components_of(u: Any) -> tuple[AppliedUndef, ...]:
    """The scalar unknowns of a scalar or a column."""
    return tuple(u) if isinstance(u, MatrixBase) else (u,)


def entries_of(value: Any) -> Expressions:
    """The entries of a vector, or the one of a scalar."""
    return tuple(value) if isinstance(value, (MatrixBase, list, tuple)) else (value,)


def differences(left: Any, right: Any) -> Expressions:
    """left - right, entry by entry."""
    return tuple(a - b for a, b in zip(entries_of(left), entries_of(right), strict=True))


def real_array(value: Any, item: str) -> np.ndarray:
    """An array of real numbers. Raises SpecificationError naming `item` for anything else."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise SpecificationError(f"{item} must be an array of numbers, its rows have different lengths") from None
    if array.dtype == object:
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError):
            raise SpecificationError(f"{item} must be real numbers, got {value!r}") from None
    if array.dtype.kind not in "fiu":
        raise SpecificationError(f"{item} must be real numbers, got an array of {array.dtype}")
    return array
