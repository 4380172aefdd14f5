"""A batch of problems of HyPINO's class, posed at points of the square and drawn on a grid.

    c0 u + c1 u_x + c2 u_y + c3 u_xx + c4 u_yy = f   in a part of [-1, 1]^2
    u = g on the Dirichlet points,  du/dn = h on the Neumann points        (one point may be both)

In time-dependent problems y is time and y = -1 the initial time (2509.05117, section 3).
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physolve.jets import JetLayout

LAYOUT = JetLayout(2, (0, 1), ((0, 0), (1, 1)))
"""Rows of a jet in the order of the coefficients: u, u_x, u_y, u_xx, u_yy."""


@dataclass(frozen=True, eq=False)
class Boundary:
    """Points of the boundaries, their outward unit normals, what is asked there; values count where a mask is set."""

    points: Float[Tensor, "batch edge 2"]
    normals: Float[Tensor, "batch edge 2"]
    dirichlet: Float[Tensor, "batch edge"]
    on_dirichlet: Bool[Tensor, "batch edge"]
    neumann: Float[Tensor, "batch edge"]
    on_neumann: Bool[Tensor, "batch edge"]


@dataclass(frozen=True, eq=False)
class Labels:
    """The true solution's jet at the interior points, as LAYOUT orders it; rows of samples without one are zero."""

    jet: Float[Tensor, "batch 5 points"]
    known: Bool[Tensor, " batch"]


@dataclass(frozen=True, eq=False)
class ProblemBatch:
    """Problems posed at points: what the least squares and the losses see; `raster` is what the hypernetwork sees.

    raster   channels Dirichlet mask, Neumann mask, Dirichlet values, Neumann values (zero off the mask), source (zero
             outside of the domain)
    inside   which nodes of the raster lie in the domain
    source   f at the interior points
    """

    coefficients: Float[Tensor, "batch 5"]
    raster: Float[Tensor, "batch 5 n n"]
    inside: Bool[Tensor, "batch n n"]
    interior: Float[Tensor, "batch points 2"]
    source: Float[Tensor, "batch points"]
    boundary: Boundary
    labels: Labels | None = None

    def __len__(self) -> int:
        return len(self.coefficients)

    def map(self, change: Callable[[Tensor], Tensor]) -> "ProblemBatch":
        """Every tensor changed: moved to a device, sliced along the batch, converted."""
        return _mapped(self, change)


def _mapped(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    if value is None:
        return None
    return type(value)(
        **{field.name: _mapped(getattr(value, field.name), change) for field in dataclasses.fields(value)}
    )


def stack(batches: Sequence[ProblemBatch]) -> ProblemBatch:
    """Batches of the same resolution as one; labels are kept where all have them."""
    if any(batch.labels is None for batch in batches):
        batches = [dataclasses.replace(batch, labels=None) for batch in batches]
    columns = zip(*(_leaves(batch) for batch in batches), strict=True)
    tensors = iter([torch.cat(column) for column in columns])
    return batches[0].map(lambda _: next(tensors))


def _leaves(batch: ProblemBatch) -> list[Tensor]:
    """All tensors in the order in which `map` visits them."""
    found: list[Tensor] = []
    batch.map(lambda tensor: found.append(tensor) or tensor)
    return found
