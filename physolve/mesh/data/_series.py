"""One simulation as a reader hands it over: a fixed mesh, instants, and its fields one frame at a time."""

from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from physolve.errors import ProblemFileError
from physolve.io import NODES_PER_CELL

Frame = Mapping[str, NDArray[np.floating]]
Mesh = tuple[NDArray[np.floating], Mapping[str, NDArray[np.integer]]]
"""Points and cells."""
DT = 1.0
"""Between steps whose times nothing tells."""


@dataclass(frozen=True, eq=False)
class Series:
    """A trajectory that has not been read yet but for its mesh.

    name         of the trajectory
    origin       file or folder, for messages
    points       (n, dim)
    cells        kind, named as in meshio, to (m, k)
    times        (steps,), ascending
    frame        fields of a step, name to (n,) or (n, components)
    node_type    (n,) where the source holds it
    parts        named sets of nodes, such as OpenFOAM's patches
    """

    name: str
    origin: str
    points: Float[np.ndarray, "n dim"]
    cells: Mapping[str, NDArray[np.integer]]
    times: Float[np.ndarray, " steps"]
    frame: Callable[[int], Frame]
    node_type: Int[np.ndarray, " n"] | None = None
    parts: Mapping[str, Int[np.ndarray, " some"]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not len(self.times):
            raise ProblemFileError(f"{self.origin}: steps: got none, expected at least one")
        if not np.isfinite(self.times).all():
            step = int(np.argmin(np.isfinite(self.times)))
            raise ProblemFileError(f"{self.origin}: time {self.times[step]} of step {step} is not a finite number")
        if self.points.ndim != 2 or self.points.shape[1] not in (2, 3):
            raise ProblemFileError(
                f"{self.origin}: points: got shape {self.points.shape}, expected (nodes, 2) or (nodes, 3)"
            )
        if np.any(np.diff(self.times) <= 0):
            k = int(np.argmax(np.diff(self.times) <= 0)) + 1
            raise ProblemFileError(f"{self.origin}: time {self.times[k]:g} of step {k} is not after the one before")
        if not np.isfinite(self.points).all():
            raise ProblemFileError(f"{self.origin}: points: {_first_bad(self.points)} is not a finite number")
        for kind, block in self.cells.items():
            _check_cells(self.origin, kind, np.asarray(block), len(self.points))
        if not sum(len(block) for kind, block in self.cells.items() if kind != "vertex"):
            raise ProblemFileError(f"{self.origin}: cells: got none, expected a mesh; a cloud of points has no edges")


KIND_BY_COLUMNS: Mapping[tuple[int, int], str] = {
    (2, 3): "triangle", (2, 4): "quad", (3, 4): "tetra", (3, 8): "hexahedron",
}  # fmt: skip
"""What cells are that are given as (m, k) numbers alone: by the dimension of the points and k."""


def same_steps(origin: str, fields: Mapping[str, Sized]) -> int:
    """How many steps the fields have, their first axis. Raises ProblemFileError where they differ, or for no field."""
    lengths = {name: len(values) for name, values in fields.items()}
    if len(set(lengths.values())) != 1:
        raise ProblemFileError(f"{origin}: fields: got the steps {lengths or 'of no field'}, expected the same for all")
    return next(iter(lengths.values()))


def same_mesh(origin: str, step: int, first: Mesh, there: Mesh) -> None:
    """Refuse a step whose mesh is not the first one's: raises ProblemFileError."""
    (points, cells), (points_there, cells_there) = first, there
    if points_there.shape != points.shape:
        raise ProblemFileError(
            f"{origin}: step {step} has {len(points_there)} nodes and the first one {len(points)}; expected one mesh a"
            " trajectory: make one of every part with a mesh of its own"
        )
    if cells_there.keys() != cells.keys() or any(not np.array_equal(cells_there[kind], cells[kind]) for kind in cells):
        raise ProblemFileError(
            f"{origin}: step {step} connects its nodes otherwise than the first one; a changing connectivity is not"
            " supported: interpolate onto one mesh first"
        )
    if not np.allclose(points_there, points, rtol=0, atol=1e-5 * float(np.ptp(points))):
        raise ProblemFileError(
            f"{origin}: step {step} has its nodes elsewhere than the first one; a moving mesh is not supported: store"
            " displacements as a field"
        )


def _check_cells(origin: str, kind: str, block: np.ndarray, nodes: int) -> None:
    if NODES_PER_CELL.get(kind) != block.shape[-1] or block.ndim != 2:
        known = ", ".join(f"{name} {count}" for name, count in NODES_PER_CELL.items())
        raise ProblemFileError(f"{origin}: cells: got '{kind}' of shape {block.shape}, expected (m, nodes): {known}")
    if block.dtype.kind not in "iu" and not np.array_equal(block, np.round(block)):
        raise ProblemFileError(f"{origin}: cells: got '{kind}' with fractions, expected numbers of nodes")
    if block.size and (block.min() < 0 or block.max() >= nodes):
        cell = int(np.argmax(((block < 0) | (block >= nodes)).any(1)))
        raise ProblemFileError(
            f"{origin}: cells: {kind} {cell} has the nodes {block[cell].tolist()}, expected 0 to {nodes - 1}; number"
            " nodes from 0"
        )


def _first_bad(values: np.ndarray) -> str:
    node = int(np.argmax(~np.isfinite(values).reshape(len(values), -1).all(1)))
    return f"node {node}"
