"""Writing a data set, one frame in memory at a time."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from physolve.errors import ProblemFileError
from physolve.io import replacing

from ._fields import Fields
from ._layout import FORMAT_VERSION, KIND, Split, frames_per_chunk
from ._series import Series

if TYPE_CHECKING:
    import h5py


class Writer:
    """An open data set; meshes that several trajectories share are stored once."""

    def __init__(self, file: "h5py.File") -> None:
        self._file = file
        self._meshes: dict[bytes, str] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}  # of a node, by field
        self._dim = 0

    def add(self, series: Series, node_type: NDArray[np.integer], fields: Fields) -> None:
        """Write a trajectory, all of it; it belongs to the training split until `assign` says otherwise.

        Raises ProblemFileError for bad frames, a name that is taken, and for another dimension or other fields than the
        trajectories before have.
        """
        trajectories = self._file.require_group("trajectories")
        if series.name in trajectories:
            raise ProblemFileError(f"{series.origin}: the name '{series.name}' is taken; rename one of the two sources")
        first = fields.of_frame(series, 0)
        self._check_alike(series, first)
        group = trajectories.create_group(series.name)
        group.attrs.update(mesh=self._mesh(series, node_type), split="train", origin=series.origin)
        group["times"] = series.times
        steps = len(series.times)
        stored = {name: _empty_field(group, name, values, steps) for name, values in first.items()}
        prints = group.create_dataset("prints", shape=(steps,), dtype=np.uint64)
        for step in range(steps):
            frame = first if step == 0 else fields.of_frame(series, step)
            _check_frame(series, step, first, frame)
            for name, values in frame.items():
                stored[name][step] = values
            prints[step] = fingerprint(frame)

    def prints(self) -> dict[str, NDArray[np.uint64]]:
        """Fingerprints of every trajectory's frames."""
        return {name: group["prints"][()] for name, group in self._file["trajectories"].items()}

    def assign(self, splits: Mapping[str, Split]) -> None:
        """Which trajectory belongs to which split."""
        for name, split in splits.items():
            self._file["trajectories"][name].attrs["split"] = split

    def _mesh(self, series: Series, node_type: NDArray[np.integer]) -> str:
        cells = {kind: np.asarray(block, dtype=np.int32) for kind, block in series.cells.items()}
        arrays = [series.points, np.asarray(node_type, dtype=np.int8), *(cells[kind] for kind in sorted(cells))]
        key = b"".join(blake2b(np.ascontiguousarray(array).tobytes(), digest_size=16).digest() for array in arrays)
        if key not in self._meshes:
            self._meshes[key] = f"{len(self._meshes):04d}"
            group = self._file.require_group("meshes").create_group(self._meshes[key])
            group["points"], group["node_type"] = arrays[:2]
            for kind, block in cells.items():
                group[f"cells/{kind}"] = block
        return self._meshes[key]

    def _check_alike(self, series: Series, frame: Mapping[str, NDArray]) -> None:
        dim, shapes = series.points.shape[1], {name: values.shape[1:] for name, values in frame.items()}
        if not self._shapes:
            self._dim, self._shapes = dim, shapes
        if dim != self._dim:
            raise ProblemFileError(
                f"{series.origin}: the mesh is {dim}-D and those before are {self._dim}-D; make a data set of each"
            )
        if shapes != self._shapes:
            raise ProblemFileError(
                f"{series.origin}: got the fields {_told(shapes)}, expected {_told(self._shapes)} as before; choose"
                " with --field"
            )


@contextmanager
def writing(path: str | PathLike[str]) -> Iterator[Writer]:
    """A new data set, which appears whole or not at all; raises ProblemFileError if it cannot be written."""
    import h5py

    with replacing(path) as temporary, h5py.File(temporary, "w", track_order=True) as file:
        file.attrs.update(kind=KIND, format_version=FORMAT_VERSION)
        yield Writer(file)


def fingerprint(frame: Mapping[str, NDArray[np.float32]]) -> int:
    """64 bits that tell two frames apart."""
    digest = blake2b(digest_size=8)
    for name in sorted(frame):
        digest.update(frame[name].tobytes())
    return int.from_bytes(digest.digest(), "little")


def _empty_field(group: Any, name: str, values: NDArray[np.float32], steps: int) -> Any:
    chunks = (frames_per_chunk(values.nbytes, steps), *values.shape)
    return group.create_dataset(f"fields/{name}", shape=(steps, *values.shape), dtype=np.float32, chunks=chunks)


def _check_frame(series: Series, step: int, first: Mapping[str, NDArray], frame: Mapping[str, NDArray]) -> None:
    for name in first.keys() | frame.keys():
        expected, got = first.get(name), frame.get(name)
        if expected is None or got is None or expected.shape != got.shape:
            shapes = [None if values is None else values.shape for values in (got, expected)]
            raise ProblemFileError(
                f"{series.origin}: field '{name}' has shape {shapes[0]} at step {step} and {shapes[1]} at step 0;"
                " expected the same fields at every step"
            )


def _told(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {list(shape) or ''}".strip() for name, shape in sorted(shapes.items()))
