"""The table from suffix to format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from ..errors import UnsupportedError
from . import csv, h5, npz, vtu, xdmf
from ._mesh_field import MeshField


class _Format(NamedTuple):
    read: Callable[[str | PathLike[str]], MeshField]
    write: Callable[[str | PathLike[str], MeshField], None]


_FORMATS: Mapping[str, _Format] = {
    ".vtu": _Format(vtu.read, vtu.write),
    ".npz": _Format(npz.read, npz.write),
    ".h5": _Format(h5.read, h5.write),
    ".csv": _Format(csv.read, csv.write),
    ".xdmf": _Format(xdmf.read, xdmf.write),
}

#: Suffixes that `save_mesh_field` and `read_mesh_field` understand.
SUFFIXES: tuple[str, ...] = tuple(_FORMATS)


def save_mesh_field(path: str | PathLike[str], field: MeshField) -> None:
    """Write `field` in the format that the suffix of `path` names.

    Raises:
        UnsupportedError: a suffix not in `SUFFIXES`.
        ProblemFileError: the file cannot be written.
    """
    _format(path).write(path, field)


def read_mesh_field(path: str | PathLike[str]) -> MeshField:
    """Read a mesh field in the format that the suffix of `path` names.

    Raises:
        UnsupportedError: a suffix not in `SUFFIXES`.
        ProblemFileError: the file is missing, truncated or of another kind.
    """
    return _format(path).read(path)


def _format(path: str | PathLike[str]) -> _Format:
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMATS:
        got = f"suffix '{suffix}' is not a mesh field format" if suffix else "has no suffix"
        raise UnsupportedError(f"{path}: file: {got}; use one of {', '.join(SUFFIXES)}")
    return _FORMATS[suffix]
