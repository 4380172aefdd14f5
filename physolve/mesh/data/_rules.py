"""Node types from a small TOML: conditions on the coordinates, named parts, and what the rest of the boundary is."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import sympy
from jaxtyping import Int
from numpy.typing import NDArray

from physolve.errors import ProblemFileError, SpecificationError
from physolve.io import reading
from physolve.spec import Program, parse_condition

from .._facets import boundary_nodes
from .._node_types import TYPES, NodeType
from ._series import Series

COORDINATES = ("x", "y", "z")
_TABLES = ("where", "parts", "boundary")


@dataclass(frozen=True)
class NodeRules:
    """The first that says something about a node decides; a node of which nothing is said is NORMAL.

    where       type to a condition on the coordinates, such as "x < 1e-6 and y > 0"
    parts       name of a part (a patch of OpenFOAM, a boundary part of a problem) to its type
    boundary    type of all other nodes on the mesh's boundary
    """

    where: Mapping[NodeType, str] = field(default_factory=dict)
    parts: Mapping[str, NodeType] = field(default_factory=dict)
    boundary: NodeType | None = None


def read_rules(path: str | PathLike[str]) -> NodeRules:
    """Rules from a file.

        boundary = "wall"
        [where]
        inflow = "x < 1e-6"
        [parts]
        outlet = "outflow"

    Raises ProblemFileError for a file that cannot be read, unknown tables and types, and conditions that do not parse.
    """
    return reading(path, "TOML", lambda file: _rules(file, tomllib.loads(file.read_text())))


def _rules(file: Path, data: Mapping[str, Any]) -> NodeRules:
    unknown = [name for name in data if name not in _TABLES]
    if unknown:
        raise ProblemFileError(f"{file}: item '{unknown[0]}': unknown; expected {', '.join(_TABLES)}")
    where, parts, boundary = data.get("where", {}), data.get("parts", {}), data.get("boundary")
    if not isinstance(where, dict) or not isinstance(parts, dict):
        raise ProblemFileError(f"{file}: 'where' and 'parts': expected tables, [where] and [parts]")
    for word, text in where.items():
        _program(f"{file}: where.{word}", text, COORDINATES)
    return NodeRules(
        {node_type(f"{file}: where", word): text for word, text in where.items()},
        {part: node_type(f"{file}: parts.{part}", word) for part, word in parts.items()},
        None if boundary is None else node_type(f"{file}: boundary", boundary),
    )


def node_type(item: str, word: object) -> NodeType:
    """The type called so; raises ProblemFileError."""
    names = {kind.name.lower(): kind for kind in NodeType}
    if not isinstance(word, str) or word.lower() not in names:
        raise ProblemFileError(f"{item}: got {word!r}, expected one of {', '.join(names)}")
    return names[word.lower()]


def types_by_rules(series: Series, rules: NodeRules) -> Int[np.ndarray, " n"]:
    """The types of a mesh's nodes.

    Raises ProblemFileError for a condition on a coordinate that the mesh lacks, for a part that it does not have, and
    for a rule that no node meets.
    """
    found = np.full(len(series.points), -1)
    for kind, text in rules.where.items():
        _claim(series, found, f"where.{kind.name.lower()} = {text!r}", kind, _mask(series, kind, text))
    for part, kind in rules.parts.items():
        if part not in series.parts:
            has = ", ".join(series.parts) or "none"
            raise ProblemFileError(f"{series.origin}: parts.{part}: the mesh has no such part; it has {has}")
        mask = np.zeros(len(found), dtype=bool)
        mask[series.parts[part]] = True
        _claim(series, found, f"parts.{part}", kind, mask)
    if rules.boundary is not None:
        found[(found < 0) & boundary_nodes(series.cells, len(found))] = rules.boundary
    return np.where(found < 0, NodeType.NORMAL, found)


def _claim(series: Series, found: NDArray[np.integer], item: str, kind: NodeType, mask: NDArray[np.bool_]) -> None:
    if not mask.any():
        raise ProblemFileError(f"{series.origin}: rule {item}: no node meets it; check its numbers against the mesh")
    found[(found < 0) & mask] = kind


def _mask(series: Series, kind: NodeType, text: str) -> NDArray[np.bool_]:
    item = f"{series.origin}: rule where.{kind.name.lower()}"
    program = _program(item, text, COORDINATES[: series.points.shape[1]])
    return np.asarray(program(*series.points.T)[0], dtype=bool)


def _program(item: str, text: object, names: tuple[str, ...]) -> Program:
    symbols = {name: sympy.Symbol(name, real=True) for name in names}
    if not isinstance(text, str):
        raise ProblemFileError(f'{item}: got {text!r}, expected a condition in quotes such as "x < 1e-6"')
    try:
        return Program([parse_condition(text, symbols)], list(symbols.values()))
    except SpecificationError as error:
        raise ProblemFileError(f"{item}: {error}") from error


def checked_types(series: Series, values: NDArray) -> Int[np.ndarray, " n"]:
    """Types from a field of the source; raises ProblemFileError for other shapes and numbers."""
    values = np.asarray(values).reshape(-1)
    if len(values) != len(series.points):
        raise ProblemFileError(
            f"{series.origin}: node types: got {len(values)}, expected one for {len(series.points)} nodes"
        )
    whole = np.isfinite(values) & (values == np.round(values)) & (values >= 0) & (values < TYPES)
    if not whole.all():
        node = int(np.argmin(whole))
        names = ", ".join(f"{kind.value} {kind.name.lower()}" for kind in NodeType)
        raise ProblemFileError(f"{series.origin}: node types: node {node} has {values[node]}, expected 0 to 8: {names}")
    return values.astype(np.int64)
