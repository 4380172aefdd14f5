"""Which rows the least squares see, and which are kept from them to measure the residual at."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ._batch import ProblemBatch

HELD_OUT = 7
"""Every seventh point is held out. No power of 2 or 3: interior points are from sequences in these bases, of which
every eighth point lies in one strip of the domain."""


@dataclass(frozen=True, eq=False)
class Split:
    """Numbers of the rows of both kinds, of every problem.

    Rows that ask nothing (of Dirichlet at Neumann points and the other way round: half of the boundary's) are left out,
    but for those that fill a problem up to the length of the longest.
    """

    seen: Int[Tensor, "batch seen"]
    unseen: Int[Tensor, "batch unseen"]

    @classmethod
    def of(cls, batch: ProblemBatch) -> "Split":
        """The split of the rows that `rows_of` makes for these problems."""
        edge = batch.boundary
        used = torch.cat([torch.ones_like(batch.source, dtype=torch.bool), edge.on_dirichlet, edge.on_neumann], 1)
        counts = (batch.source.shape[1], edge.points.shape[1], edge.points.shape[1])
        number = torch.cat([torch.arange(count, device=used.device) for count in counts])
        held = number % HELD_OUT == 0
        return cls(_used_first(used, ~held), _used_first(used, held))

    def seen_of(self, rows: Float[Tensor, "batch rows *columns"]) -> Float[Tensor, "batch seen *columns"]:
        """Those that the least squares see."""
        return _taken(rows, self.seen)

    def unseen_of(self, rows: Float[Tensor, "batch rows *columns"]) -> Float[Tensor, "batch unseen *columns"]:
        """Those held out."""
        return _taken(rows, self.unseen)


def _used_first(used: Bool[Tensor, "batch rows"], among: Bool[Tensor, " rows"]) -> Int[Tensor, "batch some"]:
    """The used rows of a kind; where a problem has fewer than another, unused ones of the kind, which are zero."""
    numbers = among.nonzero()[:, 0]
    order = used[:, numbers].to(torch.uint8).argsort(dim=1, descending=True, stable=True)
    return numbers[order[:, : int(used[:, numbers].sum(1).max())]]


def _taken(rows: Tensor, numbers: Int[Tensor, "batch some"]) -> Tensor:
    """Whole rows are copied at once, many times as fast as `take_along_dim`."""
    first = torch.arange(len(rows), device=rows.device)[:, None] * rows.shape[1]
    return rows.flatten(0, 1).index_select(0, (first + numbers).flatten()).unflatten(0, numbers.shape)
