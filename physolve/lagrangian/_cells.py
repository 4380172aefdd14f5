"""How close characteristics of a grid of labels come: the cells between them, in units of their first size."""

from itertools import product

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physolve._typing import Column


def least_sizes(
    places: Float[Tensor, "steps n dim"], times: Column, begin: Column, counted: Bool[Tensor, "steps n"]
) -> Column:
    """The smallest cell at each of the times: 1 where all keep their size, negative where one is turned over.

    The grid is square. A cell has its first size when the last of its corners has begun, and counts from then on while
    one of them is `counted`.
    """
    corners = _corners(places)
    if places.shape[-1] == 1:
        size = (corners[1] - corners[0])[..., 0]
    else:
        along, across = corners[2] - corners[0], corners[1] - corners[0]
        size = along[..., 0] * across[..., 1] - along[..., 1] * across[..., 0]
    there = times[:, None] >= _corners(begin[None, :, None].expand(1, -1, places.shape[-1])).amax(0)[..., 0]
    first = size.gather(0, there.int().argmax(0, keepdim=True))
    seen = _corners(counted[..., None].expand_as(places).int()).amax(0)[..., 0] > 0
    counts = there & seen & (first > 0) & size.isfinite()
    return torch.where(counts, size / first, 1.0).amin(1)


def first_below(level: float, sizes: Column, times: Column) -> float | None:
    """When the sizes first fall below a level, linear between the times; None where they do not."""
    below = sizes < level
    if not bool(below.any()):
        return None
    k = int(below.int().argmax())  # never 0: cells begin with size 1
    part = (sizes[k - 1] - level) / (sizes[k - 1] - sizes[k])
    return float(times[k - 1] + part * (times[k] - times[k - 1]))


def _corners(values: Float[Tensor, "steps n dim"]) -> Float[Tensor, "corners steps cells dim"]:
    """What is at the corners of every cell: the first one, the next along the last axis, the next along the first."""
    dim = values.shape[-1]
    grid = values.unflatten(1, (round(values.shape[1] ** (1 / dim)),) * dim)
    ends = product((slice(None, -1), slice(1, None)), repeat=dim)
    return torch.stack([grid[(slice(None), *end)].flatten(1, dim) for end in ends])
