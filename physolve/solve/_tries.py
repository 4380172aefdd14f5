"""Ways to solve a problem, tried one after the other: the time each has, and how they end together."""

import math
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from physolve.errors import NumericalError

from ._method import MethodResult
from ._outcome import Outcome


class Ended(Protocol):
    """What a way returns."""

    @property
    def outcome(self) -> Outcome: ...


Result = TypeVar("Result", bound=Ended)


class Tries(Generic[Result]):
    """What was `found` within one budget. What comes after the first result can only add to it: neither Ctrl-C nor a
    failure loses what there is."""

    def __init__(self, budget_s: float | None) -> None:
        self.found: list[Result] = []
        self.interrupted = False
        self._budget_s, self._began = budget_s, time.perf_counter()

    def attempt(self, run: Callable[[float | None], Result]) -> None:
        """Run a way with the seconds that are left, unless there are none or Ctrl-C has ended it all.

        Raises what the first way raises; a later one may end in NumericalError or by Ctrl-C.
        """
        left = None if self._budget_s is None else self._budget_s - (time.perf_counter() - self._began)
        if self.found and (self.interrupted or (left is not None and left <= 0)):
            return
        try:
            result = run(left)
        except (NumericalError, KeyboardInterrupt) as error:
            if not self.found:
                raise
            self.interrupted = isinstance(error, KeyboardInterrupt)
            return
        self.found.append(result)
        self.interrupted = result.outcome is Outcome.INTERRUPTED


def best_of(tries: Tries[MethodResult]) -> MethodResult:
    """The result with the smallest estimate; interrupted where any was."""
    best = min(tries.found, key=lambda result: result.estimate.relative if result.estimate else math.inf)
    return best._replace(outcome=Outcome.INTERRUPTED) if tries.interrupted else best
