"""What a picture needs of a solution: `physolve.Solution` has it, and so may anything else."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class SolutionLike(Protocol):
    """A field over the domain of a problem.

    `problem` is a `physolve.Problem`; `solution(points)` of (n, dim) points gives (n, components) values, NaN
    outside the domain; `residual(points)` gives (n, equations).
    """

    @property
    def problem(self) -> Any: ...

    def __call__(self, points: Floats) -> Floats: ...

    def residual(self, points: Floats) -> Floats: ...
