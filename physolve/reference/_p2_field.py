"""Quadratic finite-element functions on curved triangles or on intervals, evaluated anywhere.

Nodes of a triangle: corners 0 1 2, then the middles of the edges 01, 12, 02. Nodes of an interval: ends,
then middle. The geometry is quadratic too: x(r) = sum_k N_k(r) x_k, inverted by Newton's method.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ._triangulation import Floats, Ints


@dataclass(frozen=True, eq=False)
class P2Field:
    """Attributes:
    nodes: (n, dim) points of the degrees of freedom.
    elements: (m, 6) or (m, 3) their numbers in each element.
    values: (n,).
    """

    nodes: Floats
    elements: Ints
    values: Floats

    @property
    def dim(self) -> int:
        return self.nodes.shape[1]

    def __call__(self, points: Floats) -> Floats:
        """Values (k,) at the points (k, dim); outside the mesh by the nearest boundary element's polynomial."""
        numbers, weights = self.weights(points)
        return np.sum(weights * self.values[numbers], axis=1)

    def weights(self, points: Floats) -> tuple[Ints, Floats]:
        """Numbers (k, nodes) of degrees of freedom, and the weights with which they make the values at the points."""
        elements, local = self._locate(points)
        return self.elements[elements], _shapes(local)

    def gradient(self, points: Floats) -> Floats:
        """Gradients (k, dim); on an edge between elements that of one of them."""
        elements, local = self._locate(points)
        slopes = _slopes(local)
        numbers = self.elements[elements]
        jacobian = np.einsum("kni,knj->kij", self.nodes[numbers], slopes)  # dx_i / dr_j
        local_gradient = np.einsum("kn,knj->kj", self.values[numbers], slopes)
        return np.linalg.solve(jacobian.transpose(0, 2, 1), local_gradient[:, :, None])[:, :, 0]

    def _locate(self, points: Floats) -> tuple[Ints, Floats]:
        elements = self._element_of(points)
        return elements, self._local(points, elements)

    def _element_of(self, points: Floats) -> Ints:
        if self.dim == 1:
            order, starts = self._intervals
            return order[np.clip(np.searchsorted(starts, points[:, 0], side="right") - 1, 0, len(order) - 1)]
        found = np.asarray(self._finder(points[:, 0], points[:, 1]), dtype=np.int64)
        missed = found < 0
        if missed.any():
            found[missed] = self._nearest_boundary_element(points[missed])
        return found

    @cached_property
    def _intervals(self) -> tuple[Ints, Floats]:
        starts = self.nodes[self.elements[:, :2], 0].min(axis=1)
        order = np.argsort(starts)
        return order, starts[order]

    @cached_property
    def _finder(self) -> Any:
        from matplotlib.tri import Triangulation

        x, y = self.nodes.T
        return Triangulation(x, y, self.elements[:, :3]).get_trifinder()

    @cached_property
    def _boundary(self) -> tuple[Any, Ints]:
        """A search tree of points on the boundary edges, and the element of each."""
        from scipy.spatial import cKDTree

        ends = np.sort(self.elements[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2), axis=1)
        _, first, counts = np.unique(ends, axis=0, return_index=True, return_counts=True)
        edges = first[counts == 1]
        a, b = self.nodes[ends[edges, 0]], self.nodes[ends[edges, 1]]
        share = np.linspace(0.125, 0.875, 4)[:, None, None]
        return cKDTree((a + share * (b - a)).reshape(-1, 2)), np.tile(edges // 3, 4)

    def _nearest_boundary_element(self, points: Floats) -> Ints:
        """Of the elements with a near boundary edge the one that the point is least outside of, in its own terms."""
        tree, elements = self._boundary
        candidates = elements[tree.query(points, k=min(16, len(elements)))[1]]
        flat = np.repeat(points, candidates.shape[1], axis=0)
        local = self._affine(flat, candidates.ravel())
        outside = np.maximum(np.max(-local, axis=1), local.sum(axis=1) - 1).reshape(candidates.shape)
        return candidates[np.arange(len(points)), outside.argmin(axis=1)]

    def _affine(self, points: Floats, elements: Ints) -> Floats:
        """Local coordinates (k, dim) in the straight elements."""
        corners = self.nodes[self.elements[elements, : self.dim + 1]]
        axes = (corners[:, 1:] - corners[:, :1]).transpose(0, 2, 1)
        return np.asarray(np.linalg.solve(axes, (points - corners[:, 0])[:, :, None])[:, :, 0], np.float64)

    def _local(self, points: Floats, elements: Ints) -> Floats:
        nodes = self.nodes[self.elements[elements]]
        local = self._affine(points, elements)
        for _ in range(3):
            defect = points - np.einsum("kn,kni->ki", _shapes(local), nodes)
            jacobian = np.einsum("kni,knj->kij", nodes, _slopes(local))
            local = local + np.linalg.solve(jacobian, defect[:, :, None])[:, :, 0]
        return local


def line_shapes(s: Floats) -> Floats:
    """(k, 3) quadratic shape functions of start, end and middle at places s in [0, 1]."""
    return np.stack([(1 - s) * (1 - 2 * s), s * (2 * s - 1), 4 * s * (1 - s)], axis=1)


def line_slopes(s: Floats) -> Floats:
    """(k, 3) their derivatives by s."""
    return np.stack([4 * s - 3, 4 * s - 1, 4 - 8 * s], axis=1)


def _shapes(local: Floats) -> Floats:
    """(k, nodes) shape functions."""
    if local.shape[1] == 1:
        return line_shapes(local[:, 0])
    s, t = local.T
    r = 1 - s - t
    return np.stack([r * (2 * r - 1), s * (2 * s - 1), t * (2 * t - 1), 4 * r * s, 4 * s * t, 4 * r * t], axis=1)


def _slopes(local: Floats) -> Floats:
    """(k, nodes, dim) derivatives of the shape functions."""
    if local.shape[1] == 1:
        return line_slopes(local[:, 0])[:, :, None]
    s, t = local.T
    r, o = 1 - s - t, np.zeros_like(s)
    ds = np.stack([1 - 4 * r, 4 * s - 1, o, 4 * (r - s), 4 * t, -4 * t], axis=1)
    dt = np.stack([1 - 4 * r, o, 4 * t - 1, -4 * s, 4 * s, 4 * (r - t)], axis=1)
    return np.stack([ds, dt], axis=2)
