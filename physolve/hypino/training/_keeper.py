"""What happens around the steps of a run: its curve, its files, its news, its end."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback

from .._weights import save_weights
from ._module import HypinoModule
from ._record import record_of, write_record

WEIGHTS = "weights.safetensors"
RECORD = "record.json"


@dataclass(frozen=True)
class News:
    """How far a training run is.

    steps     done; `share` of the run, in [0, 1]; `seconds` spent in training, interruptions not counted
    loss      of the last step; NaN before the first
    median    of the relative error on the validation problems, when they were last looked at; None before
    """

    steps: int
    share: float
    seconds: float
    loss: float
    median: float | None


Listener = Callable[[News], None]


class Keeper(Callback):
    """Validates, keeps the curve, writes weights and record every epoch; ends a run whose hours are spent."""

    def __init__(self, folder: Path, listener: Listener | None) -> None:
        self.folder = folder
        self.listener = listener
        self.curve: list[dict[str, float]] = []

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        module = _module(pl_module)
        module.clock.start()
        trainer.should_stop = self._over(trainer, module)  # a run that was over is not resumed
        self._tell(trainer, module, math.nan)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._tell(trainer, _module(pl_module), float(outputs["loss"]))

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        module = _module(pl_module)
        over = self._over(trainer, module)
        trainer.should_stop = trainer.should_stop or over
        if not trainer.is_global_zero:
            return
        if over or (trainer.current_epoch + 1) % module.configuration.training.validate_every == 0:
            self._validate(trainer, module)
        self.write(trainer, module)

    def state_dict(self) -> dict[str, Any]:
        return {"curve": self.curve}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.curve = state_dict["curve"]

    def write(self, trainer: L.Trainer, module: HypinoModule) -> None:
        """Write the averaged weights, rounded to half precision, and the record."""
        save_weights(self.folder / WEIGHTS, module.averaged, half=True)
        steps, processes = trainer.global_step, trainer.world_size
        write_record(
            self.folder / RECORD, record_of(module.configuration, self.curve, module.clock.seconds, steps, processes)
        )

    def _over(self, trainer: L.Trainer, module: HypinoModule) -> bool:
        """The first process decides for all."""
        return trainer.strategy.broadcast(module.clock.progress(trainer.global_step) >= 1)

    def _validate(self, trainer: L.Trainer, module: HypinoModule) -> None:
        figures = module.validated()
        module.log_dict(figures, rank_zero_only=True)
        hours = round(module.clock.seconds / 3600, 4)
        rounded = {name: round(value, 6) for name, value in figures.items()}
        self.curve.append({"step": trainer.global_step, "hours": hours, **rounded})

    def _tell(self, trainer: L.Trainer, module: HypinoModule, loss: float) -> None:
        if self.listener is not None and trainer.is_global_zero:
            steps, clock = trainer.global_step, module.clock
            median = self.curve[-1]["val_median"] if self.curve else None
            self.listener(News(steps, clock.progress(steps), clock.seconds, loss, median))


def _module(module: L.LightningModule) -> HypinoModule:
    assert isinstance(module, HypinoModule)
    return module
