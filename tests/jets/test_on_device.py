"""The kernels on a GPU against plain torch on the host; skipped where there is none."""

import networks
import pytest
import torch

from physolve.jets import JetLayout, kernels, network_jacobian, network_jet, plain_jacobian, plain_jet
from physolve.jets._agreement import disagreement

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available() or not kernels().cuda, reason="no GPU for which the kernels are built"
)

TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-12}


@pytest.mark.parametrize("dtype", networks.DTYPES, ids=str)
@pytest.mark.parametrize("kind", networks.LAYOUTS)
@pytest.mark.parametrize("name", networks.ARCHITECTURES)
def test_forward_backward_and_rows(name, kind, dtype):
    architecture = networks.ARCHITECTURES[name]
    layout = networks.LAYOUTS[kind](architecture.dim)
    here = [t.requires_grad_() for t in networks.inputs(architecture, 3, 300, dtype)]
    there = [t.detach().cuda().requires_grad_() for t in here]
    plain, found = plain_jet(architecture, *here, layout), network_jet(architecture, *there, layout)
    cotangents = networks.like(plain)
    rows = (
        plain_jacobian(architecture, *here, layout, cotangents),
        network_jacobian(architecture, *(t.detach() for t in there), layout, cotangents.cuda()),
    )
    gradients = zip(
        torch.autograd.grad(plain, here, cotangents, materialize_grads=True),
        torch.autograd.grad(found, there, cotangents.cuda()),
        strict=True,
    )
    for expected, got in ((plain, found), rows, *gradients):
        assert networks.distance(got.cpu(), expected) < TOLERANCE[dtype]


def test_the_device_agrees():
    assert disagreement("cuda") < 1e-5


@pytest.mark.parametrize("n", [0, 1, 31, 32, 33])
def test_any_number_of_points(n):
    architecture, layout = networks.ARCHITECTURES["gated"], JetLayout.full(2)
    weights, points = networks.inputs(architecture, 2, n)
    expected = plain_jet(architecture, weights, points, layout)
    assert networks.distance(network_jet(architecture, weights.cuda(), points.cuda(), layout).cpu(), expected) < 1e-12


@pytest.mark.parametrize("dtype", networks.DTYPES, ids=str)
def test_more_networks_than_blocks(dtype):
    architecture, layout = networks.ARCHITECTURES["hypino"], networks.LAYOUTS["laplacian"](2)
    here = [t.requires_grad_() for t in networks.inputs(architecture, 300, 130, dtype)]
    there = [t.detach().cuda().requires_grad_() for t in here]
    plain, found = plain_jet(architecture, *here, layout), network_jet(architecture, *there, layout)
    cotangents = networks.like(plain)
    expected = torch.autograd.grad(plain, here[0], cotangents)[0]
    gradient = torch.autograd.grad(found, there[0], cotangents.cuda())[0]
    assert networks.distance(found.cpu(), plain) < TOLERANCE[dtype]
    assert networks.distance(gradient.cpu(), expected) < TOLERANCE[dtype]


def test_vmap_over_networks():
    architecture, layout = networks.ARCHITECTURES["gated"], JetLayout.full(2)
    weights, points = networks.inputs(architecture, 4, 50)

    def loss(weight, place):
        return network_jet(architecture, weight, place, layout).square().sum()

    found = torch.func.vmap(torch.func.grad(loss))(weights.cuda(), points.cuda()).cpu()
    assert networks.distance(found, torch.func.vmap(torch.func.grad(loss))(weights, points)) < 1e-12


def test_two_devices_are_refused():
    architecture = networks.ARCHITECTURES["gated"]
    weights, points = networks.inputs(architecture, 2, 5)
    with pytest.raises(ValueError, match="got weights on cpu and points on cuda"):
        network_jet(architecture, weights, points.cuda(), JetLayout.full(2))
