"""Where the data of a problem are needed: interior points, nodes of the grid, points on the boundary.

Problems with the same domain and conditions at the same places share a placement: it does not depend on values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from physolve._typing import Column, Points
from physolve.residual import Collocation
from physolve.spec import Condition, Shape

from ._affine import Affine
from ._raster import grid_nodes, reach

PROBES = 64
MOST = 100_000
"""Boundary points of one condition at most: enough for boxes of aspect 100."""


@dataclass(frozen=True)
class Resolution:
    """Nodes of the grid along each side, points inside and on the boundary, and the seed that places them."""

    grid: int = 64
    points: int = 2048
    edge: int = 1024
    seed: int = 0

    @property
    def spacing(self) -> float:
        """Of the boundary points that are drawn, in the square: 0.4 of a node's, and two for each that is posed."""
        return min(0.8 / (self.grid - 1), 4 / self.edge)


class Edge(NamedTuple):
    """Evenly spaced points of one condition in the problem's coordinates, and the length each has in the square."""

    points: Points
    normals: Points
    lengths: Column


class Drawn(NamedTuple):
    """Nodes of the grid (flat indices) that lie on a boundary, and the boundary point nearest to each."""

    nodes: Int[Tensor, " m"]
    nearest: Int[Tensor, " m"]


@dataclass(frozen=True, eq=False)
class Placement:
    """`interior` and `nodes` are in the problem's coordinates, the latter those of the grid inside the domain;
    `posed`, `dirichlet` and `neumann` count the points of all edges one after the other."""

    affine: Affine
    grid: int
    interior: Points
    inside: Bool[Tensor, " nodes"]
    nodes: Float[Tensor, "m 2"]
    edges: tuple[Edge, ...]
    posed: Int[Tensor, " edge"]
    dirichlet: Drawn
    neumann: Drawn


def place(
    collocation: Collocation, conditions: Sequence[Condition], kinds: Sequence[tuple[bool, bool]], at: Resolution
) -> Placement:
    """Points for these conditions of a problem; `kinds` says which of them are Dirichlet and which Neumann."""
    domain = collocation.domain
    affine = Affine.around(domain)
    edges = tuple(_edge(domain, *collocation.place(c), affine, at.spacing) for c in conditions)
    inside, nodes = _nodes(domain, affine, at.grid)
    return Placement(
        affine=affine,
        grid=at.grid,
        interior=torch.tensor(domain.sample_interior(at.points, seed=at.seed).points),
        inside=inside,
        nodes=nodes,
        edges=edges,
        posed=_spread(edges, at.edge, at.seed),
        dirichlet=_drawn(edges, [dirichlet for dirichlet, _ in kinds], affine, at.grid),
        neumann=_drawn(edges, [neumann for _, neumann in kinds], affine, at.grid),
    )


def _edge(domain: Shape, on: Any, where: Any, affine: Affine, spacing: float) -> Edge:
    """Points of a part of the boundary that lie no further apart than `spacing` in the square."""
    probes = _samples(domain, on, where, affine, PROBES)
    # Points are even in the problem's coordinates: where the square stretches them most decides.
    n = int(PROBES * float(probes.lengths.max()) / spacing) + 1
    return _samples(domain, on, where, affine, min(MOST, max(PROBES, n)))


def _samples(domain: Shape, on: Any, where: Any, affine: Affine, n: int) -> Edge:
    samples = domain.sample_boundary(n, on=on, where=where, method="grid")
    normals = torch.tensor(samples.normals)
    lengths = torch.tensor(samples.weights) * affine.lengths(normals)
    return Edge(torch.tensor(samples.points), normals, lengths)


def _nodes(domain: Shape, affine: Affine, n: int) -> tuple[Bool[Tensor, " nodes"], Float[Tensor, "m 2"]]:
    points = affine.from_square(grid_nodes(n, torch.float64).reshape(-1, 2))
    inside = torch.from_numpy(domain.contains(points.numpy(), 1e-9 * domain.size))
    return inside, points[inside]


def _spread(edges: Sequence[Edge], n: int, seed: int) -> Int[Tensor, " n"]:
    """n of the points of all edges, evenly spread over their length in the square."""
    ends = torch.cat([edge.lengths for edge in edges]).cumsum(0)
    start = np.random.default_rng(seed).uniform()
    at = (torch.arange(n, dtype=torch.float64) + start) / n * ends[-1]
    return torch.searchsorted(ends, at).clamp_max(len(ends) - 1)


def _drawn(edges: Sequence[Edge], used: Sequence[bool], affine: Affine, n: int) -> Drawn:
    """What `draw` would draw; a tree is 20 times faster than all distances on 224 x 224 nodes."""
    rows = torch.cat([torch.full((len(e.points),), u) for e, u in zip(edges, used, strict=True)]).nonzero()[:, 0]
    if not len(rows):
        return Drawn(rows, rows)
    points = affine.to_square(torch.cat([edge.points for edge in edges])[rows])
    nodes = grid_nodes(n, torch.float64).reshape(-1, 2)
    distance, nearest = cKDTree(points.numpy()).query(nodes.numpy(), distance_upper_bound=reach(n))
    on = torch.from_numpy(np.isfinite(distance)).nonzero()[:, 0]
    return Drawn(on, rows[torch.from_numpy(nearest)[on]])
