"""ParaView collections: a .vtu file for every step and a .pvd that lists them with their times.

The list is written anew after every step, so that what a killed program wrote can be read. Read by
`physolve.mesh.data.read_source`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from ..errors import ProblemFileError
from . import vtu
from ._files import finite_time, one_line, replacing
from ._mesh_field import MeshField, mesh_field


class PvdSeries:
    """An open series; `write` adds a step."""

    def __init__(self, path: Path, mesh: MeshField) -> None:
        self._path, self._mesh = path, mesh
        self._entries: list[str] = []
        self._list()

    def write(self, time: float, point_data: Mapping[str, NDArray[np.floating]]) -> None:
        """Add a step; values are (n,) or (n, components).

        Raises SpecificationError for a time that is not finite and for values that do not fit the mesh.
        """
        when = finite_time(time)
        file = self._path.with_name(f"{self._path.stem}_{len(self._entries):05d}.vtu")
        vtu.write(file, mesh_field(self._mesh.points, self._mesh.cells, point_data))
        self._entries.append(f'<DataSet timestep="{when!r}" part="0" file={quoteattr(file.name)}/>\n')
        self._list()

    def _list(self) -> None:
        with replacing(self._path) as temporary:
            temporary.write_text(
                '<?xml version="1.0"?>\n<VTKFile type="Collection" version="1.0">\n<Collection>\n'
                + "".join(self._entries)
                + "</Collection>\n</VTKFile>\n",
                encoding="utf-8",
            )


@contextmanager
def writing(
    path: str | PathLike[str], points: NDArray[np.floating], cells: Mapping[str, NDArray[np.integer]]
) -> Iterator[PvdSeries]:
    """A new series at `path` (.pvd) on this mesh, its steps in NAME_00000.vtu, NAME_00001.vtu, ... beside it; a series
    that was there is replaced, all of its steps removed.

    Raises ProblemFileError if they cannot be written or such steps are of something else, SpecificationError for a mesh
    that is none.
    """
    target, mesh = Path(path), mesh_field(points, cells)
    _remove_old(target)
    yield PvdSeries(target, mesh)


def _remove_old(target: Path) -> None:
    """The steps of the series that was here; one that its list does not name is somebody's data."""
    name = re.compile(rf"{re.escape(target.stem)}_\d{{5,}}\.vtu")
    steps = sorted(filter(name.fullmatch, os.listdir(target.parent))) if target.parent.is_dir() else []
    listed = target.read_text(encoding="utf-8", errors="replace") if target.is_file() else ""
    foreign = next((step for step in steps if f"file={quoteattr(step)}" not in listed), None)
    if foreign is not None:
        raise ProblemFileError(
            f"{target}: file: its steps would replace '{target.with_name(foreign)}', which is not of a series of this"
            " name; give another name, or move that file"
        )
    try:
        for step in steps:
            target.with_name(step).unlink()
    except OSError as error:
        raise ProblemFileError(f"{target}: file: cannot be written ({one_line(error)})") from error
