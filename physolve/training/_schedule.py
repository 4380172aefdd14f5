"""How far a run is, the learning rate there, and how fast the average of the weights follows."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor


class Pace(Protocol):
    """What the settings of a run say of its length and pace: `steps` if given, else `hours`, decide the length.

    epoch           steps between checkpoints; `validate_every` epochs between validations
    batch           samples a step and process
    learning_rate   after `warmup` steps; falls as a cosine to `final_rate` of itself
    """

    @property
    def steps(self) -> int | None: ...
    @property
    def hours(self) -> float: ...
    @property
    def epoch(self) -> int: ...
    @property
    def validate_every(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def warmup(self) -> int: ...
    @property
    def final_rate(self) -> float: ...


class Clock:
    """Progress in [0, 1]: steps done over `steps`, or time spent over `hours`, interruptions not counted.

    Its state travels in the checkpoint. A run of `steps` is the same whenever it is resumed; one of `hours` follows the
    clock.
    """

    def __init__(self, settings: Pace) -> None:
        self.settings = settings
        self.spent = 0.0
        self._since: float | None = None

    def start(self) -> None:
        self._since = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time spent in training so far."""
        return self.spent + (time.monotonic() - self._since if self._since is not None else 0.0)

    def progress(self, step: int) -> float:
        """Share of the run that is done before this step."""
        if self.settings.steps is not None:
            return min(1.0, step / self.settings.steps)
        return min(1.0, self.seconds / (3600 * self.settings.hours))


def learning_rate(settings: Pace, step: int, progress: float) -> float:
    """Linear warm-up over the first steps, then a half cosine down to `final_rate` of the top."""
    warm = min(1.0, (step + 1) / settings.warmup) if settings.warmup else 1.0
    fall = settings.final_rate + (1 - settings.final_rate) * 0.5 * (1 + math.cos(math.pi * progress))
    return settings.learning_rate * warm * fall


def moving_average(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]:
    """Exponential moving average that follows quickly at first: decay min(d, (1 + n) / (10 + n)) after n updates."""

    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], count: Tensor | int) -> None:
        n = int(count)
        d = min(decay, (1 + n) / (10 + n))
        # one kernel for all tensors, as in torch's own averages
        torch._foreach_lerp_(list(averaged), list(current), 1 - d)  # type: ignore[reportPrivateImportUsage]

    return update
