"""The baseline: its size, its symmetries, and how far its messages go."""

import masks
import pytest
import torch

from physolve.errors import SpecificationError
from physolve.mesh import SMALL, MeshGraphNet, MeshTransformer


def small(steps=2):
    torch.manual_seed(0)
    n = 10
    chain = torch.stack([torch.arange(n - 1), torch.arange(1, n)])
    edges = torch.cat([chain, chain.flip(0)], 1)
    x, positions = torch.randn(n, 5, dtype=torch.float64), torch.rand(n, 2, dtype=torch.float64)
    return MeshGraphNet(5, 3, 2, steps=steps, width=16, edge_length=0.5).double(), x, edges, positions


def test_size_of_the_published_one():
    """2.3 M parameters; the small transformer has a quarter of them."""
    counts = [
        sum(p.numel() for p in model.parameters()) for model in (MeshGraphNet(11, 2, 2), MeshTransformer(11, 2, SMALL))
    ]
    assert counts[0] == pytest.approx(2.3e6, rel=0.03)
    assert counts[1] < counts[0] / 4


def test_messages_go_one_edge_a_step():
    model, x, edges, positions = small(steps=2)
    slope = torch.autograd.grad(model(x.requires_grad_(), edges, positions)[5].sum(), x)[0]
    assert (slope.abs().sum(1) > 0).nonzero().flatten().tolist() == [3, 4, 5, 6, 7]


def test_moved_and_renumbered_meshes():
    model, x, edges, positions = small()
    here, order = model(x, edges, positions), torch.randperm(10)
    assert masks.distance(model(x, edges, positions + 3.0), here) < 1e-12
    place = torch.argsort(order)
    assert masks.distance(model(x[order], place[edges], positions[order]), here[order]) < 1e-12


def test_inputs_that_do_not_fit():
    model, x, edges, positions = small()
    with pytest.raises(SpecificationError, match=r"got inputs \(10, 5\) and positions \(10, 1\)"):
        model(x, edges, positions[:, :1])
