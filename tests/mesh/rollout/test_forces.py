"""Forces and divergence, pinned by Gauss's theorem."""

import numpy as np
import pytest
import torch

from physolve.errors import SpecificationError
from physolve.mesh.rollout import Case, Forces, Judge, surface_shares

NU = 0.3


def ring(around=40, across=6, inner=0.5):
    """A ring of quads, or triangles, about a polygon: points, quads, node types with the polygon an obstacle."""
    angle = 2 * np.pi * np.arange(around) / around
    radius = np.linspace(inner, 1.5, across)
    points = (radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], 1)).reshape(-1, 2)
    k, j = np.meshgrid(np.arange(across - 1), np.arange(around), indexing="ij")
    here, there = (around * k + j).ravel(), (around * k + (j + 1) % around).ravel()
    quads = np.stack([here, there, there + around, here + around], 1)
    types = np.where(np.arange(len(points)) < around, 1, 0)
    types[-around:] = 6
    return points, {"quad": quads}, types


def triangles(cells):
    quads = cells["quad"]
    return {"triangle": np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])}


def polygon_area(around=40, inner=0.5):
    return around / 2 * inner**2 * np.sin(2 * np.pi / around)


@pytest.mark.parametrize("cut", [dict, triangles])
def test_linear_pressure_pushes_with_the_displaced_volume(cut):
    """-sum p n over the polygon is -area grad p, exact for linear p."""
    points, cells, types = ring()
    x, y = points.T
    force = Forces(points, cut(cells), types, NU)(np.zeros_like(points), 3 * x - y + 5)
    assert force == pytest.approx(polygon_area() * np.array([-3.0, 1.0]), abs=1e-12)


def test_the_stress_of_a_quadratic_flow():
    """v = (y^2, 0): div of nu (grad v + grad v^T) is (2 nu, 0), which acts on the polygon's area; fits of degree 2 are
    exact."""
    points, cells, types = ring()
    velocity = np.stack([points[:, 1] ** 2, 0 * points[:, 1]], 1)
    force = Forces(points, triangles(cells), types, NU)(velocity, np.zeros(len(points)))
    assert force == pytest.approx([2 * NU * polygon_area(), 0.0], abs=1e-10)


def test_a_closed_surface_in_space_has_no_sum_of_normals():
    grid = np.stack(np.meshgrid(*[np.arange(3.0)] * 3, indexing="ij"), -1).reshape(-1, 3)
    number = np.arange(27).reshape(3, 3, 3)
    cells = {
        "hexahedron": np.array(
            [
                [number[i, j, k], number[i + 1, j, k], number[i + 1, j + 1, k], number[i, j + 1, k],
                 number[i, j, k + 1], number[i + 1, j, k + 1], number[i + 1, j + 1, k + 1], number[i, j + 1, k + 1]]
                for i in range(2) for j in range(2) for k in range(2)
            ]
        )
    }  # fmt: skip
    shares = surface_shares(grid, cells, np.ones(27, dtype=bool))
    assert shares.sum(0) == pytest.approx(np.zeros(3))
    # sum x . n over a closed surface is three times its volume
    assert np.sum(grid * shares) == pytest.approx(3 * 8.0)


def test_without_an_obstacle_there_is_no_force():
    points, cells, types = ring()
    with pytest.raises(SpecificationError, match="got a mesh without obstacle"):
        Forces(points, cells, 0 * types, NU)


def judged(velocity, **options):
    points, cells, types = ring()
    case = Case("ring", points, triangles(cells), types, {"velocity": velocity(*points.T)})
    judge = Judge(case, **options)
    judge.add(0.0, {**case.start, "pressure": np.zeros(len(points))}, None)
    return judge.histories()


def test_a_node_without_a_cell_changes_nothing():
    points, cells, types = ring()
    velocity = np.stack([points[:, 1] ** 2, points[:, 0]], 1)
    found = []
    for more in (0, 1):  # in front, so that all numbers are others
        here = np.concatenate([np.full((more, 2), 9.0), points])
        start = {"velocity": np.concatenate([np.zeros((more, 2)), velocity]), "pressure": np.zeros(len(here))}
        shifted = {kind: block + more for kind, block in triangles(cells).items()}
        case = Case("ring", here, shifted, np.concatenate([np.zeros(more, dtype=int), types]), start)
        judge = Judge(case, viscosity=NU)
        judge.add(0.0, start, None)
        found.append(judge.histories())
    assert found[1]["divergence"] == pytest.approx(found[0]["divergence"])
    assert found[1]["force"] == pytest.approx(found[0]["force"])


def test_divergence_is_relative_to_the_gradient():
    turning = judged(lambda x, y: np.stack([-y, x], 1))
    assert turning["divergence"] == pytest.approx([0.0], abs=1e-12)
    assert "force" not in turning
    swelling = judged(lambda x, y: np.stack([x, y], 1))
    assert swelling["divergence"] == pytest.approx([2 / np.sqrt(2)])


def test_the_judge_gives_forces_where_it_can():
    found = judged(lambda x, y: np.stack([y**2, 0 * x], 1), viscosity=NU)
    assert found["force"][0] == pytest.approx([2 * NU * polygon_area(), 0.0], abs=1e-10)
    assert torch.is_tensor(found["force"]) is False
