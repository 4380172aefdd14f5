"""Masks in compressed rows: what they hold, their transposes, batches of them, and edges that do not fit."""

import masks
import pytest
import torch

from physolve.errors import SpecificationError
from physolve.mesh import AttentionMask, masked_attention


def dense(mask):
    matrix = torch.zeros(mask.rows, mask.nodes, dtype=torch.int)
    matrix[tuple(mask.edge_index())] += 1
    return matrix


def transposed(mask):
    return AttentionMask(mask.transposed_begin, mask.transposed_node, mask.begin, mask.node)


def test_rows_hold_the_edges_once_in_order():
    mask = AttentionMask.of_edges(torch.tensor([[2, 0, 0, 2, 0], [1, 3, 1, 0, 3]]), 3, 4)
    assert mask.begin.tolist() == [0, 2, 2, 4]
    assert mask.node.tolist() == [1, 3, 0, 1]
    assert (mask.rows, mask.nodes, mask.edges) == (3, 4, 4)
    assert mask.edge_index().tolist() == [[0, 0, 2, 2], [1, 3, 0, 1]]


def test_transpose():
    mask = masks.random_mask()
    assert torch.equal(dense(transposed(mask)), dense(mask).T)


def test_block_diagonal_attends_as_the_meshes_do():
    parts = [masks.random_mask(seed=1), masks.random_mask(9, 8, 30, seed=2)]
    joined = AttentionMask.block_diagonal(parts)
    assert torch.equal(dense(joined), torch.block_diag(*map(dense, parts)).int())
    assert torch.equal(dense(transposed(joined)), dense(joined).T)
    x = [masks.inputs(mask, 16, ()) for mask in parts]
    together = masked_attention(*(torch.cat(t) for t in zip(*x, strict=True)), joined, 4)
    apart = torch.cat([masked_attention(*y, mask, 4) for y, mask in zip(x, parts, strict=True)])
    assert masks.distance(together, apart) < 1e-14


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        (torch.tensor([[0, 1], [1, 4]]), "edge 1 has node 4, expected 0 to 3"),
        (torch.tensor([[0, -1], [1, 0]]), "edge 1 has row -1, expected 0 to 2"),
        (torch.zeros(3, 2, dtype=torch.long), r"got edges of shape \(3, 2\)"),
        (torch.zeros(2, 2), "torch.float32, expected integers"),
    ],
)
def test_edges_that_do_not_fit(edges, message):
    with pytest.raises(SpecificationError, match=message):
        AttentionMask.of_edges(edges, 3, 4)


def test_no_masks_to_join():
    with pytest.raises(SpecificationError, match="got 0 masks"):
        AttentionMask.block_diagonal([])
