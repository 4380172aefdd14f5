"""The Lightning module of every run: batches numbered by steps, pace, average of the weights, what is resumed."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Generic, TypeVar

import lightning as L
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from ._schedule import Clock, learning_rate, moving_average
from ._stream import EpochStream

PROCESSES = 4096
"""More processes than a run will ever have: seeds of different processes and steps never meet within a run."""

Network = TypeVar("Network", bound=nn.Module)
Batch = TypeVar("Batch")


def seed_of(seed: int, step: int, process: int) -> int:
    """Of what one process draws in one step, so that a resumed run goes on as if it had not stopped."""
    return (seed * 1_000_003 + step) * PROCESSES + process


class RunModule(L.LightningModule, ABC, Generic[Network, Batch]):
    """Trains `network` at the pace of `configuration.training`; `averaged` is the average of its weights.

    Subclasses say what a step is (`training_step`), what it sees (`batches`), which optimiser is used
    (`configure_optimizers`; groups may have a "factor" of the learning rate), what the weights are worth (`validated`)
    and how they are written (`save`). A checkpoint holds the weights, their average and, under "run", the time spent
    and what `resumable` returns; `resume` takes that back.
    """

    def __init__(self, configuration: Any, network: Network) -> None:
        super().__init__()
        self.configuration = configuration
        self.network = network
        self.average = AveragedModel(network, multi_avg_fn=moving_average(configuration.training.average))
        self.average.requires_grad_(False).eval()
        self.clock = Clock(configuration.training)
        self.progress = 0.0

    @property
    def averaged(self) -> Network:
        """The network with averaged weights: what is validated and shipped."""
        return self.average.module  # type: ignore[return-value]

    @abstractmethod
    def batches(self, steps: range) -> Iterable[Batch]:
        """Those of the given steps of the run, in order; drawn with `seed_at`, or shared by all processes."""

    @abstractmethod
    def validated(self) -> dict[str, float]:
        """Figures of the weights that are shipped."""

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write the weights that are shipped."""

    def resumable(self) -> dict[str, Any]:
        """What a resumed run needs to know beside its weights."""
        return {}

    def resume(self, run: dict[str, Any]) -> None:
        """Take back what `resumable` returned."""

    def seed_at(self, step: int) -> int:
        """Seed of what this process draws in a step."""
        return seed_of(self.configuration.training.seed, step, self.global_rank)

    def train_dataloader(self) -> EpochStream[Batch]:
        """Made anew every epoch; the last one of a run of `steps` may be shorter."""
        settings = self.configuration.training
        left = settings.epoch if settings.steps is None else settings.steps - self.global_step
        return EpochStream(max(0, min(settings.epoch, left)), lambda: self.global_step, self.batches)

    def on_train_epoch_start(self) -> None:
        """Progress is set once an epoch, by the first process, so that all processes agree although clocks differ."""
        self.progress = self.trainer.strategy.broadcast(self.clock.progress(self.global_step))

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        settings = self.configuration.training
        progress = self.progress if settings.steps is None else self.clock.progress(self.global_step)
        rate = learning_rate(settings, self.global_step, progress)
        for group in self.optimizers().param_groups:  # type: ignore[union-attr]
            group["lr"] = rate * group.get("factor", 1.0)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        self.average.update_parameters(self.network)

    def configure_gradient_clipping(self, optimizer: torch.optim.Optimizer, *limits: Any, **named: Any) -> None:
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.configuration.training.clip)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["run"] = {"seconds": self.clock.seconds, **self.resumable()}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        run = checkpoint["run"]
        self.clock.spent = run["seconds"]
        self.resume(run)
