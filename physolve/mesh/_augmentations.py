"""What a node may look at beyond its neighbours on the mesh: strategies that add edges to the attention mask."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from physolve.errors import SpecificationError

from ._hilbert import hilbert_order
from ._mask import AttentionMask

Edges = NDArray[np.int64]


class Augmentation(ABC):
    """Adds edges to a mask."""

    @abstractmethod
    def edges(self, points: Float[np.ndarray, "n dim"], mesh: Int[np.ndarray, "2 edges"]) -> Int[np.ndarray, "2 more"]:
        """Pairs (row, node) for a mesh with these points and these edges in both directions; doubles do no harm."""


@dataclass(frozen=True)
class KHop(Augmentation):
    """All nodes that `hops` steps along mesh edges reach."""

    hops: int

    def __post_init__(self) -> None:
        _check_positive("KHop: hops", self.hops)

    def edges(self, points: NDArray[np.floating], mesh: Edges) -> Edges:
        n = len(points)
        step = csr_array((np.ones(mesh.shape[1], dtype=bool), (mesh[0], mesh[1])), shape=(n, n))
        reached = step
        for _ in range(self.hops - 1):
            reached = (reached @ step + reached).astype(bool)
        return np.stack(reached.nonzero()).astype(np.int64)


@dataclass(frozen=True)
class DilatedWindow(Augmentation):
    """Along a Hilbert curve through the nodes, `reach` nodes on either side, every `dilation`-th of them.

    The curve keeps neighbours together, so that a dilated window looks a middling distance away in all directions.
    """

    reach: int
    dilation: int = 1

    def __post_init__(self) -> None:
        _check_positive("DilatedWindow: reach", self.reach)
        _check_positive("DilatedWindow: dilation", self.dilation)

    def edges(self, points: NDArray[np.floating], mesh: Edges) -> Edges:
        order = hilbert_order(points)
        steps = [k * self.dilation for k in range(1, self.reach + 1) if k * self.dilation < len(order)]
        one_way = [np.stack([order[:-step], order[step:]]) for step in steps]
        return _both_ways(np.concatenate([np.empty((2, 0), dtype=np.int64), *one_way], 1))


@dataclass(frozen=True)
class GlobalNodes(Augmentation):
    """A few of the mesh's nodes, evenly spaced along a Hilbert curve, that look at all nodes and are seen by all."""

    count: int

    def __post_init__(self) -> None:
        _check_positive("GlobalNodes: count", self.count)

    def edges(self, points: NDArray[np.floating], mesh: Edges) -> Edges:
        n = len(points)
        places = (np.arange(min(self.count, n)) + 0.5) * n / max(min(self.count, n), 1)
        chosen = hilbert_order(points)[places.astype(np.int64)]
        return _both_ways(np.stack([np.repeat(chosen, n), np.tile(np.arange(n), len(chosen))]))


@dataclass(frozen=True)
class RandomEdges(Augmentation):
    """For every node `per_node` others drawn at random, seen both ways; the same for the same seed and mesh size."""

    per_node: int
    seed: int = 0

    def __post_init__(self) -> None:
        _check_positive("RandomEdges: per_node", self.per_node)

    def edges(self, points: NDArray[np.floating], mesh: Edges) -> Edges:
        n = len(points)
        others = np.random.default_rng(self.seed).integers(max(n, 1), size=n * self.per_node)
        return _both_ways(np.stack([np.repeat(np.arange(n), self.per_node), others]))


def attention_mask(
    points: Float[Tensor, "n dim"], mesh: Int[Tensor, "2 edges"], augmentations: Sequence[Augmentation] = ()
) -> AttentionMask:
    """The mask of a mesh: every node sees itself, its neighbours, and what the augmentations add.

    `mesh` holds every mesh edge in both directions. Raises SpecificationError for edges that do not fit the points.
    """
    where, edges = points.detach().cpu().double().numpy(), mesh.cpu().numpy()
    itself = np.tile(np.arange(len(where)), (2, 1))
    more = [augmentation.edges(where, edges) for augmentation in augmentations]
    together = np.concatenate([itself, edges, *more], 1)
    return AttentionMask.of_edges(torch.from_numpy(together), len(where)).to(points.device)


def _both_ways(edges: Edges) -> Edges:
    return np.concatenate([edges, edges[::-1]], 1)


def _check_positive(name: str, value: int) -> None:
    if value < 1:
        raise SpecificationError(f"{name}: got {value}, expected at least 1")
