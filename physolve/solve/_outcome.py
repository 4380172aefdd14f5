"""How a solve ended and what it cost."""

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias


class Outcome(enum.Enum):
    """How a solve ended; the value says it in words."""

    CONVERGED = "the error estimate is below the tolerance"
    TOLERANCE_NOT_REACHED = "the error estimate is above the tolerance"
    ILL_POSED = "the solution is not determined by the equations and conditions"
    CHARACTERISTICS_CROSS = "characteristics cross within the time; the solution is valid before they do"
    DIVERGED = "the iteration diverged"
    INTERRUPTED = "interrupted; this is the best solution so far"


@dataclass(frozen=True)
class Estimate:
    """A-posteriori error: `value` is the root-mean-square error over the domain in units of u (the largest over
    the unknowns), `relative` the same divided by the root mean square of u, `method` how it was found.

    float(estimate) is `value`.
    """

    value: float
    relative: float
    method: str

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"{self.relative:.1e} relative ({self.value:.1e} in units of u, {self.method})"


@dataclass(frozen=True)
class Cost:
    """Wall time, basis functions (or weights) per unknown, rows of the last system, nonlinear or optimiser steps."""

    seconds: float = 0.0
    features: int = 0
    rows: int = 0
    iterations: int = 0


@dataclass(frozen=True)
class Progress:
    """A line of news from a running solve."""

    stage: str
    features: int = 0
    estimate: float | None = None
    seconds: float = 0.0
    message: str = ""


Listener: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True)
class Step:
    """One rung of the climb: features, rows, residual norm, estimated relative error, seconds since the start."""

    features: int
    rows: int
    residual: float
    estimate: float | None
    seconds: float
    note: str = ""


@dataclass(frozen=True)
class History:
    """The rungs climbed."""

    steps: tuple[Step, ...] = field(default=())

    def __iter__(self):
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)
