"""The Lightning module: a step of training, the average of the weights, its judgement by rollouts."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from physolve.training import Clock, EpochStream, learning_rate, moving_average

from .._design import design_to_data
from .._simulator import Advanced, Simulator
from .._simulator_file import save_simulator
from ..data import MeshStore
from ..operators import NavierStokesResidual
from ._graphs import Graphs
from ._losses import Step, gradient_losses, momentum_loss, square_error
from ._settings import Configuration
from ._validation import validation_errors
from ._windows import Window, Windows, drawn

PROCESSES = 4096  # more than a run will ever have: seeds of different processes and steps never meet


class Batch(NamedTuple):
    """Windows one below another.

    meshes    keys of their graphs, in order
    frames    states and outputs side by side, the nodes of all graphs
    """

    meshes: tuple[str, ...]
    frames: Float[Tensor, "frames n columns"]


class MeshModule(L.LightningModule):
    """Trains `simulator` as the configuration says; `average.module` is the average of its weights."""

    def __init__(self, configuration: Configuration, store: MeshStore, simulator: Simulator) -> None:
        super().__init__()
        self.configuration = configuration
        self.simulator = simulator
        self.average = AveragedModel(simulator, multi_avg_fn=moving_average(configuration.training.average))
        self.average.requires_grad_(False).eval()
        self.clock = Clock(configuration.training)
        self.progress = 0.0
        self._store = store
        design, data = simulator.design, configuration.data
        length = configuration.training.unroll + 1
        self._windows = Windows(
            store, store.names("train"), (design.state, design.outputs), length, data.stride, data.first, data.parts
        )
        self._graphs: Graphs | None = None

    @property
    def averaged(self) -> Simulator:
        """The simulator with averaged weights: what is validated and shipped."""
        return self.average.module  # type: ignore[return-value]

    def on_fit_start(self) -> None:
        meshes = {mesh.key: mesh for mesh in map(self._store.mesh, self._windows.names)}
        physics, data = self.configuration.physics, self.configuration.data
        self._graphs = Graphs(list(meshes.values()), self.simulator.design, self.device, physics, data)
        self._windows.show(self._graphs.nodes)
        if data.in_memory:
            self._windows.keep(self.device)

    def training_step(self, batch: Batch, index: int) -> Tensor:
        loss = self.window_loss(batch)
        self.log("loss", loss.detach(), batch_size=len(batch.meshes))
        return loss

    def window_loss(self, batch: Batch) -> Tensor:
        """The mean over a window's steps, or the last one's; each goes on from the prediction of the one before."""
        settings, graph = self.configuration.training, self._graph(batch.meshes)
        columns = self.simulator.design.state.count
        state = self._noisy(batch.frames[0, :, :columns], graph.known)
        losses = []
        for k, truth in enumerate(batch.frames[1:], start=1):
            counts = k == settings.unroll or not settings.pushforward
            with torch.set_grad_enabled(counts and torch.is_grad_enabled()):
                with torch.autocast(self.device.type, torch.bfloat16, enabled=settings.bf16):
                    said = self.simulator(state, graph)
                found = self.simulator.read(said, state, graph, truth[:, :columns])
                if counts:
                    losses.append(square_error(self.simulator, said, state, truth, graph))
                    losses[-1] = losses[-1] + self._physics(state, found, batch.frames[k - 1 : k + 1], graph)
                state = found.state
        return torch.stack(losses).mean()

    def _physics(self, state: Tensor, found: Advanced, frames: Tensor, graph: Any) -> Tensor | float:
        """Of a step from `state`; `frames` are the true ones before and after."""
        weights, design = self.configuration.physics, self.simulator.design
        if not weights.any:
            return 0.0
        velocity, outputs = design.state.columns(weights.velocity), frames[:, :, design.state.count :]
        counted = (graph.counted & ~graph.known).to(state.dtype)
        true = frames[:, :, velocity]
        loss = gradient_losses(weights, graph.gradient, found.state[:, velocity], true[1], counted)
        if weights.momentum:
            pressure = outputs[:, :, design.outputs.columns(weights.pressure)][..., 0]
            said = found.outputs[:, design.outputs.columns(weights.pressure)][:, 0]
            residual = NavierStokesResidual(graph.gradient, graph.laplacian, weights.viscosity)
            predicted = Step(state[:, velocity], found.state[:, velocity], (pressure[0] + said) / 2)
            real = Step(true[0], true[1], pressure.mean(0))
            loss = loss + weights.momentum * momentum_loss(residual, predicted, real, design.dt, counted)
        return loss

    def _noisy(self, state: Tensor, known: Tensor) -> Tensor:
        """With noise where values are predicted; the same for the same seed, step and process."""
        settings = self.configuration.training
        if settings.noise == 0:
            return state
        generator = torch.Generator(state.device)
        generator.manual_seed((settings.seed * 1_000_003 + self.global_step) * PROCESSES + self.global_rank)
        noise = torch.randn(state.shape, generator=generator, device=state.device, dtype=state.dtype)
        return state + torch.where(known[:, None], 0, settings.noise * self.simulator.scales.scale * noise)

    def _graph(self, meshes: Sequence[str]) -> Any:
        assert self._graphs is not None, "made when the fit starts"
        return self._graphs.joined(meshes)

    @torch.no_grad()
    def validated(self) -> dict[str, float]:
        """Errors of the averaged weights' rollouts, see `validation_errors`."""
        settings = self.configuration.training
        with torch.autocast(self.device.type, torch.bfloat16, enabled=settings.bf16):
            return validation_errors(
                self.averaged,
                self._store,
                self.configuration.data,
                settings.validation,
                settings.validation_steps,
                self.device,
            )

    def save(self, path: Path) -> None:
        """Write the averaged weights."""
        save_simulator(path, self.averaged)

    def train_dataloader(self) -> EpochStream[Batch]:
        """Made anew every epoch; the last one of a run of `steps` may be shorter."""
        settings = self.configuration.training
        left = settings.epoch if settings.steps is None else settings.steps - self.global_step
        return EpochStream(max(0, min(settings.epoch, left)), lambda: self.global_step, self._batches)

    def _batches(self, steps: range) -> Iterator[Batch]:
        settings, data = self.configuration.training, self.configuration.data
        share = self.global_rank, self.trainer.world_size
        chosen = list(drawn(len(self._windows), settings.batch, settings.seed, share, steps))
        return iter(DataLoader(self._windows, batch_sampler=chosen, num_workers=data.workers, collate_fn=_batch))

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        return Batch(batch.meshes, batch.frames.to(device))

    def on_train_epoch_start(self) -> None:
        """Progress is set once an epoch, by the first process, so that all processes agree although clocks differ."""
        self.progress = self.trainer.strategy.broadcast(self.clock.progress(self.global_step))

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        settings = self.configuration.training
        progress = self.progress if settings.steps is None else self.clock.progress(self.global_step)
        for group in self.optimizers().param_groups:  # type: ignore[union-attr]
            group["lr"] = learning_rate(settings, self.global_step, progress)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        self.average.update_parameters(self.simulator)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        settings = self.configuration.training
        return torch.optim.AdamW(
            self.simulator.parameters(),
            lr=settings.learning_rate,
            betas=(0.9, 0.95),
            weight_decay=settings.weight_decay,
            fused=True,
        )

    def configure_gradient_clipping(self, optimizer: torch.optim.Optimizer, *limits: Any, **named: Any) -> None:
        torch.nn.utils.clip_grad_norm_(self.simulator.parameters(), self.configuration.training.clip)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["run"] = {"seconds": self.clock.seconds, "design": design_to_data(self.simulator.design)}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.clock.spent = checkpoint["run"]["seconds"]


def _batch(windows: Sequence[Window]) -> Batch:
    return Batch(tuple(window.mesh for window in windows), torch.cat([window.frames for window in windows], 1))
