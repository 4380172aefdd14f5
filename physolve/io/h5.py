"""HDF5: datasets `points`, `cells/<type>`, `point_data/<name>`, attribute `format_version`; exact."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from ..errors import ProblemFileError
from ._files import reading, replacing
from ._mesh_field import MeshField

FORMAT_VERSION = 1


def write(path: str | PathLike[str], field: MeshField) -> None:
    """Write `field`; raises ProblemFileError if the file cannot be written."""
    import h5py

    with replacing(path) as temporary, h5py.File(temporary, "w", track_order=True) as file:
        file.attrs["format_version"] = FORMAT_VERSION
        file.create_dataset("points", data=field.points)
        _write_group(file, "cells", field.cells)
        _write_group(file, "point_data", field.point_data)


def _write_group(file: Any, name: str, arrays: dict[str, Any]) -> None:
    group = file.create_group(name, track_order=True)
    for key, values in arrays.items():
        group.create_dataset(key, data=values, compression="gzip" if values.size else None)


def read(path: str | PathLike[str]) -> MeshField:
    """Read what `write` wrote; raises ProblemFileError."""
    return reading(path, "HDF5", _read)


def _read(path: Path) -> MeshField:
    import h5py

    with h5py.File(path, "r") as file:
        version = file.attrs.get("format_version")
        if version is None or "points" not in file:
            raise ProblemFileError(f"{path}: content: no 'points' and 'format_version'; not a mesh field")
        if version != FORMAT_VERSION:
            raise ProblemFileError(f"{path}: format_version: got {version}, expected {FORMAT_VERSION}")
        return MeshField(file["points"][()], _read_group(file, "cells"), _read_group(file, "point_data"))


def _read_group(file: Any, name: str) -> dict[str, Any]:
    return {key: dataset[()] for key, dataset in file[name].items()} if name in file else {}
