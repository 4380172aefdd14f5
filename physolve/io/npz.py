"""NumPy archives: arrays `points`, `cells/<type>`, `point_data/<name>` and `format_version`; exact."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from ..errors import ProblemFileError
from ._files import reading, replacing
from ._mesh_field import MeshField

FORMAT_VERSION = 1


def write(path: str | PathLike[str], field: MeshField) -> None:
    """Write `field` to a compressed archive; raises ProblemFileError if the file cannot be written."""
    arrays = {"format_version": np.array(FORMAT_VERSION), "points": field.points}
    arrays |= {f"cells/{name}": block for name, block in field.cells.items()}
    arrays |= {f"point_data/{name}": values for name, values in field.point_data.items()}
    with replacing(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]


def read(path: str | PathLike[str]) -> MeshField:
    """Read what `write` wrote; raises ProblemFileError. Pickled objects are refused."""
    return reading(path, "npz", _read)


def _read(file: Path) -> MeshField:
    with np.load(file, allow_pickle=False) as archive:
        if "points" not in archive or "format_version" not in archive:
            raise ProblemFileError(f"{file}: content: no 'points' and 'format_version'; not a mesh field")
        version = int(archive["format_version"])
        if version != FORMAT_VERSION:
            raise ProblemFileError(f"{file}: format_version: got {version}, expected {FORMAT_VERSION}")
        return MeshField(archive["points"], _group(archive, "cells/"), _group(archive, "point_data/"))


def _group(archive: np.lib.npyio.NpzFile, prefix: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(prefix): archive[key] for key in archive.files if key.startswith(prefix)}
