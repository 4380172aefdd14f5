import math

import pytest
import torch

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


def test_networks_batch():
    network = MLP((2, 5, 1))
    single = [network.init(k) for k in range(3)]
    stacked = {name: torch.stack([w[name] for w in single]) for name in single[0]}
    values = network.apply(stacked, points())
    assert values.shape == (3, 6, 1)
    for k in range(3):
        assert torch.allclose(values[k], network.apply(single[k], points()), atol=1e-14)


def test_flatten_round_trip():
    network = MLP((2, 5, 4, 1))
    weights = network.init(0)
    vector = network.flatten(weights)
    assert vector.shape == (network.count,)
    back = network.unflatten(vector)
    assert all(torch.equal(back[name], weights[name]) for name in weights)
    stacked = {name: torch.stack([tensor, 2 * tensor]) for name, tensor in weights.items()}
    assert torch.equal(network.flatten(stacked), torch.stack([vector, 2 * vector]))


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
