"""Sums of networks as fields: Glorot weights, derivatives against a plain network, saving, and where they come from."""

import math

import pytest
import torch

from physolve.jets import GELU, TANH, Architecture, JetLayout, plain_jet
from physolve.nets import PINN, Expansion, GeneratedBasis, JetAtom, PINNModel, rebuild_field

GATED = Architecture((2, 6, 6, 2), TANH, bands=(0.1, 0.4), gated=True, center=(1.0, -2.0), slope=(2.0, 0.3))
PLAIN = Architecture((2, 5, 4, 1), GELU)
LAYOUT = JetLayout.full(2)


def points(n=6):
    return torch.rand(n, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1


def field(architecture=GATED, networks=3):
    model = PINNModel(architecture, networks)
    return PINN(model, model.glorot(5) * 2)


def all_atoms(components):
    return [JetAtom(i, orders) for i in range(components) for orders in LAYOUT.multi_indices]


def test_size_of_the_compact_network():
    assert PINNModel(Architecture((2, *(32,) * 6, 1))).count == 5409


def test_glorot_weights_are_seeded_and_of_the_right_size():
    model = PINNModel(Architecture((300, 500, 1)), 2)
    one, two, other = model.glorot(3), model.glorot(3), model.glorot(4)
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    (matrix, bias), _ = model.architecture.split(one)
    # 300,000 draws: the standard deviation is known to 0.13 %
    assert float(matrix.std()) == pytest.approx(math.sqrt(2 / 800), rel=0.01)
    assert not bias.any()
    assert not torch.equal(matrix[0], matrix[1])
    assert torch.equal(one[:1], PINNModel(model.architecture).glorot(3))


def test_a_box_is_mapped_to_the_square():
    model = PINNModel.on_box(PLAIN, (0.0, -1.0), (4.0, 3.0))
    inner = PINNModel(PLAIN)
    weights = inner.glorot(1)
    x = points()
    there = torch.tensor([2.0, 1.0]) + 2 * x
    torch.testing.assert_close(model.apply(weights, there), inner.apply(weights, x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("architecture", [GATED, PLAIN], ids=["gated", "plain"])
def test_derivatives_are_those_of_the_sum(architecture):
    whole = field(architecture)
    expected = plain_jet(architecture, whole.weights, points(), LAYOUT).sum(0)
    found = whole.derivatives(points(), all_atoms(whole.components))
    for atom, value in found.items():
        torch.testing.assert_close(value, expected[LAYOUT.row(atom.orders), :, atom.unknown], rtol=1e-11, atol=1e-11)


def test_third_derivatives_agree_with_differences():
    whole, h = field(), 1e-5
    shift = torch.tensor([h, 0.0], dtype=torch.float64)
    second = JetAtom(1, (1, 1))
    up, down = (whole.derivatives(points() + sign * shift, [second])[second] for sign in (1, -1))
    third = JetAtom(1, (2, 1))
    found = whole.derivatives(points(), [third])[third]
    # central difference: h^2 and eps / h, both 1e-10
    torch.testing.assert_close(found, (up - down) / (2 * h), rtol=1e-7, atol=1e-7)


def test_saved_and_rebuilt():
    whole = field()
    again = rebuild_field(whole.config(), whole.tensors())
    assert again.config() == whole.config()
    assert torch.equal(again.values(points()), whole.values(points()))


def test_a_combination_of_a_generated_basis_is_a_network():
    """The other way round: networks, their last hidden layers as a basis, a head on it, and networks again."""
    weights = field().weights
    basis = GeneratedBasis.of(GATED, weights)
    head = torch.randn(basis.size, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    network = basis.network(head)
    assert network.model == PINNModel(GATED, 3)
    atoms = all_atoms(2)
    found, expected = network.derivatives(points(), atoms), Expansion(basis, head).derivatives(points(), atoms)
    for atom in atoms:
        torch.testing.assert_close(found[atom], expected[atom], rtol=1e-11, atol=1e-11)
    hidden = GATED.count - (6 + 1) * 2
    assert torch.equal(network.weights[:, :hidden], weights[:, :hidden])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PINNModel(PLAIN, 0), "networks=0"),
        (lambda: PINN(PINNModel(PLAIN, 2), PINNModel(PLAIN).glorot()), r"shape \(1, \d+\).*expected \(2, \d+\)"),
        (lambda: PINN(PINNModel(PLAIN), PINNModel(PLAIN).glorot().float()), "float32.*expected.*float64"),
    ],
)
def test_wrong_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
