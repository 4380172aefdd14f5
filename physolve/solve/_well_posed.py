"""What to ask a solution that would count as converged: whether its problem determines it.

Least squares answer a contradiction with a compromise and freedom with the smallest solution. Both may be smooth, so
that solutions on independent bases agree on them to many digits: their distance, the estimate, sees neither.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column
from physolve.nets import Basis, ZeroField
from physolve.residual import Rows
from physolve.spec import Parameter

from ._error import Judge
from ._least_squares import least_squares
from ._system import ROLE_WEIGHTS, Projection, Scale, expansion_of, residuals, weighted

CONTRADICTED = 0.25
"""Part of an equation's or condition's own data that its residual may be. The problems of the library, solved to 1e-2,
leave at most 0.02; -laplace(u) = 1 beside -laplace(u) = 2 leaves 0.5."""

NO_DATA = 1e-8
"""Of the size of the solution: data below are zero but for rounding."""

FEATURES = 200, 400, 800
"""Of the bases, per unknown, on which a function without data is sought."""

SUSPECT, FREE = 0.03, 1e-5
"""Residual of such a function of size one on the first basis above which there is none, and below which there is one on
the last. (Of the library's problems the least is 0.04; heat without initial values has 1e-2, 4e-4, 7e-7.)"""

FALLING, ROUNDED = 0.2, 1e-11
"""The part that is left of it from basis to basis where there is one: where a coefficient is merely small it stays."""

MISSED = 3.0
"""Root mean squares of noise and tolerance that a solution may be away from measurements."""

LOOSE = 10.0
"""Standard deviations of a parameter, in its own or its guess's size, above which it is not determined."""

VALUES = 8

NOT_DETERMINED = (
    "a function that is not zero may be added to any solution; likely causes: a missing boundary or initial condition,"
    " a solution fixed only up to a constant (add MeanValue or PointValue), or a resonance"
)


def contradiction(judge: Judge, solved: Projection) -> str:
    """The equation or condition that is met worst, and how badly, where that is a contradiction; else nothing."""
    zero = residuals(judge.rows, ZeroField(solved.field.components), solved.parameters)
    found = residuals(judge.rows, solved.field, solved.parameters)
    size, worst, name = judge.size(solved.field), 0.0, ""
    for rows, weight, before, after in zip(judge.rows, solved.scale.weights, zero, found, strict=False):  # no jumps
        data = _root_mean_square(before)
        there = weight * data > NO_DATA * ROLE_WEIGHTS[rows.role] * size or (weight == 0 and data > 0)
        if rows.role != "data" and there and (part := _root_mean_square(after) / data) > worst:
            worst, name = part, rows.name
    if worst < CONTRADICTED:
        return ""
    return (
        f"{name}: what is found leaves {worst:.0%} of its data unmet; equations and conditions contradict each other,"
        " or are too many"
    )


def misfit(judge: Judge, solved: Projection, tol: float) -> str:
    """How far a solution is from measurements, where their noise and the tolerance do not explain it; else nothing."""
    for rows in judge.rows:
        if rows.role == "data" and rows.noise is not None:
            data = _root_mean_square(rows.residual_of(ZeroField(solved.field.components), solved.parameters))
            left = _root_mean_square(rows.residual_of(solved.field, solved.parameters))
            if left > MISSED * math.hypot(rows.noise, tol * data):
                return (
                    f"{rows.name}: the solution is {left:.2g} away from them in the root mean square, their noise is "
                    f"{rows.noise:.2g}; likely causes: guesses of parameters too far from their values, an equation "
                    "that does not describe what was measured, or more noise than stated"
                )
    return ""


def loose(parameters: Sequence[Parameter], values: Sequence[float], deviations: Mapping[str, float]) -> str:
    """The parameter that measurements say nothing of, and how little; nothing where there is none."""
    for parameter, value in zip(parameters, values, strict=True):
        deviation = deviations.get(parameter.name, 0.0)
        if deviation > LOOSE * max(abs(value), abs(parameter.guess)):
            return (
                f"the data do not determine the parameter '{parameter.name}': found {value:.3g}, with a standard "
                f"deviation of {deviation:.3g}; measure where the solution depends on it, or leave it constant"
            )
    return ""


System = Callable[[int], tuple[Basis, tuple[Rows, ...]]]
"""A basis of so many functions, and the rows for it."""


def is_free(judge: Judge, system: System, unknowns: int, sizes: Sequence[float], seed: int) -> bool:
    """Whether a function that is not zero may be added to any solution of a linear problem."""
    before, left = math.inf, 0.0
    for features in FEATURES:
        left = _without_data(judge, *system(features), unknowns, sizes, seed)
        if left > max(min(SUSPECT, FALLING * before), ROUNDED):
            return False
        before = left
    return left < FREE


def _without_data(
    judge: Judge, basis: Basis, rows: Sequence[Rows], unknowns: int, sizes: Sequence[float], seed: int
) -> float:
    """Least residual of a function of size one without data: sought with a random combination of its values set to
    one."""
    generator = torch.Generator().manual_seed(seed)
    places = judge.points[torch.randint(len(judge.points), (VALUES,), generator=generator)]
    shares = torch.randn(VALUES, unknowns, generator=generator, dtype=torch.float64)
    one, wanted = shares.new_ones(VALUES), shares.new_full((1,), ROLE_WEIGHTS["condition"])
    combination = shares.T @ basis.operate(places, {(0,) * basis.dim: one})
    weights: list[float] = []

    def blocks() -> Iterator[tuple[Float[Tensor, "m columns"], Column]]:
        for matrix, right in weighted(rows, basis, unknowns, sizes=sizes, weights=weights):
            yield matrix, right.zero_()
        yield wanted * combination.reshape(1, -1), wanted

    solution = least_squares(blocks(), basis.size * unknowns).coefficients[:, 0]
    found, zero = expansion_of(basis, solution, unknowns, sizes), ZeroField(unknowns)
    pairs = zip(residuals(judge.rows, found), residuals(judge.rows, zero), strict=True)
    left = Scale(tuple(weights)).norm([a - b for a, b in pairs])
    return left / max(_root_mean_square(expansion_of(basis, solution, unknowns).values(judge.points)), 1e-300)


def _root_mean_square(numbers: Tensor) -> float:
    return math.sqrt(float(numbers.square().mean())) if len(numbers) else 0.0
