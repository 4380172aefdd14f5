import math

import pytest
import torch

from physolve.jets import GELU, SINE, TANH, JetLayout, nested_derivatives, seed_jet, taped_dense_jet
from physolve.nets._mlp import MLP


def points(n=6, dim=2, dtype=torch.float64):
    return torch.rand(n, dim, generator=torch.Generator().manual_seed(0), dtype=dtype) * 2 - 1


def test_size_of_the_compact_network():
    assert MLP((2, *(32,) * 6, 1)).count == 5409


def test_init_is_glorot_and_seeded():
    network = MLP((300, 500, 1))
    one, two, other = network.init(3), network.init(3), network.init(4)
    assert all(torch.equal(one[k], two[k]) for k in one)
    assert not torch.equal(one["weight0"], other["weight0"])
    # 150,000 draws: the standard deviation is known to 0.2 %
    assert float(one["weight0"].std()) == pytest.approx(math.sqrt(2 / 800), rel=0.01)
    assert not one["bias0"].any()
    assert {t.dtype for t in network.init(0, torch.float32).values()} == {torch.float32}


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-4), (torch.float64, 1e-12)])
@pytest.mark.parametrize("activation", [TANH, SINE, GELU], ids=repr)
def test_jet_equals_exact_derivatives(activation, dtype, tolerance):
    network = MLP((2, 8, 8, 3), activation)
    weights, layout = network.init(1, dtype), JetLayout.full(2)
    jet = network.jet(weights, seed_jet(points(dtype=dtype), layout))
    exact = nested_derivatives(lambda p: network.apply(weights, p), points(dtype=dtype), layout.multi_indices)
    for orders, column in exact.items():
        assert jet.derivative(orders).dtype == dtype
        assert torch.allclose(jet.derivative(orders), column, atol=tolerance)


def test_networks_batch():
    network = MLP((2, 5, 1))
    single = [network.init(k) for k in range(3)]
    stacked = {name: torch.stack([w[name] for w in single]) for name in single[0]}
    values = network.apply(stacked, points())
    jets = network.jet(stacked, seed_jet(points(), JetLayout.full(2))).tensor
    assert values.shape == (3, 6, 1)
    for k in range(3):
        assert torch.allclose(values[k], network.apply(single[k], points()), atol=1e-14)
        alone = network.jet(single[k], seed_jet(points(), JetLayout.full(2))).tensor
        assert torch.allclose(jets[k], alone, atol=1e-14)


def test_flatten_round_trip():
    network = MLP((2, 5, 4, 1))
    weights = network.init(0)
    vector = network.flatten(weights)
    assert vector.shape == (network.count,)
    back = network.unflatten(vector)
    assert all(torch.equal(back[name], weights[name]) for name in weights)


@pytest.mark.parametrize("n", [0, 1, 7])
@pytest.mark.parametrize("orders", [[(0, 0)], [(2, 0), (0, 2)], [(1, 1), (1, 0)]], ids=str)
def test_point_gradients_equal_torch_func(n, orders):
    network = MLP((2, 6, 5, 2))
    weights, layout = network.init(2), JetLayout.of(2, orders)
    where = points(n)

    def scalar(vector, point):
        jet = network.jet(network.unflatten(vector), seed_jet(point[None], layout))
        return sum((k + 1) * (jet.derivative(o)[0, 0] + jet.derivative(o)[0, 1] ** 2) for k, o in enumerate(orders))

    jet, tape = taped_dense_jet(network.stack(weights), TANH, seed_jet(where, layout))
    total = sum(
        ((k + 1) * (jet.derivative(o)[:, 0] + jet.derivative(o)[:, 1] ** 2)).sum() for k, o in enumerate(orders)
    )
    found = tape.point_gradients(total)
    assert found.shape == (n, network.count)
    if n:
        expected = torch.func.vmap(torch.func.grad(scalar), in_dims=(None, 0))(network.flatten(weights), where)
        assert torch.allclose(found, expected, rtol=1e-12, atol=1e-12 * float(expected.abs().max()))


def test_point_gradients_of_groups_are_sums():
    network = MLP((2, 6, 1))
    jet, tape = taped_dense_jet(network.stack(network.init(0)), TANH, seed_jet(points(6), JetLayout.full(2)))
    total = jet.tensor.square().sum()
    alone, pairs = tape.point_gradients(total), tape.point_gradients(total, group=2)
    assert torch.allclose(pairs, alone.view(3, 2, -1).sum(1), atol=1e-13)


def test_gradcheck_in_weights():
    network = MLP((2, 4, 1))
    seed = seed_jet(points(3), JetLayout.full(2))
    vector = network.flatten(network.init(0)).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: network.jet(network.unflatten(v), seed).tensor, (vector,))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MLP((2,)), "expected at least two"),
        (lambda: MLP((2, 0, 1)), "all >= 1"),
        (lambda: MLP((2, 3)).apply({}, points()), "weights have no 'weight0'"),
        (lambda: MLP((2, 3)).apply(MLP((2, 4)).init(0), points()), r"weight0 of shape \(2, 4\)"),
        (lambda: MLP((2, 3)).unflatten(torch.zeros(8)), r"expected \(9,\)"),
    ],
)
def test_wrong_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
