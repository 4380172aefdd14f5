"""The compiled attention as torch sees it: opcheck, torch.compile, and what the operations refuse themselves."""

import masks
import pytest
import torch

from physolve.errors import UnsupportedError
from physolve.mesh import attention_kernels, masked_attention, plain_attention

pytestmark = pytest.mark.skipif(
    attention_kernels().path == "plain", reason=f"plain torch: {attention_kernels().reason}"
)

MASK = masks.random_mask(9, 8, 30)
Q, K, V = masks.inputs(MASK, 16)
ROWS = [MASK.begin, MASK.node, MASK.transposed_begin, MASK.transposed_node]
REST = [*ROWS, 4, 0.5]


def changed(position, value):
    """The arguments after the values with one of them replaced."""
    arguments = list(REST)
    arguments[position] = value
    return arguments


def entry(tensor, index, value):
    tensor = tensor.clone()
    tensor[index] = value
    return tensor


def test_opcheck():
    operations = torch.ops.physolve
    leaves = [x.clone().requires_grad_() for x in (Q, K, V)]
    torch.library.opcheck(operations.attention_forward.default, (*leaves, *REST))
    _, norms = operations.attention_forward(Q, K, V, *REST)
    torch.library.opcheck(operations.attention_backward.default, (Q.clone(), Q, K, V, norms, *REST))


def loss(attention):
    return lambda q, k, v: attention(q, k, v, MASK, 4).square().sum()


@pytest.mark.parametrize(
    "transform",
    [
        lambda f: torch.func.grad(f)(Q, K, V),
        lambda f: torch.func.grad(f, argnums=2)(Q[0], K[0], V[0]),
        lambda f: torch.func.vmap(f)(Q, K, V),
        lambda f: torch.func.vmap(f, in_dims=(0, None, None))(Q, K[0], V[0]),
        lambda f: torch.func.vmap(f, in_dims=(2, 2, 2))(*(x.movedim(0, 2) for x in (Q, K, V))),
        lambda f: torch.func.vmap(torch.func.grad(f, argnums=1), in_dims=(None, 0, 0))(Q[0], K, V),
        lambda f: torch.func.jacrev(lambda q: torch.stack([f(q, K, V), f(2 * q, K, V)]))(Q),
        lambda f: torch.compile(torch.func.grad(f), fullgraph=True, backend="aot_eager")(Q, K, V),
    ],
    ids=lambda f: "",
)
def test_transforms_agree_with_plain_torch(transform):
    assert masks.distance(transform(loss(masked_attention)), transform(loss(plain_attention))) < 1e-12


def test_no_samples():
    attend = torch.func.vmap(lambda q: masked_attention(q, K[0], V[0], MASK, 4))
    assert attend(Q[:0]).shape == Q[:0].shape


def test_vmap_over_masks_is_refused():
    with pytest.raises(UnsupportedError, match="block_diagonal"):
        torch.func.vmap(lambda node: torch.ops.physolve.attention_forward(Q, K, V, ROWS[0], node, *REST[2:])[0])(
            torch.stack([ROWS[1], ROWS[1]])
        )


def test_compiled_by_torch():
    gradients = []
    for function in (torch.compile(masked_attention, fullgraph=True, backend="aot_eager"), plain_attention):
        leaves = [x.clone().requires_grad_() for x in (Q, K, V)]
        gradients.append(torch.autograd.grad(function(*leaves, MASK, 4).square().sum(), leaves))
    for a, b in zip(*gradients, strict=True):
        assert masks.distance(a, b) < 1e-13


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        (changed(0, ROWS[0][:-1]), r"got a mask of shapes \[9\]"),
        (changed(0, ROWS[0].long()), "got a mask of Long and Int"),
        (changed(0, entry(ROWS[0], 0, 1)), "do not rise from 0"),
        (changed(0, entry(ROWS[0], 3, 99)), "do not rise from 0"),
        (changed(0, entry(ROWS[0], -1, 5)), "do not rise from 0"),
        (changed(1, entry(ROWS[1], 2, 8)), "has a node outside 0 ... 7"),
        (changed(1, entry(ROWS[1], 2, -1)), "has a node outside 0 ... 7"),
        (changed(1, ROWS[1][:-1]), "edges and a transpose of"),
        (changed(2, ROWS[2][1:]), "got a transposed mask of shapes"),
        (changed(4, 3), "got 3 heads and width 16"),
        (changed(4, 0), "got 0 heads"),
        (changed(4, 64), "got 64 heads"),
    ],
)
def test_bad_masks_are_refused_by_the_operation_itself(rest, message):
    """A direct call must not read beyond its tensors."""
    with pytest.raises(RuntimeError, match=message):
        torch.ops.physolve.attention_forward(Q, K, V, *rest)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((Q[0], K[0], V[0]), "got queries, keys and values of shapes"),
        ((Q, K[:1], V[:1]), "got queries, keys and values of shapes"),
        ((Q, K, V[:, 1:]), "got queries, keys and values of shapes"),
        ((Q.half(), K.half(), V.half()), "expected all Float or all Double"),
        ((Q, K, V.float()), "expected all Float or all Double"),
    ],
)
def test_bad_values_are_refused_by_the_operation_itself(values, message):
    with pytest.raises(RuntimeError, match=message):
        torch.ops.physolve.attention_forward(*values, *REST)


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (0, Q[:, 1:], "got cotangents of shape"),
        (0, Q.float(), "got cotangents of shape"),
        (4, Q, "got norms of shape"),
        (8, entry(ROWS[3], 0, 9), "the transposed mask has a node outside 0 ... 8"),
        (7, entry(ROWS[2], 2, 99), "beginnings of the transposed mask do not rise"),
    ],
)
def test_bad_arguments_of_the_gradient(position, value, message):
    arguments = [Q, Q, K, V, torch.ops.physolve.attention_forward(Q, K, V, *REST)[1], *REST]
    arguments[position] = value
    with pytest.raises(RuntimeError, match=message):
        torch.ops.physolve.attention_backward(*arguments)


@pytest.mark.parametrize(
    ("attention", "message"),
    [
        (lambda q: masked_attention(q, K, V, MASK, 4), "jvp"),
        (
            lambda q: torch.ops.physolve.attention_forward(q, K, V, *REST)[0],
            "no forward-mode derivative.*plain_attention",
        ),
    ],
    ids=["function", "operation"],
)
def test_a_tangent_is_refused(attention, message):
    """It would be dropped, and the derivative a wrong zero."""
    with pytest.raises(NotImplementedError, match=message):
        torch.func.jvp(attention, (Q,), (Q,))
