"""NumPy archives: `points` (n, dim), cells, and every other array with the steps first as a field."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from physolve.errors import ProblemFileError
from physolve.io import NODES_PER_CELL

from ._planar import dimension, flattened
from ._series import DT, KIND_BY_COLUMNS, Series, same_steps

PLURALS = {"lines": "line", "triangles": "triangle", "quads": "quad", "tetrahedra": "tetra", "hexahedra": "hexahedron"}
_BY_COLUMNS = {**KIND_BY_COLUMNS, (3, 6): "wedge"}


def read_npz(file: Path, dt: float = DT) -> list[Series]:
    """The one trajectory of an archive: `points`; `triangles`, `quads`, `tetrahedra`, ..., a kind's own name, or
    `cells`; `times` (steps,), else steps are `dt` apart; `node_type` (n,) if there is one; the rest are fields
    (steps, n) or (steps, n, components).

    Raises ProblemFileError for archives without points, cells or fields.
    """
    with np.load(file, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    if "points" not in arrays or arrays["points"].ndim != 2:
        raise ProblemFileError(f"{file}: content: no array 'points' (n, dim); it has {', '.join(arrays) or 'none'}")
    points = arrays.pop("points")
    cells = _cells(file, arrays, dimension(points))
    node_type, times = arrays.pop("node_type", None), arrays.pop("times", None)
    steps = _steps(file, arrays, len(points))
    times = dt * np.arange(steps) if times is None else np.asarray(times, dtype=float)
    if len(times) != steps:
        raise ProblemFileError(f"{file}: times: got {len(times)}, expected one for each of the {steps} steps")
    series = Series(
        name=file.stem,
        origin=str(file),
        points=flattened(points, cells),
        cells=cells,
        times=times,
        frame=lambda step: {name: values[step] for name, values in arrays.items()},
        node_type=None if node_type is None else np.asarray(node_type).reshape(-1),
    )
    return [series]


def _cells(file: Path, arrays: dict[str, NDArray], dim: int) -> dict[str, NDArray]:
    """Taken out of the arrays."""
    found = {}
    for name in list(arrays):
        kind = PLURALS.get(name, name)
        if name == "cells":
            kind = _BY_COLUMNS.get((dim, arrays[name].shape[-1]), "")
        if kind in NODES_PER_CELL:
            block = arrays.pop(name)
            whole = np.array_equal(block, np.round(block))  # else it is refused with the mesh
            found[kind] = block.astype(np.int64) if whole else block
    if not found:
        known = ", ".join(PLURALS)
        raise ProblemFileError(f"{file}: cells: got none among {', '.join(arrays) or 'no arrays'}; call them {known}")
    return found


def _steps(file: Path, fields: dict[str, NDArray], nodes: int) -> int:
    for name, values in fields.items():
        if values.ndim not in (2, 3) or values.shape[1] != nodes:
            raise ProblemFileError(
                f"{file}: array '{name}' has shape {values.shape}, expected (steps, {nodes}) or (steps, {nodes},"
                " components) of a field; remove what is no field"
            )
    return same_steps(str(file), fields)
