"""What is known on a characteristic where it begins: initial values, or those of the side through which it enters."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import sympy
import torch

from physolve._typing import Points
from physolve.jets import Jet, JetLayout, MultiIndex
from physolve.spec import Program

from ._labels import Labels


@dataclass(frozen=True, eq=False)
class Beginnings:
    """Values of all unknowns on every characteristic where it begins, with derivatives along the labels.

    `initial` and `entering` are expressions in the space coordinates `space`, read as labels; `entering` is None where
    nothing enters.
    """

    space: tuple[sympy.Symbol, ...]
    initial: tuple[sympy.Expr, ...]
    entering: tuple[sympy.Expr, ...] | None = None

    def jet(self, labels: Labels, points: Points, layout: JetLayout) -> Jet:
        """Jet (rows, n, unknowns) at labels and times (n, dim + 1); nothing here depends on the time."""
        points = torch.cat([labels.wrapped(points[:, :-1]), points[:, -1:]], 1)
        tensor = self._rows(self.initial, points, layout)
        if self.entering is not None:
            late = labels.entering(points[:, :-1])
            tensor[:, late] = self._rows(self.entering, points[late], layout)
        return Jet(tensor, layout)

    def _rows(self, values: Sequence[sympy.Expr], points: Points, layout: JetLayout) -> torch.Tensor:
        tensor = points.new_zeros(layout.rows, len(points), len(values))
        steady = [row for row, orders in enumerate(layout.multi_indices) if not orders[-1]]
        program = _derivatives(tuple(values), self.space, tuple(layout.multi_indices[row] for row in steady))
        found = torch.stack(program(*points[:, :-1].unbind(1)), 1)
        tensor[steady] = found.unflatten(1, (len(steady), len(values))).movedim(1, 0)
        return tensor


@lru_cache(maxsize=64)
def _derivatives(
    values: tuple[sympy.Expr, ...], space: tuple[sympy.Symbol, ...], rows: tuple[MultiIndex, ...]
) -> Program:
    """All values differentiated by the orders of every row."""
    orders = [[(s, k) for s, k in zip(space, row[:-1], strict=True) if k] for row in rows]
    return Program([sympy.diff(v, *by) if by else v for by in orders for v in values], space)


def entering_values(
    values: Sequence[sympy.Expr], space: Sequence[sympy.Symbol], time: sympy.Symbol, labels: Labels
) -> tuple[sympy.Expr, ...]:
    """Values on the side, by place and time, as functions of the label that enters there and then."""
    entry = labels.entry
    assert entry is not None
    label = space[entry.axis]
    when = labels.start + (entry.position - label) / entry.speed
    return tuple(value.xreplace({label: sympy.Float(entry.position), time: when}) for value in values)
