"""The grid of the hypernetwork's channels: nodes of [-1, 1]^2, and boundaries drawn on it as thick lines.

Row 0 is y = +1, column 0 is x = -1, as in an image.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

REACH = 0.0223
"""A node belongs to a boundary nearer than this: exp(-d / 0.1) > 0.8 (2509.05117); 2 to 3 of 224 nodes across."""


def grid_nodes(
    n: int, dtype: torch.dtype = torch.float32, device: torch.device | None = None
) -> Float[Tensor, "n n 2"]:
    """Coordinates (x, y) of the nodes, row by row from y = 1 down to -1."""
    axis = torch.linspace(-1, 1, n, dtype=dtype, device=device)
    y, x = torch.meshgrid(axis.flip(0), axis, indexing="ij")
    return torch.stack([x, y], -1)


def reach(n: int) -> float:
    """Half the width of the lines on n x n nodes: REACH, but at least three quarters of a spacing."""
    return max(REACH, 0.75 * 2 / (n - 1))


class Drawing(NamedTuple):
    """Nodes on the boundary and the value of the nearest boundary point, zero elsewhere."""

    mask: Float[Tensor, "batch n n"]
    values: Float[Tensor, "batch n n"]


def draw(
    points: Float[Tensor, "batch edge 2"], values: Float[Tensor, "batch edge"], used: Bool[Tensor, "batch edge"], n: int
) -> Drawing:
    """Draw boundary points on the grid of n x n nodes: lines of half width `reach(n)`.

    Points with `used` unset are left out. The points should lie closer than half a spacing.
    """
    drawing = Drawing(*(points.new_zeros(len(points), n, n) for _ in range(2)))
    rows = used.any(1).nonzero()[:, 0]
    if len(rows):
        drawing.mask[rows], drawing.values[rows] = _scatter(points[rows], values[rows], used[rows], n)
    return drawing


def _scatter(points: Tensor, values: Tensor, used: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Every point offers itself to the nodes around it; the nearest is taken, of equal ones the first."""
    node, distance = _near(points, used, n, reach(n))
    batch, edge = used.shape
    size = n * n + 1  # one more: where what is too far goes
    least = points.new_full((batch, size), torch.inf).scatter_reduce(1, node, distance, "amin")
    number = torch.arange(edge, device=points.device).repeat_interleave(node.shape[1] // edge)
    offered = torch.where(distance <= least.gather(1, node), number, edge)
    nearest = offered.new_full((batch, size), edge).scatter_reduce(1, node, offered, "amin")[:, :-1]
    mask = nearest < edge
    drawn = torch.where(mask, values.gather(1, nearest.clamp(max=edge - 1)), 0)
    return mask.to(points.dtype).unflatten(1, (n, n)), drawn.unflatten(1, (n, n))


def _near(
    points: Float[Tensor, "batch edge 2"], used: Bool[Tensor, "batch edge"], n: int, radius: float
) -> tuple[Int[Tensor, "batch pairs"], Float[Tensor, "batch pairs"]]:
    """Pairs of a point and a node: the node's number, n * n where it is not closer than `radius`; squared distance.

    A point meets only the nodes of its own cell and of the cells around it that `radius` reaches: a few dozen pairs
    a point instead of n * n. The pairs of a point follow one another.
    """
    spacing = 2 / (n - 1)
    place = (points + 1) / spacing  # in cells, columns and rows counted from (-1, -1)
    cells = math.ceil(radius / spacing)
    steps = torch.arange(1 - cells, cells + 1, device=points.device)
    lattice = place.floor().long()[..., None] + steps
    square = (spacing * (lattice - place[..., None])).square()
    square = torch.where((lattice >= 0) & (lattice < n) & used[..., None, None], square, torch.inf)
    distance = (square[:, :, 0, None, :] + square[:, :, 1, :, None]).flatten(1)
    node = (lattice[:, :, 0, None, :] + n * (n - 1 - lattice[:, :, 1, :, None])).flatten(1)
    return torch.where(distance < radius**2, node, n * n), distance
