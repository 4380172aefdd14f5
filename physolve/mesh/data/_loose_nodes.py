"""Nodes that are not joined to the mesh: those in no cell of it are left out, those at one place are told."""

import logging
from dataclasses import replace

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from .._cells import CELL_DIM
from ._planar import flattened
from ._series import Frame, Series

COINCIDENT = 1e-9
"""Nodes are at one place if they are nearer than this part of the mesh's extent: cells at a wall may be thin."""

_log = logging.getLogger("physolve")


def without_loose(series: Series) -> Series:
    """The series without the nodes that are in no cell of its mesh, such as the points that gmsh constructs with;
    cells of a lower dimension than the mesh's (points and lines in a mesh of triangles) do not hold a node.

    They have no neighbours from which a network or an operator could tell anything. How many there are is logged.
    """
    used = _used(series)
    if used.all():
        return series
    first = int(np.argmin(used))
    _log.warning(
        "%s: %d of %d nodes are in no cell of the mesh and are left out, first node %d at %s",
        *(series.origin, (~used).sum(), len(used), first, series.points[first].tolist()),
    )
    number = np.cumsum(used) - 1
    blocks = {kind: number[block[used[block].all(1)]] for kind, block in series.cells.items()}
    cells = {kind: block for kind, block in blocks.items() if len(block)}
    return replace(
        series,
        points=flattened(series.points[used], cells),
        cells=cells,
        frame=lambda step: _rows(series.frame(step), used),
        node_type=None if series.node_type is None else _row(series.node_type, used),
        parts={name: number[nodes[used[nodes]]] for name, nodes in series.parts.items()},
    )


def tell_coincident(series: Series) -> None:
    """Log how many nodes lie where another one does: blocks that were not joined have a boundary between them."""
    nearest = cKDTree(series.points).query(series.points, k=2)[0][:, 1]
    double = nearest <= COINCIDENT * np.ptp(series.points, axis=0).max()
    if double.any():
        first = int(np.argmax(double))
        _log.warning(
            "%s: %d nodes lie where another one does, first node %d at %s; the mesh has a boundary there: join them"
            " unless it is meant to",
            *(series.origin, double.sum(), first, series.points[first].tolist()),
        )


def _used(series: Series) -> Bool[np.ndarray, " n"]:
    used = np.zeros(len(series.points), dtype=bool)
    dim = max(CELL_DIM.get(kind, 0) for kind, block in series.cells.items() if len(block))
    for kind, block in series.cells.items():
        if CELL_DIM.get(kind, 0) == dim:
            used[block] = True
    return used


def _rows(frame: Frame, used: NDArray[np.bool_]) -> Frame:
    return {name: _row(values, used) for name, values in frame.items()}


def _row(values: NDArray, used: NDArray[np.bool_]) -> NDArray:
    """Those of the nodes that are used; what has another length is refused later."""
    return values[used] if len(values) == len(used) else values
