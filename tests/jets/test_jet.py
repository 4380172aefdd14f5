"""Jets against nested autograd: same mathematics, other path, so they agree to rounding."""

import pytest
import torch

from physolve.jets import (
    ACTIVATIONS,
    RECIPROCAL,
    SINE,
    TANH,
    Jet,
    JetLayout,
    affine,
    compose,
    elementwise,
    multiply,
    seed_jet,
)

# a few dozen operations deep, values of order one: 1e3 rounding units
TOLERANCE = {torch.float32: 2e-4, torch.float64: 3e-13}
DTYPES = [torch.float32, torch.float64]


def nested(function, points, layout):
    """Rows by autograd: the value, then gradients, then gradients of gradients (points do not mix)."""
    points = points.detach().requires_grad_()
    value = function(points)
    columns = []
    for channel in value.unbind(-1):
        first = torch.autograd.grad(channel.sum(), points, create_graph=True)[0]
        rows = [channel, *(first[..., i] for i in layout.first)]
        for i, j in layout.second:
            graph = first[..., i].requires_grad
            second = torch.autograd.grad(first[..., i].sum(), points, create_graph=True)[0] if graph else first * 0
            rows.append(second[..., j])
        columns.append(torch.stack(rows, dim=-2))
    return torch.stack(columns, dim=-1)


def draw(*shape, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=dtype) * 2 - 1


def close(a, b, dtype):
    scale = max(1.0, float(b.detach().abs().max())) if b.numel() else 1.0
    assert a.dtype == b.dtype == dtype
    assert a.shape == b.shape
    assert torch.allclose(a, b, rtol=0, atol=TOLERANCE[dtype] * scale)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_elementwise_equals_nested_autograd(activation, dtype):
    shift = 2.5 if activation is RECIPROCAL else 0.1
    weight, bias = draw(2, 4, dtype=dtype), draw(4, dtype=dtype, seed=1) + shift
    points, layout = draw(7, 2, dtype=dtype, seed=2) * 0.5, JetLayout.full(2)
    jet = elementwise(activation, affine(seed_jet(points, layout), weight, bias))
    expected = nested(lambda p: (activation(p @ weight + bias)) + 0 * p.square().sum(-1, keepdim=True), points, layout)
    close(jet.tensor, expected, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("dim", [1, 2, 3, 4])
def test_product_equals_nested_autograd(dim, dtype):
    a, b = draw(dim, 3, dtype=dtype), draw(dim, 3, dtype=dtype, seed=1)
    points, layout = draw(5, dim, dtype=dtype, seed=2), JetLayout.full(dim)
    seed = seed_jet(points, layout)
    jet = elementwise(TANH, affine(seed, a)) * elementwise(SINE, affine(seed, b))
    close(jet.tensor, nested(lambda p: torch.tanh(p @ a) * torch.sin(p @ b), points, layout), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_composition_equals_nested_autograd(dtype):
    a, b = draw(2, 3, dtype=dtype), draw(3, 2, dtype=dtype, seed=1)
    points, layout = draw(6, 2, dtype=dtype, seed=2), JetLayout.full(2)
    inner = elementwise(TANH, affine(seed_jet(points, layout), a))
    outer = elementwise(SINE, affine(seed_jet(inner.value, JetLayout.full(3)), b))
    close(
        compose(outer, inner).tensor,
        nested(lambda p: torch.sin(torch.tanh(p @ a) @ b), points, layout),
        dtype,
    )


def test_sum_difference_scaling_and_channels():
    points, layout = draw(4, 2), JetLayout.full(2)
    a = elementwise(SINE, seed_jet(points, layout))
    b = elementwise(TANH, seed_jet(points, layout))
    expected = nested(lambda p: 2 * (torch.sin(p) + torch.tanh(p)) - torch.tanh(p), points, layout)
    close(((a + b).scaled(2.0) - b).tensor, expected, torch.float64)
    close((a + b)[1:].tensor, (a + b).tensor[..., 1:], torch.float64)


@pytest.mark.parametrize(
    "layout",
    [JetLayout(2), JetLayout(2, (1,)), JetLayout.of(2, [(1, 1)]), JetLayout.of(2, [(2, 0), (0, 1)])],
    ids=lambda layout: str(layout.multi_indices),
)
def test_subsets_are_rows_of_the_full_jet(layout):
    points, weight = draw(5, 2), draw(2, 3, seed=1)

    def run(which):
        jet = elementwise(TANH, affine(seed_jet(points, which), weight))
        return multiply(jet, elementwise(SINE, jet))

    part, full = run(layout), run(JetLayout.full(2))
    for orders in layout.multi_indices:
        assert torch.equal(part.derivative(orders), full.derivative(orders))


def test_networks_batch_over_shared_points():
    points, layout = draw(5, 2), JetLayout.full(2)
    weight, bias = draw(3, 2, 4, seed=1), draw(3, 4, seed=2)
    together = elementwise(TANH, affine(seed_jet(points, layout), weight, bias)).tensor
    assert together.shape == (3, 6, 5, 4)
    for k in range(3):
        alone = elementwise(TANH, affine(seed_jet(points, layout), weight[k], bias[k])).tensor
        close(together[k], alone, torch.float64)


def test_points_batch_with_networks():
    points, layout = draw(3, 5, 2), JetLayout.full(2)
    weight, bias = draw(3, 2, 4, seed=1), draw(3, 4, seed=2)
    together = affine(seed_jet(points, layout), weight, bias).tensor
    for k in range(3):
        close(together[k], affine(seed_jet(points[k], layout), weight[k], bias[k]).tensor, torch.float64)


@pytest.mark.parametrize("n", [0, 1])
def test_empty_input_and_one_point(n):
    points, layout = draw(n, 2), JetLayout.full(2)
    weight = draw(2, 3, seed=1)
    jet = elementwise(TANH, affine(seed_jet(points, layout), weight))
    assert jet.tensor.shape == (6, n, 3)
    if n:
        close(jet.tensor, nested(lambda p: torch.tanh(p @ weight), points, layout), torch.float64)


def test_non_contiguous_input():
    points, weight = draw(2, 9).T[::2], draw(3, 2, seed=1).T
    assert not points.is_contiguous()
    assert not weight.is_contiguous()
    layout = JetLayout.full(2)
    jet = elementwise(TANH, affine(seed_jet(points, layout), weight))
    again = elementwise(TANH, affine(seed_jet(points.contiguous(), layout), weight.contiguous()))
    close(jet.tensor, again.tensor, torch.float64)


def test_gradcheck_in_weights_and_points():
    layout = JetLayout.full(2)

    def function(points, weight, bias, out):
        jet = elementwise(TANH, affine(seed_jet(points, layout), weight, bias))
        return affine(multiply(jet, elementwise(SINE, jet)), out).tensor

    arguments = [draw(3, 2), draw(2, 3, seed=1), draw(3, seed=2), draw(3, 1, seed=3)]
    assert torch.autograd.gradcheck(function, [a.requires_grad_() for a in arguments])


def test_gradgradcheck():
    layout = JetLayout.full(1)

    def function(points, weight):
        return elementwise(TANH, affine(seed_jet(points, layout), weight)).tensor

    arguments = [draw(2, 1).requires_grad_(), draw(1, 2, seed=1).requires_grad_()]
    assert torch.autograd.gradgradcheck(function, arguments)


LAYOUT = JetLayout.full(2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: seed_jet(torch.zeros(3, 3), LAYOUT), ValueError, r"shape \(3, 3\), expected \(..., n, 2\)"),
        (lambda: seed_jet(torch.zeros(3, 2, dtype=torch.int64), LAYOUT), TypeError, "torch.int64"),
        (lambda: seed_jet(torch.zeros(3, 2).half(), LAYOUT), TypeError, "torch.float16"),
        (lambda: Jet(torch.zeros(5, 3, 1), LAYOUT), ValueError, r"expected \(..., 6, n, channels\)"),
        (lambda: Jet(torch.zeros(6, 3), LAYOUT), ValueError, "expected"),
        (
            lambda: affine(seed_jet(torch.zeros(3, 2), LAYOUT), torch.zeros(2, 2).double()),
            TypeError,
            "got weight of torch.float64, expected the jet's torch.float32",
        ),
        (
            lambda: affine(seed_jet(torch.zeros(3, 2), LAYOUT), torch.zeros(2, 2), torch.zeros(2).double()),
            TypeError,
            "got bias",
        ),
        (
            lambda: affine(seed_jet(torch.zeros(3, 2), LAYOUT), torch.zeros(3, 2)),
            ValueError,
            r"\(..., 2, outputs\)",
        ),
        (
            lambda: affine(seed_jet(torch.zeros(3, 2), LAYOUT), torch.zeros(2, 4), torch.zeros(3)),
            ValueError,
            "got bias of shape",
        ),
        (
            lambda: seed_jet(torch.zeros(3, 2), LAYOUT) * seed_jet(torch.zeros(3, 2), JetLayout(2)),
            ValueError,
            "expected equal ones",
        ),
        (
            lambda: compose(seed_jet(torch.zeros(3, 2), JetLayout(2)), seed_jet(torch.zeros(3, 2), LAYOUT)),
            ValueError,
            "expected the full layout of 2 variables",
        ),
    ],
)
def test_wrong_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
