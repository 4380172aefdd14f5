"""The mesh transformer: equal to the published one, and what must hold for any weights."""

import dataclasses
import importlib.util
import json

import masks
import numpy as np
import pytest
import torch

from physolve.errors import SpecificationError
from physolve.mesh import (
    LARGE,
    MEDIUM,
    SMALL,
    AttentionMask,
    MeshTransformer,
    TransformerSizes,
    attention_mask,
    mesh_edges,
    plain_attention,
)
from physolve.mesh import _transformer as transformer_module

TINY = TransformerSizes(blocks=2, width=16, heads=4, rotary=2, gated=True)


def filled(shared_data, kind):
    """The fixture's parameters; published networks hold float32, in which the fixture's numbers were rounded.

    The frequencies were filled like the rest, so that they differ from block to block.
    """
    place = shared_data / "parity"
    spec = importlib.util.spec_from_file_location("fill", place / "fill.py")
    fill = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fill)
    shapes = json.loads((place / f"mesh_transformer_{kind}_state_dict.json").read_text())
    return {name: torch.as_tensor(fill.values(name, tuple(s))).float().double() for name, s in shapes.items()}


@pytest.fixture(scope="module")
def fixture(shared_data):
    file = shared_data / "parity" / "mesh_transformer.npz"
    if not file.is_file():
        pytest.skip(f"no parity data at {file.parent}")
    return dict(np.load(file))


@pytest.mark.parametrize(("kind", "rotary"), [("plain", 0), ("rope_gated", 2)])
def test_equals_the_published_network(shared_data, fixture, kind, rotary):
    sizes = TransformerSizes(blocks=4, width=64, heads=4, rotary=rotary, gated=rotary > 0)
    model = MeshTransformer(11, 2, sizes).double()
    model.load_state_dict(filled(shared_data, kind))
    points = torch.from_numpy(fixture["points"])
    edges = torch.from_numpy(mesh_edges({"triangle": fixture["triangles"]}, len(points)))
    with torch.no_grad():
        found = model(torch.from_numpy(fixture["x"]), attention_mask(points, edges), points).numpy()
    expected = fixture[f"y_{kind}"]
    assert np.abs(found - expected).max() < 1e-9 * np.abs(expected).max()


@pytest.mark.parametrize(("sizes", "millions"), [(SMALL, 0.33), (MEDIUM, 3.3), (LARGE, 52.8)])
def test_sizes(sizes, millions):
    with torch.device("meta"):
        model = MeshTransformer(11, 2, sizes)
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, rel=0.03)


def small(sizes=TINY, **options):
    torch.manual_seed(0)
    mask = masks.random_mask(12, 12, 60)
    x, positions = torch.randn(12, 5, dtype=torch.float64), torch.rand(12, 2, dtype=torch.float64)
    return MeshTransformer(5, 3, sizes, **options).double(), x, mask, positions


def test_renumbered_nodes_give_renumbered_outputs():
    model, x, mask, positions = small()
    order = torch.randperm(12)
    place = torch.argsort(order)
    moved = AttentionMask.of_edges(place[mask.edge_index()], 12)
    assert masks.distance(model(x[order], moved, positions[order]), model(x, mask, positions)[order]) < 1e-13


def test_rotary_codes_see_differences_of_positions_only():
    model, x, mask, positions = small()
    here = model(x, mask, positions)
    assert masks.distance(model(x, mask, positions + 7.3), here) < 1e-11
    assert masks.distance(model(x, mask, positions * 1.5), here) > 1e-5


def test_a_node_depends_on_what_its_mask_reaches_and_no_more():
    """Two blocks along a chain: two steps."""
    n = 12
    chain = torch.stack([torch.arange(n - 1), torch.arange(1, n)])
    mask = attention_mask(torch.rand(n, 2), torch.cat([chain, chain.flip(0)], 1))
    model, x, _, positions = small()
    slope = torch.autograd.grad(model(x.requires_grad_(), mask, positions)[6].sum(), x)[0]
    assert (slope.abs().sum(1) > 0).nonzero().flatten().tolist() == [4, 5, 6, 7, 8]


def test_a_batch_of_states_on_one_mesh():
    model, x, mask, positions = small()
    states = torch.stack([x, -x, 2 * x])
    assert masks.distance(model(states, mask, positions)[1], model(-x, mask, positions)) < 1e-13


def test_checkpointing_changes_no_gradient():
    gradients = []
    for checkpointing in (False, True):
        model, x, mask, positions = small(checkpointing=checkpointing)
        model(x, mask, positions).square().sum().backward()
        gradients.append([p.grad for p in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_kernel_and_plain_torch_give_one_network(monkeypatch):
    model, x, mask, positions = small()
    found = model(x, mask, positions)
    monkeypatch.setattr(transformer_module, "masked_attention", plain_attention)
    assert masks.distance(found, model(x, mask, positions)) < 1e-13


def test_autocast_attends_in_single_precision():
    model, x, mask, positions = small()
    model = model.float()
    exact = model(x.float(), mask, positions)
    with torch.autocast("cpu", torch.bfloat16):
        out = model(x.float(), mask, positions)
    assert out.dtype == torch.bfloat16
    assert masks.distance(out.float(), exact) < 0.05  # 8 bits, a dozen layers


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"heads": 3}, "got 3 heads for width 16"),
        ({"blocks": 0}, "got blocks = 0"),
        ({"rotary": 3}, "got positions of dimension 3 for 4 channels"),
    ],
)
def test_sizes_that_do_not_fit(change, message):
    with pytest.raises(SpecificationError, match=message):
        dataclasses.replace(TINY, **change)


def test_inputs_that_do_not_fit():
    model, x, mask, positions = small()
    with pytest.raises(SpecificationError, match=r"got inputs of shape \(12, 4\), expected \(..., nodes, 5\)"):
        model(x[:, 1:], mask, positions)
    with pytest.raises(SpecificationError, match=r"got positions None, expected \(12, 2\)"):
        model(x, mask)
    with pytest.raises(SpecificationError, match="got a mask of 7 rows for 12 nodes, expected one for each"):
        model(x, masks.random_mask(7, 12, 30), positions)


def test_a_block_with_fewer_rows_is_a_block_s_first_rows():
    """Rows are the first nodes: the same edges, of the first seven only."""
    model, x, mask, positions = small()
    z, edges = model.nodes_encoder(x), mask.edge_index()
    few = AttentionMask.of_edges(edges[:, edges[0] < 7], 7, 12)
    for block in model.processor_list:
        found = block(z, few, positions)
        assert found.shape == (7, 16)
        assert masks.distance(found, block(z, mask, positions)[:7]) < 1e-13
