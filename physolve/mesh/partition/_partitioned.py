"""A simulation graph in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .._pyg import new_data
from ._labels import metis_labels
from ._part import attention_parts, rows_that_see_all

if TYPE_CHECKING:
    from torch_geometric.data import Data


def partitioned(graph: Data, parts: int) -> Data:
    """The same simulation graph with `parts` in place of `mask`; a simulator works on one after another.

    What it says of every node is the same to rounding. States of all nodes stay where the graph is, on the host;
    wherever the simulator is, memory is needed for one part. Global nodes look at all nodes and are a part of their
    own beside the `parts`, which needs keys and values of all nodes at once.

    Raises SpecificationError as `metis_labels`.
    """
    labels = torch.from_numpy(metis_labels(graph.edge_index.numpy(), graph.num_nodes, parts))
    if parts > 1:
        labels[rows_that_see_all(graph.mask)] = parts
    kept = {name: graph[name] for name in ("pos", "node_type", "features", "known", "counted")}
    return new_data(**kept, parts=attention_parts(graph.mask, labels), num_nodes=graph.num_nodes)
