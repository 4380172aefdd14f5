"""The Lightning module: a step of training, the average of the weights, and the best of its validations."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from physolve.training import Clock, EpochStream, learning_rate, moving_average

from .._batch import AirBatch
from .._model import AirModel
from .._weights import save_weights
from .._windows import Windows
from ._losses import loss
from ._scores import evaluate
from ._settings import Configuration

JUDGED = "rmse"
"""Not the mean absolute error, which in clean months is least for models that hardly know anything yet."""


class AirModule(L.LightningModule):
    """Trains `model` as the configuration says; `best` holds the averaged weights that did best in validation."""

    def __init__(self, configuration: Configuration, model: AirModel, train: Windows, validation: Windows) -> None:
        super().__init__()
        self.configuration, self.model = configuration, model
        self.average = AveragedModel(model, multi_avg_fn=moving_average(configuration.training.average))
        self.average.requires_grad_(False).eval()
        self.best = AveragedModel(model).requires_grad_(False).eval()
        self.best_error, self.waited = float("inf"), 0
        self.clock = Clock(configuration.training)
        self._train, self._validation = train, validation

    def training_step(self, batch: AirBatch, index: int) -> Tensor:
        # of the step alone: a resumed run draws the same noise
        torch.manual_seed(self.configuration.training.seed * 1_000_003 + self.global_step)
        total = loss(self.model(batch), batch, self.model.setup.scale, self.model.sizes.every, self.configuration.loss)
        self.log("loss", total.detach(), batch_size=len(batch))
        return total

    @torch.no_grad()
    def validated(self) -> dict[str, float]:
        """Error of the averaged weights over all horizons; keeps the best, and ends the run when patience is over."""
        averaged: AirModel = self.average.module  # type: ignore[assignment]
        instants = self._validation.instants[:: self.configuration.training.validate_on]
        scores = evaluate(lambda batch: averaged(batch, 0).mean, self._validation, instants)
        error = scores.overall()
        self.waited = 0 if error < self.best_error else self.waited + 1
        if self.waited == 0:
            self.best_error = error
            self.best.module.load_state_dict(averaged.state_dict())
        settings = self.configuration.training
        if self.waited >= settings.patience or self.clock.seconds > 3600 * settings.hours:
            self.trainer.should_stop = True
        return {JUDGED: error, "best": self.best_error}

    def save(self, path: Path) -> None:
        """Write the weights that did best."""
        save_weights(path, self.best.module)  # type: ignore[arg-type]

    def train_dataloader(self) -> EpochStream[AirBatch]:
        """Made anew every epoch; the last one of a run of `steps` may be shorter."""
        settings = self.configuration.training
        left = settings.epoch if settings.steps is None else settings.steps - self.global_step
        return EpochStream(max(0, min(settings.epoch, left)), lambda: self.global_step, self._batches)

    def _batches(self, steps: range) -> Iterator[AirBatch]:
        settings, instants = self.configuration.training, self._train.instants
        for step in steps:
            generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + step)
            chosen = torch.randint(instants.start, instants.stop, (settings.batch,), generator=generator)
            yield self._train.at(chosen)

    def transfer_batch_to_device(self, batch: AirBatch, device: torch.device, dataloader_idx: int) -> AirBatch:
        return batch.map(lambda tensor: tensor.to(device))

    def on_train_batch_start(self, batch: AirBatch, batch_idx: int) -> None:
        settings = self.configuration.training
        rate = learning_rate(settings, self.global_step, self.clock.progress(self.global_step))
        for group in self.optimizers().param_groups:  # type: ignore[union-attr]
            group["lr"] = rate * group["factor"]

    def on_train_batch_end(self, outputs: Any, batch: AirBatch, batch_idx: int) -> None:
        self.average.update_parameters(self.model)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        settings = self.configuration.training
        physical = [p for p in self.model.physics.parameters() if p.requires_grad]
        own = {id(p) for p in self.model.physics.parameters()}
        matrices, vectors = [], []
        for parameter in self.model.parameters():
            if id(parameter) not in own:
                (matrices if parameter.ndim > 1 else vectors).append(parameter)
        groups: list[tuple[list[nn.Parameter], float, float]] = [
            (matrices, 1.0, settings.weight_decay),
            (vectors, 1.0, 0.0),
            (physical, settings.physics_rate, 0.0),
        ]
        return torch.optim.AdamW(
            [{"params": p, "factor": factor, "weight_decay": decay} for p, factor, decay in groups if p],
            lr=settings.learning_rate,
        )

    def configure_gradient_clipping(self, optimizer: torch.optim.Optimizer, *limits: Any, **named: Any) -> None:
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.configuration.training.clip)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["run"] = {
            "seconds": self.clock.seconds,
            "best": self.best_error,
            "waited": self.waited,
            "setup": self.model.setup.as_record(),
            "sizes": asdict(self.model.sizes),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        run = checkpoint["run"]
        self.clock.spent, self.best_error, self.waited = run["seconds"], run["best"], run["waited"]
