"""Meshes of shapes for pictures and export: they fill the shape, and nothing else."""

import math

import numpy as np
import pytest

from physolve.errors import SpecificationError, UnsupportedError
from physolve.io import domain_mesh
from physolve.spec.geometry import (
    Ball,
    Box,
    Disk,
    Ellipse,
    Interval,
    Polygon,
    Rectangle,
    Shape,
    TimeInterval,
    Triangle,
)

L_SHAPE = Rectangle((-1, -1), (1, 1)) - Rectangle((0.03, 0.07), (1, 1))
OFF_GRID = Rectangle((0, 0), (math.pi, 1)) - Rectangle((0.777, 0.333), (1.111, 0.777))
CUBE_NOTCH = Box((0, 0, 0), (1, 1, 1)) - Box((0.37, 0.41, 0.53), (2, 2, 2))


def simplex_volumes(mesh) -> np.ndarray:
    (block,) = mesh.cells.values()
    edges = mesh.points[block[:, 1:]] - mesh.points[block[:, :1]]
    return np.linalg.det(edges) / math.factorial(mesh.dim)


@pytest.mark.parametrize(
    ("shape", "resolution", "kind", "measure", "rtol"),
    [
        (Interval(-1, 3), 10, "line", 4.0, 1e-12),
        (L_SHAPE, 16, "triangle", 4 - 0.97 * 0.93, 1e-9),
        (OFF_GRID, 20, "triangle", math.pi - 0.334 * 0.444, 1e-9),
        (Triangle((0, 0), (2, 0.5), (0.3, 1.7)), 20, "triangle", 1.625, 1e-7),
        (Polygon(((0, 0), (2, 0.3), (1.1, 0.9), (1.5, 2))), 30, "triangle", 1.16, 1e-7),
        (Rectangle((-1, -1), (1, 1)) - Disk((0.2, 0.1), 0.5), 80, "triangle", 4 - math.pi / 4, 1e-3),
        (Ellipse((0, 0), (2, 0.5)), 80, "triangle", math.pi, 2e-3),
        (CUBE_NOTCH, 10, "tetra", 1 - 0.63 * 0.59 * 0.47, 1e-8),
        (Ball((0, 0, 0), 1), 24, "tetra", 4 / 3 * math.pi, 1e-2),
        (Interval(0, 1) * TimeInterval(0, 5), 12, "triangle", 5.0, 1e-12),
        (Disk((0, 0), 1) * TimeInterval(0, 2), 24, "tetra", 2 * math.pi, 1e-2),
    ],
)
def test_the_mesh_fills_the_shape(shape: Shape, resolution, kind, measure, rtol):
    mesh = domain_mesh(shape, resolution)
    volumes = simplex_volumes(mesh)
    assert list(mesh.cells) == [kind]
    assert volumes.min() > 0
    assert volumes.sum() == pytest.approx(measure, rel=rtol)
    assert shape.contains(mesh.points, 1e-8 * shape.size).all()


@pytest.mark.parametrize("shape", [Ball((0, 0, 0), 1), CUBE_NOTCH])
def test_neighbours_share_whole_faces(shape):
    """Every triangle belongs to two tetrahedra or, on the boundary, to one: the cut has no gaps."""
    mesh = domain_mesh(shape, 12)
    block = mesh.cells["tetra"]
    faces = np.sort(np.concatenate([np.delete(block, k, axis=1) for k in range(4)]), axis=1)
    faces, count = np.unique(faces, axis=0, return_counts=True)
    assert count.max() == 2
    outside = faces[count == 1]
    assert np.abs(shape.signed_distance(mesh.points[outside].mean(axis=1))).max() < 0.02


def test_boundary_nodes_lie_on_curved_boundaries():
    hole = Disk((0.2, 0.1), 0.5)
    mesh = domain_mesh(Rectangle((-1, -1), (1, 1)) - hole, 60)
    distance = np.sort(np.abs(hole.signed_distance(mesh.points)))
    assert distance[40] < 1e-9


def test_resolution_by_axis_and_by_longest_side():
    rectangle = Rectangle((0, 0), (4, 2))
    assert len(domain_mesh(rectangle, 8).points) == 9 * 5
    assert len(domain_mesh(rectangle, (3, 5)).points) == 4 * 6
    assert len(domain_mesh(Rectangle((0, 0), (100, 1)), 8).points) == 9 * 3
    assert len(domain_mesh(Interval(0, 1) * TimeInterval(0, 100), 8).points) == 9 * 9


@pytest.mark.parametrize(
    ("shape", "resolution", "error", "message"),
    [
        (Rectangle((0, 0), (1, 1)), 0, SpecificationError, "positive integer, got 0"),
        (Rectangle((0, 0), (1, 1)), 2.5, SpecificationError, "positive integer, got 2.5"),
        (Rectangle((0, 0), (1, 1)), (3, 3, 3), SpecificationError, "expected 1 or 2"),
        (Box((0, 0, 0), (1, 1, 1)) * TimeInterval(0, 1), 4, UnsupportedError, "a 4-D shape"),
        (Disk((0.5, 0.5), 1) - Disk((0.5, 0.5), 0.999), 1, SpecificationError, "raise the resolution"),
    ],
)
def test_misuse_is_told_in_one_line(shape, resolution, error, message):
    with pytest.raises(error, match=message) as caught:
        domain_mesh(shape, resolution)
    assert "\n" not in str(caught.value)
