"""Where initial values and conditions on the boundary disagree: layers diffuse from there into an interval."""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import sympy
import torch

from physolve._typing import Column, Points
from physolve.errors import PhysolveError
from physolve.nets import DiffusionLayers, JetAtom
from physolve.residual import Collocation, Density, Form, Linearization
from physolve.spec import Condition, Dirichlet, Initial, Neumann, Problem, Program, Robin
from physolve.spec.geometry import split_time

LAYERS = 7
"""Powers of the square root of time, from 0 on, with which layers grow."""

DISAGREEMENT = 1e-6
"""Of the initial values, up to which they agree with a condition."""

RATES = 1e-3
"""Of the initial values, that the equation's rate and a prescribed one may be apart after the whole time."""

GRID = 65
"""Points at which the size of initial values is taken."""

INSIDE = 1e-9
"""How far from the end of an interval its initial values are taken, in its lengths: there may be another branch."""

INSTANT = 1e-6
"""In durations, over which the rate of a prescribed value is taken."""


def starting_layers(problem: Problem) -> tuple[DiffusionLayers, ...]:
    """Functions for every end of an interval at which a diffusing unknown begins with a jump, of its value, its slope
    or its rate; none for other domains, and for initial values that cannot be differentiated."""
    space, time = split_time(problem.domain)
    if space is None or time is None or space.dim != 1 or not any(isinstance(c, Initial) for c in problem.conditions):
        return ()
    found: dict[tuple[float, float], DiffusionLayers] = {}
    for end, side in zip(space.bounds, (1.0, -1.0), strict=True):
        corner = _Corner(problem, float(end[0]), side)
        try:
            for kappa in corner.disagreeing():
                found[corner.place, kappa] = DiffusionLayers(corner.place, side, time.t0, kappa, LAYERS)
        except (PhysolveError, NotImplementedError, ValueError):  # sympy cannot differentiate everything
            continue
    return tuple(found.values())


class _Corner:
    """One end of the interval at the initial time; the domain lies to its right (`side` 1) or left (-1)."""

    def __init__(self, problem: Problem, place: float, side: float) -> None:
        self.problem, self.place, self.side = problem, place, side
        self.collocation = Collocation(problem)
        self.parameters = [p.guess for p in problem.parameters]
        lower, upper = problem.domain.bounds
        self.duration = float(upper[1] - lower[1])
        near = np.array([place + side * INSIDE * (upper[0] - lower[0]), lower[1]])
        self.points = torch.tensor(near)[None]
        self.everywhere = torch.tensor(np.linspace(lower, [upper[0], lower[1]], GRID))
        self.normals = torch.tensor([[-side, 0.0]], dtype=torch.float64)

    @cached_property
    def values(self) -> dict[int, sympy.Expr]:
        """Initial value of every unknown that has one."""
        guesses = dict(zip(self.problem.parameters, self.parameters, strict=True))
        coordinates, unknowns = self.problem.coordinates, self.problem.unknowns
        initial = [c for c in self.problem.conditions if isinstance(c, Initial)]
        pairs = [(u, u - e) for c in initial for u, e in zip(c.unknowns(), c.equations(coordinates), strict=False)]
        return {unknowns.index(u): sympy.sympify(value).subs(guesses) for u, value in pairs}

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
        at = self.collocation.boundary_samples(condition, Density(8, 8), 0).points[:, 0]
        return bool(np.isclose(at, self.place).any())

    def _equation(self, unknown: int) -> tuple[Linearization, JetAtom] | None:
        """The one that gives the unknown's rate, at its initial values, and the rate in it."""
        rate = JetAtom(unknown, (0, 1))
        for form in self.collocation.equations:
            if rate in form.atoms:
                local = form.linearize(self.points, None, self._state(form.atoms, self.points), self.parameters)
                return local, rate
        return None

    def _diffusivity(self, unknown: int) -> float | None:
        """kappa of u_t = kappa u_xx + ..., where that is positive."""
        if unknown not in self.values or (found := self._equation(unknown)) is None:
            return None
        local, rate = found
        bend = local.slopes.get(JetAtom(unknown, (2, 0)))
        kappa = -float(bend / local.slopes[rate]) if bend is not None else 0.0
        return kappa if 0 < kappa < math.inf else None

    def _disagrees(self, form: Form, unknown: int, prescribed: bool) -> bool:
        size = float(self._state((JetAtom(unknown, (0, 0)),), self.everywhere).popitem()[1].abs().max())
        jump = float(form.residual(self.points, self.normals, self._state(form.atoms, self.points), self.parameters))
        if abs(jump) > DISAGREEMENT * max(size, abs(jump)):
            return True
        found = self._equation(unknown)
        if not prescribed or found is None:
            return False
        local, rate = found
        soon = self.points + torch.tensor([0.0, INSTANT * self.duration])
        later = float(form.residual(soon, self.normals, self._state(form.atoms, soon), self.parameters))
        prescribed_rate = -(later - jump) / (INSTANT * self.duration)
        away = abs(prescribed_rate + float(local.value / local.slopes[rate])) * self.duration
        return away > RATES * max(size, away)

    def _state(self, atoms: Sequence[JetAtom], points: Points) -> dict[JetAtom, Column]:
        """The initial values and their derivatives; zero for rates and for unknowns without."""
        coordinates = self.problem.coordinates
        found = {}
        for atom in atoms:
            value = self.values.get(atom.unknown, sympy.S.Zero)
            derived = sympy.S.Zero if atom.orders[1] else sympy.diff(value, coordinates[0], atom.orders[0])
            found[atom] = Program((derived,), coordinates)(*points.unbind(1))[0].expand(len(points))
        return found
