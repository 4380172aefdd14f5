"""The Lightning module: one step of training, one validation."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import lightning as L
import torch
from torch import Tensor

from .._batch import ProblemBatch
from .._hypernetwork import Hypernetwork
from .._scaling import scaled
from ..sampler import validation_set
from ._losses import Losses, losses
from ._schedule import Clock, learning_rate
from ._settings import Configuration
from ._stream import problem_stream

VALIDATION_SEED = 20_260_101
"""Never used by a stream, whose seeds are products."""


class HypinoModule(L.LightningModule):
    """Trains `hypernetwork` as the configuration says. Batches come from the sampler, one seed a step and process."""

    def __init__(self, configuration: Configuration, hypernetwork: Hypernetwork) -> None:
        super().__init__()
        self.configuration = configuration
        self.hypernetwork = hypernetwork
        self.clock = Clock(configuration.training)
        self.progress = 0.0
        self.usual_norm = math.inf

    def generated(self, batch: ProblemBatch) -> Tensor:
        """Weights (batch, networks, count) in float32 for a scaled batch."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.configuration.training.bf16):
            weights = self.hypernetwork(batch.raster, batch.coefficients)
        return weights.float()

    def judged(self, batch: ProblemBatch) -> tuple[Losses, Tensor]:
        """Losses of a batch, and how far weights of different samples are apart: near zero, the network collapsed."""
        problems = scaled(batch).batch
        weights = self.generated(problems)
        spread = (weights.std(0) / weights.square().mean(0).sqrt().clamp_min(1e-12)).mean().detach()
        return losses(self.configuration.hypernetwork.target, weights, problems, self.configuration.loss), spread

    def training_step(self, batch: ProblemBatch, index: int) -> Tensor:
        result, spread = self.judged(batch)
        self.log("loss", result.total.detach(), prog_bar=True, batch_size=len(batch))
        self.log("spread", spread, batch_size=len(batch))
        return result.total

    def validation_step(self, batch: ProblemBatch, index: int) -> None:
        result, spread = self.judged(batch)
        known = batch.labels.known if batch.labels else slice(0)
        self.log_dict(
            {
                "val_loss": result.total,
                "val_median": result.error[known].median(),
                "val_mean": result.error[known].clamp(max=1.0).mean(),
                "val_own_median": result.own_error[known].median(),
                "val_residual": result.residual.median(),
                "val_spread": spread,
            },
            batch_size=len(batch),
            sync_dist=True,
        )

    def train_dataloader(self) -> "EpochStream":
        return EpochStream(self)

    def val_dataloader(self) -> "Once":
        """The same problems every time, in one batch."""
        settings = self.configuration.training
        return Once(validation_set(self.configuration.sampler, settings.validation, VALIDATION_SEED))

    def transfer_batch_to_device(self, batch: ProblemBatch, device: torch.device, dataloader_idx: int) -> ProblemBatch:
        return batch.map(lambda tensor: tensor.to(device))

    def on_train_epoch_start(self) -> None:
        """Progress is set once an epoch, by the first process, so that all processes use the same rates."""
        self.progress = self.trainer.strategy.broadcast(self.clock.progress(self.global_step))

    def on_train_batch_start(self, batch: ProblemBatch, batch_idx: int) -> None:
        settings = self.configuration.training
        progress = self.progress if settings.steps is None else self.clock.progress(self.global_step)
        for group in self.optimizers().param_groups:  # type: ignore[union-attr]
            group["lr"] = learning_rate(settings, self.global_step, progress)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        settings = self.configuration.training
        return torch.optim.AdamW(
            self.hypernetwork.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )

    def configure_gradient_clipping(self, optimizer: Any, *limits: Any, **named: Any) -> None:
        """Clip the norm; leave a step out whose norm is not finite or far above the usual one (a spike of the loss)."""
        settings = self.configuration.training
        norm = float(torch.nn.utils.clip_grad_norm_(self.hypernetwork.parameters(), settings.clip))
        self.log("gradient", norm if math.isfinite(norm) else 0.0)
        if not norm <= settings.outlier * self.usual_norm:
            optimizer.zero_grad(set_to_none=True)
            return
        self.usual_norm = norm if math.isinf(self.usual_norm) else 0.98 * self.usual_norm + 0.02 * norm

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["run"] = {"spent": self.clock.seconds, "usual_norm": self.usual_norm}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.clock.spent = checkpoint["run"]["spent"]
        self.usual_norm = checkpoint["run"]["usual_norm"]


@dataclass(frozen=True, eq=False)
class Once:
    """One batch as an epoch; Lightning would take a list for several data sets."""

    batch: ProblemBatch

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[ProblemBatch]:
        yield self.batch


class EpochStream:
    """The batches of the current epoch, as many as its settings say."""

    def __init__(self, module: HypinoModule) -> None:
        self.module = module

    def __len__(self) -> int:
        return self.module.configuration.training.epoch

    def __iter__(self) -> Iterator[ProblemBatch]:
        module, settings = self.module, self.module.configuration
        first = module.current_epoch * len(self)
        return problem_stream(
            settings.sampler,
            settings.training.batch,
            settings.training.seed,
            module.global_rank,
            range(first, first + len(self)),
            module.progress,
            module.device,
        )
