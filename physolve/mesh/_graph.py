"""A mesh as PyTorch Geometric's `Data`: what networks, data sets and rollouts hand to one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray

from ._augmentations import Augmentation, attention_mask
from ._cells import mesh_edges
from ._pyg import new_data

if TYPE_CHECKING:
    from torch_geometric.data import Data


def mesh_graph(
    points: Float[np.ndarray, "n dim"],
    cells: Mapping[str, NDArray[np.integer]],
    node_type: Int[np.ndarray, " n"],
    augmentations: Sequence[Augmentation] = (),
) -> Data:
    """`Data` with `pos` (n, dim) float32, `edge_index` (2, edges) both ways, `node_type` (n,), and `mask`; positions
    are those `from_corner`.

    `mask` is the `AttentionMask` that the transformer needs, built here once. Raises SpecificationError for cells that
    have no edges or nodes beyond the points.
    """
    edges = torch.from_numpy(mesh_edges(cells, len(points)))
    where = torch.from_numpy(from_corner(points))
    return new_data(
        pos=where.float(),
        edge_index=edges,
        node_type=torch.from_numpy(np.asarray(node_type)).long(),
        mask=attention_mask(where, edges, augmentations),
        num_nodes=len(points),
    )


def from_corner(points: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, "n dim"]:
    """Points seen from the lower corner of their bounding box, float64: far from the origin, in map coordinates say,
    float32 would not tell neighbours apart."""
    wide = np.asarray(points, dtype=np.float64)
    return wide - wide.min(0, initial=np.inf)
