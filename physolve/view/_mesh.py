"""Meshes of domains with the values on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..io import MeshField, domain_mesh
from ..spec.geometry import Shape
from ._solution_like import Floats, Integers

if TYPE_CHECKING:
    import pyvista

_VTK_TYPES = {"line": 3, "triangle": 5, "tetra": 10}
_INWARD = (1e-4, 1e-2, 0.2)  # shares of a cell by which a boundary node moves in when it counts as outside


def mesh_domain(domain: Shape, resolution: int | Sequence[int] | None = None) -> pyvista.UnstructuredGrid:
    """A shape as a PyVista mesh of lines, triangles or tetrahedra; see `physolve.io.domain_mesh`.

    A product of a line with time is the (x, t) plane, of a plane with time the (x, y, t) space.

    Raises:
        UnsupportedError: a shape of more than three dimensions.
        SpecificationError: a bad resolution, or nothing inside at this one.
    """
    return to_pyvista(domain_mesh(domain, resolution))


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

    Nodes are on the boundary up to rounding only; those that come out NaN are asked again a little further
    in.
    """
    values = np.array(function(at_time(points, time)), dtype=np.float64)
    owner = np.zeros(len(points), dtype=np.int64)
    largest_last = np.argsort(np.ptp(points[cells], axis=1).sum(axis=1))  # the centre of a sliver is no further in
    owner[cells[largest_last].ravel()] = np.repeat(largest_last, cells.shape[1])
    for share in _INWARD:
        bad = np.flatnonzero(np.isnan(values).any(axis=1))
        if len(bad):
            inner = points[cells[owner[bad]]].mean(axis=1)
            values[bad] = function(at_time(points[bad] + share * (inner - points[bad]), time))
    return values


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
