"""A simulation graph in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .._pyg import new_data
from .._simulation_graph import PER_NODE
from ._labels import metis_labels
from ._part import attention_partition

if TYPE_CHECKING:
    from torch_geometric.data import Data


def partitioned(graph: Data, parts: int) -> Data:
    """The same simulation graph with a `partition` in place of its mask; a simulator works on one part after another.

    What it says of every node is the same to rounding. States of all nodes stay where the graph is, on the host;
    wherever the simulator is, memory is needed for one part. Raises SpecificationError as `metis_labels`.
    """
    labels = torch.from_numpy(metis_labels(graph.edge_index.numpy(), graph.num_nodes, parts))
    kept = {name: graph[name] for name in PER_NODE}
    return new_data(**kept, partition=attention_partition(graph.mask, labels), num_nodes=graph.num_nodes)
