"""How far a run is, and the learning rate there."""

import math
import time

from ._settings import TrainingSettings


class Clock:
    """Progress in [0, 1]: steps done over `steps`, or time spent over `hours`, interruptions not counted.

    Its state travels in the checkpoint. A run of `steps` is the same whenever it is resumed; one of `hours` follows the
    clock.
    """

    def __init__(self, settings: TrainingSettings) -> None:
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


def learning_rate(settings: TrainingSettings, step: int, progress: float) -> float:
    """Linear warm-up over the first steps, then a half cosine down to `final_rate` of the top."""
    warm = min(1.0, (step + 1) / settings.warmup) if settings.warmup else 1.0
    fall = settings.final_rate + (1 - settings.final_rate) * 0.5 * (1 + math.cos(math.pi * progress))
    return settings.learning_rate * warm * fall
