"""The compiled operations as torch sees them: opcheck, torch.func, torch.compile, and what they refuse themselves."""

from functools import partial

import networks
import pytest
import torch
from torch.autograd import forward_ad

from physolve.errors import UnsupportedError
from physolve.jets import (
    Architecture,
    JetLayout,
    kernels,
    network_jacobian,
    network_jet,
    network_pullback,
    plain_jacobian,
    plain_jet,
)
from physolve.jets._network import _as_rows
from physolve.jets._rules import arguments_of

pytestmark = pytest.mark.skipif(kernels().path == "plain", reason=f"plain torch: {kernels().reason}")

ARCHITECTURE, LAYOUT = networks.ARCHITECTURES["gated"], JetLayout.full(2)
WEIGHTS, POINTS = networks.inputs(ARCHITECTURE, 3, 5)
COTANGENTS = networks.like(plain_jet(ARCHITECTURE, WEIGHTS, POINTS, LAYOUT))
ARGUMENTS = arguments_of(ARCHITECTURE, LAYOUT)


@pytest.mark.parametrize("points", [POINTS, POINTS[0]], ids=["own", "shared"])
def test_opcheck(points):
    leaves = points.clone().requires_grad_(), WEIGHTS.clone().requires_grad_()
    operations = torch.ops.physolve
    torch.library.opcheck(operations.jet_forward.default, (*leaves, *ARGUMENTS))
    torch.library.opcheck(operations.jet_backward.default, (COTANGENTS, points, WEIGHTS, *ARGUMENTS, True))
    torch.library.opcheck(operations.jet_backward.default, (COTANGENTS, points, WEIGHTS, *ARGUMENTS, False))
    torch.library.opcheck(operations.jet_jacobian.default, (COTANGENTS, points, WEIGHTS, *ARGUMENTS))


def loss(jet):
    return lambda weights, points: jet(ARCHITECTURE, weights, points, LAYOUT).square().sum()


@pytest.mark.parametrize(
    "transform",
    [
        lambda f: torch.func.vmap(f)(WEIGHTS, POINTS),
        lambda f: torch.func.vmap(f, in_dims=(0, None))(WEIGHTS, POINTS[0]),
        lambda f: torch.func.vmap(f, in_dims=(None, 0))(WEIGHTS, POINTS),
        lambda f: torch.func.vmap(f, in_dims=(1, 1))(WEIGHTS.T, POINTS.movedim(0, 1)),
        lambda f: torch.func.grad(f)(WEIGHTS, POINTS),
        lambda f: torch.func.grad(f, argnums=1)(WEIGHTS, POINTS[0]),
        lambda f: torch.func.vmap(torch.func.grad(f))(WEIGHTS, POINTS),
        lambda f: torch.func.vmap(torch.func.grad(f, argnums=1), in_dims=(0, None))(WEIGHTS, POINTS[0]),
        lambda f: torch.func.vmap(torch.func.grad(f, argnums=1), in_dims=(None, 0))(WEIGHTS, POINTS),
        lambda f: torch.func.vmap(torch.func.vmap(f, in_dims=(None, 0)), in_dims=(0, None))(WEIGHTS, POINTS),
        lambda f: torch.func.jacrev(lambda w: torch.stack([f(w, POINTS), f(2 * w, POINTS)]))(WEIGHTS),
        lambda f: torch.compile(f, fullgraph=True)(WEIGHTS, POINTS),
        lambda f: torch.compile(torch.func.grad(f), fullgraph=True, backend="aot_eager")(WEIGHTS, POINTS),
        lambda f: torch.compile(torch.func.vmap(torch.func.grad(f)), backend="aot_eager")(WEIGHTS, POINTS),
        lambda f: torch.compile(lambda w: torch.func.jvp(f, (w, POINTS), (w, POINTS))[1], backend="eager")(WEIGHTS),
    ],
    ids=lambda f: "",
)
def test_transforms_agree_with_plain_torch(transform):
    assert networks.distance(transform(loss(network_jet)), transform(loss(plain_jet))) < 1e-12


@pytest.mark.parametrize("jacobian", [network_jacobian, plain_jacobian])
def test_transforms_of_jacobian_rows(jacobian):
    def rows(w, p, c):
        return jacobian(ARCHITECTURE, w, p, LAYOUT, c)

    inputs = WEIGHTS, POINTS, COTANGENTS
    expected = rows(*inputs)
    assert networks.distance(expected, plain_jacobian(ARCHITECTURE, WEIGHTS, POINTS, LAYOUT, COTANGENTS)) < 1e-12
    assert networks.distance(torch.func.vmap(rows)(*inputs), expected) < 1e-12
    assert networks.distance(torch.compile(rows, backend="aot_eager")(*inputs), expected) < 1e-12


def test_compiled_gradient():
    gradients = []
    for function in (torch.compile(loss(network_jet)), loss(plain_jet)):
        leaves = WEIGHTS.clone().requires_grad_(), POINTS.clone().requires_grad_()
        gradients.append(torch.autograd.grad(function(*leaves), leaves))
    for a, b in zip(*gradients, strict=True):
        assert networks.distance(a, b) < 1e-12


def test_rows_written_into_a_part_of_a_matrix():
    matrix = torch.full((7, 310), 3.0, dtype=torch.float64)
    place = matrix[1:6, 4:303]
    expected = plain_jacobian(ARCHITECTURE, WEIGHTS[0], POINTS[0], LAYOUT, COTANGENTS[0])
    network_jacobian(ARCHITECTURE, WEIGHTS[0], POINTS[0], LAYOUT, COTANGENTS[0], place)
    assert networks.distance(place, expected) < 1e-12
    place.fill_(3.0)
    assert bool((matrix == 3.0).all())
    strided = matrix.new_zeros(299, 5).mT
    network_jacobian(ARCHITECTURE, WEIGHTS[0], POINTS[0], LAYOUT, COTANGENTS[0], strided)
    assert (
        networks.distance(strided, plain_jacobian(ARCHITECTURE, WEIGHTS[0], POINTS[0], LAYOUT, COTANGENTS[0])) < 1e-12
    )
    for wrong in (matrix[:5, :300], torch.zeros(1, 5, 299), torch.zeros(5, 299)):
        with pytest.raises(ValueError, match="got out of shape"):
            network_jacobian(ARCHITECTURE, WEIGHTS[0], POINTS[0], LAYOUT, COTANGENTS[0], wrong)
    with pytest.raises(RuntimeError, match="rows of consecutive numbers"):
        torch.ops.physolve.jet_jacobian_out(
            matrix.new_zeros(1, 299, 5).mT, COTANGENTS[:1], POINTS[:1], WEIGHTS[:1], *ARGUMENTS
        )


@pytest.mark.parametrize(
    ("make", "direct"),
    [
        (lambda: torch.full((2, 3, 5, 299), 3.0, dtype=torch.float64), True),
        (lambda: torch.full((2, 3, 5, 304), 3.0, dtype=torch.float64)[..., 2:301], True),
        (lambda: torch.full((2, 3, 7, 299), 3.0, dtype=torch.float64)[:, :, 1:6], False),
        (lambda: torch.full((2, 3, 299, 5), 3.0, dtype=torch.float64).mT, False),
    ],
    ids=["whole", "columns", "rows", "transposed"],
)
def test_rows_of_a_batch_written_into_memory_that_is_there(make, direct):
    weights, points = networks.inputs(ARCHITECTURE, 6, 5)
    inputs = weights.view(2, 3, -1), points.view(2, 3, 5, 2)
    coefficients = networks.like(plain_jet(ARCHITECTURE, *inputs, LAYOUT))
    out = make()
    assert (_as_rows(out) is not None) == direct
    assert network_jacobian(ARCHITECTURE, *inputs, LAYOUT, coefficients, out) is out
    assert networks.distance(out, plain_jacobian(ARCHITECTURE, *inputs, LAYOUT, coefficients)) < 1e-12
    out.fill_(3.0)
    whole = torch.empty(0, dtype=torch.float64).set_(out.untyped_storage())
    assert bool((whole == 3.0).all())


def changed(position, value):
    """The arguments of the operation with one of them replaced."""
    arguments = list(ARGUMENTS)
    arguments[position] = value
    return POINTS, WEIGHTS, *arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (changed(0, [2]), "got 1 sizes"),
        (changed(0, [5, 9, 9, 2]), "got 5 inputs"),
        (changed(0, [2, 129, 129, 2]), "width 129"),
        (changed(0, [2, 9, 8, 2]), "one width"),
        (changed(1, 7), "out of range"),
        (changed(4, [0.0]), "out of range"),
        (changed(6, [2]), "no coordinate 2"),
        (changed(6, [0]), "needs its first one"),
        ((POINTS, WEIGHTS[:, :-1], *ARGUMENTS), "got weights of shape"),
        ((POINTS[:2], WEIGHTS, *ARGUMENTS), "got points of shape"),
        ((POINTS.float(), WEIGHTS, *ARGUMENTS), "expected both Float or both Double"),
        (changed(0, [2**32 + 2, 9, 9, 2]), "got 4294967298 inputs"),
        ((POINTS.half(), WEIGHTS.half(), *ARGUMENTS), "expected both Float or both Double"),
    ],
)
def test_the_operation_checks_for_itself(arguments, message):
    """A direct call must not read beyond its tensors."""
    with pytest.raises(RuntimeError, match=message):
        torch.ops.physolve.jet_forward(*arguments)


OPERATIONS = {
    "forward": lambda w: torch.ops.physolve.jet_forward(POINTS, w, *ARGUMENTS),
    "backward": lambda w: torch.ops.physolve.jet_backward(COTANGENTS, POINTS, w, *ARGUMENTS, False)[0],
    "jacobian": lambda w: torch.ops.physolve.jet_jacobian(COTANGENTS, POINTS, w, *ARGUMENTS),
    "jacobian_out": lambda w: torch.ops.physolve.jet_jacobian_out(
        w.new_empty(3, 5, 299), COTANGENTS, POINTS, w, *ARGUMENTS
    ),
}


def with_dual_weights(function):
    with forward_ad.dual_level():
        return function(forward_ad.make_dual(WEIGHTS, WEIGHTS))


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize(
    "transform",
    [
        with_dual_weights,
        lambda f: torch.func.jvp(f, (WEIGHTS,), (WEIGHTS,)),
        lambda f: torch.no_grad()(torch.func.jvp)(f, (WEIGHTS,), (WEIGHTS,)),
        lambda f: torch.func.jvp(torch.func.vmap(lambda w: f(w + WEIGHTS)), (WEIGHTS,), (WEIGHTS,)),
        lambda f: torch.func.vmap(lambda w: torch.func.jvp(f, (w + WEIGHTS,), (WEIGHTS,)))(WEIGHTS),
    ],
    ids=["dual", "jvp", "no_grad", "jvp of vmap", "vmap of jvp"],
)
def test_a_tangent_is_refused(transform, operation, request):
    """It would be dropped, and the derivative a wrong zero."""
    if "vmap" in request.node.name and "jacobian_out" in request.node.name:
        pytest.skip("an operation that writes its argument has no rule for vmap")
    with pytest.raises(NotImplementedError, match=r"no forward-mode derivative.*plain_jet"):
        transform(operation)


@pytest.mark.parametrize("function", [network_jet, network_jacobian])
def test_a_tangent_is_refused_around_torch_compile(function):
    rest = () if function is network_jet else (COTANGENTS,)
    compiled = torch.compile(lambda w: function(ARCHITECTURE, w, POINTS, LAYOUT, *rest), backend="aot_eager")
    with pytest.raises(NotImplementedError, match="jvp"):
        torch.func.jvp(compiled, (WEIGHTS,), (WEIGHTS,))


def test_what_was_never_used_before_can_be_traced():
    """Cached properties have locks (Python 3.11), which cannot be."""
    architecture, layout = Architecture((2, 7, 1)), JetLayout.of(2, [(1, 1)])
    weights = torch.linspace(-1, 1, 29)
    for jet in (network_jet, plain_jet):
        compiled = torch.compile(partial(jet, architecture), fullgraph=True, backend="eager")
        assert compiled(weights, torch.ones(3, 2), layout).shape == (4, 3, 1)


def test_no_samples():
    none = WEIGHTS[:0]
    jets = torch.func.vmap(lambda w: network_jet(ARCHITECTURE, w, POINTS[0], LAYOUT))(none)
    assert jets.shape == (0, 6, 5, 2)
    gradients = torch.func.vmap(torch.func.grad(lambda w: loss(network_jet)(w, POINTS[0])))(none)
    assert gradients.shape == none.shape


@pytest.mark.parametrize("of", ["weights", "cotangents"])
def test_a_derivative_of_the_pullback_is_refused(of):
    weights, cotangents = (x.clone().requires_grad_(of == name) for x, name in ((WEIGHTS, "weights"), (COTANGENTS, of)))
    gradient = network_pullback(ARCHITECTURE, weights, POINTS, LAYOUT, cotangents)
    with pytest.raises(UnsupportedError, match="plain_jet"):
        gradient.sum().backward()


def test_a_matrix_with_a_gradient_of_its_own_takes_no_rows():
    out = torch.zeros(3, 5, 299, dtype=torch.float64, requires_grad=True)
    with pytest.raises(ValueError, match="out requires a gradient"):
        network_jacobian(ARCHITECTURE, WEIGHTS, POINTS, LAYOUT, COTANGENTS, out)


def test_cotangents_of_another_shape_are_refused():
    with pytest.raises(RuntimeError, match="got cotangents of shape"):
        torch.ops.physolve.jet_backward(COTANGENTS[:, 1:], POINTS, WEIGHTS, *ARGUMENTS, False)
