"""Pieces of trajectories, drawn so that every one is seen once before any is seen again."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import Dataset

from physolve.errors import SpecificationError

from .._channels import Channels
from ..data import MeshStore


class Window(NamedTuple):
    """A piece of a trajectory.

    mesh      key of its graph, see `graph_key`
    frames    states and outputs side by side
    """

    mesh: str
    frames: Float[Tensor, "frames n columns"]


class Windows(Dataset[Window]):
    """All windows of `length` states of the named trajectories, from their frame `first` on, `stride` frames apart.

    Where meshes are learned from in `parts`, all windows of each part, once `show` has said which nodes these have.

    Raises SpecificationError where no trajectory is long enough.
    """

    def __init__(
        self,
        store: MeshStore,
        names: Sequence[str],
        channels: tuple[Channels, Channels],
        length: int,
        stride: int = 1,
        first: int = 0,
        parts: int = 1,
    ) -> None:
        self.store, self.names, self.channels = store, list(names), channels
        self.length, self.stride, self.first, self.parts = length, stride, first, parts
        self.meshes = [store.mesh(name).key for name in names]
        counts = [max(0, len(store.times(name)) - first - (length - 1) * stride) for name in names]
        self.ends = np.cumsum(counts)
        self.kept: list[Tensor] | None = None
        self.nodes: Mapping[str, Int[Tensor, " n"]] = {}
        if not sum(counts):
            raise SpecificationError(
                f"{store.path}: no trajectory has the {first + (length - 1) * stride + 1} frames of a window; lower"
                " training.unroll, data.stride or data.first"
            )

    def show(self, nodes: Mapping[str, Int[Tensor, " n"]]) -> None:
        """By the keys of graphs, which nodes of its mesh a part has."""
        self.nodes = nodes

    def keep(self, device: torch.device) -> None:
        """Read everything into the memory of a device; windows are views of it from now on, or copies of a part."""
        self.kept = [
            torch.stack([self._read(k, step) for step in range(len(self.store.times(name)))]).to(device)
            for k, name in enumerate(self.names)
        ]

    def __len__(self) -> int:
        return int(self.ends[-1]) * self.parts

    def __getitem__(self, index: int) -> Window:
        index, part = divmod(index, self.parts)
        k = int(np.searchsorted(self.ends, index, side="right"))
        first = self.first + index - (int(self.ends[k - 1]) if k else 0)
        steps = range(first, first + (self.length - 1) * self.stride + 1, self.stride)
        if self.kept is not None:
            frames = self.kept[k][steps.start : steps.stop : self.stride]
        else:
            frames = torch.stack([self._read(k, step) for step in steps])
        key = graph_key(self.meshes[k], part, self.parts)
        return Window(key, frames if self.parts == 1 else frames[:, self.nodes[key].to(frames.device)])

    def _read(self, k: int, step: int) -> Tensor:
        frame = self.store.frame(self.names[k], step)
        return torch.from_numpy(np.concatenate([channels.packed(frame) for channels in self.channels], 1))


def graph_key(mesh: str, part: int, parts: int) -> str:
    """Of a mesh that is seen as a whole its own."""
    return mesh if parts == 1 else f"{mesh} part {part}"


def drawn(windows: int, batch: int, seed: int, share: tuple[int, int], steps: range) -> Iterator[list[int]]:
    """The windows of every step: a function of the step alone, so that a resumed run goes on as if it had not stopped.

    `share` is (process, processes): each has windows of its own. Passes over all windows follow one another, each in an
    order of its own.
    """
    process, processes = share
    order = lru_cache(maxsize=2)(
        lambda turn: torch.randperm(windows, generator=torch.Generator().manual_seed(seed * 1_000_003 + turn))
    )
    for step in steps:
        places = range((step * processes + process) * batch, (step * processes + process + 1) * batch)
        yield [int(order(place // windows)[place % windows]) for place in places]
