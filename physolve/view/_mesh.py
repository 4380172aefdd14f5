"""Meshes of domains with the values on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..io import MeshField
from ._solution_like import Floats, Integers

if TYPE_CHECKING:
    import pyvista

_VTK_TYPES = {"line": 3, "triangle": 5, "tetra": 10}
_INWARD = (1e-4, 1e-2, 0.2)  # shares of a cell by which a boundary node moves in when it counts as outside


def to_pyvista(mesh: MeshField) -> pyvista.UnstructuredGrid:
    """A mesh of simplices with its data, in three coordinates."""
    import pyvista

    ((name, block),) = mesh.cells.items()
    rows = np.hstack([np.full((len(block), 1), block.shape[1]), block])
    grid = pyvista.UnstructuredGrid(rows.ravel(), np.full(len(block), _VTK_TYPES[name]), in_space(mesh.points))
    for label, values in mesh.point_data.items():
        grid.point_data[label] = values
    return grid


def in_space(points: Floats) -> Floats:
    """Points with zeros for the coordinates missing to three."""
    return np.hstack([points, np.zeros((len(points), 3 - points.shape[1]))])


def simplices(mesh: MeshField) -> Integers:
    """The only block of cells."""
    (block,) = mesh.cells.values()
    return block


def at_time(points: Floats, time: float | None) -> Floats:
    """Points in space and time; unchanged for None."""
    return points if time is None else np.hstack([points, np.full((len(points), 1), time)])


def evaluate(
    function: Callable[[Floats], Floats], points: Floats, cells: Integers, time: float | None = None
) -> Floats:
    """Values at the nodes of a mesh.

    Nodes are on the boundary up to rounding only, and chords of a curved hole run through it. Nodes that come out
    NaN are asked again a little towards their good neighbours, and at last take the mean of those.
    """
    values = np.array(function(at_time(points, time)), dtype=np.float64)
    bad = np.flatnonzero(np.isnan(values).any(axis=1))
    if not len(bad):
        return values
    target, mean = _neighbours_means(points, values, cells, bad)
    for share in _INWARD:
        values[bad] = function(at_time(points[bad] + share * (target - points[bad]), time))
        still = np.isnan(values[bad]).any(axis=1)
        bad, target, mean = bad[still], target[still], mean[still]
        if not len(bad):
            return values
    values[bad] = mean
    return values


def _neighbours_means(points: Floats, values: Floats, cells: Integers, nodes: Integers) -> tuple[Floats, Floats]:
    """Mean place and mean values of each node's neighbours that have values; its own place and NaN without any."""
    lost: NDArray[np.bool_] = np.any(np.isnan(values), axis=1)
    count = np.zeros(len(points))
    place, total = np.zeros_like(points), np.zeros_like(values)
    for k in range(cells.shape[1]):
        for other in range(cells.shape[1]):
            here, there = cells[:, k], cells[:, other]
            use = lost[here] & ~lost[there]
            np.add.at(count, here[use], 1.0)
            np.add.at(place, here[use], points[there[use]])
            np.add.at(total, here[use], values[there[use]])
    count = count[nodes, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, place[nodes] / count, points[nodes]), total[nodes] / count


def boundary_faces(cells: Integers) -> Integers:
    """Faces that belong to one cell only, oriented outward for positively oriented simplices."""
    k = cells.shape[1]
    faces = []
    for left_out in range(k):
        face = np.delete(cells, left_out, axis=1)
        faces.append(face[:, ::-1] if left_out % 2 else face)
    found = np.concatenate(faces)
    _, first, count = np.unique(np.sort(found, axis=1), axis=0, return_index=True, return_counts=True)
    return found[first[count == 1]]
