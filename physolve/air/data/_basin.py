"""Transport in a closed rectangle, solved by the Fourier reference on the rectangle and its mirror images."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import sympy
from jaxtyping import Float
from numpy import ndarray

from physolve.errors import SpecificationError, UnsupportedError
from physolve.reference import SpectralSolution, solve_spectral
from physolve.spec import (
    Initial,
    Named,
    Neumann,
    Periodic,
    Problem,
    Program,
    Rectangle,
    SpaceTime,
    TimeInterval,
    split_time,
    transport_form,
)

SYMMETRY = 1e-6
"""Largest difference between mirror images, relative to the largest value: far below what the series leaves out."""


@dataclass(frozen=True, eq=False)
class Basin:
    """A problem dt(c) + w . grad(c) = ... on a rectangle from (0, 0) with no flux through its walls, and its solution.

    Mirrored at the walls it is a periodic problem: c and its source are even in x and in y, the wind across a wall is
    odd. So the formulas must be, continued beyond the walls; whether they are is checked on the solution.
    """

    problem: Problem
    size: tuple[float, float]
    span: tuple[float, float]
    solution: SpectralSolution = field(repr=False)

    @classmethod
    def solve(cls, problem: Problem, modes: int, tol: float) -> "Basin":
        """With waves up to number `modes` of twice the rectangle along both axes; `tol` as in `solve_spectral`.

        Raises UnsupportedError for other problems, SpecificationError where the formulas lack the symmetry.
        """
        rectangle, time = _parts(problem)
        transport_form(problem)  # refuses what carries nothing, with the reason
        twice = Rectangle((-rectangle.upper[0], -rectangle.upper[1]), rectangle.upper)
        periodic = [Periodic(problem.unknowns[0], axis) for axis in problem.space]
        initial = [c for c in problem.conditions if isinstance(c, Initial)]
        mirrored = Problem(problem.equations, SpaceTime(twice, time), (*periodic, *initial))
        solution = solve_spectral(mirrored, modes, tol)
        basin = cls(problem, rectangle.upper, (time.t0, time.t1), solution)
        basin._check_symmetry()
        return basin

    def concentration(self, points: Float[ndarray, "n 2"], times: Float[ndarray, " T"]) -> Float[ndarray, "T n"]:
        return self.solution(_in_time(points, times))[:, 0].reshape(len(times), len(points))

    def wind(self, points: Float[ndarray, "n 2"], times: Float[ndarray, " T"]) -> Float[ndarray, "T n 2"]:
        program = Program(transport_form(self.problem).velocity, self.problem.coordinates)
        return np.stack(program(*_in_time(points, times).T), -1).reshape(len(times), len(points), 2)

    def _check_symmetry(self) -> None:
        places = np.random.default_rng(0).random((8, 2)) * self.size
        times = np.linspace(*self.span, 5)
        here = self.concentration(places, times)
        for signs in product((1, -1), repeat=2):
            difference = float(np.abs(self.concentration(places * signs, times) - here).max() / np.abs(here).max())
            if not difference < SYMMETRY:
                raise SpecificationError(
                    f"basin: the solution differs from its mirror image by {difference:.1e} of its size: continued"
                    " beyond the walls x = 0 and y = 0, sources must be even and the wind across a wall odd; write"
                    " sources with cos(m*pi*x/L) and winds with sin(m*pi*x/L)*cos(n*pi*y/L)"
                )


def _parts(problem: Problem) -> tuple[Rectangle, TimeInterval]:
    space, time = split_time(problem.domain)
    while isinstance(space, Named):
        space = space.shape
    if not isinstance(space, Rectangle) or time is None or space.lower != (0.0, 0.0) or len(problem.unknowns) != 1:
        raise UnsupportedError(
            "basin: expected one unknown on rectangle([0, 0], [L_x, L_y]) * time(0, T), got"
            f" {len(problem.unknowns)} on {problem.domain!r}"
        )
    for number, condition in enumerate(problem.conditions, 1):
        closed = isinstance(condition, Neumann) and sympy.sympify(condition.value) == 0 and condition.on is None
        if not (closed or isinstance(condition, Initial)):
            raise UnsupportedError(
                f"basin: condition {number} is of kind '{condition.kind}'; expected initial values and no flux through"
                ' all walls: kind = "neumann", value = "0"'
            )
    return space, time


def _in_time(points: Float[ndarray, "n 2"], times: Sequence[float] | Float[ndarray, " T"]) -> Float[ndarray, "Tn 3"]:
    """Every point at every time, the points running faster."""
    instants = np.repeat(np.asarray(times, dtype=float), len(points))
    return np.column_stack([np.tile(points, (len(times), 1)), instants])
