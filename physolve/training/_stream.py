"""The batches of an epoch, numbered by the steps of the run."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Batch = TypeVar("Batch")


@dataclass(frozen=True, eq=False)
class EpochStream(Generic[Batch]):
    """`length` batches, one for every step from the one at which the epoch begins.

    begin     called when the first batch is wanted, not when the iterator is made: Lightning makes it before the epoch
    batches   of the given steps, in order
    """

    length: int
    begin: Callable[[], int]
    batches: Callable[[range], Iterable[Batch]]

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Batch]:
        first = self.begin()
        yield from self.batches(range(first, first + self.length))
