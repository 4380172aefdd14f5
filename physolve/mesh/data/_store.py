"""Reading a data set, from any number of processes at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from physolve.errors import ProblemFileError, SpecificationError
from physolve.io import reading

from ._layout import FORMAT_VERSION, KIND, SPLITS, Split


@dataclass(frozen=True, eq=False)
class StoredMesh:
    """A mesh of a data set; `key` is the same for trajectories that share it."""

    key: str
    points: Float[np.ndarray, "n dim"]
    cells: Mapping[str, Int[np.ndarray, "m k"]]
    node_type: Int[np.ndarray, " n"]


class MeshStore:
    """A data set on disk. Holds its path only; every process opens the file for itself when it first reads.

    Raises ProblemFileError for a missing, truncated or foreign file, here and when reading.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        self._opened: tuple[int, Any] | None = None
        reading(self.path, "HDF5", self._check)

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_opened": None}

    def names(self, split: Split | None = None) -> list[str]:
        """Trajectories, of one split or all."""
        if split not in (None, *SPLITS):
            raise SpecificationError(f"split: got {split!r}, expected one of {', '.join(SPLITS)}")
        groups = self._file["trajectories"].items()
        return [name for name, group in groups if split in (None, group.attrs["split"])]

    def fields(self) -> dict[str, int]:
        """Fields and their numbers of components, 0 for a scalar; all trajectories have the same."""
        stored = self._group(self.names()[0])["fields"]
        return {name: data.shape[2] if data.ndim == 3 else 0 for name, data in stored.items()}

    def times(self, name: str) -> Float[np.ndarray, " steps"]:
        return self._group(name)["times"][()]

    def mesh(self, name: str) -> StoredMesh:
        """The mesh of a trajectory."""
        key = self._group(name).attrs["mesh"]
        group = self._file[f"meshes/{key}"]
        cells = {kind: block[()] for kind, block in group["cells"].items()}
        return StoredMesh(key, group["points"][()], cells, group["node_type"][()].astype(np.int64))

    def frame(self, name: str, step: int) -> dict[str, NDArray[np.float32]]:
        """All fields of a trajectory at a step, (n,) or (n, components).

        Raises SpecificationError for a step that it does not have, ProblemFileError where the file is damaged.
        """
        group = self._group(name)
        steps = len(group["times"])
        if not 0 <= step < steps:
            raise SpecificationError(f"{self.path}: trajectory '{name}' has no step {step}; it has 0 to {steps - 1}")
        return reading(self.path, "HDF5", lambda _: {field: data[step] for field, data in group["fields"].items()})

    @property
    def _file(self) -> Any:
        """h5py's handles do not survive a fork."""
        import h5py

        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = (os.getpid(), h5py.File(self.path, "r"))
        return self._opened[1]

    def _group(self, name: str) -> Any:
        if name not in self._file["trajectories"]:
            has = ", ".join(self.names()[:8])
            raise SpecificationError(f"{self.path}: no trajectory '{name}'; it has {has}")
        return self._file["trajectories"][name]

    def _check(self, path: Path) -> None:
        attributes = self._file.attrs
        if attributes.get("kind") != KIND or "trajectories" not in self._file:
            raise ProblemFileError(f"{path}: content: not a {KIND} file; make one with 'physolve mesh convert'")
        if attributes.get("format_version") != FORMAT_VERSION:
            got = attributes.get("format_version")
            raise ProblemFileError(f"{path}: format_version: got {got}, expected {FORMAT_VERSION}; convert again")
