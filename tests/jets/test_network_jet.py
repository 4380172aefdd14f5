"""The compiled kernels against their plain twin, and that against nested autograd written out by hand."""

import copy
import math
import pickle

import networks
import pytest
import torch

from physolve.errors import UnsupportedError
from physolve.jets import (
    GELU,
    SILU,
    SINE,
    TANH,
    Architecture,
    JetLayout,
    _network,
    has_kernel,
    kernels,
    network_jacobian,
    network_jet,
    network_pullback,
    plain_jacobian,
    plain_jet,
)

# float64: a few hundred sums; float32: what plain torch itself is off by is checked apart
TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-12}

combinations = pytest.mark.parametrize(
    ("architecture", "layout"),
    [
        pytest.param(a, make(a.dim), id=f"{name}-{kind}")
        for name, a in networks.ARCHITECTURES.items()
        for kind, make in networks.LAYOUTS.items()
    ],
)
with_compiled = pytest.mark.skipif(kernels().path == "plain", reason=f"plain torch: {kernels().reason}")


def hypino_by_hand(weights, points):
    """The target network of HyPINO as its paper states it, layer by layer."""
    sizes = [(22, 32)] * 3 + [(32, 32)] * 3 + [(32, 1)]
    layers, start = [], 0
    for i, o in sizes:
        layers.append((weights[start : start + i * o].view(i, o), weights[start + i * o : start + (i + 1) * o]))
        start += (i + 1) * o
    x, y = points[:, :1], points[:, 1:]
    bands = 2 * math.pi * weights.new_tensor(networks.BANDS)
    phi = torch.cat([torch.sin(x * bands), torch.sin(y * bands), torch.cos(x * bands), torch.cos(y * bands), x, y], 1)
    u, v, h = (torch.tanh(phi @ w + b) for w, b in layers[:3])
    for w, b in layers[3:6]:
        h = torch.tanh((u * h + v * (1 - h)) @ w + b)
    return h @ layers[6][0] + layers[6][1]


def nested_rows(function, points, layout):
    points = points.detach().requires_grad_()
    value = function(points)[:, 0]
    slope = torch.autograd.grad(value.sum(), points, create_graph=True)[0]
    second = {i: torch.autograd.grad(slope[:, i].sum(), points, create_graph=True)[0] for i in layout.first}
    return torch.stack([value, *(slope[:, i] for i in layout.first), *(second[i][:, j] for i, j in layout.second)])


@pytest.mark.parametrize("path", [plain_jet, network_jet])
def test_hypino_target_network_against_nested_autograd(path):
    architecture, layout = networks.ARCHITECTURES["hypino"], JetLayout.full(2)
    weights, points = networks.inputs(architecture, networks=1)
    assert architecture.count == 5409
    expected = nested_rows(lambda p: hypino_by_hand(weights[0], p), points[0], layout)
    assert networks.distance(path(architecture, weights[0], points[0], layout)[..., 0], expected) < 1e-12


@combinations
@pytest.mark.parametrize("dtype", networks.DTYPES, ids=str)
def test_forward_backward_and_rows_equal_plain_torch(architecture, layout, dtype):
    equal_to_plain(architecture, layout, *networks.inputs(architecture, dtype=dtype))


@pytest.mark.parametrize("dtype", networks.DTYPES, ids=str)
@pytest.mark.parametrize("off", [None, 0, -1], ids=["identity", "weight", "bias"])
def test_a_last_layer_that_is_the_identity_passes_on(dtype, off):
    """The kernel does not multiply by it; what almost is one does not mislead it, nor another network of the batch."""
    architecture = networks.ARCHITECTURES["gated"].with_outputs(9)
    weights, points = networks.inputs(architecture, 3, dtype=dtype)
    last = torch.cat([torch.eye(9).flatten(), torch.zeros(9)]).to(dtype)
    if off is not None:
        last[off] += 1e-3
    weights[1, -len(last) :] = last
    equal_to_plain(architecture, JetLayout.full(2), weights, points)


def equal_to_plain(architecture, layout, weights, points):
    """Jets, their gradients and Jacobian rows."""
    dtype = weights.dtype
    weights.requires_grad_()
    points.requires_grad_()
    found, plain = (jet(architecture, weights, points, layout) for jet in (network_jet, plain_jet))
    assert networks.distance(found, plain) < TOLERANCE[dtype]
    cotangents = networks.like(plain)
    for a, b in zip(
        torch.autograd.grad(found, (weights, points), cotangents),
        torch.autograd.grad(plain, (weights, points), cotangents, retain_graph=True, materialize_grads=True),
        strict=True,
    ):
        assert networks.distance(a, b) < TOLERANCE[dtype]
    rows = network_jacobian(architecture, weights, points, layout, cotangents)
    assert networks.distance(rows, plain_jacobian(architecture, weights, points, layout, cotangents)) < TOLERANCE[dtype]
    total = torch.autograd.grad(plain, weights, cotangents)[0]
    assert networks.distance(rows.sum(1), total) < TOLERANCE[dtype]


@pytest.mark.parametrize("name", ["gated", "uneven"])
def test_plain_rows_equal_torch_func(name):
    architecture = networks.ARCHITECTURES[name]
    layout = JetLayout.full(architecture.dim)
    weights, points = networks.inputs(architecture, 1, 4)
    coefficients = networks.like(plain_jet(architecture, weights, points, layout))

    def scalar(weight, point, coefficient):
        return (plain_jet(architecture, weight, point[None], layout)[:, 0] * coefficient).sum()

    expected = torch.func.vmap(torch.func.grad(scalar), in_dims=(None, 0, 1))(weights[0], points[0], coefficients[0])
    assert networks.distance(plain_jacobian(architecture, weights, points, layout, coefficients)[0], expected) < 1e-12


@with_compiled
@pytest.mark.parametrize("name", ["hypino", "uneven"])
def test_float32_is_as_accurate_as_plain_torch(name):
    """Against float64, root mean square over the jet and the gradient: at most twice what plain torch is off by."""
    architecture = networks.ARCHITECTURES[name]
    layout = JetLayout.full(architecture.dim)
    weights, points = networks.inputs(architecture, 4, 500)
    exact = plain_jet(architecture, weights, points, layout)
    cotangents = networks.like(exact)
    weights.requires_grad_()
    exact_gradient = torch.autograd.grad(plain_jet(architecture, weights, points, layout), weights, cotangents)[0]
    off = []
    for jet in (network_jet, plain_jet):
        single = weights.detach().float().requires_grad_()
        values = jet(architecture, single, points.float(), layout)
        gradient = torch.autograd.grad(values, single, cotangents.float())[0]
        off.append([float((values - exact).detach().norm()), float((gradient - exact_gradient).norm())])
    (kernel_jet, kernel_gradient), (torch_jet, torch_gradient) = off
    assert kernel_jet <= 2 * torch_jet
    assert kernel_gradient <= 2 * torch_gradient


@pytest.mark.parametrize("name", ["gated", "uneven"])
def test_gradcheck(name):
    architecture = networks.ARCHITECTURES[name]
    weights, points = networks.inputs(architecture, 1, 3)
    layout = JetLayout.full(architecture.dim)
    assert torch.autograd.gradcheck(
        lambda w, p: network_jet(architecture, w, p, layout), (weights.requires_grad_(), points.requires_grad_())
    )


def test_taylor_remainders_fall_with_the_square():
    architecture, layout = networks.ARCHITECTURES["hypino"], JetLayout.full(2)
    weights, points = networks.inputs(architecture, 1, 50)
    coefficients = networks.like(plain_jet(architecture, weights, points, layout))

    def loss(weights, points):
        return (network_jet(architecture, weights, points, layout) * coefficients).sum()

    leaves = weights.requires_grad_(), points.requires_grad_()
    value = loss(*leaves)
    slopes = torch.autograd.grad(value, leaves)
    steps = [networks.like(leaf, seed) for seed, leaf in enumerate(leaves)]
    remainders = []
    for h in (1e-4, 1e-5):
        moved = loss(*(leaf.detach() + h * step for leaf, step in zip(leaves, steps, strict=True)))
        linear = h * sum((s * d).sum() for s, d in zip(slopes, steps, strict=True))
        remainders.append(abs(float((moved - value - linear).detach())))
    assert math.log10(remainders[0] / remainders[1]) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("n", [0, 1, 23, 24, 25, 481])
def test_any_number_of_points(n):
    architecture, layout = networks.ARCHITECTURES["gated"], JetLayout.full(2)
    weights, points = networks.inputs(architecture, 3, n)
    weights.requires_grad_()
    found, plain = (jet(architecture, weights, points, layout) for jet in (network_jet, plain_jet))
    assert networks.distance(found, plain) < 1e-12
    gradients = [torch.autograd.grad(jets, weights, networks.like(plain))[0] for jets in (found, plain)]
    assert networks.distance(*gradients) < 1e-12
    assert network_jacobian(architecture, weights, points, layout, networks.like(plain)).shape == (
        3,
        n,
        architecture.count,
    )


def test_no_networks():
    architecture, layout = networks.ARCHITECTURES["gated"], JetLayout.full(2)
    weights, points = networks.inputs(architecture, 0, 5)
    assert network_jet(architecture, weights, points, layout).shape == (0, 6, 5, 2)


def test_leading_dims_broadcast():
    architecture, layout = networks.ARCHITECTURES["uneven"], JetLayout.full(3)
    weights, points = networks.inputs(architecture, 6, 5)
    expected = plain_jet(architecture, weights, points[0], layout)
    found = network_jet(architecture, weights.view(2, 3, -1), points[0], layout)
    assert found.shape == (2, 3, 10, 5, 2)
    assert networks.distance(found.flatten(0, 1), expected) < 1e-12
    one = network_jet(architecture, weights[0], points, layout)
    assert networks.distance(one, plain_jet(architecture, weights[0], points, layout)) < 1e-12


def test_gradient_of_shared_points_is_the_sum_over_networks():
    architecture, layout = networks.ARCHITECTURES["gated"], JetLayout.full(2)
    weights, points = networks.inputs(architecture, 3, 5)
    shared = points[0].clone().requires_grad_()
    gradients = [
        torch.autograd.grad(jet(architecture, weights, shared, layout).square().sum(), shared)[0]
        for jet in (network_jet, plain_jet)
    ]
    assert networks.distance(*gradients) < 1e-12


def test_strided_input():
    architecture, layout = networks.ARCHITECTURES["gated"], JetLayout.full(2)
    weights, points = networks.inputs(architecture, 3, 8)
    expected = network_jet(architecture, weights, points, layout)
    strided = torch.stack([weights, -weights], -1)[..., 0], points.flip(-1).flip(-1).mT.contiguous().mT
    assert not any(t.is_contiguous() for t in strided)
    assert torch.equal(network_jet(architecture, *strided, layout), expected)


def test_nan_weights_give_nan_and_others_stay():
    architecture, layout = networks.ARCHITECTURES["hypino"], JetLayout.full(2)
    weights, points = networks.inputs(architecture, 2, 30)
    weights[0, 100] = math.nan
    found = network_jet(architecture, weights, points, layout)
    assert found[0].isnan().all()
    assert networks.distance(found[1], plain_jet(architecture, weights, points, layout)[1]) < 1e-12


@pytest.mark.parametrize(
    ("activation", "size"), [(TANH, 100.0), (SINE, 30.0), (SINE, 1e3), (SINE, 1e5), (GELU, 1e6)], ids=str
)
@pytest.mark.parametrize("dtype", networks.DTYPES, ids=str)
def test_large_arguments(activation, size, dtype):
    """Saturated functions, and sines far beyond the range of the fast reduction, on integers: no rounding before it."""
    architecture, layout = Architecture((2, 40, 1), activation), JetLayout.full(2)
    weights, points = networks.inputs(architecture, 1, 40, dtype)
    weights[:, : 3 * 40] = (weights[:, : 3 * 40] * size).round()
    points = (3 * points).round()
    plain = plain_jet(architecture, weights, points, layout)
    assert torch.isfinite(plain).all()
    assert networks.distance(network_jet(architecture, weights, points, layout), plain) < TOLERANCE[dtype]


def test_results_do_not_depend_on_the_number_of_threads():
    architecture, layout = networks.ARCHITECTURES["hypino"], JetLayout.full(2)
    weights, points = networks.inputs(architecture, 1, 2000, torch.float32)
    before, gradients = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            leaf = weights.clone().requires_grad_()
            loss = network_jet(architecture, leaf, points, layout).square().sum()
            gradients.append(torch.autograd.grad(loss, leaf)[0])
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*gradients)


def test_what_the_kernels_do_not_know_goes_through_plain_torch():
    for architecture in (
        Architecture((2, 200, 1)),
        Architecture((2, 8, 1), SILU),
        Architecture((5, 8, 1)),
        Architecture((2, 1)),
        Architecture((2, *(4,) * 30, 1)),
    ):
        assert not has_kernel(architecture)
        weights, points = networks.inputs(architecture, 2, 4)
        layout = JetLayout.full(architecture.dim)
        found = network_jet(architecture, weights, points, layout)
        assert torch.equal(found, plain_jet(architecture, weights, points, layout))
        assert torch.isfinite(network_jacobian(architecture, weights, points, layout, networks.like(found))).all()


@with_compiled
@pytest.mark.parametrize("how", ["create_graph", "jacrev", "jvp"])
def test_derivatives_of_the_gradient_are_refused(how):
    architecture, layout = networks.ARCHITECTURES["gated"], JetLayout.full(2)
    weights, points = networks.inputs(architecture, 1, 3)

    def loss(weights):
        return network_jet(architecture, weights, points, layout).square().sum()

    if how == "create_graph":
        weights.requires_grad_()
        gradient = torch.autograd.grad(loss(weights), weights, create_graph=True)[0]
        with pytest.raises(UnsupportedError, match="plain_jet"):
            torch.autograd.grad(gradient.sum(), weights)
    elif how == "jacrev":
        with pytest.raises(UnsupportedError, match="plain_jet"):
            torch.func.jacrev(torch.func.grad(loss))(weights)
    else:
        with pytest.raises(NotImplementedError):
            torch.func.jvp(loss, (weights,), (weights,))


@with_compiled
def test_a_gradient_of_the_rows_is_refused():
    architecture, layout = networks.ARCHITECTURES["gated"], JetLayout.full(2)
    weights, points = networks.inputs(architecture, 1, 3)
    coefficients = networks.like(plain_jet(architecture, weights, points, layout))

    def total(weights):
        return network_jacobian(architecture, weights, points, layout, coefficients).sum()

    with pytest.raises(UnsupportedError, match="plain_jet"):
        total(weights.clone().requires_grad_()).backward()
    with pytest.raises(UnsupportedError, match="plain_jet"):
        torch.func.grad(total)(weights)


def test_copies_of_an_activation_are_known():
    architecture = networks.ARCHITECTURES["uneven"]
    assert has_kernel(copy.deepcopy(architecture))
    assert has_kernel(pickle.loads(pickle.dumps(architecture)))


def test_plain_twin_has_second_derivatives_in_the_weights():
    architecture, layout = networks.ARCHITECTURES["gated"], JetLayout.full(2)
    weights, points = networks.inputs(architecture, 1, 2)
    assert torch.autograd.gradgradcheck(
        lambda w: plain_jet(architecture, w, points, layout).square().sum(), weights.requires_grad_()
    )


ARCHITECTURE = networks.ARCHITECTURES["gated"]
WEIGHTS, POINTS = networks.inputs(ARCHITECTURE, 2, 5)
FULL = JetLayout.full(2)
COEFFICIENTS = torch.zeros(2, 6, 5, 2, dtype=torch.float64)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: network_jet(ARCHITECTURE, WEIGHTS.float(), POINTS, FULL), TypeError, "float32 and points of"),
        (lambda: network_jet(ARCHITECTURE, WEIGHTS.half(), POINTS.half(), FULL), TypeError, "float16"),
        (lambda: network_jet(ARCHITECTURE, WEIGHTS[:, :-1], POINTS, FULL), ValueError, r"expected \(\.\.\., 299\)"),
        (lambda: network_jet(ARCHITECTURE, WEIGHTS, POINTS[..., :1], FULL), ValueError, r"\(\.\.\., n, 2\)"),
        (lambda: network_jet(ARCHITECTURE, WEIGHTS, POINTS, JetLayout.full(3)), ValueError, "layout of 3"),
        (lambda: network_jet(ARCHITECTURE, WEIGHTS, POINTS[[0, 1, 0]], FULL), ValueError, "equal or broadcast"),
        (lambda: network_jet(ARCHITECTURE, WEIGHTS, POINTS[0, 0], FULL), ValueError, "got points of shape"),
        (lambda: network_jet(ARCHITECTURE, WEIGHTS, POINTS.to("meta"), FULL), ValueError, "points on meta"),
        (
            lambda: network_jacobian(ARCHITECTURE, WEIGHTS, POINTS, FULL, COEFFICIENTS[:, :-1]),
            ValueError,
            r"got coefficients of shape \(2, 5, 5, 2\)",
        ),
        (
            lambda: network_jacobian(ARCHITECTURE, WEIGHTS, POINTS, FULL, COEFFICIENTS.float()),
            ValueError,
            "torch.float32 on cpu, expected",
        ),
        (
            lambda: network_jacobian(ARCHITECTURE, WEIGHTS, POINTS, FULL, COEFFICIENTS.to("meta")),
            ValueError,
            "torch.float64 on meta, expected",
        ),
        (lambda: Architecture((2,)), ValueError, "at least two"),
        (lambda: Architecture((2, 0, 1)), ValueError, "all >= 1"),
        (lambda: Architecture((2, 4, 1), TANH, center=(0.0,)), ValueError, "expected 2 numbers"),
        (lambda: Architecture((2, 4, 1), TANH, bands=(math.inf,)), ValueError, "finite"),
        (lambda: Architecture((2, 4, 5, 1), gated=True), ValueError, "one width"),
        (lambda: Architecture((2, 4, 1)).split(torch.zeros(3)), ValueError, r"expected \(\.\.\., 17\)"),
    ],
)
def test_wrong_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("bands", [(), (0.5,)])
@pytest.mark.parametrize("path", [plain_jet, network_jet])
def test_autocast_does_not_lower_anything(path, bands):
    architecture = Architecture((2, 16, 1), bands=bands)
    weights, points = networks.inputs(architecture, 1, 9, torch.float32)
    expected = path(architecture, weights, points, FULL)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(path(architecture, weights, points, FULL), expected)


def test_the_plain_pullback_has_derivatives_and_works_anywhere(monkeypatch):
    monkeypatch.setattr(_network, "_compiled_on", lambda device: False)
    cotangents = networks.like(COEFFICIENTS)

    def pullback(weights, points=POINTS, cotangents=cotangents):
        return network_pullback(ARCHITECTURE, weights, points, FULL, cotangents)

    def jets(weights):
        return (plain_jet(ARCHITECTURE, weights, POINTS, FULL) * cotangents).sum()

    assert networks.distance(pullback(WEIGHTS), torch.func.grad(jets)(WEIGHTS)) < 1e-13
    found = torch.func.grad(lambda w: pullback(w).square().sum())(WEIGHTS)
    assert networks.distance(found, torch.func.grad(lambda w: torch.func.grad(jets)(w).square().sum())(WEIGHTS)) < 1e-13
    assert networks.distance(torch.func.vmap(pullback)(WEIGHTS, POINTS, cotangents), pullback(WEIGHTS)) < 1e-13
    with torch.inference_mode():
        assert networks.distance(pullback(WEIGHTS), torch.func.grad(jets)(WEIGHTS)) < 1e-13
