"""A first look along the characteristics, without diffusion: how far they go, and which of them matter."""

import math
from dataclasses import dataclass, replace

import sympy
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physolve._typing import Column
from physolve.errors import UnsupportedError
from physolve.spec import Problem, Program, Transport

from ._beginnings import Beginnings
from ._cells import first_below, least_sizes
from ._kinematics import THRESHOLD
from ._labels import Labels, at_time

STEPS = 100
FINEST = 16
"""Most Runge-Kutta steps in one of those."""

PRECISE = 1e-4
"""Displacement by halved steps, in extents of the labels, that is small enough: a twenty-fifth of a cell's size."""

GRID = {1: 401, 2: 41}
"""Labels along each axis, by dimension."""

MARGIN = 0.05
"""Room beyond the outermost label that matters, in extents of those that do."""

ROUNDING = 1e-9
"""Size of a cell turned over, below which it is rounding."""

LONGEST = 8
"""Doublings of the box of labels before the window is taken to be fed from ever farther away."""

Box = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, eq=False)
class Pilot:
    """Labels that matter, and a grid of them followed.

    grid      (n, dim) labels; `begin` (n,) when each begins
    path      (STEPS + 1, n, dim + unknowns) places and states at equidistant times
    drift     (dim,) mean velocity, and `spread` the deviation from drifting along at its largest, over the duration
    speed     (dim,) largest speed
    close     when neighbours first come closer than THRESHOLD of their first distance, None where they do not
    crossing  when characteristics cross, None where they do not
    """

    labels: Labels
    grid: Float[Tensor, "n dim"]
    begin: Column
    path: Float[Tensor, "steps n columns"]
    drift: Float[Tensor, " dim"]
    spread: Float[Tensor, " dim"]
    speed: Float[Tensor, " dim"]
    close: float | None
    crossing: float | None


def pilot(rates: Program, labels: Labels, beginnings: Beginnings, window: Box, grow: bool, outside: bool) -> Pilot:
    """Follow a grid of labels by the classical Runge-Kutta method; whether they come close or cross `outside` the
    window may count or not.

    `rates` gives velocity and sources without their derivatives (see `plain_rates`). Where the window is one of
    unbounded space (`grow`), the box of labels grows until it holds all that ever come into the window, and then
    shrinks to those.
    """
    if grow:
        labels = _grown(rates, labels, beginnings, window)
    grid = labels.grid(GRID[labels.dim])
    path, begin = _precisely_followed(rates, labels, beginnings, grid)
    life = (labels.end - begin)[:, None]
    lived = life[:, 0] > 1e-6 * labels.duration
    places = path[..., : labels.dim]
    way = places[-1] - places[0]
    mean = (way[lived] / life[lived]).mean(0)
    times = torch.linspace(labels.start, labels.end, STEPS + 1, dtype=begin.dtype)
    lives = (times[:, None] - begin).clamp(min=0)
    deviation = (places - places[0] - lives[..., None] * mean).square().mean(1).sqrt().amax(0) / labels.duration
    largest = places.diff(dim=0).abs().amax((0, 1)) * STEPS / labels.duration
    counted = labels.inside(places, window, math.inf if outside else 0.0)
    sizes = least_sizes(places, times, begin, counted)
    close, crossing = (first_below(level, sizes, times) for level in (THRESHOLD, -ROUNDING))
    return Pilot(labels, grid, begin, path, mean, deviation, largest, close, crossing)


def plain_rates(problem: Problem, transport: Transport) -> Program:
    """Velocity and sources of all unknowns, without their derivatives, as functions of coordinates and unknowns."""
    expressions = [*transport.velocity, *transport.sources]
    gone = {
        node: sympy.S.Zero for e in expressions for node in e.atoms(sympy.Derivative) if node.has(*problem.unknowns)
    }
    return Program([e.xreplace(gone) for e in expressions], (*problem.coordinates, *problem.unknowns))


def _grown(rates: Program, labels: Labels, beginnings: Beginnings, window: Box) -> Labels:
    """The box of all labels that ever come into the window."""
    for _ in range(LONGEST):
        grid = labels.grid(GRID[labels.dim])
        path, _ = _followed(rates, labels, beginnings, grid)
        visits = _visits(path[..., : labels.dim], labels, window)
        wider = _wider(labels, grid, visits)
        if wider == labels:
            return _around(labels, grid, visits)
        labels = wider
    raise UnsupportedError(
        f"lagrangian: the window {window} is fed from farther away than {labels.lower} to {labels.upper}; shorten the"
        " time, or state what enters through the sides"
    )


def _precisely_followed(
    rates: Program, labels: Labels, beginnings: Beginnings, grid: Float[Tensor, "n dim"]
) -> tuple[Float[Tensor, "steps n columns"], Column]:
    """In steps so small that halving them changes no place: where they are too large, characteristics seem to cross."""
    path, begin = _followed(rates, labels, beginnings, grid)
    within = 1
    while within < FINEST:
        within *= 2
        finer, _ = _followed(rates, labels, beginnings, grid, within)
        moved = (finer - path)[..., : labels.dim].abs().amax((0, 1)) / path.new_tensor(labels.extent)
        if not bool((moved > PRECISE).any()):
            break
        path = finer
    return path, begin


def _followed(
    rates: Program, labels: Labels, beginnings: Beginnings, grid: Float[Tensor, "n dim"], within: int = 1
) -> tuple[Float[Tensor, "steps n columns"], Column]:
    """Places and states at STEPS + 1 times, every characteristic at rest before it begins; and when it begins. Between
    two times, `within` steps are made."""
    layout = labels.layout(False)
    at = at_time(grid, labels.start)
    begin = labels.begin(grid)
    x, w = labels.origin(at, layout).value.clone(), beginnings.jet(labels, at, layout).value.clone()
    dim, step = labels.dim, labels.duration / (STEPS * within)

    def rate(y: Tensor, t: Column) -> Tensor:
        return torch.stack(rates(*labels.wrapped(y[:, :dim]).unbind(1), t, *y[:, dim:].unbind(1)), 1)

    y = torch.cat([x, w], 1)
    path = [y]
    for k in range(STEPS * within):
        t = begin.clamp(min=labels.start + k * step)
        h = (labels.start + (k + 1) * step - t).clamp(min=0)  # from the beginning on, where that is within the step
        a = rate(y, t)
        b = rate(y + h[:, None] / 2 * a, t + h / 2)
        c = rate(y + h[:, None] / 2 * b, t + h / 2)
        d = rate(y + h[:, None] * c, t + h)
        y = y + h[:, None] / 6 * (a + 2 * b + 2 * c + d)
        path.append(y)
    return torch.stack(path[::within]), begin


def _visits(path: Float[Tensor, "steps n dim"], labels: Labels, window: Box) -> Bool[Tensor, " n"]:
    """Which labels are ever inside the window, or pass it between two times; along periodic axes all are."""
    inside = torch.ones(len(path) - 1, path.shape[1], dtype=torch.bool)
    for axis in range(labels.dim):
        if not labels.periodic[axis]:
            before, after = path[:-1, :, axis], path[1:, :, axis]
            low, high = torch.minimum(before, after), torch.maximum(before, after)
            inside &= (high >= window[0][axis]) & (low <= window[1][axis])
    return inside.any(0)


def _wider(labels: Labels, grid: Tensor, visits: Bool[Tensor, " n"]) -> Labels:
    """The box doubled towards those sides on which labels matter; itself where there are none."""
    low, high = list(labels.lower), list(labels.upper)
    for axis, extent in enumerate(labels.extent):
        if labels.periodic[axis]:
            continue
        if bool((visits & (grid[:, axis] <= labels.lower[axis])).any()):
            low[axis] -= extent
        if bool((visits & (grid[:, axis] >= labels.upper[axis])).any()):
            high[axis] += extent
    return replace(labels, lower=tuple(low), upper=tuple(high))


def _around(labels: Labels, grid: Tensor, visits: Bool[Tensor, " n"]) -> Labels:
    """The smallest box around the labels that matter, and some room."""
    low, high = list(labels.lower), list(labels.upper)
    for axis in range(labels.dim):
        if labels.periodic[axis]:
            continue
        here = grid[visits, axis]
        room = MARGIN * float(here.max() - here.min()) + labels.extent[axis] / (GRID[labels.dim] - 1)
        low[axis], high[axis] = float(here.min()) - room, float(here.max()) + room
    return replace(labels, lower=tuple(low), upper=tuple(high))
