"""The boundary of a mesh: its facets, their normals, and chains of facets as sampling sees them."""

from dataclasses import dataclass

import numpy as np

from physolve._typing import ColumnArray, PointArray
from physolve.errors import SpecificationError


@dataclass(frozen=True, eq=False)
class Chain:
    """Facets in a row: vertices (k, dim, dim), normals (k, dim), cumulative measures (k,)."""

    vertices: np.ndarray
    normals: PointArray
    ends: ColumnArray

    @property
    def measure(self) -> float:
        return float(self.ends[-1])


def boundary_facets(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Facets that belong to one cell only, ordered so that their normals point out: (k, dim)."""
    dim = cells.shape[1] - 1
    opposite = np.arange(dim + 1)
    facets = np.concatenate([np.delete(cells, k, axis=1) for k in opposite])
    apex = np.concatenate([cells[:, k] for k in opposite])
    _, first, times = np.unique(np.sort(facets, axis=1), axis=0, return_index=True, return_counts=True)
    keep = np.sort(first[times == 1])
    facets, apex = facets[keep], apex[keep]
    normals, _ = facet_normals(points, facets)
    inward = np.sum(normals * (points[apex] - points[facets[:, 0]]), axis=1) > 0
    facets[inward] = facets[inward][:, [1, 0, *range(2, dim)]]
    return facets


def facet_normals(points: np.ndarray, facets: np.ndarray) -> tuple[PointArray, ColumnArray]:
    """Unit normals and measures; an edge's normal is to the right of it, a triangle's by the right hand."""
    x = points[facets]
    if facets.shape[1] == 2:
        edge = x[:, 1] - x[:, 0]
        area = np.linalg.norm(edge, axis=1)
        return np.column_stack([edge[:, 1], -edge[:, 0]]) / area[:, None], area
    cross = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])
    area = np.linalg.norm(cross, axis=1)
    return cross / area[:, None], area / 2


def chains(points: np.ndarray, facets: np.ndarray, index: np.ndarray, kink: float) -> list[Chain]:
    """Facets `index` as chains: in 2-D connected runs without corners, in 3-D all of them in one."""
    normals, measures = facet_normals(points, facets)
    runs = _runs(facets, index, normals, kink) if facets.shape[1] == 2 else [index]
    return [Chain(points[facets[run]], normals[run], np.cumsum(measures[run])) for run in runs]


def _runs(facets: np.ndarray, index: np.ndarray, normals: PointArray, kink: float) -> list[np.ndarray]:
    """Edges of a selection in order of travel, split where they turn by more than `kink` or leave it."""
    starts: dict[int, list[int]] = {}
    for k in index.tolist():
        starts.setdefault(int(facets[k, 0]), []).append(k)
    degree = np.bincount(facets.ravel())

    def after(k: int) -> int | None:
        """The edge that goes on smoothly from edge k."""
        following = starts.get(int(facets[k, 1]), [])
        if len(following) != 1 or degree[facets[k, 1]] != 2:
            return None
        return following[0] if normals[k] @ normals[following[0]] > np.cos(kink) else None

    successor = {k: after(k) for k in index.tolist()}
    heads = set(successor) - set(successor.values())
    runs, seen = [], set()
    for k in [*sorted(heads), *index.tolist()]:  # heads first; what is left then are closed smooth loops
        run = []
        step: int | None = k
        while step is not None and step not in seen:
            seen.add(step)
            run.append(step)
            step = successor[step]
        if run:
            runs.append(np.array(run))
    return runs


def closed_surface(points: np.ndarray, triangles: np.ndarray, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Points and triangles of a closed surface with equal points merged and outward normals."""
    item = source or "MeshDomain"
    size = np.ptp(points, axis=0).max()
    keys, inverse = np.unique(np.round(points / (1e-7 * size)).astype(np.int64), axis=0, return_inverse=True)
    merged = np.zeros((len(keys), 3))
    merged[inverse.ravel()] = points
    facets = inverse.ravel()[triangles]
    facets = facets[(facets != np.roll(facets, 1, axis=1)).all(axis=1)]
    directed = np.concatenate([facets[:, [0, 1]], facets[:, [1, 2]], facets[:, [2, 0]]])
    _, times = np.unique(np.sort(directed, axis=1), axis=0, return_counts=True)
    if (times != 2).any():
        raise SpecificationError(
            f"{item}: the surface is not closed, {int((times != 2).sum())} edges are open; mend it"
        )
    if len(np.unique(directed, axis=0)) != len(directed):
        raise SpecificationError(f"{item}: the triangles of the surface are not oriented alike; mend its normals")
    x = merged[facets]
    volume = np.einsum("nk,nk->n", x[:, 0], np.cross(x[:, 1], x[:, 2])).sum()
    return merged, facets if volume > 0 else facets[:, [1, 0, 2]]
