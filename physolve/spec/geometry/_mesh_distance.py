"""Signed distance to a closed polyline or triangle surface.

The nearest facet is found among those with the nearest middles (k-d tree); a bound by the largest facet
tells when more must be tried. The sign is that of the angle-weighted pseudonormal of the nearest facet, edge
or vertex, which is right wherever the nearest point is (Baerentzen and Aanaes 2005).
"""

import numpy as np

from physolve._typing import ColumnArray, PointArray

from ._mesh_boundary import facet_normals

_CHUNK = 400_000  # point-facet pairs held at once


class FacetDistance:
    """Callable on points (n, dim)."""

    def __init__(self, points: np.ndarray, facets: np.ndarray) -> None:
        from scipy.spatial import cKDTree  # slow to import

        self._vertices = points[facets]
        self._pseudonormals = _pseudonormals(points, facets)
        middles = self._vertices.mean(axis=1)
        self._reach = np.linalg.norm(self._vertices - middles[:, None], axis=2).max()
        self._tree = cKDTree(middles)

    def __call__(self, points: PointArray) -> ColumnArray:
        result = np.empty(len(points))
        open_, k = np.arange(len(points)), min(8, self._tree.n)
        while len(open_):
            step = max(1, _CHUNK // k)
            sure = [self._try(points, open_[i : i + step], k, result) for i in range(0, len(open_), step)]
            open_, k = open_[~np.concatenate(sure)], min(4 * k, self._tree.n)
        return result

    def _try(self, points: PointArray, index: np.ndarray, k: int, result: ColumnArray) -> np.ndarray:
        """Fills in the distances by the k nearest middles; answers which of them are certain."""
        p = points[index]
        gaps, near = self._tree.query(p, k=k)
        gaps, near = gaps.reshape(len(p), k), near.reshape(len(p), k)
        offset, feature = _nearest(p[:, None], self._vertices[near])
        squared = np.sum(offset**2, axis=2)
        best = squared.argmin(axis=1)
        rows = np.arange(len(p))
        distance = np.sqrt(squared[rows, best])
        normal = self._pseudonormals[near[rows, best], feature[rows, best]]
        result[index] = np.where(np.sum(offset[rows, best] * normal, axis=1) < 0, -distance, distance)
        return (gaps[:, -1] - self._reach >= distance) | (k == self._tree.n)


def _nearest(p: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From the nearest point of facets x (..., dim, dim) to p (..., dim), and the feature it lies on.

    Features of an edge: 0 inside, 1 2 ends; of a triangle: 0 inside, 1 2 3 vertices, 4 5 6 edges 01 12 20.
    """
    if x.shape[-2] == 2:
        a, b = x[..., 0, :], x[..., 1, :]
        t = _along(p - a, b - a)
        return p - a - t[..., None] * (b - a), np.where(t <= 0, 1, np.where(t >= 1, 2, 0))
    return _nearest_on_triangle(p, x)


def _along(r: np.ndarray, e: np.ndarray) -> np.ndarray:
    return np.clip(np.sum(r * e, axis=-1) / np.sum(e * e, axis=-1), 0, 1)


def _nearest_on_triangle(p: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The foot of the perpendicular if it is inside, else the nearest point of the three edges."""
    a, b, c = x[..., 0, :], x[..., 1, :], x[..., 2, :]
    normal = np.cross(b - a, c - a)
    r = p - a
    area = np.sum(normal * normal, axis=-1)
    v = np.sum(np.cross(r, c - a) * normal, axis=-1) / area
    w = np.sum(np.cross(b - a, r) * normal, axis=-1) / area
    inside = (v > 0) & (w > 0) & (v + w < 1)
    offset = (np.sum(r * normal, axis=-1) / area)[..., None] * normal
    feature = np.zeros(inside.shape, dtype=np.int64)
    best = np.where(inside, np.sum(offset**2, axis=-1), np.inf)
    for k, (s, e) in enumerate(((a, b), (b, c), (c, a))):
        t = _along(p - s, e - s)
        candidate = p - s - t[..., None] * (e - s)
        squared = np.where(inside, np.inf, np.sum(candidate**2, axis=-1))
        better = squared < best
        best = np.where(better, squared, best)
        offset = np.where(better[..., None], candidate, offset)
        kind = np.where(t <= 0, 1 + k, np.where(t >= 1, 1 + (k + 1) % 3, 4 + k))
        feature = np.where(better, kind, feature)
    return offset, feature


def _pseudonormals(points: np.ndarray, facets: np.ndarray) -> np.ndarray:
    """Normals (facets, features, dim): of the facet, and sums over the facets at its vertices (and edges)."""
    normals, _ = facet_normals(points, facets)
    dim = facets.shape[1]
    at_vertex = np.zeros_like(points)
    for k in range(dim):
        weight = np.ones(len(facets)) if dim == 2 else _angles(points[facets], k)
        np.add.at(at_vertex, facets[:, k], weight[:, None] * normals)
    result = [normals, *(at_vertex[facets[:, k]] for k in range(dim))]
    if dim == 3:
        result += _edge_sums(facets, normals)
    return np.stack(result, axis=1)


def _angles(x: np.ndarray, k: int) -> ColumnArray:
    """Angle of triangles (n, 3, 3) at vertex k."""
    e, f = x[:, (k + 1) % 3] - x[:, k], x[:, (k + 2) % 3] - x[:, k]
    return np.arctan2(np.linalg.norm(np.cross(e, f), axis=1), np.sum(e * f, axis=1))


def _edge_sums(facets: np.ndarray, normals: PointArray) -> list[np.ndarray]:
    edges = np.sort(np.concatenate([facets[:, [0, 1]], facets[:, [1, 2]], facets[:, [2, 0]]]), axis=1)
    _, inverse = np.unique(edges, axis=0, return_inverse=True)
    inverse = inverse.ravel()
    sums = np.zeros((inverse.max() + 1, 3))
    np.add.at(sums, inverse, np.tile(normals, (3, 1)))
    return np.split(sums[inverse], 3)
