"""Mesh operators: exact where they must be, of the order they declare, conserving."""

import numpy as np
import pytest
import torch
from scipy.spatial import Delaunay

from physolve.errors import SpecificationError
from physolve.mesh import mesh_edges
from physolve.mesh.operators import (
    dual_volumes,
    finite_volume_gradient,
    least_squares_gradient,
    least_squares_laplacian,
)

KINDS = {2: "triangle", 3: "tetra"}


def mesh(side, dim=2, shake=0.25, seed=0):
    """The unit cube, interior nodes of a grid moved at random, meshed anew."""
    axis = np.linspace(0, 1, side)
    points = np.stack(np.meshgrid(*[axis] * dim, indexing="ij"), -1).reshape(-1, dim)
    inside = ((points > 0) & (points < 1)).all(1)
    moves = np.random.default_rng(seed).uniform(-shake, shake, points.shape) / (side - 1)
    points = points + moves * inside[:, None]
    cells = Delaunay(points).simplices.astype(np.int64)
    corners = points[cells]
    volumes = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1]))
    cells = {KINDS[dim]: cells[volumes > 1e-9]}  # slivers along the boundary
    return points, cells, mesh_edges(cells, len(points))


GRADIENTS = {
    "degree 1": lambda p, c, e: least_squares_gradient(p, e),
    "degree 2": lambda p, c, e: least_squares_gradient(p, e, 2),
    "finite volumes": lambda p, c, e: finite_volume_gradient(p, c),
}


@pytest.mark.parametrize("name", GRADIENTS)
@pytest.mark.parametrize("dim", [2, 3])
def test_exact_for_linear_fields(name, dim):
    points, cells, edges = mesh(5, dim)
    slope = np.arange(1.0, 1 + dim * dim).reshape(dim, dim)
    gradient = GRADIENTS[name](points, cells, edges)
    v = torch.from_numpy(points @ slope.T + 3)
    assert torch.allclose(gradient(v), torch.from_numpy(slope).expand(len(v), -1, -1), rtol=0, atol=1e-10)
    assert torch.allclose(gradient.divergence(v), torch.tensor(np.trace(slope)), rtol=0, atol=1e-10)
    assert torch.allclose(gradient(v[:, 0]), torch.from_numpy(slope[0]), rtol=0, atol=1e-10)


@pytest.mark.parametrize("dim", [2, 3])
def test_degree_two_is_exact_for_quadratic_fields(dim):
    points, _, edges = mesh(5, dim)
    bend = np.array([[1.0, 2, 3], [2, -4, 5], [3, 5, 2]])[:dim, :dim]
    u = torch.from_numpy(0.5 * np.einsum("ni,ij,nj->n", points, bend, points))
    gradient = least_squares_gradient(points, edges, 2)
    assert torch.allclose(gradient(u), torch.from_numpy(points @ bend), rtol=0, atol=1e-9)
    laplacian = least_squares_laplacian(points, edges)
    assert torch.allclose(laplacian(u), torch.tensor(np.trace(bend)), rtol=0, atol=1e-8)


def rms_errors(side):
    """Of a manufactured field, over all nodes."""
    points, cells, edges = mesh(side)
    x, y = torch.from_numpy(points).T
    u = torch.sin(3 * x + y) * torch.exp(y)
    exact = (
        torch.stack([3 * torch.cos(3 * x + y), torch.cos(3 * x + y) + torch.sin(3 * x + y)], 1) * torch.exp(y)[:, None]
    )
    bend = (2 * torch.cos(3 * x + y) - 9 * torch.sin(3 * x + y)) * torch.exp(y)
    errors = {name: make(points, cells, edges)(u) - exact for name, make in GRADIENTS.items()}
    errors["laplacian"] = least_squares_laplacian(points, edges)(u) - bend
    return {name: float(error.square().mean().sqrt()) for name, error in errors.items()}


def test_observed_orders():
    """On meshes without symmetry, the boundary included: as declared, a quarter of an order for the meshes' chance."""
    declared = {"degree 1": 1, "degree 2": 2, "finite volumes": 1, "laplacian": 1}
    coarse, fine = rms_errors(17), rms_errors(65)
    for name, order in declared.items():
        assert np.log(coarse[name] / fine[name]) / np.log(4) > order - 0.25, name
    assert fine["degree 2"] < 0.2 * fine["degree 1"]


@pytest.mark.parametrize("dim", [2, 3])
def test_finite_volumes_conserve(dim):
    """Fluxes between volumes cancel: what is left is the flux through the boundary, whatever the field inside."""
    points, cells, _ = mesh(5, dim)
    volumes, gradient = dual_volumes(points, cells), finite_volume_gradient(points, cells)
    assert float(volumes.sum()) == pytest.approx(1.0, rel=1e-12)
    v = torch.randn(len(points), dim, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    on_boundary = torch.from_numpy(((points == 0) | (points == 1)).any(1))
    other = torch.where(on_boundary[:, None], v, 0.0)
    total, other_inside = (float((volumes * gradient.divergence(field)).sum()) for field in (v, other))
    assert total == pytest.approx(other_inside, abs=1e-12)
    if dim == 2:
        assert total == pytest.approx(flux_through_square(points, cells, v), abs=1e-12)


def flux_through_square(points, cells, v):
    """Of the linear interpolant, by the trapezoidal rule on every edge of the boundary."""
    triangles = cells["triangle"]
    sides = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), 1)
    sides, times = np.unique(sides, axis=0, return_counts=True)
    total = 0.0
    for a, b in sides[times == 1]:
        tangent = points[b] - points[a]
        normal = np.array([tangent[1], -tangent[0]])
        normal *= np.sign(normal @ ((points[a] + points[b]) / 2 - 0.5))
        total += float((v[a] + v[b]) @ torch.from_numpy(normal)) / 2
    return total


def test_differentiable_in_the_field():
    points, cells, edges = mesh(4)
    v = torch.randn(len(points), 2, dtype=torch.float64, requires_grad=True)
    for make in GRADIENTS.values():
        assert torch.autograd.gradcheck(make(points, cells, edges).divergence, v)


def test_what_does_not_fit():
    points, cells, edges = mesh(4)
    gradient = least_squares_gradient(points, edges)
    with pytest.raises(SpecificationError, match="got a field of 3 nodes, expected 16"):
        gradient(torch.zeros(3))
    with pytest.raises(SpecificationError, match=r"got a field of shape \(16, 3\), expected \(nodes, 2\)"):
        gradient.divergence(torch.zeros(16, 3))
    with pytest.raises(SpecificationError, match="got degree 3"):
        least_squares_gradient(points, edges, 3)
    with pytest.raises(SpecificationError, match="1 nodes have too few neighbours, or all on a line, first node 16"):
        least_squares_gradient(np.vstack([points, [2.0, 2.0]]), edges)
    with pytest.raises(SpecificationError, match="node 16 belongs to no cell"):
        finite_volume_gradient(np.vstack([points, [2.0, 2.0]]), cells)
    with pytest.raises(SpecificationError, match="got the cells quad in 2-D, expected triangle"):
        finite_volume_gradient(points, {"quad": np.array([[0, 1, 5, 4]])})
    with pytest.raises(SpecificationError, match=r"triangle 0 of nodes \[0, 1, 2\] is flat"):
        finite_volume_gradient(points, {"triangle": np.array([[0, 1, 2], [0, 1, 5]])})


def test_nodes_at_one_place_and_at_none_are_named():
    points, edges = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]]), mesh_edges({"quad": np.array([[0, 1, 3, 2]])}, 4)
    with pytest.raises(SpecificationError, match=r"nodes 0 and 1 are both at \[0.0, 0.0\]; join them"):
        least_squares_gradient(points * [[1], [0], [1], [1]], edges)
    with pytest.raises(SpecificationError, match=r"node 2 is at \[nan, 1.0\], expected numbers"):
        least_squares_gradient(points + np.array([[0, 0], [0, 0], [np.nan, 0], [0, 0]]), edges)
