"""The Lightning module: a step of training, the average of the weights, and the best of its validations."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from physolve.training import RunModule

from .._batch import AirBatch
from .._model import AirModel
from .._weights import save_weights
from .._windows import Windows
from ._losses import loss
from ._scores import evaluate
from ._settings import Configuration

JUDGED = "rmse"
"""Not the mean absolute error, which in clean months is least for models that hardly know anything yet."""


class AirModule(RunModule[AirModel, AirBatch]):
    """Trains a model as the configuration says; `best` holds the averaged weights that did best in validation."""

    def __init__(self, configuration: Configuration, model: AirModel, train: Windows, validation: Windows) -> None:
        super().__init__(configuration, model)
        self.best = AveragedModel(model).requires_grad_(False).eval()
        self.best_error, self.waited = float("inf"), 0
        self._train, self._validation = train, validation

    def training_step(self, batch: AirBatch, index: int) -> Tensor:
        torch.manual_seed(self.seed_at(self.global_step))  # of the noise in the initial state
        total = loss(
            self.network(batch), batch, self.network.setup.scale, self.network.sizes.every, self.configuration.loss
        )
        self.log("loss", total.detach(), batch_size=len(batch))
        return total

    @torch.no_grad()
    def validated(self) -> dict[str, float]:
        """Error of the averaged weights over all horizons; keeps the best, and ends the run when patience is over."""
        averaged = self.averaged
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

    def batches(self, steps: range) -> Iterator[AirBatch]:
        settings, instants = self.configuration.training, self._train.instants
        for step in steps:
            generator = torch.Generator().manual_seed(self.seed_at(step))
            chosen = torch.randint(instants.start, instants.stop, (settings.batch,), generator=generator)
            yield self._train.at(chosen)

    def transfer_batch_to_device(self, batch: AirBatch, device: torch.device, dataloader_idx: int) -> AirBatch:
        return batch.map(lambda tensor: tensor.to(device))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        settings = self.configuration.training
        physical = [p for p in self.network.physics.parameters() if p.requires_grad]
        own = {id(p) for p in self.network.physics.parameters()}
        matrices, vectors = [], []
        for parameter in self.network.parameters():
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

    def resumable(self) -> dict[str, Any]:
        setup, sizes = self.network.setup.as_record(), asdict(self.network.sizes)
        return {"best": self.best_error, "waited": self.waited, "setup": setup, "sizes": sizes}

    def resume(self, run: dict[str, Any]) -> None:
        self.best_error, self.waited = run["best"], run["waited"]
