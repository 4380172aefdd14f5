"""The grid of the hypernetwork's channels: nodes of [-1, 1]^2, and boundaries drawn on it as thick lines.

Row 0 is y = +1, column 0 is x = -1, as in an image.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
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
    nodes = grid_nodes(n, points.dtype, points.device).reshape(1, -1, 2)
    far = torch.full_like(points, 10.0)
    distance, nearest = torch.cdist(nodes, torch.where(used[..., None], points, far)).min(-1)
    mask = distance < reach(n)
    drawn = torch.where(mask, values.gather(1, nearest), 0)
    return Drawing(mask.to(points.dtype).unflatten(1, (n, n)), drawn.unflatten(1, (n, n)))
