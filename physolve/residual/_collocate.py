"""Collocation: the rows of every equation and condition of a problem at sampled points of its domain."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import sympy
import torch

from physolve._typing import Column, MaskArray, PointArray, Points
from physolve.errors import UnsupportedError
from physolve.nets import Field, Stretch, Stretches
from physolve.spec import (
    Condition,
    Dirichlet,
    Initial,
    Interface,
    MeanValue,
    Observations,
    Periodic,
    PointValue,
    Problem,
    Program,
    Switches,
    Unbounded,
    dt,
    select,
    switches,
)
from physolve.spec.geometry import Samples, Shape, quadrature, split_time

from ._corners import Corners
from ._form import Form, Frame, lower
from ._fronts import Fronts, fronts_of
from ._rows import Rows, Side

ASIDE = 10.0
"""How far from an interface its one-sided values are taken, in roundings of its shape: surely beside it, and below any
error asked for, because what a solution changes over this length is missing in its jump."""

BRANCH_POINTS = 8
"""In the place of a branch that fewer others lie in: a source such as where(0.3 < x < 0.301, 1000, 0) would otherwise
be seen neither by the solution nor by its estimate. Points beside every switch, seen or not, did harm: with a source
that jumps from 1 to 3 the solution was off by 6e-4 in place of 1e-4, and its estimate 7e-2 in place of 8e-4."""

FIRST_INSTANT = 1e-6
"""In durations: what holds then holds from the beginning."""

MEAN_POINTS = 1024
"""About as many points for a mean; several times as many where the domain's form asks for them."""

MEAN_TIMES = 16

MEAN_ROWS = 32_768
"""Points at most of the means of one block, if more than one time: they cost a row each before they are summed."""


@dataclass(frozen=True)
class Density:
    """How many points: in the interior, on the whole boundary, and the share drawn near corners and holes."""

    interior: int
    boundary: int
    refine: float = 0.0


@dataclass(frozen=True, eq=False)
class Collocation:
    """The forms of a problem, ready to be placed at points; lowering is done once.

    `part` restricts it to a time slab of the domain, whose initial values are then those of the field `start`
    instead of the problem's. Where `stretch` is given, points inside and at the initial time are spread evenly in
    its coordinate, and the equations' rows multiplied by the square root of the room they stand for.
    """

    problem: Problem
    part: Shape | None = None
    start: Field | None = None
    stretch: Stretch | Stretches | None = None

    @property
    def domain(self) -> Shape:
        """Where the rows lie."""
        return self.part or self.problem.domain

    def on(self, part: Shape | None, start: Field | None, stretch: Stretch | Stretches | None = None) -> "Collocation":
        """The same forms, lowered once for all, on a part of the domain."""
        made = Collocation(self.problem, part, start, stretch)
        made.__dict__.update(frame=self.frame, equations=self.equations, conditions=self.conditions)
        made.__dict__.update(switches=self.switches, fronts=self.fronts.within(part) if part else self.fronts)
        return made

    def sharing(self, other: "Collocation") -> "Collocation":
        """With the forms of another problem's conditions, which must be equal and about the same unknowns."""
        made = replace(self)
        made.__dict__.update(frame=other.frame, conditions=other.conditions)
        return made

    @cached_property
    def frame(self) -> Frame:
        return Frame(self.problem.coordinates, self.problem.unknowns, self.problem.parameters)

    @cached_property
    def equations(self) -> tuple[Form, ...]:
        return tuple(
            lower(f"equation {i}", residual, self.frame) for i, residual in enumerate(self.problem.residuals, 1)
        )

    @cached_property
    def conditions(self) -> tuple[tuple[Condition, tuple[Form, ...]], ...]:
        coordinates = self.problem.coordinates
        return tuple(
            (c, tuple(lower(f"condition {i} ({c.kind})", e, self.frame) for e in c.equations(coordinates)))
            for i, c in enumerate(self.problem.conditions, 1)
        )

    @cached_property
    def linear(self) -> bool:
        """Linear in unknowns and parameters: one least-squares problem is the whole answer."""
        forms = [*self.equations, *(form for _, forms in self.conditions for form in forms)]
        return all(form.linear for form in forms)

    @cached_property
    def order(self) -> int:
        """Highest derivative in an equation."""
        return max(form.order for form in self.equations)

    @cached_property
    def boundary_measure(self) -> float:
        return self.domain.boundary_measure()

    def rows(self, density: Density, seed: int = 0, extra: PointArray | None = None) -> tuple[Rows, ...]:
        """Rows of all equations and conditions at freshly sampled points; the equations also at `extra` points, and in
        branches that few of the others lie in."""
        interior, room = self.inside(density.interior, seed, density.refine)
        added = [interior.points[:0] if extra is None else extra, *self._missing(interior.points, seed)]
        interior = _refined(interior, np.concatenate(added))
        return self.rows_at(interior, density, seed, self._factor(interior.points, room))

    def _missing(self, points: PointArray, seed: int) -> tuple[PointArray, ...]:
        """Points that even ones inside lack: in branches that few of them lie in, and near fronts."""
        if self.stretch is not None:
            return ()
        near = self.fronts.points(len(points), seed) if self.fronts.found else points[:0]
        return self.unseen(points, seed), self._within(near)

    def _factor(self, points: PointArray, room: Column | None) -> Column | None:
        """What the equations' rows are multiplied by: the root of the room of each, or less near fronts."""
        if room is not None:
            return room.sqrt()
        return self.fronts.factor(points) if self.fronts.found else None

    @cached_property
    def corners(self) -> Corners:
        """Corners of a domain in the plane."""
        return Corners(self)

    @cached_property
    def fronts(self) -> Fronts:
        """Ends of an interval, or sides of a rectangle, at which initial and boundary values disagree."""
        return fronts_of(self)

    def _within(self, points: PointArray) -> PointArray:
        return points[self.domain.contains(points)] if len(points) else points

    def rows_at(
        self, interior: Samples, density: Density, seed: int = 0, factor: Column | None = None
    ) -> tuple[Rows, ...]:
        """Rows of the equations at given points, times a factor, and of the conditions at freshly sampled ones."""
        equations = [replace(_plain(form, "equation", interior), factor=factor) for form in self.equations]
        conditions = [
            rows
            for k, (condition, forms) in enumerate(self.conditions, 1)
            for rows in self._condition_rows(condition, forms, density, seed + 7919 * k)
        ]
        return (*equations, *conditions)

    @cached_property
    def switches(self) -> Switches | None:
        """Where the equations change branches, in the whole domain of the problem."""
        return switches(self.problem)

    def unseen(self, points: PointArray, seed: int = 0) -> PointArray:
        """Points where branches of the equations hold that hold at few of the given ones, or at none."""
        if self.switches is None:
            return points[:0]
        random = np.random.default_rng(seed)
        near = self._within(self.switches.points)
        seen, branches = self.switches.branches(points), self.switches.branches(near)
        few = [k for k in np.unique(branches) if np.count_nonzero(seen == k) < BRANCH_POINTS]
        rows = [random.choice(np.flatnonzero(branches == k), BRANCH_POINTS) for k in few]
        return near[np.concatenate(rows)] if rows else near[:0]

    def inside(self, n: int, seed: int, refine: float = 0.0) -> tuple[Samples, Column | None]:
        """Points of the interior, and the room each has where a stretched coordinate spreads them."""
        return self._spread(self.domain.sample_interior(n, seed=seed, refine=refine))

    def _condition_rows(
        self, condition: Condition, forms: tuple[Form, ...], density: Density, seed: int
    ) -> Iterator[Rows]:
        match condition:
            case Initial() if self.start is not None:
                yield from self._continued(condition, self.start, density, seed)
            case Observations():
                yield from self._observed(condition, forms)
            case PointValue():
                point = Samples(np.array([condition.point]), np.ones(1))
                if self._holds(point.points).all():
                    yield from (_plain(form, "condition", point) for form in forms)
            case MeanValue():
                yield from self._means(condition, forms)
            case Periodic():
                yield from self._periodic(condition, forms, density, seed)
            case Interface():
                yield from self._jumps(condition, forms, density, seed)
            case Unbounded():
                raise UnsupportedError(
                    f"condition 'unbounded' on {condition.unknowns()[0].func}: collocation needs conditions on the"
                    " sides of the domain; use method=Lagrangian(), or state values there"
                )
            case _:
                samples = self.boundary_samples(condition, density, seed)
                if isinstance(condition, Dirichlet):
                    samples = self.corners.joined(samples, condition, seed)
                if self.stretch is None and not isinstance(condition, Initial):
                    samples = self.fronts.joined(samples, partial(self.applies, condition), seed)
                yield from (_plain(form, "condition", samples) for form in forms)

    def boundary_samples(self, condition: Condition, density: Density, seed: int) -> Samples:
        """Points of the part of the boundary on which a condition holds."""
        on, where = self.place(condition)
        return self._boundary(density, seed, on, where)

    def applies(self, condition: Condition, points: PointArray) -> MaskArray:
        """At which points of its part of the boundary, moved along time, a condition holds: it may name times."""
        where = self.place(condition)[1]
        return np.ones(len(points), dtype=bool) if where is None else np.asarray(where(points), dtype=bool)

    def begins(self, condition: Condition, points: PointArray) -> MaskArray:
        """At which of those places a condition holds from the first instant on."""
        lower, upper = (bound[-1] for bound in self.domain.bounds)
        first = np.column_stack([points[:, :-1], np.full(len(points), lower + FIRST_INSTANT * (upper - lower))])
        return self.applies(condition, first)

    def place(self, condition: Condition) -> tuple[Any, Callable[[np.ndarray], np.ndarray] | None]:
        """The `on` and `where` of the sampler: the shape's language for a condition's `on`."""
        on, domain = condition.on, self.domain
        if isinstance(condition, Initial):
            return "initial", None
        timed = domain.dim > 1 and split_time(domain)[1] is not None
        chosen = select(domain, self.problem.coordinates, on)
        during = _during(domain) if timed and not _names_time(on) else None
        return chosen.on, _both(during, chosen.where)

    def _boundary(self, density: Density, seed: int, on: Any, where: Any, inside: bool = False) -> Samples:
        domain = self.domain
        if domain.dim == 1:
            ends = domain.sample_boundary(8, on=on, where=where, seed=seed, inside=inside)
            points, first = np.unique(ends.points, axis=0, return_index=True)
            normals = None if ends.normals is None else ends.normals[first]
            return Samples(points, np.ones(len(points)), normals)
        share = domain.boundary_measure(on, where, inside=inside) / self.boundary_measure
        n = max(12 * 3 ** (domain.dim - 2), round(density.boundary * min(1.0, share)))
        samples = domain.sample_boundary(n, on=on, where=where, seed=seed, inside=inside)
        return self._spread(samples)[0] if isinstance(on, str) and on == "initial" else samples

    def _spread(self, samples: Samples) -> tuple[Samples, Column | None]:
        """Samples spread evenly in the stretched coordinate, and the room every point then stands for, 1 on average."""
        if self.stretch is None:
            return samples, None
        points, room = self.stretch.spread(torch.tensor(samples.points))
        return Samples(points.numpy(), samples.weights * room.numpy(), samples.normals), room

    def _continued(self, condition: Initial, start: Field, density: Density, seed: int) -> Iterator[Rows]:
        """The values (and velocities) of the field before, at the beginning of this slab."""
        samples = self._boundary(density, seed, "initial", None)
        points = torch.tensor(samples.points)
        for form in self.evolving(condition):
            target = start.derivatives(points, form.atoms)[form.atoms[0]]
            yield Rows(form, "condition", (Side(points),), torch.tensor(samples.weights), target)

    def evolving(self, condition: Initial) -> list[Form]:
        """The unknowns whose value an initial condition gives, and their velocities where it gives them."""
        found = [lower(f"continuity of {u.func}", u, self.frame) for u in condition.unknowns()]
        if condition.velocity is not None:
            found += [lower(f"continuity of d{u.func}/dt", dt(u), self.frame) for u in condition.unknowns()]
        return found

    def continuity(self, times: Sequence[float], n: int, seed: int) -> tuple[Rows, ...]:
        """Jumps of the evolving unknowns across interior times: rows of a field made of slabs."""
        initial = [c for c in self.problem.conditions if isinstance(c, Initial)]
        forms = [form for condition in initial for form in self.evolving(condition)]
        if not times or not forms:
            return ()
        start = self.domain.sample_boundary(n, on="initial", seed=seed)
        early = np.concatenate([np.column_stack([start.points[:, :-1], np.full(n, time)]) for time in times])
        late = early.copy()
        late[:, -1] = np.nextafter(early[:, -1], np.inf)
        sides = (Side(torch.tensor(late)), Side(torch.tensor(early), sign=-1.0))
        weights = torch.tensor(np.tile(start.weights, len(times)))
        return tuple(Rows(f, "condition", sides, weights, torch.zeros_like(weights)) for f in forms)

    def _holds(self, points: PointArray) -> MaskArray:
        return self.domain.contains(points, 1e-9 * self.domain.size)

    def _observed(self, condition: Observations, forms: tuple[Form, ...]) -> Iterator[Rows]:
        here = self._holds(condition.points)
        if not here.any():
            return
        columns = condition.values.reshape(len(condition.points), -1)[here].T
        points = torch.tensor(condition.points[here])
        weights = torch.ones(len(points), dtype=torch.float64)
        for form, values in zip(forms, columns, strict=True):
            yield Rows(form, "data", (Side(points),), weights, torch.tensor(values.copy()), noise=condition.noise)

    def _means(self, condition: MeanValue, forms: tuple[Form, ...]) -> Iterator[Rows]:
        domain = self.domain
        space, time = split_time(domain)
        timed = space is not None and time is not None
        body: Shape = condition.over or (space if space is not None else domain)
        inside = quadrature(body, MEAN_POINTS)
        blocks = [inside.points]
        if timed and body.dim < domain.dim:
            lower, upper = (bound[-1] for bound in domain.bounds)
            every = np.linspace(lower, upper, MEAN_TIMES)
            count = max(1, MEAN_ROWS // len(inside))
            blocks = [_at_times(inside.points, every[k : k + count]) for k in range(0, MEAN_TIMES, count)]
        for form, value in zip(forms, condition.values(), strict=True):
            for points in map(torch.tensor, blocks):
                yield Rows(
                    form,
                    "condition",
                    (Side(points),),
                    torch.tensor(inside.weights).repeat(len(points) // len(inside)),
                    self._target(value, points[:: len(inside)], form.name),
                    average=len(inside),
                )

    def _periodic(self, condition: Periodic, forms: tuple[Form, ...], density: Density, seed: int) -> Iterator[Rows]:
        k = self.problem.coordinates.index(condition.along)
        lower, upper = (bound[k] for bound in self.domain.bounds)
        near = 1e-9 * (upper - lower)
        low = self._boundary(density, seed, None, lambda p: np.abs(p[:, k] - lower) < near)
        low.points[:, k] = lower
        high = low.points.copy()
        high[:, k] = upper
        target = torch.zeros(len(low), dtype=torch.float64)
        sides = (Side(torch.tensor(low.points)), Side(torch.tensor(high), sign=-1.0))
        for form in forms:
            yield Rows(form, "condition", sides, torch.tensor(low.weights), target)

    def _jumps(self, condition: Interface, forms: tuple[Form, ...], density: Density, seed: int) -> Iterator[Rows]:
        # A half of the domain has a part of its boundary on the domain's: the interface is the other part.
        samples = self._boundary(density, seed, *self.place(condition), inside=True)
        points, normals = torch.tensor(samples.points), torch.tensor(samples.normals)
        offset = ASIDE * max(shape.rounding for shape in condition.shapes(self.problem.domain)) * normals
        sides = (Side(points + offset, normals), Side(points - offset, normals, sign=-1.0))
        for form, jump in zip(forms, condition.jumps(), strict=True):
            target = self._target(jump, points, form.name)
            yield Rows(form, "condition", sides, torch.tensor(samples.weights), target)

    def _target(self, value: sympy.Expr, points: Points, name: str) -> Column:
        if value.free_symbols & set(self.problem.parameters):
            raise UnsupportedError(f"{name}: its value {value} holds an unknown parameter, which is not supported here")
        return Program((value,), self.problem.coordinates)(*points.unbind(1))[0]


def _plain(form: Form, role: Any, samples: Samples) -> Rows:
    normals = None if samples.normals is None else torch.tensor(samples.normals)
    zero = torch.zeros(len(samples.points), dtype=torch.float64)
    side = Side(torch.tensor(samples.points), normals)
    return Rows(form, role, (side,), torch.tensor(samples.weights), zero)


def _at_times(points: PointArray, times: np.ndarray) -> PointArray:
    """The same points at one time after the other."""
    return np.concatenate([np.column_stack([points, np.full(len(points), t)]) for t in times])


def _refined(samples: Samples, extra: PointArray) -> Samples:
    """With extra points, which refine where they lie; each counts like an average sampled one."""
    if not len(extra):
        return samples
    weights = np.full(len(extra), samples.weights.mean())
    return Samples(np.concatenate([samples.points, extra]), np.concatenate([samples.weights, weights]))


def _names_time(on: Any) -> bool:
    names = on if isinstance(on, tuple) else (on,)
    return any(name in ("initial", "final") for name in names if isinstance(name, str))


def _during(domain: Shape) -> Callable[[np.ndarray], np.ndarray]:
    """The lateral surface: all times but the first and the last instant."""
    lower, upper = (bound[-1] for bound in domain.bounds)
    rounding = 1e-12 * (upper - lower)
    return lambda p: (p[:, -1] > lower + rounding) & (p[:, -1] < upper - rounding)


def _both(first: Any, second: Any) -> Callable[[np.ndarray], np.ndarray] | None:
    return (first or second) if first is None or second is None else lambda p: first(p) & second(p)
