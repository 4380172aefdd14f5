"""A convection-diffusion-reaction problem lowered to the moving frame: characteristics and what is carried on them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physolve.errors import UnsupportedError
from physolve.jets import Jet, JetLayout
from physolve.residual import Form, Frame, lower
from physolve.spec import Problem, Program, Transport, transport_form
from physolve.spec.geometry import Shape, TimeInterval, split_time

from ._beginnings import Beginnings, entering_values
from ._labels import Entry, Labels, at_time
from ._pilot import GRID, Pilot, pilot, plain_rates
from ._sides import (
    BoundarySide,
    check_conditions,
    dirichlet_values,
    enters,
    initial_values,
    periodic_axes,
    sides_of,
    unbounded,
)

SMALLEST_SPREAD = 1e-3
"""Of displacements and rates, in units of their natural size: a network is given something to scale."""


@dataclass(frozen=True)
class FrameScales:
    """Sizes by which networks and residuals are measured.

    drift    (dim,) mean velocity, which the map has from the beginning
    spread   (dim,) deviation from it, none along axes on which the velocity is constant: there the map is exact
    size     (unknowns,) root mean square of the values about their mean, at its largest over the time
    slope    size of grad w / size, which turns an error in the place into one in the state
    """

    drift: tuple[float, ...]
    spread: tuple[float, ...]
    size: tuple[float, ...]
    slope: float


@dataclass(frozen=True, eq=False)
class MovingFrame:
    """A problem in the moving frame: X_t = velocity(W, X, t), W_t = sources(W and derivatives in space, X, t) on the
    characteristics `labels`, which begin with `beginnings`. `open_sides` are those with conditions that nothing enters
    through; where there are some, the equations hold inside the `window` only."""

    problem: Problem
    velocity: tuple[Form, ...]
    sources: tuple[Form, ...]
    labels: Labels
    beginnings: Beginnings
    open_sides: tuple[BoundarySide, ...]
    scales: FrameScales
    window: tuple[tuple[float, ...], tuple[float, ...]]
    pilot: Pilot

    @property
    def second(self) -> bool:
        """Whether second derivatives in space occur."""
        return _order(self.sources) == 2

    @property
    def coupled(self) -> bool:
        """Whether characteristics act on their neighbours, through derivatives in space."""
        return _order(self.sources) > 0

    @property
    def prescribed(self) -> bool:
        """Whether the velocity is known beforehand: characteristics never cross."""
        return not any(form.atoms for form in self.velocity)

    @property
    def foreseen(self) -> bool:
        """Whether the pilot's characteristics are those of the solution."""
        return self.prescribed or not self.coupled

    @property
    def breaks(self) -> bool:
        """Whether characteristics are known to cross."""
        return self.foreseen and self.pilot.crossing is not None

    @property
    def confined(self) -> bool:
        """Whether only what is in the window counts."""
        return bool(self.open_sides) or not self.coupled

    def inside(self, places: Float[Tensor, "n dim"], room: float = 0.0) -> Bool[Tensor, " n"]:
        """Which places are in the window, or outside by `room` of its extents at most; along periodic axes all are."""
        return self.labels.inside(places, self.window, room)

    @property
    def layout(self) -> JetLayout:
        return self.labels.layout(self.second)


def why_not(problem: Problem) -> str | None:
    """Why a problem cannot be solved in the moving frame, None where it can."""
    try:
        lowered(problem)
    except UnsupportedError as error:
        return str(error)
    return None


@lru_cache(maxsize=8)
def lowered(problem: Problem) -> MovingFrame:
    """The problem in the moving frame. Raises UnsupportedError with the reason where it has none."""
    transport = transport_form(problem)
    space, time = _parts(problem)
    check_conditions(problem)
    initial, periodic = initial_values(problem), periodic_axes(problem)
    sides = sides_of(problem, space, periodic)
    doors = [side for side in sides if enters(problem, transport, side)]
    if len(doors) > 1:
        raise UnsupportedError(f"lagrangian: labels enter through {len(doors)} sides, expected one at most")
    frame = Frame(problem.coordinates, problem.unknowns)
    velocity = tuple(lower("velocity", a, frame) for a in transport.velocity)
    sources = tuple(lower("source", s, frame) for s in transport.sources)
    low, high = (tuple(map(float, end)) for end in space.bounds)
    labels = Labels(low, high, periodic, time.t0, time.t1)
    beginnings = Beginnings(problem.space, initial)
    if doors:
        labels = _with_entry(problem, transport, labels, doors[0])
        entering = entering_values(dirichlet_values(problem, doors[0]), problem.space, problem.time, labels)
        beginnings = replace(beginnings, entering=entering)
    diffusive = any(transport.diffusive)
    open_sides = tuple(s for s in sides if s not in doors and s.conditions) if diffusive else ()
    outside = _order(sources) > 0 and not open_sides
    found = pilot(plain_rates(problem, transport), labels, beginnings, (low, high), unbounded(problem), outside)
    if transport.prescribed:
        found = replace(found, crossing=None)
    constant = tuple(a.is_number for a in transport.velocity)
    scales = _scales(found, beginnings, sources, constant)
    return MovingFrame(problem, velocity, sources, found.labels, beginnings, open_sides, scales, (low, high), found)


def _parts(problem: Problem) -> tuple[Shape, TimeInterval]:
    """Space and time, where they are a product."""
    space, time = split_time(problem.domain)
    if space is None or time is None or len(problem.space) > 2:
        got = f"{len(problem.space)} space coordinates on {type(problem.domain).__name__}"
        raise UnsupportedError(f"lagrangian: got {got}, expected one or two, on a shape * TimeInterval(t0, t1)")
    if problem.parameters:
        raise UnsupportedError(
            "lagrangian: unknown parameters are not found in the moving frame; use the default method"
        )
    return space, time


def _order(forms: Sequence[Form]) -> int:
    """The highest order of a derivative."""
    return max((sum(atom.orders) for form in forms for atom in form.atoms), default=0)


def _with_entry(problem: Problem, transport: Transport, labels: Labels, door: BoundarySide) -> Labels:
    """Labels that begin outside the door, as far as the last one to enter."""
    values = dict(zip(problem.unknowns, dirichlet_values(problem, door), strict=True))
    speed = Program([transport.velocity[door.axis].xreplace(values)], problem.coordinates)
    points = door.points.copy()
    points[:, -1] = labels.start
    entry = Entry(door.axis, door.position, float(np.mean(speed(*points.T)[0])))
    outermost = door.position - entry.speed * labels.duration
    ends = [list(labels.lower), list(labels.upper)]
    ends[0 if door.sign < 0 else 1][door.axis] = outermost
    return replace(labels, lower=tuple(ends[0]), upper=tuple(ends[1]), entry=entry)


def _scales(found: Pilot, beginnings: Beginnings, sources: tuple[Form, ...], constant: tuple[bool, ...]) -> FrameScales:
    labels = found.labels
    start = beginnings.jet(labels, at_time(found.grid, labels.start), labels.layout(True))
    size = _sizes(found, start, sources)
    slopes = (start.tensor[1 : 1 + labels.dim] / size).square().mean(1).sum(0).max().sqrt()
    steep = max(float(slopes), _steepest(found, size), 1 / max(labels.extent))
    spread = torch.maximum(found.spread, SMALLEST_SPREAD * found.speed.clamp(min=1e-12))
    spread = torch.where(torch.tensor(constant), 0.0, spread)
    return FrameScales(tuple(found.drift.tolist()), tuple(spread.tolist()), tuple(size.tolist()), steep)


def _sizes(found: Pilot, start: Jet, sources: tuple[Form, ...]) -> Float[Tensor, " unknowns"]:
    """Of all that the pilot saw: an unknown may begin with nothing. Where it saw nothing, which knows no derivatives in
    sources, what these make of the initial values in the whole time; else the size of the other unknowns."""
    states = _states(found)
    size = (states - states.mean(1, keepdim=True)).square().mean(1).sqrt().amax(0)
    magnitude = states.square().mean(1).sqrt().amax(0)
    made = _first_rates(found, start, sources).square().mean(0).sqrt() * found.labels.duration
    size = torch.where(size > SMALLEST_SPREAD * magnitude, size, torch.maximum(made, SMALLEST_SPREAD * magnitude))
    others = size.max() if bool(size.max() > 0) else size.new_tensor(1.0)
    return torch.where(size > 0, size, others)


def _states(found: Pilot) -> Float[Tensor, "steps n unknowns"]:
    """What the pilot carried, as long as it was finite."""
    states = found.path[..., found.labels.dim :]
    return states[states.isfinite().flatten(1).all(1)]


def _steepest(found: Pilot, size: Float[Tensor, " unknowns"]) -> float:
    """Root mean square slope along the labels of what the pilot carried, at its largest, in units of the size."""
    dim = found.labels.dim
    states = (_states(found) / size).unflatten(1, (GRID[dim],) * dim)
    total = states.new_zeros(states.shape[0], states.shape[-1])
    for axis, extent in enumerate(found.labels.extent):
        slope = states.diff(dim=1 + axis) * (GRID[dim] - 1) / extent
        total += slope.square().flatten(1, -2).mean(1)
    return float(total.max().sqrt())


def _first_rates(found: Pilot, start: Jet, sources: tuple[Form, ...]) -> Float[Tensor, "n unknowns"]:
    """The sources of the characteristics that begin at the start, where labels are places."""
    rows = {multi_index[:-1]: row for row, multi_index in enumerate(start.layout.multi_indices) if not multi_index[-1]}
    there = found.begin <= found.labels.start
    points = at_time(found.labels.wrapped(found.grid[there]), found.labels.start)
    values = [
        source.residual(
            points, None, {a: start.tensor[rows[a.orders[: found.labels.dim]], there, a.unknown] for a in source.atoms}
        )
        for source in sources
    ]
    return torch.stack(values, 1)
