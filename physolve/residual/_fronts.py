"""Where initial values and conditions on the boundary disagree: something diffuses from there into the domain."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import sympy
import torch

from physolve._typing import Column, ColumnArray, MaskArray, PointArray, Points
from physolve.errors import PhysolveError, SpecificationError
from physolve.nets import Front, JetAtom
from physolve.spec import Condition, Dirichlet, Initial, Neumann, Program, Robin, stated_values
from physolve.spec.geometry import Named, Rectangle, Samples, Shape, Translated, split_time

from ._form import Form, Linearization

if TYPE_CHECKING:
    from ._collocate import Collocation

REACH = 0.5
"""Of the interval's length: within this distance of a corner its rows count less, and have points of their own."""

THICKNESS = 2.0
"""Where this many times sqrt(4 kappa duration) is less, that distance: a layer comes no further in the whole time."""

NEAREST, FARTHEST = 1e-3, 2.0
"""Of that reach, between which the points lie."""

SHARE = 0.15
"""Points near corners, of those inside. With them and without the factor, a layer with a diffusivity that depends on u
came to 0.4 with 1,700 features; with both, to 1e-6 with 440."""

FEWEST = 12
"""Points of a condition at the first instants, at least."""

DISAGREEMENT = 1e-6
"""Of the initial values, up to which they agree with a condition."""

RATES = 1e-3
"""Of the initial values, that the equation's rate and a prescribed one may be apart after the whole time."""

GRID = 65, 17
"""Points along each coordinate, of one or of two, at which the size of initial values is taken."""

ALONG = 9
"""Points along a side, at which it is asked whether values disagree."""

SAMPLES = 256
"""At which a condition is found to hold, of one side."""

PIECES = 16
"""Of a side, in every one of which there must be some where a condition is to hold on all of it."""

CLOSENESS = 3.0
"""In thicknesses of a layer, within which the points of another one meet it."""

INSIDE = 1e-9
"""How far from the end of an interval its initial values are taken, in its lengths: there may be another branch."""

INSTANT = 1e-6
"""In durations, over which the rate of a prescribed value is taken."""

CLOSE = 1e-9
"""In lengths of the interval, within which points lie at its end."""


RateEquation: TypeAlias = tuple[Form, Linearization, JetAtom]
"""The equation that gives an unknown's rate, linearised, and the rate in it."""


@dataclass(frozen=True, eq=False)
class Fronts:
    """The ends of an interval, or sides of a rectangle, at which a diffusing unknown begins with a jump, of its value,
    its slope or its rate: `found`, none for other domains, and for initial values that cannot be differentiated; those
    of one unknown that are `meeting` in a corner of the rectangle; and the `lower` and `upper` corner of the domain,
    time last.

    Near such a corner of space and time a second derivative grows like 1 / rho^2, rho^2 = away^2 + 4 kappa (t - start),
    whose square has no integral: where the equation is not u_t = kappa u_xx, least squares would see nothing else.
    """

    found: tuple[Front, ...] = ()
    meeting: tuple[tuple[Front, Front], ...] = ()
    lower: ColumnArray = field(default_factory=lambda: np.zeros(2))
    upper: ColumnArray = field(default_factory=lambda: np.ones(2))

    def within(self, part: Shape) -> "Fronts":
        """What a part of the domain has of them: all if it begins with them, else none."""
        lower, upper = part.bounds
        begins = bool(self.found) and bool(lower[-1] <= self.found[0].start)
        return replace(self, upper=upper) if begins else Fronts()

    def factor(self, points: PointArray) -> Column:
        """(rho / reach)^2 at points within reach of a corner of an interval and time, 1 elsewhere: layers of a
        rectangle solve the equation up to lower orders."""
        factor = torch.ones(len(points), dtype=torch.float64)
        for front in self.found if len(self.lower) == 2 else ():
            away, s = front.variables(front.columns(torch.tensor(points)))
            factor *= ((away.square() + s) / self._reach(front) ** 2).clamp(max=1)
        return factor

    def points(self, count: int, seed: int) -> PointArray:
        """About SHARE times `count` points near the fronts there are, as many at every scale of rho."""
        random = np.random.default_rng(seed)
        each = math.ceil(SHARE * count / len(self.found))
        return np.concatenate([self._near(f, random.uniform(0, math.pi / 2, each), random) for f in self.found])

    def at(self, front: Front, points: PointArray) -> MaskArray:
        """Which points of the boundary lie where a front begins."""
        return _at(front.place, points[:, front.axis], float(self.upper[front.axis] - self.lower[front.axis]))

    def joined(self, samples: Samples, holds: Callable[[PointArray], MaskArray], seed: int) -> Samples:
        """Samples of a condition where fronts begin, with some at the first instants, as far as it `holds` there.
        (Without them, a quenched plate was 1e-5 off there, where the root mean square of its error was 1e-7.)"""
        random = np.random.default_rng(seed)
        each = max(FEWEST, math.ceil(SHARE * len(samples)))
        points, normals = [samples.points[:0]], [samples.points[:0]]
        for front in self.found:
            here = np.flatnonzero(self.at(front, samples.points))
            if len(here) == 0 or samples.normals is None:
                continue
            rho = self._distances(front, np.full(each, math.pi / 2), random)
            chosen = here[random.integers(len(here), size=each)]  # where the condition is known to hold
            early = samples.points[chosen]
            early[:, -1] = front.start + rho**2 / (4 * front.diffusivity)
            held = holds(early)
            points.append(early[held])
            normals.append(samples.normals[chosen[held]])
        early = np.concatenate(points)
        return samples.joined(Samples(early, np.ones(len(early)), np.concatenate(normals))) if len(early) else samples

    def _distances(self, front: Front, angle: ColumnArray, random: np.random.Generator) -> ColumnArray:
        """rho in the directions `angle` of the plane of distance and sqrt(4 kappa (t - start))."""
        reach = self._reach(front)
        last = self._thickness(front) / np.sin(angle)
        farthest = np.minimum(FARTHEST * reach, last)
        return farthest * (NEAREST * reach / farthest) ** random.uniform(0, 1, len(angle))

    def _near(self, front: Front, angle: ColumnArray, random: np.random.Generator) -> PointArray:
        """Points in these directions."""
        rho = self._distances(front, angle, random)
        points = np.empty((len(angle), len(self.lower)))
        points[:, -1] = front.start + (rho * np.sin(angle)) ** 2 / (4 * front.diffusivity)
        points[:, front.axis] = front.place + front.side * rho * np.cos(angle)
        for axis in range(len(self.lower) - 1):
            if axis != front.axis:
                points[:, axis] = self._along(axis, points[:, -1], random)
        return points

    def _along(self, axis: int, times: ColumnArray, random: np.random.Generator) -> ColumnArray:
        """Another coordinate of such points: anywhere, and every second one in the layer of a front that it has."""
        anywhere = random.uniform(self.lower[axis], self.upper[axis], len(times))
        meeting = [front for front in self.found if front.axis == axis]
        if not meeting:
            return anywhere
        place, side, start, kappa, _ = np.array(meeting)[random.integers(len(meeting), size=len(times))].T
        away = CLOSENESS * np.sqrt(4 * kappa * (times - start)) * random.uniform(0, 1, len(times))
        inside = np.clip(place + side * away, self.lower[axis], self.upper[axis])
        return np.where(random.uniform(size=len(times)) < 0.5, inside, anywhere)

    def _reach(self, front: Front) -> float:
        length = float(self.upper[front.axis] - self.lower[front.axis])
        return min(REACH * length, THICKNESS * self._thickness(front))

    def _thickness(self, front: Front) -> float:
        """Of its layer at the end."""
        return math.sqrt(4 * front.diffusivity * (float(self.upper[-1]) - front.start))


def fronts_of(collocation: "Collocation") -> Fronts:
    """Of the whole problem; none where interfaces divide its domain, on whose parts features have no layers."""
    problem = collocation.problem
    space, time = split_time(problem.domain)
    if space is None or time is None or not _has_sides(space) or problem.interfaces:
        return Fronts()
    if not any(isinstance(c, Initial) for c in problem.conditions):
        return Fronts()
    found: dict[tuple[int, Front], None] = {}
    for axis in range(space.dim):
        for end, side in zip(space.bounds, (1.0, -1.0), strict=True):
            try:
                for unknown, kappa in _Side(collocation, axis, float(end[axis]), side).disagreeing():
                    found[unknown, Front(float(end[axis]), side, time.t0, kappa, axis)] = None
            except (PhysolveError, NotImplementedError, ValueError, TypeError, AttributeError):
                continue  # sympy cannot differentiate everything
    pairs = itertools.combinations(found, 2)
    meeting = {(a, b): None for (u, a), (v, b) in pairs if u == v and a.axis != b.axis}
    return Fronts(tuple({front: None for _, front in found}), tuple(meeting), *problem.domain.bounds)


def _has_sides(space: Shape) -> bool:
    """Whether every part of its boundary is one end of the interval of one coordinate, in one or two dimensions."""
    match space:
        case Named(inner, _) | Translated(inner, _):
            return _has_sides(inner)
        case _:
            return space.dim == 1 or isinstance(space, Rectangle)


def _at(place: float, values: ColumnArray, length: float) -> MaskArray:
    """Which values of a coordinate lie at the end `place` of its interval."""
    return np.abs(values - place) <= max(CLOSE * length, 4 * float(np.spacing(abs(place))))


class _Side:
    """The end of a coordinate's interval at the initial time; the domain lies to its right (`side` 1) or left (-1)."""

    def __init__(self, collocation: "Collocation", axis: int, place: float, side: float) -> None:
        self.collocation, self.axis, self.place = collocation, axis, place
        self.problem = problem = collocation.problem
        self.parameters = [p.guess for p in problem.parameters]
        self.lower, self.upper = problem.domain.bounds
        self.lengths = self.upper - self.lower
        self.dim = len(self.lower)
        along = (np.arange(ALONG if self.dim > 2 else 1) + 0.5) / ALONG
        near = self.lower + along[:, None] * self.lengths
        near[:, axis] = place + side * INSIDE * self.lengths[axis]
        near[:, -1] = self.lower[-1]
        self.points = torch.tensor(near)
        each = [np.linspace(0, 1, GRID[self.dim - 2])] * (self.dim - 1)
        grid = np.stack(np.meshgrid(*each, [0.0], indexing="ij"), -1).reshape(-1, self.dim)
        self.everywhere = torch.tensor(self.lower + grid * self.lengths)
        self.normals = torch.zeros(len(near), self.dim, dtype=torch.float64)
        self.normals[:, axis] = -side

    @property
    def _farther(self) -> Points:
        """Such points twice as far from the place."""
        away = torch.zeros_like(self.points)
        away[:, self.axis] = self.points[:, self.axis] - self.place
        return self.points + away

    @cached_property
    def values(self) -> dict[int, sympy.Expr]:
        """Initial value of every unknown that has one."""
        unknowns = self.problem.unknowns
        return {unknowns.index(u): value for u, value in stated_values(self.problem.conditions, Initial).items()}

    def disagreeing(self) -> Iterator[tuple[int, float]]:
        """Every unknown whose initial values, or their rate, do not meet a condition here, and its diffusivity."""
        for condition, forms in self.collocation.conditions:
            if isinstance(condition, Dirichlet | Neumann | Robin) and self._holds(condition):
                for form in forms:
                    unknown = form.atoms[0].unknown
                    if unknown not in self.values or (found := self._equation(unknown)) is None:
                        continue
                    kappa = self._diffusivity(unknown, found)
                    of_rate = found if isinstance(condition, Dirichlet) else None
                    if kappa is not None and self._disagrees(form, unknown, of_rate):
                        yield unknown, kappa

    def _holds(self, condition: Condition) -> bool:
        """Whether a condition is one on this end, from the first instant on; of a side, on all of it."""
        on, where = self.collocation.place(condition)

        def here(points: PointArray) -> MaskArray:
            at = _at(self.place, points[:, self.axis], self.lengths[self.axis])
            return at if where is None else at & np.asarray(where(points), dtype=bool)

        try:
            points = self.collocation.domain.sample_boundary(SAMPLES, on=on, where=here).points
        except SpecificationError:  # nothing of it lies here
            return False
        begins = self.collocation.begins(condition, points)
        if self.dim == 2:
            return bool(begins.any())
        along = 1 - self.axis
        shares = (points[:, along] - self.lower[along]) / self.lengths[along]
        filled = np.unique(np.minimum(shares * PIECES, PIECES - 1).astype(int))
        return bool(begins.all()) and len(filled) == PIECES

    def _equation(self, unknown: int) -> RateEquation | None:
        """The one that gives the unknown's rate, linearised at its initial values, and the rate in it; None where the
        equation is of another kind: a wave's, of higher order, or with a mixed derivative."""
        rate = JetAtom(unknown, (*[0] * (self.dim - 1), 1))
        for form in self.collocation.equations:
            of_unknown = [atom.orders for atom in form.atoms if atom.unknown == unknown]
            if rate.orders in of_unknown and all(o == rate.orders or _diffuses(o) for o in of_unknown):
                local = form.linearize(self.points, None, self._state(form.atoms, self.points), self.parameters)
                return form, local, rate
        return None

    def _diffusivity(self, unknown: int, found: RateEquation) -> float | None:
        """kappa of u_t = kappa u_xx + ..., where that is positive, and does not wait for a parameter to be found."""
        form, local, rate = found
        orders = [0] * self.dim
        orders[self.axis] = 2
        bend = JetAtom(unknown, tuple(orders))
        if bend not in local.slopes or any(self._uncertain(form, atom) for atom in (bend, rate)):
            return None
        if self.dim > 2 and not self._even(form, unknown):
            return None
        kappa = -(local.slopes[bend] / local.slopes[rate])[0].item()
        return kappa if 0 < kappa < math.inf else None

    def _even(self, form: Form, unknown: int) -> bool:
        """Whether products of layers and polynomials come near all solutions: the equation is linear, and its leading
        terms are the unknown's own, with constant factors."""
        leading = [
            (atom.unknown, slope)
            for atom, slope in zip(form.atoms, form.slopes, strict=True)
            if atom.orders[-1] or sum(atom.orders) == 2
        ]
        return form.linear and all(of == unknown and not slope.free_symbols for of, slope in leading)

    def _uncertain(self, form: Form, atom: JetAtom) -> bool:
        """Whether the factor of a derivative holds an unknown parameter, by itself or in an initial value."""
        symbols = form.slopes[form.atoms.index(atom)].free_symbols
        state = [a for a, symbol in zip(form.atoms, form.placeholders, strict=True) if symbol in symbols]
        values = [self.values[a.unknown].free_symbols for a in state if a.unknown in self.values]
        return not symbols.union(*values).isdisjoint(self.problem.parameters)

    def _disagrees(self, form: Form, unknown: int, of_rate: RateEquation | None) -> bool:
        """Whether a condition is not met by the initial values, or changes at another rate than theirs, if that is
        given."""
        value = JetAtom(unknown, (0,) * self.dim)
        size = float(self._state((value,), self.everywhere)[value].abs().max())
        jump, farther = (
            form.residual(points, self.normals, self._state(form.atoms, points), self.parameters)
            for points in (self.points, self._farther)
        )
        if _exceeds(2 * jump - farther, DISAGREEMENT, max(size, float(jump.abs().max()))):  # at the place itself
            return True
        if of_rate is None:
            return False
        _, local, rate = of_rate
        duration = float(self.lengths[-1])
        soon = self.points.clone()
        soon[:, -1] += INSTANT * duration
        later = form.residual(soon, self.normals, self._state(form.atoms, soon), self.parameters)
        prescribed_rate = -(later - jump) / (INSTANT * duration)
        return _exceeds((prescribed_rate + local.value / local.slopes[rate]) * duration, RATES, size)

    def _state(self, atoms: Sequence[JetAtom], points: Points) -> dict[JetAtom, Column]:
        """The initial values and their derivatives; zero for rates and for unknowns without."""
        coordinates = self.problem.coordinates
        guesses = dict(zip(self.problem.parameters, self.parameters, strict=True))
        found = {}
        for atom in atoms:
            derived = self.values.get(atom.unknown, sympy.S.Zero).subs(guesses)
            for coordinate, order in zip(coordinates, atom.orders, strict=True):
                derived = sympy.diff(derived, coordinate, order)
            found[atom] = Program((derived,), coordinates)(*points.unbind(1))[0].expand(len(points))
        return found


def _diffuses(orders: tuple[int, ...]) -> bool:
    """Whether a derivative is one in space, of at most second order and not a mixed one."""
    return orders[-1] == 0 and max(orders) == sum(orders) <= 2


def _exceeds(values: Column, share: float, size: float) -> bool:
    largest = float(values.abs().max())
    return largest > share * max(size, largest)
