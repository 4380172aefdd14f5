"""Time slabs: a long time cut into intervals that are solved one after the other."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from physolve.nets import Field, Stretch
from physolve.residual import Collocation
from physolve.spec import Problem
from physolve.spec.geometry import Shape, SpaceTime, TimeInterval, split_time

from ._enrichment import BasisPlan


@dataclass(frozen=True)
class Slab:
    """One interval of time with the bases that fit it; `part` is None where it is the whole domain."""

    problem: Problem
    part: Shape | None

    @cached_property
    def plan(self) -> BasisPlan:
        return BasisPlan(self.problem, self.part)

    @property
    def times(self) -> tuple[float, float]:
        """When it begins and ends."""
        lower, upper = self.plan.box
        return float(lower[-1]), float(upper[-1])

    def halves(self) -> tuple["Slab", "Slab"]:
        """The first and the second half of its time."""
        begin, end = self.times
        middle = (begin + end) / 2
        first, second = _cut(self.problem, (begin, middle, end))
        return first, second

    def collocation(self, whole: Collocation, before: Field | None, stretch: Stretch | None = None) -> Collocation:
        """Rows on this slab, its initial values taken from the field before."""
        return whole if self.part is None else whole.on(self.part, before, stretch)


def slabs_of(problem: Problem, count: int) -> tuple[tuple[float, ...], tuple[Slab, ...]]:
    """The break times and `count` equal slabs of a time-dependent problem; one slab of any other."""
    time = split_time(problem.domain)[1]
    if count == 1 or time is None:
        return (), (Slab(problem, None),)
    breaks = tuple(float(t) for t in np.linspace(time.t0, time.t1, count + 1))
    return breaks, _cut(problem, breaks)


def _cut(problem: Problem, breaks: tuple[float, ...]) -> tuple[Slab, ...]:
    space = split_time(problem.domain)[0]
    parts = [TimeInterval(a, b) for a, b in pairwise(breaks)]
    return tuple(Slab(problem, part if space is None else SpaceTime(space, part)) for part in parts)
