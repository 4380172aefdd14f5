"""Conditions of a problem file, read and written: one table [[conditions]] each, its keys the fields of the
condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import sympy
from sympy.logic.boolalg import Boolean

from ..errors import SpecificationError
from ._build import literal
from ._condition import Condition, is_shape
from ._conditions import BoundaryEquation, Dirichlet, Initial, Interface, Neumann, Periodic, Robin, Unbounded
from ._file_checks import Place, as_integer, as_list, as_number, as_text, check_keys, kind_of
from ._file_data import Files, inline_array, read_array
from ._grammar import near, parse_condition, parse_equation, parse_expression
from ._inner_conditions import MeanValue, Observations, PointValue
from ._print import print_equation, print_expression
from ._shapes_grammar import parse_shape, print_shape
from ._symbols import name_of

CONDITIONS: tuple[type[Any], ...] = (
    Dirichlet,
    Neumann,
    Robin,
    Periodic,
    Unbounded,
    Initial,
    PointValue,
    MeanValue,
    Interface,
    BoundaryEquation,
    Observations,
)
KINDS = {made.kind: made for made in CONDITIONS}
ALIASES = {
    "point": "point_value",
    "mean": "mean_value",
    "boundary": "boundary_equation",
    "equation": "boundary_equation",
}
FILE_KEYS = ("file", "data", "points_key", "values_key")


@dataclass(frozen=True)
class Vocabulary:
    """What the texts of a file may speak of."""

    names: Mapping[str, object]
    normals: Mapping[str, object]
    shapes: Mapping[str, Any]
    domain: Any
    files: Files

    @property
    def all_names(self) -> dict[str, object]:
        return {**self.normals, **self.names}


def expression(place: Place, value: object, names: Mapping[str, object]) -> Any:
    """A number, a text, or a list of those for a vector, as an expression."""
    if isinstance(value, list):
        return sympy.ImmutableDenseMatrix([expression(place, entry, names) for entry in value])
    if isinstance(value, str):
        with place.watch():
            return parse_expression(value, names)
    return literal(_finite(place, value))


def _finite(place: Place, value: object) -> int | float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise place.error(f"expected a number or text in quotes, got {kind_of(value)}")
    if not np.isfinite(float(value)):
        raise place.error(f"expected a finite number, got {value}")
    return value


# --- reading


def read_condition(place: Place, table: Mapping[str, Any], words: Vocabulary) -> Condition:
    """The condition that one table of [[conditions]] states."""
    if "kind" not in table:
        raise place.error(f"kind is missing; one of {', '.join(KINDS)}")
    kind = as_text(place.at("kind"), table["kind"])
    made = KINDS.get(ALIASES.get(kind, kind))
    if made is None:
        raise place.error(f"kind: '{kind}' is not a kind of condition; {near(kind, [*KINDS, *ALIASES], 20)}")
    if made is Observations:
        table = _with_arrays(place, table, words.files)
    return _build(place, made, {k: v for k, v in table.items() if k != "kind"}, words)


def _build(place: Place, made: type[Any], table: Mapping[str, Any], words: Vocabulary) -> Condition:
    keys = {_key(f.name): f for f in fields(made)}
    check_keys(place, table, keys, f"a field of '{made.kind}'")
    for key, field in keys.items():
        if key not in table and field.default is MISSING:
            raise place.error(f"{key} is missing; '{made.kind}' needs {_needs(made)}")
    values = {keys[k].name: _FIELDS[keys[k].name].read(place.at(k), value, words) for k, value in table.items()}
    with place.watch():
        return made(**values)


def _key(field: str) -> str:
    return "unknown" if field == "u" else field


def _needs(made: type[Any]) -> str:
    return ", ".join(_key(f.name) for f in fields(made) if f.default is MISSING)


def _with_arrays(place: Place, table: Mapping[str, Any], files: Files) -> dict[str, Any]:
    """The table of observations with the arrays of its file in place."""
    if not ("file" in table or "data" in table):
        return dict(table)
    kept = {k: v for k, v in table.items() if k not in FILE_KEYS}
    for key in ("points", "values"):
        if key in kept:
            raise place.error(f"both {key} and a file are given; leave one out")
    name = as_text(place.at("data"), table.get("data", "observations"))
    file = as_text(place.at("file"), table["file"]) if "file" in table else None
    path, _ = files.find(place, name, file, "")
    if path.suffix.lower() == ".npz":
        for key in ("points", "values"):
            kept[key], _ = read_array(place, path, as_text(place.at(f"{key}_key"), table.get(f"{key}_key", key)))
        return kept
    array, _ = read_array(place, path)
    if array.ndim != 2 or array.shape[1] < 2:
        raise place.error(f"the file '{path.name}' needs columns for the coordinates and the values, got {array.shape}")
    components = len(table["unknown"]) if isinstance(table.get("unknown"), list) else 1
    kept["points"] = array[:, :-components]
    kept["values"] = array[:, -1] if components == 1 else array[:, -components:]
    return kept


def _read_unknown(place: Place, value: object, words: Vocabulary) -> Any:
    if isinstance(value, list):
        return [_read_unknown(place, each, words) for each in value]
    name = as_text(place, value)
    known = {n: v for n, v in words.names.items() if _is_unknown(v)}
    if name not in known:
        raise place.error(f"'{name}' is not an unknown; {near(name, known)}")
    return known[name]


def _is_unknown(value: Any) -> bool:
    entries = list(value) if isinstance(value, sympy.MatrixBase) else [value]
    return all(isinstance(e, sympy.core.function.AppliedUndef) for e in entries)


def _read_expression(place: Place, value: object, words: Vocabulary) -> Any:
    return expression(place, value, words.all_names)


def _read_equation(place: Place, value: object, words: Vocabulary) -> Any:
    if isinstance(value, list):
        return [_read_equation(place, each, words) for each in value]
    with place.watch():
        return parse_equation(as_text(place, value), words.all_names)


def _read_on(place: Place, value: object, words: Vocabulary) -> Any:
    if isinstance(value, list):
        return tuple(_read_on(place, each, words) for each in value)
    text = as_text(place, value)
    word, colon, rest = text.partition(":")
    with place.watch():
        if colon and word.strip() == "where":
            return parse_condition(rest, words.names)
        if colon and word.strip() == "shape":
            return parse_shape(rest, {**words.names, **words.shapes}, words.files.base)
    if text in words.shapes and not words.domain.has_part(text):
        return words.shapes[text]
    return text


def _read_over(place: Place, value: object, words: Vocabulary) -> Any:
    with place.watch():
        return parse_shape(as_text(place, value), {**words.names, **words.shapes}, words.files.base)


def _read_along(place: Place, value: object, words: Vocabulary) -> Any:
    name = as_text(place, value)
    known = {n: v for n, v in words.names.items() if type(v) is sympy.Symbol}
    if name not in known:
        raise place.error(f"'{name}' is not a coordinate; {near(name, known)}")
    return known[name]


def _read_point(place: Place, value: object, words: Vocabulary) -> Any:
    values = [expression(place, each, words.names) for each in as_list(place, value)]
    if not all(isinstance(v, sympy.Expr) and v.is_number for v in values):
        raise place.error("expected constants")
    return tuple(float(v) for v in values)


def _read_array(place: Place, value: object, words: Vocabulary) -> Any:
    return value if isinstance(value, np.ndarray) else inline_array(place, value)


def _read_integer(place: Place, value: object, words: Vocabulary) -> int:
    return as_integer(place, value)


def _read_number(place: Place, value: object, words: Vocabulary) -> float:
    return float(as_number(place, value))


# --- writing


@dataclass(frozen=True)
class Written:
    """What writing needs to know: shapes that have a name in the file, and the folder that paths are relative to."""

    shapes: Mapping[str, Any]
    base: Path | None


def write_condition(condition: Condition, written: Written) -> dict[str, Any]:
    """The table of [[conditions]] for a condition; what equals its default is left out."""
    table: dict[str, Any] = {"kind": condition.kind}
    for field in fields(condition):  # type: ignore[arg-type]
        value = vars(condition)[field.name]
        if field.default is not MISSING and _is_default(value, field.default):
            continue
        table[_key(field.name)] = _FIELDS[field.name].write(value, written)
    return table


def _is_default(value: Any, default: Any) -> bool:
    if value is None or default is None:
        return value is default
    return isinstance(value, sympy.Expr | int) and value == default


def _write_unknown(u: Any, written: Written) -> Any:
    if not isinstance(u, sympy.MatrixBase):
        return name_of(u)
    return [name_of(component) for component in u]


def whole_vectors(tables: list[dict[str, Any]], vectors: Mapping[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    """The tables with unknown = ["v_x", "v_y"] written as unknown = "v" where that is all of v."""
    names = {components: name for name, components in vectors.items()}
    made = []
    for table in tables:
        unknown = table.get("unknown")
        whole = names.get(tuple(unknown)) if isinstance(unknown, list) else None
        made.append({**table, "unknown": whole} if whole else table)
    return made


def _write_equation(equations: Any, written: Written) -> Any:
    texts = [print_equation(e) for e in equations]
    return texts[0] if len(texts) == 1 else texts


def _write_on(on: Any, written: Written) -> Any:
    if isinstance(on, tuple):
        return [_write_on(each, written) for each in on]
    if isinstance(on, str):
        return on
    if is_shape(on):
        return f"shape: {print_shape(on, written.shapes, written.base)}"
    if isinstance(on, Boolean):
        return f"where: {print_expression(on)}"
    raise SpecificationError(
        "'on' is a Python function, which no file can hold; use a part's name, a shape or a condition such as x < 0.5"
    )


@dataclass(frozen=True)
class _Field:
    read: Callable[[Place, Any, Vocabulary], Any]
    write: Callable[[Any, Written], Any]


def _plain(value: Any, written: Written) -> Any:
    return value


_EXPRESSION = _Field(_read_expression, lambda value, written: print_expression(value))
_ARRAY = _Field(_read_array, lambda value, written: value.tolist())
_FIELDS = {
    "u": _Field(_read_unknown, _write_unknown),
    **dict.fromkeys(("value", "velocity", "a", "b", "jump", "flux", "flux_jump"), _EXPRESSION),
    "equation": _Field(_read_equation, _write_equation),
    "on": _Field(_read_on, _write_on),
    "over": _Field(_read_over, lambda value, written: print_shape(value, written.shapes, written.base)),
    "along": _Field(_read_along, lambda value, written: value.name),
    "point": _Field(_read_point, lambda value, written: list(value)),
    "order": _Field(_read_integer, _plain),
    "noise": _Field(_read_number, _plain),
    "points": _ARRAY,
    "values": _ARRAY,
}
