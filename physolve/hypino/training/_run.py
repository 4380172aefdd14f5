"""A whole training run: start or resume, checkpoints, logs, weights and the record beside them."""

import os
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, WeightAveraging
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch import Tensor

from .._hypernetwork import Hypernetwork
from .._weights import load_weights, save_weights
from ._module import HypinoModule
from ._record import record_of, write_record
from ._settings import Configuration

LAST = "last.ckpt"
WEIGHTS = "weights.safetensors"
RECORD = "record.json"


def train(configuration: Configuration, folder: str | Path, *, progress_bar: bool = True) -> Path:
    """Train a hypernetwork, or go on with the run in `folder`; returns the file of its weights.

    Written to the folder: `last.ckpt` after every epoch, `weights.safetensors` (the averaged weights) and `record.json`
    after every validation and at the end, logs for CSV and TensorBoard. A run that was killed goes on from its last
    epoch, bit for bit as if it had not been (runs measured in `steps`; those in `hours` follow the clock). Ctrl-C ends
    the run after writing nothing more: what the last epoch wrote is there. Under torchrun every process takes a share.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(configuration.training.seed)
    module = HypinoModule(configuration, _hypernetwork(configuration))
    trainer = _trainer(configuration, folder, progress_bar)
    last = folder / LAST
    trainer.fit(module, ckpt_path=str(last) if last.is_file() else None, weights_only=True)
    return folder / WEIGHTS


def _hypernetwork(configuration: Configuration) -> Hypernetwork:
    if configuration.training.start is None:
        return Hypernetwork(configuration.hypernetwork)
    return load_weights(configuration.training.start)


def _trainer(configuration: Configuration, folder: Path, progress_bar: bool) -> L.Trainer:
    settings = configuration.training
    averaging = WeightAveraging(use_buffers=False, avg_fn=moving_average(settings.average))
    return L.Trainer(
        default_root_dir=folder,
        accelerator="auto",
        devices="auto" if "WORLD_SIZE" in os.environ or torch.cuda.is_available() else 1,
        strategy="ddp" if "WORLD_SIZE" in os.environ else "auto",
        max_epochs=-1,
        max_steps=settings.steps if settings.steps is not None else -1,
        check_val_every_n_epoch=settings.validate_every,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
        enable_progress_bar=progress_bar,
        enable_model_summary=False,
        use_distributed_sampler=False,
        logger=[CSVLogger(folder, name="csv", version=0), TensorBoardLogger(folder, name="tensorboard", version=0)],
        callbacks=[
            averaging,
            Keeper(folder),
            # Without save_on_train_epoch_end it waits for the next validation.
            ModelCheckpoint(
                folder, filename="last", every_n_epochs=1, enable_version_counter=False, save_on_train_epoch_end=True
            ),
        ],
    )


class Keeper(Callback):
    """Keeps the curve, runs the clock, and writes weights and record; ends a run whose hours are spent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.curve: list[dict[str, float]] = []

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        _module(pl_module).clock.start()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        module = _module(pl_module)
        if trainer.strategy.broadcast(module.clock.progress(trainer.global_step)) >= 1:
            trainer.should_stop = True

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The module holds the averaged weights here."""
        module = _module(pl_module)
        figures = {k: round(float(v), 6) for k, v in trainer.callback_metrics.items() if k.startswith("val_")}
        self.curve.append({"step": trainer.global_step, "hours": round(module.clock.seconds / 3600, 4), **figures})
        self._write(trainer, module)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._write(trainer, _module(pl_module))

    def state_dict(self) -> dict[str, Any]:
        return {"curve": self.curve}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.curve = state_dict["curve"]

    def _write(self, trainer: L.Trainer, module: HypinoModule) -> None:
        if not trainer.is_global_zero:
            return
        save_weights(self.folder / WEIGHTS, module.hypernetwork, half=True)
        record = record_of(module.configuration, self.curve, module.clock.seconds, trainer.global_step)
        write_record(self.folder / RECORD, record)


def moving_average(decay: float):
    """Exponential moving average that follows quickly at first: decay min(d, (1 + n) / (10 + n)) after n updates."""

    def update(averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        d = min(decay, (1 + int(count)) / (10 + int(count)))
        return averaged.lerp(current, 1 - d)

    return update


def _module(module: L.LightningModule) -> HypinoModule:
    assert isinstance(module, HypinoModule)
    return module
