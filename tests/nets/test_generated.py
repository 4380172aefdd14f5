"""Generated networks as a basis: derivatives against nested autograd, combinations, saving."""

import pytest
import torch

from physolve.errors import UnsupportedError
from physolve.jets import SINE, TANH, Architecture, plain_jet
from physolve.jets import JetLayout as Layout
from physolve.nets import Concatenated, Expansion, GeneratedBasis, JetAtom, TanhFeatures, rebuild_field

NETWORKS = {
    "gated": Architecture((2, 6, 6, 6, 1), TANH, bands=(0.1, 0.4), gated=True, center=(1.0, -2.0), slope=(2.0, 0.3)),
    "plain": Architecture((2, 5, 4, 3), SINE),
}
ORDERS = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]
COUNT = 3


def made(name):
    architecture = NETWORKS[name]
    generator = torch.Generator().manual_seed(3)
    weights = torch.randn(COUNT, architecture.count, generator=generator, dtype=torch.float64) / 2
    return architecture, weights, GeneratedBasis.of(architecture, weights)


def draw(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


def one(points):
    return torch.ones(len(points), dtype=torch.float64)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("orders", ORDERS)
def test_derivatives_agree_with_nested_autograd(name, orders):
    _, _, basis = made(name)
    x = draw(7, 2).requires_grad_(True)
    values = plain_jet(basis.architecture, basis.weights, x, Layout(2))[:, 0]  # (networks, n, width)
    expected = []
    for value in values.transpose(1, 2).reshape(-1, 7):
        for k in (axis for axis, count in enumerate(orders) for _ in range(count)):
            value = torch.autograd.grad(value.sum(), x, create_graph=True)[0][:, k]
        expected.append(value.detach())
    constant = one(x) if orders == (0, 0) else 0 * one(x)
    expected = torch.stack([*expected, constant], 1)
    assert expected.shape == (7, basis.size)
    found = basis.operate(x.detach(), {orders: one(x)})
    # second derivatives of the bands reach 60: rounding of 1e-12 of that
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_own_last_layers_give_the_networks_back(name):
    architecture, weights, basis = made(name)
    matrix, bias = architecture.split(weights)[-1]
    head = torch.cat([matrix.flatten(0, 1), bias.sum(0)[None]])
    x = draw(9, 2)
    layout = Layout(2, (0, 1), ((0, 0), (1, 1)))
    expected = plain_jet(architecture, weights, x, layout).sum(0)
    found = basis.combine(x, head, layout.multi_indices)
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-11)


def test_operator_and_combine_agree_across_chunks():
    _, _, basis = made("gated")
    x = draw(5000, 2)  # more than a chunk
    operator = {(0, 0): x[:, 0], (2, 0): one(x), (1, 1): -x[:, 1]}
    coefficients = draw(basis.size, 2)
    parts = basis.combine(x, coefficients, list(operator))
    expected = sum(c[:, None] * part for c, part in zip(operator.values(), parts, strict=True))
    torch.testing.assert_close(basis.operate(x, operator) @ coefficients, expected, rtol=1e-11, atol=1e-10)


def test_beside_random_features_it_is_rebuilt_from_what_was_saved():
    _, _, basis = made("gated")
    other = TanhFeatures.draw(4, torch.zeros(2).double(), one(draw(2, 2)), 2.0, torch.Generator().manual_seed(1))
    field = Expansion(Concatenated((basis, other)), draw(basis.size + 4, 2))
    again = rebuild_field(field.config(), field.tensors())
    atoms = [JetAtom(0, (2, 0)), JetAtom(1, (0, 0))]
    first, second = field.derivatives(draw(5, 2), atoms), again.derivatives(draw(5, 2), atoms)
    assert all(torch.equal(first[a], second[a]) for a in atoms)


def test_weights_of_float32_are_taken_in_float64():
    architecture, weights, basis = made("plain")
    assert GeneratedBasis.of(architecture, weights.float()).weights.dtype == torch.float64
    assert basis.weights.dtype == torch.float64


def test_refusals():
    architecture, weights, basis = made("plain")
    with pytest.raises(UnsupportedError, match="order 3"):
        basis.operate(draw(3, 2), {(2, 1): one(draw(3, 2))})
    with pytest.raises(ValueError, match=r"\(networks, count\)"):
        GeneratedBasis.of(architecture, weights[0])
    with pytest.raises(ValueError, match="expected"):
        GeneratedBasis.of(architecture, weights[:, 1:])
