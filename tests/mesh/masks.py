"""Masks and inputs that the attention tests share."""

import torch
from kernel_checks import distance as distance

from physolve.mesh import AttentionMask

DTYPES = (torch.float32, torch.float64)


def random_mask(rows=23, nodes=19, edges=120, seed=0):
    """Rows of all lengths, among them empty ones (0 and the last) and one that sees everything (1)."""
    generator = torch.Generator().manual_seed(seed)
    pairs = torch.stack([torch.randint(n, (edges,), generator=generator) for n in (rows, nodes)])
    pairs = pairs[:, (pairs[0] > 1) & (pairs[0] < rows - 1) & (pairs[1] > 0)]
    full = torch.stack([torch.ones(nodes, dtype=torch.long), torch.arange(nodes)])[:, 1:]
    return AttentionMask.of_edges(torch.cat([pairs, full], 1), rows, nodes)


def inputs(mask, width, batch=(2,), dtype=torch.float64, seed=1):
    """Queries, keys and values."""
    generator = torch.Generator().manual_seed(seed)
    shapes = ((*batch, n, width) for n in (mask.rows, mask.nodes, mask.nodes))
    return [torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype) for shape in shapes]
