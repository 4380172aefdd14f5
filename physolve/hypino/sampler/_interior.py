"""Points in a domain with holes."""

import torch
from jaxtyping import Float
from torch import Tensor

from ._draws import Draws
from ._shapes import Holes

OVERSAMPLED = 3
"""Candidates for a point where there are holes; ShapeSettings.area says how many of them are left at least."""


def random_interior(draws: Draws, holes: Holes, count: int) -> Float[Tensor, "batch count 2"]:
    """`count` points a sample, uniform in the square without the holes; repeated where candidates are too few."""
    points = draws.uniform(len(holes.present), count, 2, low=-1, high=1)
    rows = holes.present.any(1).nonzero()[:, 0]
    candidates = draws.uniform(len(rows), OVERSAMPLED * count, 2, low=-1, high=1)
    if len(rows):
        outside = holes.pick(rows).deepest(candidates) < 0
        order = outside.to(torch.int8).argsort(dim=1, descending=True, stable=True)
        place = torch.arange(count, device=points.device) % outside.sum(1, keepdim=True).clamp(min=1)
        points[rows] = candidates.gather(1, order.gather(1, place)[..., None].expand(-1, -1, 2))
    return points
