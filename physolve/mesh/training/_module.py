"""The Lightning module: a step of training, the average of the weights, its judgement by rollouts."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader

from physolve.training import RunModule

from .._design import design_to_data
from .._simulator import Advanced, Simulator
from .._simulator_file import save_simulator
from ..data import MeshStore
from ..operators import NavierStokesResidual
from ._graphs import Graphs
from ._losses import FlowStep, gradient_losses, momentum_loss, square_error
from ._seen import seen_data
from ._settings import Configuration
from ._validation import validation_errors
from ._windows import Window, Windows, drawn


class Batch(NamedTuple):
    """Windows one below another.

    meshes    keys of their graphs, in order
    frames    states and outputs side by side, the nodes of all graphs
    """

    meshes: tuple[str, ...]
    frames: Float[Tensor, "frames n columns"]


class MeshModule(RunModule[Simulator, Batch]):
    """Trains a simulator as the configuration says."""

    def __init__(self, configuration: Configuration, store: MeshStore, simulator: Simulator) -> None:
        super().__init__(configuration, simulator)
        self._store, self._seen = store, seen_data(store, simulator.scales)
        design, data = simulator.design, configuration.data
        length = configuration.training.unroll + 1
        self._windows = Windows(
            store, store.names("train"), (design.state, design.outputs), length, data.stride, data.first, data.parts
        )
        self._graphs: Graphs | None = None

    def on_fit_start(self) -> None:
        meshes = {mesh.key: mesh for mesh in map(self._store.mesh, self._windows.names)}
        physics, data = self.configuration.physics, self.configuration.data
        self._graphs = Graphs(list(meshes.values()), self.network.design, self.device, physics, data)
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
        columns = self.network.design.state.count
        state = self._noisy(batch.frames[0, :, :columns], graph.known)
        losses = []
        for k, truth in enumerate(batch.frames[1:], start=1):
            counts = k == settings.unroll or not settings.pushforward
            with torch.set_grad_enabled(counts and torch.is_grad_enabled()):
                with torch.autocast(self.device.type, torch.bfloat16, enabled=settings.bf16):
                    said = self.network(state, graph)
                found = self.network.read(said, state, graph, truth[:, :columns])
                if counts:
                    losses.append(square_error(self.network, said, state, truth, graph))
                    losses[-1] = losses[-1] + self._physics(state, found, batch.frames[k - 1 : k + 1], graph)
                state = found.state
        return torch.stack(losses).mean()

    def _physics(self, state: Tensor, found: Advanced, frames: Tensor, graph: Any) -> Tensor | float:
        """Of a step from `state`; `frames` are the true ones before and after."""
        weights, design = self.configuration.physics, self.network.design
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
            predicted = FlowStep(state[:, velocity], found.state[:, velocity], (pressure[0] + said) / 2)
            real = FlowStep(true[0], true[1], pressure.mean(0))
            loss = loss + weights.momentum * momentum_loss(residual, predicted, real, design.dt, counted)
        return loss

    def _noisy(self, state: Tensor, known: Tensor) -> Tensor:
        """With noise where values are predicted; the same for the same seed, step and process."""
        settings = self.configuration.training
        if settings.noise == 0:
            return state
        generator = torch.Generator(state.device)
        generator.manual_seed(self.seed_at(self.global_step))
        noise = torch.randn(state.shape, generator=generator, device=state.device, dtype=state.dtype)
        return state + torch.where(known[:, None], 0, settings.noise * self.network.scales.scale * noise)

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

    def batches(self, steps: range) -> Iterator[Batch]:
        settings, data = self.configuration.training, self.configuration.data
        share = self.global_rank, self.trainer.world_size
        chosen = list(drawn(len(self._windows), settings.batch, settings.seed, share, steps))
        return iter(DataLoader(self._windows, batch_sampler=chosen, num_workers=data.workers, collate_fn=_batch))

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        return Batch(batch.meshes, batch.frames.to(device))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        settings = self.configuration.training
        return torch.optim.AdamW(
            self.network.parameters(),
            lr=settings.learning_rate,
            betas=(0.9, 0.95),
            weight_decay=settings.weight_decay,
            fused=True,
        )

    def resumable(self) -> dict[str, Any]:
        return {"design": design_to_data(self.network.design), "seen": self._seen}


def _batch(windows: Sequence[Window]) -> Batch:
    return Batch(tuple(window.mesh for window in windows), torch.cat([window.frames for window in windows], 1))
