"""Rollouts by which a run is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .._design import Design
from .._simulation_graph import joined_graphs, moved, simulation_graph
from .._simulator import Simulator
from ..data import MeshStore
from ..rollout import RolloutErrors, rolled
from ._settings import DataSettings

if TYPE_CHECKING:
    from torch_geometric.data import Data


def validation_errors(
    simulator: Simulator, store: MeshStore, data: DataSettings, trajectories: int, steps: int, device: torch.device
) -> dict[str, float]:
    """Root-mean-square errors of rollouts from the first frames, over normal nodes, in the data's units: after 1 step,
    after 50 and over all of them, of every field of the state.

    `rmse` is that of the first field over all steps. Of validation trajectories; of training ones where the data set
    has no others. Rolled out together; those that are shorter than the longest are left out where they end.
    """
    names = (store.names("validation") or store.names("train"))[:trajectories]
    steps = min([steps, *(_steps(store, name, data) for name in names)])
    graph = moved(joined_graphs([_graph(store, name, simulator.design) for name in names]), device)

    def truth(step: int) -> torch.Tensor:
        frames = [
            torch.from_numpy(simulator.design.state.packed(store.frame(name, data.first + step * data.stride)))
            for name in names
        ]
        return torch.cat(frames).to(device)

    errors = RolloutErrors(simulator.design.state, graph.node_type)
    for step, following in enumerate(rolled(simulator, graph, truth(0), truth, steps), start=1):
        errors.add(following.state, truth(step))
    figures = errors.figures()
    return {"rmse": figures[f"{simulator.design.state.names[0]} rmse"], **figures}


def _steps(store: MeshStore, name: str, data: DataSettings) -> int:
    return (len(store.times(name)) - 1 - data.first) // data.stride


def _graph(store: MeshStore, name: str, design: Design) -> Data:
    mesh = store.mesh(name)
    return simulation_graph(mesh.points, mesh.cells, mesh.node_type, design)
