"""Solutions made up from expressions: what the pictures need of a solution, without a solver."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from physolve.spec import Problem, Program, coordinates, unknown
from physolve.spec.geometry import Ball, Box, Disk, Interval, Rectangle, TimeInterval

X, Y, Z, T = coordinates("x", "y", "z", "t")


class Made:
    """A 'solution' that is an expression for every unknown; NaN outside the domain."""

    def __init__(self, problem: Problem, *values: Any) -> None:
        self.problem = problem
        self._program = Program([sympy.sympify(v) for v in values], problem.coordinates)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        values = np.stack(self._program(*points.T), axis=1)
        values[~self.problem.domain.contains(points)] = np.nan
        return values

    def residual(self, points: np.ndarray) -> np.ndarray:
        return 1e-4 * np.sin(7 * self(points)) ** 3


def made(domain: Any, coords: tuple, names: dict[str, int], *values: Any, **more: Any) -> Made:
    """A solution on `domain` with unknowns {name: components}."""
    unknowns = [unknown(name, *coords, components=k) for name, k in names.items()]
    flat = [u for each in unknowns for u in (each if isinstance(each, sympy.MatrixBase) else (each,))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem = Problem([sympy.Derivative(u, coords[-1]) + u for u in flat], domain, **more)
    return Made(problem, *values)


L_SHAPE = Rectangle((-1, -1), (1, 1)) - Rectangle((0, 0), (1, 1))
PLATE = Rectangle((0, 0), (2, 1)) - Disk((0.6, 0.5), 0.2)
CHANNEL = Rectangle((0, 0), (4, 1)) - Disk((0.8, 0.45), 0.2)
WAVE = sympy.sin(3 * X) * sympy.cos(2 * Y)

MAKERS: dict[str, Callable[[], Made]] = {
    "ode": lambda: made(
        TimeInterval(0, 10), (T,), {"u": 1, "w": 1},
        sympy.exp(-T / 5) * sympy.cos(2 * T), sympy.sin(T), name="ode",
    ),
    "line": lambda: made(Interval(-1, 1), (X,), {"u": 1}, sympy.exp(X) * sympy.sin(5 * X), name="line"),
    "line over time": lambda: made(
        Interval(0, 1) * TimeInterval(0, 5), (X, T), {"u": 1},
        sympy.sin(6 * X - T) * sympy.exp(-T / 4), name="string",
    ),
    "plane": lambda: made(L_SHAPE, (X, Y), {"u": 1}, WAVE, name="l_shape", exact=None),
    "plate": lambda: made(PLATE, (X, Y), {"u": 1}, 300 + X * Y, name="plate"),
    "flow": lambda: made(
        CHANNEL, (X, Y), {"v": 2, "p": 1},
        4 * Y * (1 - Y) * (1 + X / 4), sympy.sin(X) / 3, 4 - X, name="channel",
    ),
    "plane over time": lambda: made(
        PLATE * TimeInterval(0, 1), (X, Y, T), {"u": 1},
        sympy.exp(-2 * T) * sympy.sin(sympy.pi * X) * sympy.sin(sympy.pi * Y), name="heat",
    ),
    "solid": lambda: made(
        Box((0, 0, 0), (2, 1, 1)) - Ball((2, 0, 1), 0.4), (X, Y, Z), {"u": 1},
        sympy.sin(3 * X) + Y * Z, name="block",
    ),
    "solid flow": lambda: made(
        Ball((0, 0, 0), 1), (X, Y, Z), {"v": 3}, -Y, X, sympy.Rational(3, 10) + 0 * Z, name="swirl"
    ),
    "solid over time": lambda: made(
        Box((0, 0, 0), (1, 1, 1)) * TimeInterval(0, 2), (X, Y, Z, T), {"u": 1},
        X * Y + Z * sympy.cos(T), name="cube",
    ),
}  # fmt: skip
