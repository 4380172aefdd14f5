"""Graphs of points on a plane, where the sphere's curvature is no part of an error."""

import numpy as np

from physolve.air.operators._cells import voronoi_cells
from physolve.air.operators._graph import _directed


def plane_graph(position):
    """The graph of points (n, 2), metres east and north, float32."""
    cells = voronoi_cells(position)
    step = position[cells.pairs[1]] - position[cells.pairs[0]]
    forth = np.arctan2(step[:, 0], step[:, 1]) % (2 * np.pi)
    bearings = np.stack([forth, (forth + np.pi) % (2 * np.pi)], axis=1)
    return _directed(cells, position, np.linalg.norm(step, axis=1), bearings)
