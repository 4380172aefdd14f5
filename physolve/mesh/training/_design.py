"""The design that a configuration asks for on a data set, and the scales of the data."""

import numpy as np
import torch
from numpy.typing import NDArray

from physolve.errors import SpecificationError

from .._cells import mesh_edges
from .._channels import Channels
from .._design import Design
from .._instants import uneven_step
from .._node_types import PREDICTED
from .._simulator import Scales
from ..data import MeshStore
from ._settings import Configuration, DataSettings
from ._validation import judged

SMALLEST = 1e-6  # of a scale over the size of its field: what is constant is not blown up


def design_for(configuration: Configuration, store: MeshStore) -> Design:
    """Raises SpecificationError for fields that the data set does not have, for no training trajectories, and for
    steps of different lengths in them or in those that the run is judged by."""
    data, model, names = configuration.data, configuration.model, _training(store)
    mesh = store.mesh(names[0])
    edges = mesh_edges(mesh.cells, len(mesh.points))
    lengths = np.linalg.norm(mesh.points[edges[0]] - mesh.points[edges[1]], axis=1)
    return Design(
        state=Channels.of(data.state, store.fields()),
        outputs=Channels.of(data.outputs, store.fields()),
        dim=mesh.points.shape[1],
        dt=_step(store, names, judged(store, data, configuration.training.validation), data),
        length=float(np.median(lengths)),
        extent=float(np.ptp(mesh.points, axis=0).max()),
        network=configuration.sizes,
        sight=configuration.sight,
        positions=model.positions,
        wall_distance=model.wall_distance,
    )


def scales_of(store: MeshStore, design: Design, data: DataSettings, noise: float) -> Scales:
    """Of the training trajectories, in one pass over their frames. Noise is part of the increments: the network has to
    take it back."""
    state, outputs, steps = (_Moments() for _ in range(3))
    for name in _training(store):
        free = np.isin(store.mesh(name).node_type, PREDICTED)
        before: list[NDArray[np.float32]] = []
        for step in range(data.first, len(store.times(name))):
            frame = store.frame(name, step)
            here = design.state.packed(frame)
            state.add(here)
            outputs.add(design.outputs.packed(frame))
            before.append(here)
            if len(before) > data.stride:
                steps.add((here - before.pop(0))[free])
    noisy = np.hypot(steps.deviation, noise * state.deviation)
    scale = _floored(state.deviation, state.size, design.state)
    increment = _floored(noisy, scale, design.state)
    output_scale = _floored(outputs.deviation, outputs.size, design.outputs)
    parts = (state.mean, scale, increment, outputs.mean, output_scale)
    return Scales(*(torch.from_numpy(part).float() for part in parts))


class _Moments:
    """Mean, standard deviation and root-mean-square of rows, added block by block."""

    def __init__(self) -> None:
        self.count, self.total, self.squares = 0, np.zeros(1), np.zeros(1)

    def add(self, rows: NDArray[np.floating]) -> None:
        wide = rows.astype(np.float64)
        self.count += len(wide)
        self.total = self.total + wide.sum(0)
        self.squares = self.squares + np.square(wide).sum(0)

    @property
    def mean(self) -> NDArray[np.float64]:
        return self.total / max(self.count, 1)

    @property
    def deviation(self) -> NDArray[np.float64]:
        return np.sqrt(np.maximum(self.squares / max(self.count, 1) - self.mean**2, 0))

    @property
    def size(self) -> NDArray[np.float64]:
        return np.sqrt(self.squares / max(self.count, 1))


def _floored(scale: NDArray[np.float64], size: NDArray[np.float64], channels: Channels) -> NDArray[np.float64]:
    """Field by field: they may be of very different sizes."""
    least = np.empty_like(scale)
    for name in channels.names:
        here = channels.columns(name)
        least[here] = SMALLEST * (size[here].max() or 1.0)
    return np.maximum(scale, least)


def _training(store: MeshStore) -> list[str]:
    names = store.names("train")
    if not names:
        raise SpecificationError(f"{store.path}: no trajectory of the split 'train'; convert or generate with one")
    return names


def _step(store: MeshStore, names: list[str], judges: list[str], data: DataSettings) -> float:
    """The time between states, the same for all to train on or to be judged by, from any frame on."""
    times = {name: store.times(name)[data.first :] for name in (*names, *judges)}
    first = next((times[name][data.stride] - times[name][0] for name in names if len(times[name]) > data.stride), None)
    if first is None:
        raise SpecificationError(
            f"{store.path}: no training trajectory has {data.first + data.stride + 1} frames; lower data.first"
            " or data.stride"
        )
    for name, each in times.items():
        uneven = uneven_step(each, data.stride, first)
        if uneven is not None:
            frame, took = uneven
            raise SpecificationError(
                f"{store.path}: trajectory '{name}' takes {took:g} for the step from frame {data.first + frame} on,"
                f" expected {first:g} as the first one for training; convert with equal steps"
            )
    return float(first)
