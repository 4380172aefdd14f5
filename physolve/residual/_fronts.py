"""Where initial values and conditions on the boundary disagree: something diffuses from there into an interval."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import sympy
import torch

from physolve._typing import Column, ColumnArray, MaskArray, PointArray, Points
from physolve.errors import PhysolveError
from physolve.nets import Front, JetAtom
from physolve.spec import Condition, Dirichlet, Initial, Neumann, Program, Robin
from physolve.spec.geometry import Samples, Shape, split_time

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

DIFFUSIVE = {(0, 0), (1, 0), (2, 0), (0, 1)}
"""Derivatives, in the coordinate and in time, that an equation of diffusion has."""

GRID = 65
"""Points at which the size of initial values is taken."""

INSIDE = 1e-9
"""How far from the end of an interval its initial values are taken, in its lengths: there may be another branch."""

INSTANT = 1e-6
"""In durations, over which the rate of a prescribed value is taken."""

CLOSE = 1e-9
"""In lengths of the interval, within which points lie at its end."""


@dataclass(frozen=True)
class Fronts:
    """The corners of an interval and time at which a diffusing unknown begins with a jump, of its value, its slope or
    its rate: `found`, none for other domains, and for initial values that cannot be differentiated.

    Near a corner a second derivative grows like 1 / rho^2, rho^2 = away^2 + 4 kappa (t - start), whose square has no
    integral: where the equation is not u_t = kappa u_xx, least squares would see nothing else.
    """

    found: tuple[Front, ...] = ()
    length: float = 1.0
    end: float = 1.0

    def within(self, part: Shape) -> "Fronts":
        """What a part of the domain has of them: all if it begins with them, else none."""
        lower, upper = part.bounds
        begins = bool(self.found) and bool(lower[-1] <= self.found[0].start)
        return replace(self, end=float(upper[-1])) if begins else Fronts()

    def factor(self, points: PointArray) -> Column:
        """(rho / reach)^2 at points within reach of a corner, 1 elsewhere."""
        factor = torch.ones(len(points), dtype=torch.float64)
        for front in self.found:
            away, s = front.variables(torch.tensor(points))
            factor *= ((away.square() + s) / self._reach(front) ** 2).clamp(max=1)
        return factor

    def points(self, count: int, seed: int) -> PointArray:
        """About SHARE times `count` points, as many at every scale of rho."""
        random = np.random.default_rng(seed)
        each = math.ceil(SHARE * count / max(1, len(self.found)))
        near = [self._near(f, each, random.uniform(0, math.pi / 2, each), random) for f in self.found]
        return np.concatenate([np.empty((0, 2)), *near])

    def joined(self, samples: Samples, holds: Callable[[PointArray], MaskArray], seed: int) -> Samples:
        """Samples of a condition at ends of the interval, with some at the first instants, as far as it `holds` there.
        (Without them, a quenched plate was 1e-5 off there, where the root mean square of its error was 1e-7.)"""
        random = np.random.default_rng(seed)
        here = [f for f in self.found if _at(f.place, samples.points, self.length).any()]
        if not here or samples.normals is None:
            return samples
        each = max(FEWEST, math.ceil(SHARE * len(samples)))
        near = np.concatenate([self._near(front, each, np.full(each, math.pi / 2), random) for front in here])
        normals = np.concatenate([np.tile([-front.side, 0.0], (each, 1)) for front in here])
        held = holds(near)
        near, normals = near[held], normals[held]
        weights = np.concatenate([samples.weights, np.full(len(near), samples.weights.mean())])
        weights *= samples.weights.sum() / weights.sum()
        return Samples(np.concatenate([samples.points, near]), weights, np.concatenate([samples.normals, normals]))

    def _near(self, front: Front, count: int, angle: ColumnArray, random: np.random.Generator) -> PointArray:
        """Points in the directions `angle` of the plane of distance and sqrt(4 kappa (t - start))."""
        reach = self._reach(front)
        last = self._thickness(front) / np.sin(angle)
        farthest = np.minimum(FARTHEST * reach, last)
        rho = farthest * (NEAREST * reach / farthest) ** random.uniform(0, 1, count)
        times = front.start + (rho * np.sin(angle)) ** 2 / (4 * front.diffusivity)
        return np.stack([front.place + front.side * rho * np.cos(angle), times], 1)

    def _reach(self, front: Front) -> float:
        return min(REACH * self.length, THICKNESS * self._thickness(front))

    def _thickness(self, front: Front) -> float:
        """Of its layer at the end."""
        return math.sqrt(4 * front.diffusivity * (self.end - front.start))


def fronts_of(collocation: "Collocation") -> Fronts:
    """Of the whole problem; none where interfaces divide its domain, on whose parts features have no layers."""
    problem = collocation.problem
    space, time = split_time(problem.domain)
    if space is None or time is None or space.dim != 1 or problem.interfaces:
        return Fronts()
    if not any(isinstance(c, Initial) for c in problem.conditions):
        return Fronts()
    found: dict[Front, None] = {}
    for end, side in zip(space.bounds, (1.0, -1.0), strict=True):
        corner = _Corner(collocation, float(end[0]), side)
        try:
            found |= {Front(corner.place, side, time.t0, kappa): None for kappa in corner.disagreeing()}
        except (PhysolveError, NotImplementedError, ValueError, TypeError, AttributeError):
            continue  # sympy cannot differentiate everything
    lower, upper = space.bounds
    return Fronts(tuple(found), float(upper[0] - lower[0]), time.t1)


def _at(place: float, points: PointArray, length: float) -> MaskArray:
    """Which points lie at the end `place` of an interval."""
    return np.abs(points[:, 0] - place) <= max(CLOSE * length, 4 * float(np.spacing(abs(place))))


class _Corner:
    """One end of the interval at the initial time; the domain lies to its right (`side` 1) or left (-1)."""

    def __init__(self, collocation: "Collocation", place: float, side: float) -> None:
        self.problem, self.place, self.side = collocation.problem, place, side
        self.collocation = collocation
        problem = collocation.problem
        self.parameters = [p.guess for p in problem.parameters]
        lower, upper = problem.domain.bounds
        self.length, self.duration = float(upper[0] - lower[0]), float(upper[1] - lower[1])
        near = np.array([place + side * INSIDE * self.length, lower[1]])
        self.points = torch.tensor(near)[None]
        self.everywhere = torch.tensor(np.linspace(lower, [upper[0], lower[1]], GRID))
        self.normals = torch.tensor([[-side, 0.0]], dtype=torch.float64)

    @cached_property
    def values(self) -> dict[int, sympy.Expr]:
        """Initial value of every unknown that has one."""
        coordinates, unknowns = self.problem.coordinates, self.problem.unknowns
        initial = [c for c in self.problem.conditions if isinstance(c, Initial)]
        pairs = [(u, u - e) for c in initial for u, e in zip(c.unknowns(), c.equations(coordinates), strict=False)]
        return {unknowns.index(u): sympy.sympify(value) for u, value in pairs}

    def disagreeing(self) -> Iterator[float]:
        """The diffusivity of every unknown whose initial values, or their rate, do not meet a condition here."""
        for condition, forms in self.collocation.conditions:
            if isinstance(condition, Dirichlet | Neumann | Robin) and self._holds(condition):
                for form in forms:
                    unknown = form.atoms[0].unknown
                    kappa = self._diffusivity(unknown)
                    if kappa is not None and self._disagrees(form, unknown, isinstance(condition, Dirichlet)):
                        yield kappa

    def _holds(self, condition: Condition) -> bool:
        """Whether a condition is one on this end, from the first instant on."""
        on, where = self.collocation.place(condition)
        points = self.collocation.domain.sample_boundary(64, on=on, where=where).points
        here = points[_at(self.place, points, self.length)]
        return bool(self.collocation.begins(condition, here).any())

    def _equation(self, unknown: int) -> tuple[Form, Linearization, JetAtom] | None:
        """The one that gives the unknown's rate, linearised at its initial values, and the rate in it; None where the
        equation is of another kind: a wave's, or of higher order."""
        rate = JetAtom(unknown, (0, 1))
        for form in self.collocation.equations:
            if rate in form.atoms and all(a.orders in DIFFUSIVE for a in form.atoms if a.unknown == unknown):
                local = form.linearize(self.points, None, self._state(form.atoms, self.points), self.parameters)
                return form, local, rate
        return None

    def _diffusivity(self, unknown: int) -> float | None:
        """kappa of u_t = kappa u_xx + ..., where that is positive, and does not wait for a parameter to be found."""
        if unknown not in self.values or (found := self._equation(unknown)) is None:
            return None
        form, local, rate = found
        bend = JetAtom(unknown, (2, 0))
        if bend not in local.slopes or any(self._uncertain(form, atom) for atom in (bend, rate)):
            return None
        kappa = -float(local.slopes[bend] / local.slopes[rate])
        return kappa if 0 < kappa < math.inf else None

    def _uncertain(self, form: Form, atom: JetAtom) -> bool:
        """Whether the factor of a derivative holds an unknown parameter, by itself or in an initial value."""
        symbols = form.slopes[form.atoms.index(atom)].free_symbols
        state = [a for a, symbol in zip(form.atoms, form.placeholders, strict=True) if symbol in symbols]
        values = [self.values[a.unknown].free_symbols for a in state if a.unknown in self.values]
        return not symbols.union(*values).isdisjoint(self.problem.parameters)

    def _disagrees(self, form: Form, unknown: int, prescribed: bool) -> bool:
        size = float(self._state((JetAtom(unknown, (0, 0)),), self.everywhere).popitem()[1].abs().max())
        jump = float(form.residual(self.points, self.normals, self._state(form.atoms, self.points), self.parameters))
        if abs(jump) > DISAGREEMENT * max(size, abs(jump)):
            return True
        found = self._equation(unknown)
        if not prescribed or found is None:
            return False
        _, local, rate = found
        soon = self.points + torch.tensor([0.0, INSTANT * self.duration])
        later = float(form.residual(soon, self.normals, self._state(form.atoms, soon), self.parameters))
        prescribed_rate = -(later - jump) / (INSTANT * self.duration)
        away = abs(prescribed_rate + float(local.value / local.slopes[rate])) * self.duration
        return away > RATES * max(size, away)

    def _state(self, atoms: Sequence[JetAtom], points: Points) -> dict[JetAtom, Column]:
        """The initial values and their derivatives; zero for rates and for unknowns without."""
        coordinates = self.problem.coordinates
        guesses = dict(zip(self.problem.parameters, self.parameters, strict=True))
        found = {}
        for atom in atoms:
            value = self.values.get(atom.unknown, sympy.S.Zero).subs(guesses)
            derived = sympy.S.Zero if atom.orders[1] else sympy.diff(value, coordinates[0], atom.orders[0])
            found[atom] = Program((derived,), coordinates)(*points.unbind(1))[0].expand(len(points))
        return found
