"""Rollouts by which a run is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
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
    has no others. Rolled out together; those that are shorter than the longest are left out where they end, and errors
    over all steps are means over all nodes of all steps.
    """
    last = {name: min(steps, steps_of(store, name, data)) for name in judged(store, data, trajectories)}
    graphs = [_graph(store, name, simulator.design) for name in last]
    graph = moved(joined_graphs(graphs), device)
    ends = torch.cat([torch.full((each.num_nodes,), end) for each, end in zip(graphs, last.values(), strict=True)])

    def truth(step: int) -> torch.Tensor:
        frames = [
            simulator.design.state.packed(store.frame(name, data.first + min(step, end) * data.stride))
            for name, end in last.items()
        ]
        return torch.from_numpy(np.concatenate(frames)).to(device)

    errors, ends = RolloutErrors(simulator.design.state, graph.node_type), ends.to(device)
    for step, following in enumerate(rolled(simulator, graph, truth(0), truth, max(last.values())), start=1):
        errors.add(following.state, truth(step), ends >= step)
    figures = errors.figures()
    return {"rmse": figures[f"{simulator.design.state.names[0]} rmse"], **figures}


def judged(store: MeshStore, data: DataSettings, trajectories: int) -> list[str]:
    """At most so many validation trajectories; where the data set has none, training ones that make a step."""
    names = store.names("validation") or [n for n in store.names("train") if steps_of(store, n, data) > 0]
    return names[:trajectories]


def steps_of(store: MeshStore, name: str, data: DataSettings) -> int:
    """That a trajectory has; below 1 where it is too short to be judged by."""
    return (len(store.times(name)) - 1 - data.first) // data.stride


def _graph(store: MeshStore, name: str, design: Design) -> Data:
    mesh = store.mesh(name)
    return simulation_graph(mesh.points, mesh.cells, mesh.node_type, design)
