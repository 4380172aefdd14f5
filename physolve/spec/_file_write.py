"""A `Problem` to the text of a problem file, exactly: reading the text gives an equal problem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import tomli_w

from ..errors import SpecificationError
from ._condition import condition_label, is_shape
from ._data import GridData
from ._file_conditions import Written, whole_vectors, write_condition
from ._file_data import MAX_INLINE, STATIONS, DataSource, split_key
from ._inner_conditions import MeanValue
from ._print import check_name, print_equation, print_expression
from ._problem import Problem
from ._shapes_grammar import CONSTRUCTORS, MESH, print_shape, relative
from ._station_data import StationData
from ._symbols import component_names, name_of
from .geometry import Named, Shape

WIDTH = 110


def write_text(problem: Problem, base: Path | None, saved: Mapping[GridData, DataSource]) -> str:
    """The text of the problem's file in the folder `base`; `saved` says where data without a file were put.

    Raises SpecificationError naming what cannot be written: Python functions as `on`, large data without a file.
    """
    written = Written(named_shapes(problem), base)
    head: dict[str, Any] = {"name": problem.name, **_description(problem.description)}
    head["coordinates"] = [check_name(s.name) for s in problem.coordinates]
    head["equations"] = [_watch(f"equation {i}", print_equation, e) for i, e in enumerate(problem.equations, 1)]
    head["domain"] = _watch("domain", print_shape, problem.domain, written.shapes, base)
    unknowns, vectors = _unknowns(problem)
    order = [n for name in unknowns for n in vectors.get(name, (name,))]
    if order != [name_of(u) for u in problem.unknowns]:
        head["order"] = [name_of(u) for u in problem.unknowns]
    tables: dict[str, dict[str, Any]] = {"unknowns": unknowns}
    tables["parameters"] = {check_name(p.name): {"guess": p.guess} for p in problem.parameters}
    tables["data"] = {check_name(g.name): _data(g, base, saved) for g in problem.data}
    tables["shapes"] = {n: _shape(s, written) for n, s in written.shapes.items()}
    conditions = [_condition(i, c, written) for i, c in enumerate(problem.conditions, 1)]
    exact = {name_of(u): print_expression(e) for u, e in (problem.exact or {}).items()}
    return _document(head, tables, whole_vectors(conditions, vectors), exact if problem.exact is not None else None)


def _watch(item: str, write: Any, *values: Any) -> str:
    try:
        return write(*values)
    except SpecificationError as error:
        raise SpecificationError(f"{item}: {error}") from None


def _description(text: str) -> dict[str, str]:
    """Title and comment, whose join by an empty line is the description."""
    title, gap, comment = text.partition("\n\n")
    if not text:
        return {}
    if "\n" in title:
        return {"comment": text}
    return {"title": title, "comment": comment} if gap else {"title": title}


def _unknowns(problem: Problem) -> tuple[dict[str, Any], dict[str, tuple[str, ...]]]:
    """The table [unknowns], and the components of each vector."""
    groups = {i: (name, len(indices)) for name, indices in problem.groups for i in indices}
    table: dict[str, Any] = {}
    vectors: dict[str, tuple[str, ...]] = {}
    for i, u in enumerate(problem.unknowns):
        if i not in groups:
            table[check_name(name_of(u))] = {}
            continue
        name, components = groups[i]
        table[check_name(name)] = {"components": components}
        vectors[name] = component_names(name, problem.coordinates, components)
    return table, vectors


def _condition(index: int, condition: Any, written: Written) -> dict[str, Any]:
    try:
        return write_condition(condition, written)
    except SpecificationError as error:
        raise SpecificationError(f"{condition_label(index, condition)}: {error}") from None


def _shape(shape: Named, written: Written) -> str:
    return print_shape(shape.shape, {n: s for n, s in written.shapes.items() if s != shape}, written.base)


# --- shapes with names


def named_shapes(problem: Problem) -> dict[str, Named]:
    """The named shapes of domain and conditions that get a line in [shapes], inner ones first."""
    found: dict[str, Named] = {}
    for shape in _shapes_of(problem):
        for named in _named_within(shape):
            if named.name.isidentifier() and named.name not in CONSTRUCTORS and named.name != MESH:
                found.setdefault(named.name, named)
    return found


def _shapes_of(problem: Problem) -> Iterable[Shape]:
    yield problem.domain
    for condition in problem.conditions:
        on = condition.over if isinstance(condition, MeanValue) else condition.on
        yield from (each for each in (on if isinstance(on, tuple) else (on,)) if is_shape(each))


def _named_within(shape: Shape) -> Iterable[Named]:
    for part in (getattr(shape, f.name) for f in fields(shape)):  # type: ignore[arg-type]
        if isinstance(part, Shape):
            yield from _named_within(part)
    if isinstance(shape, Named):
        yield shape


# --- data on grids


def needs_saving(data: GridData | StationData) -> TypeGuard[GridData]:
    """Whether the values are too many for the text and have no file of their own."""
    return isinstance(data, GridData) and data.source is None and data.values.size > MAX_INLINE


def _data(data: GridData | StationData, base: Path | None, saved: Mapping[GridData, DataSource]) -> dict[str, Any]:
    if isinstance(data, StationData):
        return dict(STATIONS)
    source = saved.get(data, data.source)
    entry: dict[str, Any] = {"extent": [list(pair) for pair in data.extent]}
    if data.order != 3:
        entry["order"] = data.order
    if source is None:
        if data.values.size > MAX_INLINE:
            raise SpecificationError(
                f"data '{data.name}': {data.values.size:,} values without a file; "
                "use write_problem, which saves them next to the problem file"
            )
        return {"values": data.values.tolist(), **entry}
    if not isinstance(source, DataSource):
        source = DataSource(*split_key(source, ""))
    entry = {"file": relative(source.path, base), **entry}
    entry |= {"key": source.key} if source.key else {}
    entry |= {"range": list(source.range)} if source.range else {}
    return entry | ({"layout": source.layout} if source.layout != "grid" else {})


# --- TOML


def _document(
    head: dict[str, Any],
    tables: dict[str, dict[str, Any]],
    conditions: list[dict[str, Any]],
    exact: dict[str, str] | None,
) -> str:
    sections = [_lines(head)]
    sections += [f"[{name}]\n{_lines(table)}" for name, table in tables.items() if table]
    sections += [f"[[conditions]]\n{_lines(table)}" for table in conditions]
    sections += [] if exact is None else [f"[exact]\n{_lines(exact)}"]
    return "\n".join(sections)


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{_toml_key(key)} = {toml_value(value)}\n" for key, value in table.items())


def _toml_key(key: str) -> str:
    return tomli_w.dumps({key: 0}).removesuffix(" = 0\n")


def toml_value(value: Any) -> str:
    """A TOML value on one line where it fits, else one entry a line; text of several lines in triple quotes."""
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f" {_toml_key(k)} = {toml_value(v)}" for k, v in value.items()) + (" }" if value else "}")
        )
    if isinstance(value, list):
        entries = [toml_value(v) for v in value]
        line = f"[{', '.join(entries)}]"
        return line if len(line) <= WIDTH else "[\n" + "".join(f"  {entry},\n" for entry in entries) + "]"
    if isinstance(value, np.generic):
        value = value.item()
    lines = isinstance(value, str) and "\r" not in value  # TOML readers turn \r\n in triple quotes into \n
    return tomli_w.dumps({"v": value}, multiline_strings=lines).removeprefix("v = ").removesuffix("\n")
