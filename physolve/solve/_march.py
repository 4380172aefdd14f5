"""One march through time: ordinary differential equations step by step, each as long as the solution allows."""

import math
import time
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column, Points
from physolve.errors import NumericalError
from physolve.nets import Chebyshev, Expansion, Frozen, JetAtom, TimeSlabs
from physolve.residual import Collocation, Density, Rows
from physolve.spec.geometry import Samples, TimeInterval

from ._climb import OutOfTime
from ._least_squares import least_squares
from ._newton import Newton
from ._system import Projection, project, residuals

OVERSAMPLING = 1.5
"""Nodes per coefficient. Least squares damp what is stiff, where as many nodes as coefficients would let it ring."""

FRESH = 4000
"""Points over the whole time at which steps are judged: a smooth pulse in the equations may be missed if it is shorter
than a few thousandths of a tenth of it; branches of where() are not, however short."""

TAIL = 3
"""Last coefficients of a step whose size tells how well it is resolved."""

ENDS = Density(2, 1)
"""Initial values are given at one instant."""

FIRST_STEP = 1 / 16
"""In durations of the problem."""

FARTHER, CAUTION, NEARER = 2.0, 0.9, 0.1
"""The longest growth from step to step, what is left of the growth that seems possible, and the least of a step that is
tried again."""

SHORTEST = 1e-12
"""Step, in durations of the problem, at which the solution is taken to end."""

SAME = 1e-6
"""Change of the unknowns in the shortest step, up to which it is taken whatever the equations do: they may jump."""

NOISE = 1e-14
"""Of the largest unknown in an equation: what rounding leaves in the last coefficients of all in it, even if zero."""

LEAST = 1e-100
"""Size of what is zero: squares of it are numbers."""

APART = 1e3
"""Units of an unknown that many times from its size are replaced by that."""

SOON = 1e-2
"""In durations of the problem, how far ahead the size is of what has been zero."""

NEW = 1e-6
"""Part of what it is within a step, below which an unknown counts as zero before it."""

RIDGE = 1e-15


class March:
    """One march: the steps taken so far, each of which may be off by `allowed`, relative to the largest the unknown has
    been. With `sensitive` also the derivatives of the solution in the parameters."""

    def __init__(
        self,
        whole: Collocation,
        degree: int,
        newton: Newton,
        allowed: float,
        parameters: tuple[float, ...] = (),
        *,
        sensitive: bool = False,
        deadline: float = math.inf,
    ) -> None:
        self.whole, self.degree, self.newton = whole, degree, newton
        self.allowed, self.parameters = allowed, parameters
        self.slopes: list[Expansion] | None = [] if sensitive else None
        self.deadline = deadline
        self.begin, self.end = (float(bound[0]) for bound in whole.problem.domain.bounds)
        self.breaks, self.parts = [self.begin], list[Expansion]()
        self.sizes = torch.zeros(len(whole.problem.unknowns), dtype=torch.float64)
        self.rows = self.iterations = 0
        self.worst = 0.0
        self.step = FIRST_STEP * (self.end - self.begin)
        self.cause = "it, or its derivatives, grow without bound there"

    @cached_property
    def partners(self) -> list[list[int]]:
        """The unknowns that stand in an equation with each of them, itself included."""
        together = [{atom.unknown for atom in form.atoms} for form in self.whole.equations]
        return [sorted({i}.union(*(t for t in together if i in t))) for i in range(len(self.sizes))]

    @cached_property
    def units(self) -> Float[Tensor, " unknowns"]:
        """Sizes of the unknowns as far as they are known before the first step."""
        values = self.start.coefficients[0].abs()
        return torch.where(values > 0, values, values.max().clamp_min(1.0) if not values.any() else values.max())

    @cached_property
    def start(self) -> Expansion:
        """The initial values, for all times: many equations have no value at zero, where Newton begins without."""
        values = torch.zeros(1, len(self.sizes), dtype=torch.float64)
        instant = torch.tensor([[self.begin]], dtype=torch.float64)
        for _, forms in self.whole.conditions:
            for form in forms:
                (atom,) = form.atoms
                if not any(atom.orders):  # of the value, not of the velocity
                    values[0, atom.unknown] = -form.residual(
                        instant, None, {atom: instant.new_zeros(1)}, self.parameters
                    )
        return Expansion(Chebyshev(self.begin, self.end, 0), values)

    @property
    def now(self) -> float:
        return self.breaks[-1]

    @property
    def finished(self) -> bool:
        return self.now >= self.end

    @property
    def features(self) -> int:
        """Of every unknown, over all steps."""
        return (self.degree + 1) * len(self.parts)

    @property
    def field(self) -> TimeSlabs:
        return TimeSlabs(tuple(self.breaks), tuple(self.parts))

    def field_until(self, until: float) -> TimeSlabs:
        """Without what comes after a time."""
        count = max(1, sum(begin < until for begin in self.breaks[:-1]))
        return TimeSlabs((*self.breaks[:count], until), tuple(self.parts[:count]))

    def quadrature(self, until: float) -> tuple[Points, Column]:
        """Gauss points of all steps before a time, and their weights."""
        breaks = np.clip(np.array(self.breaks), None, until)
        nodes, weights = np.polynomial.legendre.leggauss(self.degree)
        half = np.diff(breaks)[:, None] / 2
        times = breaks[:-1, None] + half * (1 + nodes)
        kept = np.broadcast_to(half > 0, times.shape)
        return torch.tensor(times[kept])[:, None], torch.tensor((half * weights)[kept])

    def advance(self) -> bool:
        """One step further, as long as it may be; False where none is short enough.

        Raises OutOfTime after the deadline.
        """
        shortest = max(SHORTEST * (self.end - self.begin), 4 * math.ulp(self.now))
        while True:
            if time.perf_counter() > self.deadline:
                raise OutOfTime("the budget was spent before the end of a march through time")
            self.step = max(self.step, shortest)
            until = self.end if self.end - self.now < self.step + shortest else self.now + self.step
            error, solved = self._attempt(until)
            share = CAUTION * (self.allowed / max(error, 1e-300)) ** (1 / self.degree)
            last, self.step = self.step, min(self.step, until - self.now) * min(max(share, NEARER), FARTHER)
            if solved is not None and (error <= self.allowed or (last <= shortest and self._change(solved) <= SAME)):
                self._take(solved, until, error)
                return True
            if last <= shortest:
                return False

    def _take(self, solved: Projection, until: float, error: float) -> None:
        assert isinstance(solved.field, Expansion)
        if self.slopes is not None:
            self.slopes.append(self._sensitivity(self._rows(until), solved))
        self.breaks.append(until)
        self.parts.append(solved.field)
        self.rows += round(OVERSAMPLING * (self.degree + 1)) * len(self.sizes)
        self.sizes = torch.maximum(self.sizes, solved.field.coefficients.abs().sum(0))
        self.worst = max(self.worst, error)

    def _change(self, solved: Projection) -> float:
        """Largest change of an unknown within a step, relative to its size."""
        assert isinstance(solved.field, Expansion)
        coefficients = solved.field.coefficients.abs()
        sizes = torch.maximum(self.sizes, coefficients.sum(0)).clamp_min(1e-300)
        return float((coefficients[1:].sum(0) / sizes).max())

    def _collocation(self, until: float) -> Collocation:
        return self.whole.on(TimeInterval(self.now, until), self.parts[-1] if self.parts else None)

    def _rows(self, until: float) -> tuple[Rows, ...]:
        """Of the equations at Gauss points of a step, and of what it begins with."""
        collocation = self._collocation(until)
        nodes, weights = np.polynomial.legendre.leggauss(round(OVERSAMPLING * (self.degree + 1)))
        rows = collocation.rows_at(_samples(collocation, nodes, weights), ENDS)
        return tuple(block for block in rows if block.role != "data")

    def _attempt(self, until: float) -> tuple[float, Projection | None]:
        """How far off a step is that ends then, and its solution, if it has one."""
        basis = Chebyshev(self.now, until, self.degree)
        try:
            rows = self._rows(until)
            solved = self._solve(basis, rows)
            assert isinstance(solved.field, Expansion)
            if self._measure(self._size(solved.field)):
                solved = self._solve(basis, rows)
            error = self._error(solved, self._collocation(until))
        except NumericalError as cause:
            self.cause = str(cause)
            return math.inf, None
        return (error, solved) if math.isfinite(error) else (math.inf, None)

    def _measure(self, sizes: Float[Tensor, " unknowns"]) -> bool:
        """Measure every unknown in units of its size; whether one of them is another unit than before."""
        if changed := bool(((sizes > APART * self.units) | (APART * sizes < self.units)).any()):
            self.units = sizes
        return changed

    def _solve(self, basis: Chebyshev, rows: tuple[Rows, ...]) -> Projection:
        unknowns, units = len(self.sizes), tuple(self.units.tolist())
        if self.whole.linear:
            self.iterations += 1
            return project(rows, basis, unknowns, None, self.parameters, fixed=True, sizes=units)
        start = self.start if bool(self.start.coefficients.any()) else None
        state = Frozen(self.parts[-1], self.now) if self.parts else start
        solved, iterations = self.newton.solve(
            rows, basis, unknowns, state, self.parameters, RIDGE, fixed=True, sizes=units
        )
        self.iterations += iterations
        return solved

    def _error(self, solved: Projection, collocation: Collocation) -> float:
        """The largest of its last coefficients, of what Newton's iteration has left, and of its residual at fresh
        points, relative to the size of the unknowns."""
        assert isinstance(solved.field, Expansion)
        begin, end = (float(bound[0]) for bound in collocation.domain.bounds)
        count = max(self.degree + 2, math.ceil(FRESH * (end - begin) / (self.end - self.begin)))
        fresh = _samples(collocation, (2 * np.arange(count) + 1) / count - 1, np.full(count, 2 / count))
        points = np.concatenate([fresh.points, collocation.unseen(fresh.points)])
        everywhere = collocation.rows_at(Samples(points, np.full(len(points), 1 / len(points))), ENDS)
        rows = [block for block in everywhere if block.role != "data"]
        sizes = self._size(solved.field)
        last = solved.field.coefficients[-TAIL:].abs().amax(0)
        units = float((self.units / sizes).max())
        missed = residuals(rows, solved.field, self.parameters)
        if any(weight == 0 and bool(r.any()) for weight, r in zip(solved.scale.weights, missed, strict=True)):
            return math.inf  # the linearised equation holds nothing of the unknowns, and is not met
        left = solved.scale.norm(missed)
        return max(float((last / sizes).max()), units * left, units * solved.unsettled)

    def _sensitivity(self, rows: Sequence[Rows], solved: Projection) -> Expansion:
        """Derivatives of the step's unknowns in the first parameter, in the second, ...: the linearised equations with
        the parameters' columns on the right, and what the step before ended with."""
        assert isinstance(solved.field, Expansion)
        basis, unknowns, count = solved.field.basis, len(self.sizes), len(self.parameters)
        split = basis.size * unknowns
        before = self.slopes[-1] if self.slopes else None

        def blocks() -> Iterator[tuple[Tensor, Tensor]]:
            for block, weight in zip(rows, solved.scale.weights, strict=True):
                matrix, _ = block.matrix(basis, unknowns, solved.field, self.parameters)
                right = -matrix[:, split:]
                if before is not None and block.role == "condition":
                    (atom,) = block.form.atoms
                    atoms = [JetAtom(atom.unknown + k * unknowns, atom.orders) for k in range(count)]
                    ended = before.derivatives(block.points, atoms)
                    right = torch.stack([ended[a] for a in atoms], 1)
                yield matrix[:, :split] * weight, right * weight

        found = least_squares(blocks(), split, RIDGE).coefficients
        by_unknown = found.unflatten(0, (unknowns, basis.size)).movedim(0, 2)  # features, parameters, unknowns
        return Expansion(basis, by_unknown.flatten(1).contiguous())

    def _size(self, step: Expansion) -> Float[Tensor, " unknowns"]:
        """Of every unknown: its largest value so far and within a step, or a little more; where it only leaves zero,
        what the change in the step would make of it SOON; and at least that of which rounding is no more than allowed.
        """
        assert isinstance(step.basis, Chebyshev)
        sizes = step.coefficients.abs()
        soon = sizes[1:].sum(0) * (SOON * (self.end - self.begin) / (step.basis.upper - step.basis.lower))
        largest = torch.maximum(self.sizes, sizes.sum(0))
        largest = torch.where(self.sizes < NEW * sizes.sum(0), torch.maximum(largest, soon), largest)
        rounded = NOISE / self.allowed * torch.stack([largest[partners].max() for partners in self.partners])
        return torch.maximum(largest, rounded).clamp_min(LEAST)


def _samples(collocation: Collocation, nodes: np.ndarray, weights: np.ndarray) -> Samples:
    """Nodes of -1 ... 1 and their weights, scaled to the step."""
    begin, end = (float(bound[0]) for bound in collocation.domain.bounds)
    half = (end - begin) / 2
    return Samples(((begin + end) / 2 + half * nodes)[:, None], half * weights)
