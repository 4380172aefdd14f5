"""Where to stretch a coordinate: a map that gives steep places the room they need, from the solution itself."""

from collections.abc import Sequence

import numpy as np
import torch

from physolve._typing import Column, Points
from physolve.nets import Field, JetAtom, Stretch, Stretches
from physolve.spec import Problem
from physolve.spec.geometry import Interval, split_time

from ._slabs import Slab

CELLS = 64
"""Cells of the map's splines."""

GRID = 512

FIRST_SWEEPS = 2
"""Solves of a slab whose coordinate is not known yet: one in that of the slab before, one in its own."""

CHANGE = 0.7
"""Logarithm of the change of room in a time slab above which it is halved: a layer then grows thinner by half in it,
along a line that its coordinate can follow."""

SHORTEST = 1 / 128
"""Shortest slab that may be halved, in durations of the problem."""

GRADING = 3.0
"""How fast the room may grow away from a layer: by this much of the distance to it. From 2 to 5 the error of Burgers'
equation hardly changes; with 1, twice as much of the coordinate goes into the slopes between scales, and the error
grows tenfold."""

FLAT = 1e-3
"""Differences over x smaller than this share of the unknown's size are no layers."""


def stretchable(problem: Problem) -> bool:
    """Whether the problem's coordinates are one in space, on a plain interval, and time."""
    space, time = split_time(problem.domain)
    return isinstance(space, Interval) and time is not None and not problem.interfaces


class Follower:
    """The stretched coordinates of the time slabs, as far as their solutions are known."""

    def __init__(self) -> None:
        self._known: dict[tuple[float, float], Stretch] = {}

    def sweeps(self, slab: Slab) -> int:
        """How often to solve a slab: again where its coordinate has yet to follow a first solution."""
        return 1 if slab.times in self._known else FIRST_SWEEPS

    def stretch(self, slab: Slab) -> Stretch:
        """The coordinate that fits the slab's last solution, else the end of the slab before, else x itself."""
        if slab.times in self._known:
            return self._known[slab.times]
        earlier = [times for times in self._known if times[1] <= slab.times[0]]
        if not earlier:
            return Stretch.identity(_interval(slab), slab.times)
        last = self._known[max(earlier)].last
        begin, end = slab.times
        return Stretch(*_interval(slab), begin, end, last, last)

    def learn(self, slab: Slab, field: Field) -> None:
        """Follow a new solution on the slab."""
        self._known[slab.times] = follow(self.stretch(slab), field)

    def stretches(self, slabs: Sequence[Slab]) -> Stretches | None:
        """Those of all slabs together; None before they are known."""
        known = all(slab.times in self._known for slab in slabs)
        return Stretches(tuple(map(self.stretch, slabs))) if known else None

    def hasty(self, slab: Slab) -> bool:
        """Whether the room of some place changes so much during the slab that it should be halved."""
        begin, end = slab.times
        start, stop = slab.problem.domain.bounds
        long = end - begin > SHORTEST * float(stop[-1] - start[-1])
        return long and self.stretch(slab).change() > CHANGE


def _interval(slab: Slab) -> tuple[float, float]:
    lower, upper = slab.plan.box
    return float(lower[0]), float(upper[0])


def follow(stretch: Stretch, field: Field) -> Stretch:
    """The map that fits the field at the beginning and at the end of the time of `stretch`, near which it is looked
    for: layers are sampled as densely as `stretch` spreads its points."""
    ends = [_spread(stretch, field, time) for time in (stretch.begin, stretch.end)]
    return Stretch.of_values((stretch.lower, stretch.upper), (stretch.begin, stretch.end), *ends)


def _spread(stretch: Stretch, field: Field, time: float) -> Column:
    """Positions (CELLS + 1,) that have an equal share of the density between each other."""
    xi = torch.linspace(stretch.lower, stretch.upper, GRID + 1, dtype=torch.float64)
    points, _ = stretch.spread(torch.stack([xi, torch.full_like(xi, time)], 1))
    x = points[:, 0]
    density = _density(x, _steepness(field, points, stretch.upper - stretch.lower))
    shares = torch.cat([x.new_zeros(1), ((density[1:] + density[:-1]) / 2 * x.diff()).cumsum(0)])
    even = np.linspace(0.0, float(shares[-1]), CELLS + 1)
    return torch.from_numpy(np.interp(even, shares.numpy(), x.numpy()))


def _density(x: Column, steepness: Column) -> Column:
    """M(x)^2 = 1 / L^2 + integral of m(y)^3 / (1 + (g m(y) (x - y))^2) dy of the steepness m.

    A layer of width 1 / m at y makes M(x) = m / sqrt(1 + (g m (x - y))^2): the room 1 / M is the layer's width within
    and grows like g |x - y| outside, so that all scales between the layer and the domain have their share.
    (M = m, arc length, squeezes them into a kink.)
    """
    step = x.diff()
    room = torch.nn.functional.pad(step, (0, 1)) / 2 + torch.nn.functional.pad(step, (1, 0)) / 2
    away = GRADING * steepness * (x[:, None] - x)
    spread = (room * steepness**3 / (1 + away * away)).sum(1)
    return (spread + float(x[-1] - x[0]) ** -2).sqrt()


def _steepness(field: Field, points: Points, length: float) -> Column:
    """m(x) = 1 / L + max over the unknowns of |u_x| / (max u - min u)."""
    unknowns = range(field.components)
    found = field.derivatives(points, [JetAtom(i, orders) for i in unknowns for orders in ((0, 0), (1, 0))])
    relative = []
    for i in unknowns:
        value, slope = found[JetAtom(i, (0, 0))], found[JetAtom(i, (1, 0))].abs()
        height = torch.maximum(value.max() - value.min(), FLAT * value.abs().max()).clamp_min(1e-300)
        relative.append(slope / height)
    return 1 / length + torch.stack(relative).amax(0)
