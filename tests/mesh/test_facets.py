"""Which nodes of a mesh lie on its boundary."""

import itertools

import numpy as np
import pytest

from physolve.mesh._cells import CELL_EDGES
from physolve.mesh._facets import boundary_nodes

NODES = {
    "line": 2, "line3": 3, "triangle": 3, "triangle6": 6, "quad": 4, "quad8": 8, "quad9": 9, "tetra": 4, "tetra10": 10,
    "hexahedron": 8, "hexahedron20": 20, "wedge": 6, "pyramid": 5,
}  # fmt: skip


@pytest.mark.parametrize("kind", CELL_EDGES)
def test_one_cell_is_boundary_but_for_the_nodes_inside_it(kind):
    inside = {"quad9": [8], "line3": [2]}.get(kind, [])
    found = boundary_nodes({kind: np.arange(NODES[kind])[None]}, NODES[kind])
    assert np.flatnonzero(~found).tolist() == inside


def boxes(side):
    """Points of a grid in space and its hexahedra."""
    points = np.array(list(itertools.product(range(side), repeat=3)))
    number = np.arange(side**3).reshape((side,) * 3)
    low = number[:-1, :-1, :-1].ravel()
    a, b = side * side, side
    return points, low[:, None] + np.array([0, a, a + b, b, 1, a + 1, a + b + 1, b + 1])


def test_a_box_of_hexahedra_split_into_wedges_in_part():
    points, cells = boxes(4)
    wedges = np.concatenate([cells[:9][:, [0, 1, 2, 4, 5, 6]], cells[:9][:, [0, 2, 3, 4, 6, 7]]])
    expected = ((points == 0) | (points == 3)).any(1)
    assert np.array_equal(boundary_nodes({"hexahedron": cells}, len(points)), expected)
    assert np.array_equal(boundary_nodes({"hexahedron": cells[9:], "wedge": wedges}, len(points)), expected)


def test_cells_of_a_surface_in_a_mesh_of_the_inside_do_not_count():
    points, cells = boxes(3)
    surface = {"hexahedron": cells, "quad": cells[:, :4], "line": cells[:, :2]}
    assert np.array_equal(boundary_nodes(surface, len(points)), (points != 1).any(1))
