"""ParaView collections: a .vtu file for every step and a .pvd that lists them with their times.

The list is written anew after every step, so that what a killed program wrote can be read. Read by
`physolve.mesh.data.read_source`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from . import vtu
from ._files import finite_time, replacing
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
    """A new series at `path` (.pvd) on this mesh, its steps in NAME_00000.vtu, NAME_00001.vtu, ... beside it.

    Raises ProblemFileError if they cannot be written, SpecificationError for a mesh that is none.
    """
    yield PvdSeries(Path(path), mesh_field(points, cells))
