"""Which derivatives a jet carries, and in which row each of them lies."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from physolve.errors import UnsupportedError

MultiIndex = tuple[int, ...]


@dataclass(frozen=True)
class JetLayout:
    """Rows of a jet over `dim` coordinates: the value, then `first`, then `second`.

    first: coordinates i, ascending, with a row for d/dx_i.
    second: pairs (i, j), i <= j, ascending, with a row for d2/dx_i dx_j; both i and j must be in `first`, because the
    chain rule of the pair needs them. `JetLayout.of` completes and sorts a request.
    Raises ValueError for anything else.
    """

    dim: int
    first: tuple[int, ...] = ()
    second: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if self.dim < 1:
            raise ValueError(f"jet layout: got dim={self.dim}, expected at least 1 coordinate")
        if any(not 0 <= i < self.dim for i in self.first) or list(self.first) != sorted(set(self.first)):
            raise ValueError(
                f"jet layout: got first={self.first}, expected distinct ascending coordinates below"
                f" dim={self.dim}; JetLayout.of sorts a request"
            )
        known = set(self.first)
        if any(i > j or not {i, j} <= known for i, j in self.second):
            raise ValueError(
                f"jet layout: got second={self.second}, expected pairs (i, j), i <= j, of coordinates in"
                f" first={self.first}; JetLayout.of adds what is missing"
            )
        if list(self.second) != sorted(set(self.second)):
            raise ValueError(f"jet layout: got second={self.second}, expected distinct ascending pairs")
        _ = self.multi_indices, self.second_factors  # now: torch.compile cannot trace their locks (Python 3.11)

    @classmethod
    def of(cls, dim: int, multi_indices: Iterable[MultiIndex]) -> "JetLayout":
        """The smallest layout that holds the derivatives `multi_indices` (orders per coordinate) and their chain rule.

        Raises UnsupportedError for a total order above 2, ValueError for a wrong length or a negative order.
        """
        pairs, singles = set(), set()
        for orders in multi_indices:
            directions = directions_of(orders, dim)
            total = len(directions)
            if total > 2:
                raise UnsupportedError(
                    f"jet layout: derivative {tuple(orders)} has order {total}, jets hold orders up to"
                    " 2; use physolve.jets.derivatives, which takes the slower exact path"
                )
            singles.update(directions)
            if len(directions) == 2:
                pairs.add((directions[0], directions[1]))
        return cls(dim, tuple(sorted(singles)), tuple(sorted(pairs)))

    @classmethod
    def full(cls, dim: int) -> "JetLayout":
        """Value, gradient and the whole Hessian."""
        axes = range(dim)
        return cls(dim, tuple(axes), tuple((i, j) for i in axes for j in axes if i <= j))

    @cached_property
    def multi_indices(self) -> tuple[MultiIndex, ...]:
        """The derivative of every row, in order, as orders per coordinate; the first one is all zeros (the value)."""
        rows = [(), *((i,) for i in self.first), *self.second]
        return tuple(tuple(row.count(axis) for axis in range(self.dim)) for row in rows)

    @property
    def rows(self) -> int:
        return 1 + len(self.first) + len(self.second)

    def row(self, orders: MultiIndex) -> int:
        """Row of the derivative `orders`; raises ValueError naming what the layout has."""
        try:
            return self.multi_indices.index(tuple(orders))
        except ValueError:
            raise ValueError(
                f"jet layout: no row for derivative {tuple(orders)}; this layout has {self.multi_indices}"
            ) from None

    def first_row(self, axis: int) -> int:
        return 1 + self.first.index(axis)

    @cached_property
    def second_factors(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """For every second row the rows of the two first derivatives it is made of."""
        left = tuple(self.first_row(i) for i, _ in self.second)
        right = tuple(self.first_row(j) for _, j in self.second)
        return left, right


def directions_of(orders: MultiIndex, dim: int) -> tuple[int, ...]:
    """(2, 1) -> (0, 0, 1): the coordinates to differentiate along; raises ValueError if `orders` does not fit `dim`."""
    if len(orders) != dim or any(k < 0 for k in orders):
        raise ValueError(
            f"derivative: got orders {tuple(orders)}, expected {dim} non-negative integers, one a coordinate"
        )
    return tuple(axis for axis, k in enumerate(orders) for _ in range(k))
