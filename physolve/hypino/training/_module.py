"""The Lightning module: one step of training, the average of the weights, its judgement."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from physolve.training import Clock, EpochStream, learning_rate, moving_average

from .._batch import ProblemBatch
from .._hypernetwork import Hypernetwork
from .._scaling import scaled
from .._sizes_file import sizes_to_data
from .._weights import save_weights
from ..sampler import validation_set
from ._losses import Losses, losses
from ._settings import Configuration
from ._stream import problems_at

VALIDATION_SEED = 20_260_101
"""Of the problems that training is judged by: only a stream's process 1,285 would ever see one of its batches."""

CHUNK = 64
"""Validation problems judged at a time."""


class HypinoModule(L.LightningModule):
    """Trains `hypernetwork` as the configuration says; `average.module` is the average of its weights.

    A checkpoint holds both, the time spent and the usual norm of the gradient.
    """

    def __init__(self, configuration: Configuration, hypernetwork: Hypernetwork) -> None:
        super().__init__()
        self.configuration = configuration
        self.hypernetwork = hypernetwork
        self.average = AveragedModel(hypernetwork, multi_avg_fn=moving_average(configuration.training.average))
        self.average.requires_grad_(False).eval()
        self.clock = Clock(configuration.training)
        self.progress = 0.0
        self.usual_norm = math.inf

    @property
    def averaged(self) -> Hypernetwork:
        """The hypernetwork with averaged weights: what is validated and shipped."""
        return self.average.module  # type: ignore[return-value]

    def judged(self, hypernetwork: Hypernetwork, batch: ProblemBatch) -> tuple[Losses, Tensor]:
        """Losses of a batch, and how far weights of different samples are apart: near zero, the network collapsed."""
        problems = scaled(batch).batch
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.configuration.training.bf16):
            weights = hypernetwork(problems.raster, problems.coefficients)
        weights = weights.float()
        spread = weights.detach().std(0, correction=0) / weights.detach().square().mean(0).sqrt().clamp_min(1e-12)
        return losses(hypernetwork.sizes.target, weights, problems, self.configuration.loss), spread.mean()

    def training_step(self, batch: ProblemBatch, index: int) -> Tensor:
        result, spread = self.judged(self.hypernetwork, batch)
        self.log("loss", result.total.detach(), batch_size=len(batch))
        self.log("spread", spread, batch_size=len(batch))
        return result.total

    @torch.no_grad()
    def validated(self) -> dict[str, float]:
        """Figures of the averaged weights on the same problems every time; errors relative to the solution's size."""
        settings = self.configuration.training
        problems = validation_set(self.configuration.sampler, settings.validation, VALIDATION_SEED)
        parts = [
            self.judged(self.averaged, problems.map(lambda tensor, a=a: tensor[a : a + CHUNK].to(self.device)))
            for a in range(0, len(problems), CHUNK)
        ]
        results = [result for result, _ in parts]
        error, own_error, residual, known = (
            torch.cat([getattr(result, name) for result in results])
            for name in ("error", "own_error", "residual", "known")
        )
        figures = {
            "val_loss": torch.stack([result.total * len(result.known) for result in results]).sum() / len(problems),
            "val_median": error[known].median(),
            "val_mean": error[known].clamp(max=1.0).mean(),
            "val_own_median": own_error[known].median(),
            "val_residual": residual.median(),
            "val_spread": torch.stack([spread for _, spread in parts]).mean(),
        }
        return {name: float(value) for name, value in figures.items()}

    def save(self, path: Path) -> None:
        """Write the averaged weights, rounded to half precision."""
        save_weights(path, self.averaged, half=True)

    def train_dataloader(self) -> EpochStream[ProblemBatch]:
        """Made anew every epoch; the last one of a run of `steps` may be shorter."""
        settings = self.configuration.training
        left = settings.epoch if settings.steps is None else settings.steps - self.global_step
        return EpochStream(max(0, min(settings.epoch, left)), lambda: self.global_step, self._batches)

    def _batches(self, steps: range) -> Iterator[ProblemBatch]:
        return map(self._problems_at, steps)

    def _problems_at(self, step: int) -> ProblemBatch:
        settings = self.configuration
        return problems_at(
            settings.sampler,
            settings.training.batch,
            settings.training.seed,
            self.global_rank,
            step,
            self.progress,
            self.device,
        )

    def transfer_batch_to_device(self, batch: ProblemBatch, device: torch.device, dataloader_idx: int) -> ProblemBatch:
        return batch.map(lambda tensor: tensor.to(device))

    def on_train_epoch_start(self) -> None:
        """Progress is set once an epoch, by the first process, so that all processes agree although clocks differ."""
        self.progress = self.trainer.strategy.broadcast(self.clock.progress(self.global_step))

    def on_train_batch_start(self, batch: ProblemBatch, batch_idx: int) -> None:
        settings = self.configuration.training
        progress = self.progress if settings.steps is None else self.clock.progress(self.global_step)
        for group in self.optimizers().param_groups:  # type: ignore[union-attr]
            group["lr"] = learning_rate(settings, self.global_step, progress)

    def on_train_batch_end(self, outputs: Any, batch: ProblemBatch, batch_idx: int) -> None:
        self.average.update_parameters(self.hypernetwork)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        settings = self.configuration.training
        return torch.optim.AdamW(
            self.hypernetwork.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )

    def configure_gradient_clipping(self, optimizer: torch.optim.Optimizer, *limits: Any, **named: Any) -> None:
        """Clip the norm; leave a step out whose norm is not finite or far above the usual one (a spike of the loss).

        A spike counts as no more than the limit it exceeds, so that norms that stay large are usual after some steps.
        """
        settings = self.configuration.training
        norm = float(torch.nn.utils.clip_grad_norm_(self.hypernetwork.parameters(), settings.clip))
        limit = settings.outlier * self.usual_norm
        if math.isfinite(norm):
            self.log("gradient", norm)
            self.usual_norm = norm if math.isinf(limit) else 0.98 * self.usual_norm + 0.02 * min(norm, limit)
        if not math.isfinite(norm) or norm > limit:
            optimizer.zero_grad(set_to_none=True)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["run"] = {
            "seconds": self.clock.seconds,
            "usual_norm": self.usual_norm,
            "sizes": sizes_to_data(self.hypernetwork.sizes),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.clock.spent = checkpoint["run"]["seconds"]
        self.usual_norm = checkpoint["run"]["usual_norm"]
