"""The HDF5 files of MeshGraphNets' data sets: a group for every trajectory, and meta.json beside the file."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physolve.errors import ProblemFileError

from ._planar import dimension, flattened
from ._series import DT, KIND_BY_COLUMNS, Frame, Series, same_mesh, same_steps

CELLS, POINTS, NODE_TYPE = "cells", "mesh_pos", "node_type"


def read_meshgraphnets(file: Path, dt: float = DT) -> list[Series]:
    """Every trajectory of a file: `cells` and `mesh_pos` (with or without steps in front), `node_type`, and fields
    (steps, n, components).

    Steps are as far apart as meta.json says, where it does, else `dt`. Raises ProblemFileError for groups without mesh
    or fields, and for a mesh that changes.
    """
    import h5py

    dt = _dt(file.with_name("meta.json"), dt)
    with h5py.File(file, "r") as opened:
        if not len(opened):
            raise ProblemFileError(f"{file}: content: got no trajectory, expected a group for each")
        return [_series(file, name, group, dt) for name, group in opened.items()]


def _series(file: Path, name: str, group: Any, dt: float) -> Series:
    origin = f"{file}:{name}"
    for needed in (CELLS, POINTS):
        if needed not in getattr(group, "keys", list)():
            raise ProblemFileError(f"{origin}: content: no '{needed}'; not a trajectory of a MeshGraphNets file")
    points, cells = group[POINTS][()], group[CELLS][()]
    fields = [key for key in group if key not in (CELLS, POINTS, NODE_TYPE)]
    steps = same_steps(origin, {key: group[key] for key in fields})
    first = _still(points, 2)
    kind = _kind(origin, dimension(first), cells.shape[-1])
    blocks = {kind: _still(cells, 2).astype(np.int64)}
    node_type = _node_type(group[NODE_TYPE][()], len(first)) if NODE_TYPE in group else None
    series = Series(
        name=name,
        origin=origin,
        points=flattened(first, blocks),
        cells=blocks,
        times=dt * np.arange(steps),
        frame=partial(_frame, file, name, fields),
        node_type=node_type,
    )
    _check_still(series, points, cells, kind)
    return series


def _frame(file: Path, name: str, fields: list[str], step: int) -> Frame:
    import h5py

    with h5py.File(file, "r") as opened:
        return {key: opened[name][key][step] for key in fields}


def _still(values: NDArray, dims: int) -> NDArray:
    """The first step of what may or may not have steps in front."""
    return values if values.ndim == dims else values[0]


def _node_type(values: NDArray, nodes: int) -> NDArray[np.int64]:
    """(nodes,) of what may have steps in front and a column behind."""
    values = values[..., 0] if values.ndim > 1 and values.shape[-1] == 1 and values.shape[-2] == nodes else values
    return _still(values, 1).astype(np.int64)


def _kind(origin: str, dim: int, columns: int) -> str:
    if (dim, columns) not in KIND_BY_COLUMNS:
        raise ProblemFileError(
            f"{origin}: cells: got {columns} nodes a cell in {dim}-D, expected one of {sorted(KIND_BY_COLUMNS)}"
        )
    return KIND_BY_COLUMNS[dim, columns]


def _check_still(series: Series, points: NDArray, cells: NDArray, kind: str) -> None:
    for step in range(1, max(len(points) if points.ndim == 3 else 1, len(cells) if cells.ndim == 3 else 1)):
        there = points[min(step, len(points) - 1)] if points.ndim == 3 else points
        blocks = cells[min(step, len(cells) - 1)] if cells.ndim == 3 else cells
        same_mesh(series.origin, step, (series.points, series.cells), (flattened(there, series.cells), {kind: blocks}))


def _dt(meta: Path, otherwise: float) -> float:
    if not meta.is_file():
        return otherwise
    try:
        dt = float(json.loads(meta.read_text()).get("dt", otherwise))
    except (ValueError, TypeError, AttributeError) as error:
        raise ProblemFileError(f"{meta}: content: not MeshGraphNets' meta data ({error})") from error
    if not dt > 0:
        raise ProblemFileError(f"{meta}: dt: got {dt}, expected a positive number")
    return dt
