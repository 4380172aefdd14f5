"""What pictures are made of: meshes of PyVista and colour ranges."""

import numpy as np
import pytest

from physolve.errors import NumericalError
from physolve.io import domain_mesh
from physolve.spec.geometry import Box, Disk, Interval, Rectangle, TimeInterval
from physolve.view._mesh import boundary_faces, evaluate, simplices, to_pyvista
from physolve.view._scale import Scale, fit_scale


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        (Interval(0, 3), 3.0),
        (Rectangle((0, 0), (2, 1)), 2.0),
        (Interval(0, 1) * TimeInterval(0, 4), 4.0),
        (Box((0, 0, 0), (1, 2, 3)), 6.0),
        (Rectangle((0, 0), (2, 1)) * TimeInterval(0, 4), 8.0),
    ],
)
def test_a_mesh_fills_the_shape(shape, size):
    mesh = to_pyvista(domain_mesh(shape, 6))
    sizes = mesh.compute_cell_sizes()
    total = sum(np.sum(sizes[name]) for name in ("Length", "Area", "Volume"))
    assert total == pytest.approx(size)
    assert mesh.points.shape[1] == 3


@pytest.mark.parametrize("shape", [Disk((0, 0), 1), Box((0, 0, 0), (1, 1, 1))])
def test_boundary_faces_point_outward(shape):
    mesh = domain_mesh(shape, 8)
    corners = mesh.points[boundary_faces(simplices(mesh))]
    edge = corners[:, 1] - corners[:, 0]
    normal = (
        np.stack([edge[:, 1], -edge[:, 0]], axis=1) if shape.dim == 2 else np.cross(edge, corners[:, 2] - corners[:, 0])
    )
    center = (shape.bounds[0] + shape.bounds[1]) / 2
    assert (np.sum(normal * (corners.mean(axis=1) - center), axis=1) > 0).all()


def test_nodes_that_count_as_outside_are_asked_further_in():
    disk = Disk((0.1, 0.2), 1)
    mesh = domain_mesh(disk, 20)

    def strict(points):
        values = points[:, :1] + 0.0
        values[disk.signed_distance(points) > -1e-6] = np.nan
        return values

    assert np.isnan(strict(mesh.points)).any()
    np.testing.assert_allclose(evaluate(strict, mesh.points, simplices(mesh))[:, 0], mesh.points[:, 0], atol=0.03)


@pytest.mark.parametrize(
    ("kind", "values", "low", "high"),
    [
        ("sequential", [1.0, np.nan, 3.0, np.inf], 1.0, 3.0),
        ("sequential", [4.0, 4.0], 2.0, 6.0),
        ("sequential", [0.0], -1.0, 1.0),
        ("diverging", [-1.0, 3.0], -3.0, 3.0),
        ("diverging", [0.0], -1.0, 1.0),
        ("logarithmic", [1e-3, 1.0], 1e-3, 1.0),
        ("logarithmic", [0.0, 1e-20, 1.0], 1e-6, 1.0),
        ("logarithmic", [0.0, 0.0], 0.1, 1.0),
    ],
)
def test_ranges(kind, values, low, high):
    scale = fit_scale(kind, [np.array(values)], "u")
    assert (scale.low, scale.high) == pytest.approx((low, high))


def test_positions():
    np.testing.assert_allclose(
        Scale("sequential", 2, 4).position(np.array([1, 2, 3, 9, np.nan])), [0, 0, 0.5, 1, np.nan]
    )
    np.testing.assert_allclose(Scale("logarithmic", 1e-4, 1).position(np.array([0, 1e-2, 1])), [0, 0.5, 1])


def test_nothing_finite():
    with pytest.raises(NumericalError, match="u has no finite value"):
        fit_scale("diverging", [np.array([np.nan, np.inf])], "u")
