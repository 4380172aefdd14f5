"""Comma-separated text, one line per point: coordinates `x,y,z`, then `u` or `v[0],v[1]`; 17 digits: exact.

Cells are not kept: a field read back is a cloud of points.
"""

from __future__ import annotations

import csv
import re
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ProblemFileError, SpecificationError
from ._files import reading, replacing
from ._mesh_field import MeshField

_AXES = ("x", "y", "z")
_COMPONENT = re.compile(r"(?P<name>.+)\[(?P<index>\d+)\]")


def write(path: str | PathLike[str], field: MeshField) -> None:
    """Write points and data, not cells.

    Raises:
        SpecificationError: data named like a coordinate or a component.
        ProblemFileError: the file cannot be written.
    """
    names = _header(field)
    columns = [field.points, *(values.reshape(len(field.points), -1) for values in field.point_data.values())]
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerow(names)
        np.savetxt(stream, np.hstack(columns), fmt="%.17g", delimiter=",")


def _header(field: MeshField) -> list[str]:
    names: list[str] = list(_AXES[: field.dim])
    for name, values in field.point_data.items():
        names += [name] if values.ndim == 1 else [f"{name}[{k}]" for k in range(values.shape[1])]
    indexed = {name for name in field.point_data if _COMPONENT.fullmatch(name)}
    doubles = sorted({name for name in names if names.count(name) > 1} | indexed | (set(_AXES) & set(field.point_data)))
    if doubles:
        raise SpecificationError(f"csv: column '{doubles[0]}' would be ambiguous; rename that data")
    return names


def read(path: str | PathLike[str]) -> MeshField:
    """Read points and data; raises ProblemFileError."""
    return reading(path, "csv", _read)


def _read(file: Path) -> MeshField:
    with open(file, newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    names = [name.strip() for name in rows[0]] if rows else []
    dim = _dimension(file, names)
    table = np.array([_numbers(file, number, row, names) for number, row in enumerate(rows[1:], 2)])
    table = table.reshape(-1, len(names))
    return MeshField(table[:, :dim], {}, _columns(file, names[dim:], table[:, dim:]))


def _dimension(file: Path, names: list[str]) -> int:
    dim = next(
        (k for k, (got, axis) in enumerate(zip(names, _AXES, strict=False)) if got != axis),
        min(len(names), 3),
    )
    if dim == 0:
        raise ProblemFileError(f"{file}: line 1: the header must start with x or x,y or x,y,z")
    return dim


def _numbers(file: Path, number: int, row: list[str], names: list[str]) -> list[float]:
    if len(row) != len(names):
        raise ProblemFileError(f"{file}: line {number}: got {len(row)} values, expected {len(names)}")
    try:
        return [float(text) for text in row]
    except ValueError as error:
        raise ProblemFileError(f"{file}: line {number}: {error}") from error


def _columns(file: Path, names: list[str], table: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Components by their numbers, in whichever order the columns are."""
    double = next((name for k, name in enumerate(names) if name in names[:k]), None)
    if double is not None:
        raise ProblemFileError(f"{file}: line 1: the column '{double}' is there twice; rename one")
    groups: dict[str, dict[int, int]] = {}
    for column, name in enumerate(names):
        match = _COMPONENT.fullmatch(name)
        groups.setdefault(match["name"] if match else name, {})[int(match["index"]) if match else 0] = column
    for name, columns in groups.items():
        if sorted(columns) != list(range(len(columns))) or (name in names and f"{name}[0]" in names):
            raise ProblemFileError(
                f"{file}: line 1: '{name}' has the components {sorted(columns)}, expected 0 to {len(columns) - 1}, each"
                " once"
            )
    return {name: table[:, [columns[k] for k in range(len(columns))]] for name, columns in groups.items()}
