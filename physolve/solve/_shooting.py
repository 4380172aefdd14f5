"""Unknown parameters of ordinary differential equations: marches that come closer and closer to measurements."""

import math
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy import ndarray
from scipy.optimize import least_squares

from physolve.errors import SpecificationError
from physolve.nets import Expansion, Field, TimeSlabs
from physolve.residual import Collocation, Density, Rows
from physolve.spec import Problem

from ._climb import NOISE_DEVIATIONS
from ._error import Judge
from ._march import March
from ._marching import Marches, Marching, marchable
from ._method import MethodResult
from ._outcome import Estimate, Listener, Outcome, Progress
from ._system import Projection, Scale
from ._well_posed import loose, misfit

HORIZONS = 0.1, 0.25, 0.5, 1.0
"""Parts of the time whose measurements are fitted one after the other. Over a long time the misfit has many valleys,
and the parameters must be near theirs before."""

ALLOWED = 1e-9
"""How far a step of these marches may be off."""

SETTLED = 1e-10
"""Relative change of the parameters, or of the misfit, at which they are found."""

MOST = 40
"""Marches to fit one part."""

UNDETERMINED = 1e-8
"""Influence of a combination of parameters on the measurements, of the strongest one's, that is none."""

PART = 1e-3
"""Of a free direction, from which on a parameter has a part in it."""

MISSING = 1e3
"""Misfit of a measurement that a march did not come to, in sizes of the unknown."""


def shootable(problem: Problem) -> bool:
    """Whether parameters are all that is unknown of an initial value problem, and measurements are to tell them."""
    return bool(problem.parameters) and marchable(problem)


@dataclass(frozen=True)
class Shooting:
    """Gauss-Newton's iteration (scipy's trust region) for the parameters with which a march through time meets the
    measurements, with exact derivatives; the first tenth of the time first, then more of it."""

    marching: Marching = field(default_factory=Marching)

    @property
    def name(self) -> str:
        """How solutions name their origin."""
        return f"Gauss-Newton for the parameters, around {self.marching.name}"

    def run(
        self,
        problem: Problem,
        tol: float,
        seed: int = 0,
        budget_s: float | None = None,
        progress: Listener | None = None,
    ) -> MethodResult:
        """Fit, then march until the tolerance is met; nothing in it is random, whatever the seed.

        Raises SpecificationError where more is unknown than parameters and a march, NumericalError where no march came
        to its end, or the budget was spent before.
        """
        if not shootable(problem):
            raise SpecificationError(
                "Shooting: needs ordinary differential equations with initial values, unknown parameters and "
                "observations; use LeastSquares()"
            )
        fit = Fit(self, problem, budget_s, progress)
        values = fit.found()
        left = None if budget_s is None else max(budget_s - fit.seconds, 1e-3)
        result = Marches(self.marching, problem, tol, left, progress, values).run()
        return fit.judged(result, values, tol)


class Fit:
    """Parameters against measurements."""

    def __init__(self, method: Shooting, problem: Problem, budget_s: float | None, news: Listener | None) -> None:
        self.method, self.problem, self.news = method, problem, news
        self.began = time.perf_counter()
        self.deadline = math.inf if budget_s is None else self.began + budget_s
        self.whole = Collocation(problem)
        rows = self.whole.rows(Density(2, 1))
        self.data: list[Rows] = [block for block in rows if block.role == "data"]
        self.units = np.array([abs(p.guess) or 1.0 for p in problem.parameters])
        self.begin, self.end = (float(bound[0]) for bound in problem.domain.bounds)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began

    def found(self) -> tuple[float, ...]:
        """The parameters that fit all measurements, from those that fit fewer."""
        values = np.array([p.guess for p in self.problem.parameters])
        for share in HORIZONS:
            until = self.begin + share * (self.end - self.begin)
            measured = sum(int((block.points[:, 0] <= until).sum()) for block in self.data)
            if measured >= len(values) or share == HORIZONS[-1]:
                values = self._fitted(values, until)
        return tuple(values.tolist())

    def _fitted(self, values: ndarray, until: float) -> ndarray:
        at: dict[bytes, tuple[ndarray, ndarray]] = {}

        def both(scaled: ndarray) -> tuple[ndarray, ndarray]:
            key = scaled.tobytes()
            if key not in at:
                at.clear()
                at[key] = self._misfits(self._march(scaled * self.units), until)
            return at[key]

        fitted = least_squares(
            lambda scaled: both(scaled)[0],
            values / self.units,
            lambda scaled: both(scaled)[1],
            xtol=SETTLED,
            ftol=SETTLED,
            gtol=None,
            max_nfev=MOST,
        )
        return fitted.x * self.units

    def _misfits(self, march: March, until: float) -> tuple[ndarray, ndarray]:
        """Distances of a march to measurements until a time, in their noise or the size of what was measured, and their
        derivatives in the parameters, in units of their own."""
        if not march.parts:  # the equations have no value with these parameters
            count = sum(int((block.points[:, 0] <= until).sum()) for block in self.data)
            return np.full(count, MISSING), np.zeros((count, len(self.units)))
        fields = march.field, TimeSlabs(tuple(march.breaks), tuple(march.slopes or ()))
        pairs = [self._misfit(block, *fields, min(until, march.now), until) for block in self.data]
        return np.concatenate([r for r, _ in pairs]), np.concatenate([j for _, j in pairs]) * self.units

    def _march(self, values: ndarray) -> March:
        marching, parameters = self.method.marching, tuple(values.tolist())
        march = March(
            self.whole,
            marching.degree,
            marching.newton,
            ALLOWED,
            parameters,
            sensitive=True,
            deadline=self.deadline,
        )
        while not march.finished and march.advance():
            pass
        if self.news:
            names = (p.name for p in self.problem.parameters)
            message = ", ".join(f"{name} = {value:.5g}" for name, value in zip(names, values, strict=True))
            self.news(Progress(self.method.name, march.features, None, self.seconds, message))
        return march

    def _misfit(self, block: Rows, found: Field, slopes: Field, now: float, until: float) -> tuple[ndarray, ndarray]:
        wanted = block.points[:, 0] <= until
        points, target = block.points[wanted], block.target[wanted]
        (atom,) = block.form.atoms
        unknowns, count = len(self.problem.unknowns), len(self.units)
        there = points[:, 0] <= now
        away = torch.where(there, found.values(points)[:, atom.unknown] - target, MISSING * self._size(block))
        steep = slopes.values(points)[:, atom.unknown :: unknowns]
        steep = torch.where(there[:, None], steep, torch.zeros(1, count, dtype=torch.float64))
        unit = block.noise or self._size(block)
        return (away / unit).numpy(), (steep / unit).numpy()

    def _size(self, block: Rows) -> float:
        return float(block.target.square().mean().sqrt()) or 1.0

    def judged(self, result: MethodResult, values: tuple[float, ...], tol: float) -> MethodResult:
        """The march with these parameters, and what noise in the measurements leaves open of them and of it."""
        if result.outcome in (Outcome.DIVERGED, Outcome.INTERRUPTED):
            return result
        self.deadline = math.inf
        march = self._march(np.array(values))
        misfits, slopes = self._misfits(march, self.end)
        stated = all(block.noise for block in self.data)
        free = max(len(misfits) - len(values), 1)
        spread = 1.0 if stated else math.sqrt(float(misfits @ misfits) / free)
        _, found, directions = np.linalg.svd(slopes, full_matrices=True)
        strengths = np.pad(found, (0, len(values) - len(found)))
        determined = strengths > UNDETERMINED * strengths.max()
        changes = self.units[:, None] * directions[determined].T * (spread / strengths[determined])
        if not determined.all():
            return self._undetermined(result, changes, directions[~determined])
        return self._with_noise(result, march, tol, changes)

    def _undetermined(self, result: MethodResult, changes: ndarray, free: ndarray) -> MethodResult:
        """Where parameters can change in `free` directions without a change of any measured value."""
        loose = np.abs(free).max(0) > PART
        spread = np.where(loose, math.inf, np.linalg.norm(changes, axis=1))
        names = [p.name for p in self.problem.parameters]
        named = " and ".join(repr(name) for name, is_loose in zip(names, loose, strict=True) if is_loose)
        message = (
            f"the data do not determine the {'parameter' if loose.sum() == 1 else 'parameters'} {named}, which can"
            " change without a change of any measured value; measure more, or leave one constant"
        )
        deviations = dict(zip(names, spread.tolist(), strict=True))
        return result._replace(outcome=Outcome.ILL_POSED, message=message, estimate=None, deviations=deviations)

    def _with_noise(self, result: MethodResult, march: March, tol: float, changes: ndarray) -> MethodResult:
        """`changes` (parameters, directions): independent changes by one standard deviation."""
        names = [p.name for p in self.problem.parameters]
        deviations = dict(zip(names, np.linalg.norm(changes, axis=1).tolist(), strict=True))
        judge = Judge.of(self.whole, Density(2, 1), 0)
        solved = Projection(result.field, march.parameters, Scale(()), 0, 0)
        if why := misfit(judge, solved, tol) or loose(self.problem.parameters, march.parameters, deviations):
            return result._replace(outcome=Outcome.ILL_POSED, message=why, estimate=None, deviations=deviations)
        away = judge.noise(self._moved(march, changes), result.field)
        found = result.estimate
        if found is None:
            return result._replace(deviations=deviations)
        whole = Estimate(
            math.hypot(found.value, NOISE_DEVIATIONS * away.absolute),
            math.hypot(found.relative, NOISE_DEVIATIONS * away.relative),
            f"{found.method}, with the spread of noise in the data",
        )
        return result._replace(estimate=whole, deviations=deviations)

    def _moved(self, march: March, changes: ndarray) -> TimeSlabs:
        """What such changes of the parameters do to the solution, side by side."""
        mixing = torch.tensor(changes)
        unknowns = len(self.problem.unknowns)
        parts = []
        for part in march.slopes or ():
            by_parameter = part.coefficients.unflatten(1, (len(self.units), unknowns))
            mixed = torch.einsum("bpu,pd->bdu", by_parameter, mixing)
            parts.append(Expansion(part.basis, mixed.flatten(1).contiguous()))
        return TimeSlabs(tuple(march.breaks), tuple(parts))
