"""The Lightning module: one step of training, the average of the weights, its judgement."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from physolve.training import RunModule

from .._batch import ProblemBatch
from .._hypernetwork import Hypernetwork
from .._scaling import scaled
from .._sizes_file import sizes_to_data
from .._weights import save_weights
from ..sampler import sample, validation_set
from ._losses import Losses, losses
from ._settings import Configuration

VALIDATION_SEED = 20_260_101
"""Of the problems that training is judged by: only process 1,285 of a run would ever see one of its batches."""

CHUNK = 64
"""Validation problems judged at a time."""


class HypinoModule(RunModule[Hypernetwork, ProblemBatch]):
    """Trains a hypernetwork as the configuration says; leaves steps out whose gradient is unusually large."""

    def __init__(self, configuration: Configuration, hypernetwork: Hypernetwork) -> None:
        super().__init__(configuration, hypernetwork)
        self.usual_norm = math.inf

    def judged(self, hypernetwork: Hypernetwork, batch: ProblemBatch) -> tuple[Losses, Tensor]:
        """Losses of a batch, and how far weights of different samples are apart: near zero, the network collapsed."""
        problems = scaled(batch).batch
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.configuration.training.bf16):
            weights = hypernetwork(problems.raster, problems.coefficients)
        weights = weights.float()
        spread = weights.detach().std(0, correction=0) / weights.detach().square().mean(0).sqrt().clamp_min(1e-12)
        return losses(hypernetwork.sizes.target, weights, problems, self.configuration.loss), spread.mean()

    def training_step(self, batch: ProblemBatch, index: int) -> Tensor:
        result, spread = self.judged(self.network, batch)
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

    def batches(self, steps: range) -> Iterator[ProblemBatch]:
        settings = self.configuration
        for step in steps:
            generator = torch.Generator(self.device).manual_seed(self.seed_at(step))
            yield sample(settings.sampler, settings.training.batch, generator, self.progress)

    def transfer_batch_to_device(self, batch: ProblemBatch, device: torch.device, dataloader_idx: int) -> ProblemBatch:
        return batch.map(lambda tensor: tensor.to(device))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        settings = self.configuration.training
        return torch.optim.AdamW(
            self.network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )

    def configure_gradient_clipping(self, optimizer: torch.optim.Optimizer, *limits: Any, **named: Any) -> None:
        """Clip the norm; leave a step out whose norm is not finite or far above the usual one (a spike of the loss).

        A spike counts as no more than the limit it exceeds, so that norms that stay large are usual after some steps.
        """
        settings = self.configuration.training
        norm = float(torch.nn.utils.clip_grad_norm_(self.network.parameters(), settings.clip))
        limit = settings.outlier * self.usual_norm
        if math.isfinite(norm):
            self.log("gradient", norm)
            self.usual_norm = norm if math.isinf(limit) else 0.98 * self.usual_norm + 0.02 * min(norm, limit)
        if not math.isfinite(norm) or norm > limit:
            optimizer.zero_grad(set_to_none=True)

    def resumable(self) -> dict[str, Any]:
        return {"usual_norm": self.usual_norm, "sizes": sizes_to_data(self.network.sizes)}

    def resume(self, run: dict[str, Any]) -> None:
        self.usual_norm = run["usual_norm"]
