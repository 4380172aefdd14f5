"""Which node attends to which: a sparse mask in compressed rows, with its transpose for the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int, Int32
from torch import Tensor

from physolve.errors import SpecificationError

MOST_EDGES = 2**31 - 1  # the kernels count in 32 bits: half the memory traffic of 64


@dataclass(frozen=True, eq=False)
class AttentionMask:
    """Row i attends to the nodes node[begin[i]], ..., node[begin[i + 1] - 1]; built once for a graph.

    begin, node                          (rows + 1,) and (edges,), int32, nodes of a row ascending
    transposed_begin, transposed_node    (nodes + 1,) and (edges,): for every node the rows that attend to it
    """

    begin: Int32[Tensor, " rows_and_one"]
    node: Int32[Tensor, " edges"]
    transposed_begin: Int32[Tensor, " nodes_and_one"]
    transposed_node: Int32[Tensor, " edges"]

    @classmethod
    def of_edges(cls, edges: Int[Tensor, "2 edges"], rows: int, nodes: int | None = None) -> AttentionMask:
        """From pairs (row, node); pairs given twice count once. `nodes` is `rows` where it is not given.

        Raises SpecificationError for edges of another shape, beyond the rows or nodes, or more than 2^31 - 1 of them.
        """
        nodes = rows if nodes is None else nodes
        _check_edges(edges, rows, nodes)
        number = torch.unique(edges[0].long() * nodes + edges[1].long())
        row, node = number // max(nodes, 1), number % max(nodes, 1)
        by_node = torch.argsort(node, stable=True)
        return cls(_begins(row, rows), node.int(), _begins(node, nodes), row[by_node].int())

    @classmethod
    def block_diagonal(cls, masks: Sequence[AttentionMask]) -> AttentionMask:
        """Several meshes as one, none seeing the others: the mask of a batch.

        Raises SpecificationError for no masks or too many edges.
        """
        if not masks or sum(mask.edges for mask in masks) > MOST_EDGES:
            raise SpecificationError(
                f"attention mask: got {len(masks)} masks to join, expected 1 or more with < 2^31 edges"
            )
        begin, node = _joined([(m.begin, m.node, m.nodes) for m in masks])
        transposed_begin, transposed_node = _joined([(m.transposed_begin, m.transposed_node, m.rows) for m in masks])
        return cls(begin, node, transposed_begin, transposed_node)

    @property
    def rows(self) -> int:
        return len(self.begin) - 1

    @property
    def nodes(self) -> int:
        return len(self.transposed_begin) - 1

    @property
    def edges(self) -> int:
        return len(self.node)

    def row_of_edges(self) -> Int[Tensor, " edges"]:
        """The row of every edge, in the order of `node`."""
        counts = self.begin.diff().long()
        return torch.repeat_interleave(torch.arange(self.rows, device=counts.device), counts, output_size=self.edges)

    def edge_index(self) -> Int[Tensor, "2 edges"]:
        """Pairs (row, node), in order."""
        return torch.stack([self.row_of_edges(), self.node.long()])

    def to(self, device: torch.device | str) -> AttentionMask:
        return AttentionMask(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def _begins(sorted_or_not: Tensor, count: int) -> Tensor:
    ends = torch.bincount(sorted_or_not, minlength=count).cumsum(0)
    return torch.cat([ends.new_zeros(1), ends]).int()


def _joined(parts: Sequence[tuple[Tensor, Tensor, int]]) -> tuple[Tensor, Tensor]:
    """Compressed rows below one another; a part is (begin, node, how many nodes it numbers)."""
    begins, nodes, edges, numbered = [parts[0][0][:1]], [], 0, 0
    for begin, node, count in parts:
        begins.append(begin[1:] + edges)
        nodes.append(node + numbered)
        edges, numbered = edges + len(node), numbered + count
    return torch.cat(begins), torch.cat(nodes)


def _check_edges(edges: Tensor, rows: int, nodes: int) -> None:
    if edges.ndim != 2 or edges.shape[0] != 2 or edges.is_floating_point():
        raise SpecificationError(
            f"attention mask: got edges of shape {tuple(edges.shape)} and {edges.dtype}, expected integers (2, edges)"
        )
    if edges.shape[1] > MOST_EDGES:
        raise SpecificationError(
            f"attention mask: got {edges.shape[1]} edges, expected at most {MOST_EDGES}; partition"
        )
    for name, line, count in (("row", edges[0], rows), ("node", edges[1], nodes)):
        outside = torch.nonzero((line < 0) | (line >= count))
        if len(outside):
            e = int(outside[0])
            raise SpecificationError(
                f"attention mask: edge {e} has {name} {int(line[e])}, expected 0 to {count - 1}; number nodes from 0"
            )
