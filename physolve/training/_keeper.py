"""What happens around the steps of a run: its curve, its files, its news, its end."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import lightning as L
from lightning.pytorch.callbacks import Callback

from ._module import RunModule
from ._record import record_of, write_record
from ._schedule import Pace

WEIGHTS = "weights.safetensors"
RECORD = "record.json"


@dataclass(frozen=True)
class News:
    """How far a training run is.

    steps     done; `share` of the run, in [0, 1]; `seconds` spent in training, interruptions not counted
    loss      of the last step; NaN before the first
    error     the figure of the last validation that the run is judged by; None before the first
    """

    steps: int
    share: float
    seconds: float
    loss: float
    error: float | None


Listener = Callable[[News], None]


class Keeper(Callback):
    """Validates, keeps the curve, writes weights and record every epoch; ends a run whose hours are spent.

    `judged` names the figure of a validation that the listener is told, every `every` steps.
    """

    def __init__(self, folder: Path, pace: Pace, judged: str, listener: Listener | None = None, every: int = 1) -> None:
        self.folder, self.pace = folder, pace
        self.judged, self.listener, self.every = judged, listener, every
        self.curve: list[dict[str, float]] = []
        self.idle = True
        """No step was taken yet since this start."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        module = _trained(pl_module)
        module.clock.start()
        trainer.should_stop = self._over(trainer, module)  # a run that was over is not resumed
        self._tell(trainer, module, math.nan)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.idle = False
        if trainer.global_step % self.every == 0:
            self._tell(trainer, _trained(pl_module), float(outputs["loss"]))

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        module = _trained(pl_module)
        over = self._over(trainer, module)
        if trainer.is_global_zero and (over or (trainer.current_epoch + 1) % self.pace.validate_every == 0):
            self._validate(trainer, pl_module)
        # a module may end the run by what its validation found, which the first process alone knows
        trainer.should_stop = trainer.strategy.broadcast(over or trainer.should_stop)
        if trainer.is_global_zero:
            self.write(trainer, pl_module)

    def state_dict(self) -> dict[str, Any]:
        return {"curve": self.curve}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.curve = state_dict["curve"]

    def write(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the weights and the record."""
        module = _trained(pl_module)
        module.save(self.folder / WEIGHTS)
        steps, processes = trainer.global_step, trainer.world_size
        record = record_of(module.configuration, self.pace.batch, self.curve, module.clock.seconds, steps, processes)
        write_record(self.folder / RECORD, record)

    def _over(self, trainer: L.Trainer, module: RunModule) -> bool:
        """The first process decides for all."""
        return trainer.strategy.broadcast(module.clock.progress(trainer.global_step) >= 1)

    def _validate(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        module = _trained(pl_module)
        figures = module.validated()
        pl_module.log_dict(figures, rank_zero_only=True)
        hours = round(module.clock.seconds / 3600, 4)
        rounded = {name: round(value, 6) for name, value in figures.items()}
        self.curve.append({"step": trainer.global_step, "hours": hours, **rounded})

    def _tell(self, trainer: L.Trainer, module: RunModule, loss: float) -> None:
        if self.listener is not None and trainer.is_global_zero:
            steps, clock = trainer.global_step, module.clock
            error = self.curve[-1][self.judged] if self.curve else None
            self.listener(News(steps, clock.progress(steps), clock.seconds, loss, error))


def _trained(module: L.LightningModule) -> RunModule:
    return cast(RunModule, module)
