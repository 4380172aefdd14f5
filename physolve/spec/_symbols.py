"""Coordinates, unknowns, parameters and normals: plain sympy objects that remember what they are.

Time, where there is one, is the last coordinate and is called t.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, cast

import sympy
from sympy.core.function import AppliedUndef, UndefinedFunction

from ..errors import SpecificationError


class Parameter(sympy.Symbol):
    """A real constant of the problem whose value is not known: it is found from observations.

    `guess` is the value the search starts from; it is part of equality.
    """

    __slots__ = ("guess",)
    guess: float

    def __new__(cls, name: str, guess: float = 1.0) -> Parameter:
        made = cast(Parameter, sympy.Symbol.__xnew__(cls, name, real=True))
        made.guess = float(guess)
        return made

    def _hashable_content(self) -> tuple:
        return (*super()._hashable_content(), self.guess)

    def __getnewargs_ex__(self) -> tuple[tuple, dict]:
        return (self.name, self.guess), {}


def coordinates(*names: str) -> tuple[sympy.Symbol, ...]:
    """Real coordinates with these names: at most three in space, then the time, which is called "t".

    Raises `SpecificationError` for a name that is not an identifier, a repeated name, or a "t" that is not last.
    """
    for name in names:
        check_name(name, "coordinate")
    made = tuple(sympy.Symbol(name, real=True) for name in names)
    check_coordinates(made)
    return made


def unknown(name: str, *coords: sympy.Symbol, components: int = 1) -> Any:
    """The unknown field `name` of the coordinates: an applied function, or a column of them.

    `components` > 1 gives an immutable column whose entries are called after the space coordinates (v_x, v_y)
    if there are as many of them, else numbered from one (v_1, v_2, ...).
    """
    check_name(name, "unknown")
    check_coordinates(coords, f"unknown '{name}'")
    if isinstance(components, bool) or not isinstance(components, int) or components < 1:
        raise SpecificationError(f"unknown '{name}': components must be a positive integer, got {components!r}")
    if components == 1:
        return _function(name, None)(*coords)
    parts = component_names(name, coords, components)
    return sympy.ImmutableDenseMatrix([_function(part, (name, i))(*coords) for i, part in enumerate(parts)])


def component_names(name: str, coords: Sequence[sympy.Symbol], components: int) -> tuple[str, ...]:
    """Names of the components of the vector unknown `name`."""
    space = space_of(coords)
    labels = [s.name for s in space] if len(space) == components else range(1, components + 1)
    return tuple(f"{name}_{label}" for label in labels)


def parameter(name: str, guess: float = 1.0) -> Parameter:
    """A real number to be found together with the solution, searched from `guess`."""
    check_name(name, "parameter")
    if isinstance(guess, bool) or not isinstance(guess, (int, float)) or not math.isfinite(guess):
        raise SpecificationError(f"parameter '{name}': the guess must be a finite number, got {guess!r}")
    return Parameter(name, float(guess))


def normal(*coords: sympy.Symbol) -> tuple[sympy.Symbol, ...]:
    """Symbols n_x, n_y, ... of the outward unit normal's components along the space coordinates given."""
    check_coordinates(coords, "normal")
    return tuple(sympy.Symbol(f"n_{s.name}", real=True) for s in space_of(coords))


def time_of(coords: Sequence[sympy.Symbol]) -> sympy.Symbol | None:
    """The time among the coordinates, or None."""
    return coords[-1] if coords and coords[-1].name == "t" else None


def space_of(coords: Sequence[sympy.Symbol]) -> tuple[sympy.Symbol, ...]:
    """The coordinates without the time."""
    return tuple(coords[:-1]) if time_of(coords) is not None else tuple(coords)


def is_unknown(node: object) -> bool:
    """Whether a sympy node is an unknown applied to its coordinates (and not data on a grid)."""
    return isinstance(node, AppliedUndef) and getattr(type(node), "data", None) is None


def unknowns_of(*expressions: Any) -> tuple[AppliedUndef, ...]:
    """The unknowns in these expressions or matrices, in order of first appearance."""
    found: dict[AppliedUndef, None] = {}
    for expression in expressions:
        for node in sympy.preorder_traversal(expression):
            if is_unknown(node):
                found.setdefault(cast(AppliedUndef, node))
    return tuple(found)


def name_of(applied: Any) -> str:
    """The name of an unknown, without its coordinates."""
    return applied.func.__name__


def vector_name_of(applied: Any) -> str | None:
    """The name of the vector that an unknown is a component of, or None."""
    vector = getattr(applied.func, "vector", None)
    return None if vector is None else vector[0]


def vector_index_of(applied: Any) -> int:
    """Which component of its vector an unknown is, from zero; 0 for a scalar unknown."""
    vector = getattr(applied.func, "vector", None)
    return 0 if vector is None else vector[1]


def check_coordinates(coords: Iterable[object], item: str = "coordinates") -> None:
    """Raises `SpecificationError` unless `coords` are one to four different symbols, t last."""
    coords = tuple(coords)
    if not coords:
        raise SpecificationError(f"{item}: no coordinate given; expected one to three in space and perhaps t")
    for s in coords:
        if not isinstance(s, sympy.Symbol) or isinstance(s, Parameter):
            raise SpecificationError(f"{item}: {s!r} is not a coordinate; make it with physolve.coordinates(...)")
    names = [cast(sympy.Symbol, s).name for s in coords]
    if len(set(names)) < len(names):
        raise SpecificationError(f"{item}: coordinate names must differ, got {', '.join(names)}")
    if "t" in names[:-1]:
        raise SpecificationError(f"{item}: the time t must be the last coordinate, got {', '.join(names)}")
    if len(names) - (names[-1] == "t") > 3:
        raise SpecificationError(f"{item}: at most three space dimensions, got {', '.join(names)}")


def check_name(name: object, item: str) -> None:
    """Raises `SpecificationError` unless `name` is an ASCII identifier."""
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii():
        raise SpecificationError(
            f"{item} name {name!r}: expected a word of letters, digits and _, not starting with a digit"
        )


def _function(name: str, vector: tuple[str, int] | None) -> UndefinedFunction:
    # sympy keeps extra attributes of an undefined function and makes them part of its equality
    extra = {} if vector is None else {"vector": vector}
    return sympy.Function(name, real=True, **extra)  # type: ignore[return-value]
