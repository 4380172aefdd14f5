"""Where functions made for one problem come from: a hypernetwork, say, of which this room knows no more than this."""

from collections.abc import Iterator
from typing import Protocol

from physolve.nets import Basis, Field
from physolve.spec import Problem


class FunctionSource(Protocol):
    """Makes functions for a problem, with which a climb begins and which stay beside its random features."""

    @property
    def name(self) -> str:
        """How solutions that needed nothing else name their origin."""
        ...

    def bases(self, problem: Problem) -> Iterator[Basis]:
        """Bases for the first rungs, each richer than the one before; none where the problem is of an unknown kind."""
        ...

    def guess(self, problem: Problem) -> Field | None:
        """A field near the solution, from which Newton's iteration may start; None for an unknown kind."""
        ...
