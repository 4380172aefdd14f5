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
    """Coordinates (x, y) of the nodes."""
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
    node, distance = _near(points, used, n, reach(n))
    batch, size = len(points), n * n + 1  # one more: where what is too far goes
    least = points.new_full((batch, size), torch.inf).scatter_reduce(1, node, distance, "amin")
    edge = points.shape[1]
    number = torch.arange(edge, device=points.device).repeat(node.shape[1] // edge).expand_as(node)
    tied = torch.where(distance <= least.gather(1, node), number, edge)
    nearest = number.new_full((batch, size), edge).scatter_reduce(1, node, tied, "amin")[:, :-1]
    mask = nearest < edge
    drawn = torch.where(mask, values.gather(1, nearest.clamp(max=edge - 1)), 0)
    return Drawing(mask.to(points.dtype).unflatten(1, (n, n)), drawn.unflatten(1, (n, n)))


def _near(
    points: Float[Tensor, "batch edge 2"], used: Bool[Tensor, "batch edge"], n: int, radius: float
) -> tuple[Int[Tensor, "batch pairs"], Float[Tensor, "batch pairs"]]:
    """All pairs of a point and a node closer than `radius`: the node's number and the distance; n * n where farther.

    A point meets only the nodes of its own cell and of the cells around it that `radius` reaches: a few dozen pairs
    a point instead of n * n. Pairs are ordered by (neighbour, point).
    """
    spacing = 2 / (n - 1)
    place = (points + 1) / spacing  # in cells, columns and rows counted from (-1, -1)
    cells = math.ceil(radius / spacing)
    steps = torch.arange(1 - cells, cells + 1, device=points.device)
    column, row = (place.floor().long()[..., axis, None] + steps for axis in (0, 1))
    dx, dy = (spacing * (k - place[..., axis, None]) for axis, k in ((0, column), (1, row)))
    distance = torch.sqrt(dx[..., None, :] ** 2 + dy[..., None] ** 2)
    there = ((column >= 0) & (column < n))[..., None, :] & ((row >= 0) & (row < n))[..., None]
    there &= (distance < radius) & used[..., None, None]
    node = torch.where(there, (n - 1 - row)[..., None] * n + column[..., None, :], n * n)
    return node.permute(0, 2, 3, 1).flatten(1), distance.permute(0, 2, 3, 1).flatten(1)
