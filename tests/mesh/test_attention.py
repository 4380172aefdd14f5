"""The compiled attention against its plain twin, and that against a dense softmax written out by hand."""

import masks
import pytest
import torch

from physolve._kernels import source_folder
from physolve.errors import SpecificationError, UnsupportedError
from physolve.mesh import AttentionMask, _attention, attention_kernels, masked_attention, plain_attention

# float64: sums of a few dozen numbers; float32: the same in 24 bits
TOLERANCE = {torch.float32: 5e-6, torch.float64: 1e-13}
SHAPES = [(64, 4), (32, 4), (8, 2), (12, 3), (128, 8), (48, 2), (64, 16), (64, 1), (16, 16), (6, 6)]
MASK = masks.random_mask()

with_compiled = pytest.mark.skipif(
    attention_kernels().path == "plain", reason=f"plain torch: {attention_kernels().reason}"
)


def dense(q, k, v, mask, heads):
    allowed = torch.zeros(mask.rows, mask.nodes, dtype=torch.bool)
    allowed[tuple(mask.edge_index())] = True
    q, k, v = (x.unflatten(-1, (-1, heads)) for x in (q, k, v))
    score = torch.einsum("bidh,bjdh->bhij", q, k) / q.shape[-2] ** 0.5
    weight = torch.softmax(score.masked_fill(~allowed, -torch.inf), -1).nan_to_num(0.0)
    return torch.einsum("bhij,bjdh->bidh", weight, v).flatten(-2)


@pytest.mark.parametrize("path", [plain_attention, masked_attention])
@pytest.mark.parametrize(("width", "heads"), [(64, 4), (12, 3)])
def test_against_a_dense_softmax(path, width, heads):
    x = masks.inputs(MASK, width)
    assert masks.distance(path(*x, MASK, heads), dense(*x, MASK, heads)) < 1e-13


@with_compiled
@pytest.mark.parametrize("dtype", masks.DTYPES, ids=str)
@pytest.mark.parametrize(("width", "heads"), SHAPES)
def test_forward_and_backward_equal_plain_torch(width, heads, dtype):
    leaves = [x.requires_grad_() for x in masks.inputs(MASK, width, dtype=dtype)]
    found, plain = (f(*leaves, MASK, heads) for f in (masked_attention, plain_attention))
    assert masks.distance(found, plain) < TOLERANCE[dtype]
    cotangents = torch.randn(plain.shape, generator=torch.Generator().manual_seed(3), dtype=dtype)
    for a, b in zip(*(torch.autograd.grad(out, leaves, cotangents) for out in (found, plain)), strict=True):
        assert masks.distance(a, b) < TOLERANCE[dtype]


@with_compiled
def test_float32_is_as_accurate_as_plain_torch():
    """Root mean square against float64: at most twice what plain torch is off by."""
    x = masks.inputs(MASK, 64)
    exact = plain_attention(*x, MASK, 4)
    off = [(f(*(t.float() for t in x), MASK, 4) - exact).norm() for f in (masked_attention, plain_attention)]
    assert off[0] <= 2 * off[1]


@pytest.mark.parametrize(("width", "heads"), [(8, 2), (6, 3), (16, 4)])
def test_gradcheck(width, heads):
    mask = masks.random_mask(7, 6, 20)
    leaves = [x.requires_grad_() for x in masks.inputs(mask, width, (1,))]
    assert torch.autograd.gradcheck(lambda *x: masked_attention(*x, mask, heads), leaves)


@pytest.mark.parametrize("path", [plain_attention, masked_attention])
def test_a_row_without_neighbours_gives_zeros_and_no_gradient(path):
    q, k, v = (x.requires_grad_() for x in masks.inputs(MASK, 32))
    out = path(q, k, v, MASK, 4)
    gradients = torch.autograd.grad(out.square().sum(), (q, k, v))
    assert not out[:, [0, -1]].any()
    assert not gradients[0][:, [0, -1]].any()
    assert not gradients[1][:, 0].any()  # nobody attends to node 0
    assert all(bool(g.isfinite().all()) for g in gradients)


@pytest.mark.parametrize("batch", [(), (2,)])
@pytest.mark.parametrize(("rows", "nodes"), [(0, 4), (4, 0), (0, 0), (3, 2)])
def test_no_edges(rows, nodes, batch):
    mask = AttentionMask.of_edges(torch.zeros(2, 0, dtype=torch.long), rows, nodes)
    leaves = [x.requires_grad_() for x in masks.inputs(mask, 8, batch)]
    out = masked_attention(*leaves, mask, 2)
    assert out.shape == (*batch, rows, 8)
    assert not out.any()
    assert not any(bool(g.any()) for g in torch.autograd.grad(out.sum(), leaves))


def test_scores_of_any_size():
    """Scores of +-1e4 overflow an exponential that is not kept relative to the largest."""
    q, k, v = masks.inputs(MASK, 32)
    out = masked_attention(1e3 * q, 1e2 * k, v, MASK, 4)
    assert masks.distance(out, plain_attention(1e3 * q, 1e2 * k, v, MASK, 4)) < 1e-9  # 1e5 rounded to 1e-11


@with_compiled
@pytest.mark.parametrize("size", [1.0, 3e2, 3e4, 1e9])
@pytest.mark.parametrize(("width", "heads"), [(24, 3), (64, 4), (8, 2)])
def test_weights_sum_to_one_in_the_gradient_whatever_the_size_of_scores(width, heads, size):
    """A score's last bit may be worth any factor to exp: the gradient must see the weights that went forward."""
    mask = masks.random_mask(12, 12, 80)
    q, k, v = masks.inputs(mask, width, dtype=torch.float32)
    leaves = [x.requires_grad_() for x in (size * q, size * k, v)]
    out = masked_attention(*leaves, mask, heads)
    to_v = torch.autograd.grad(out.sum(), leaves[2])[0]
    rows = int((mask.begin.diff() > 0).sum()) * q.shape[:-2].numel()
    assert to_v.sum() == pytest.approx(rows * width, rel=1e-5)
    assert to_v.min() >= 0
    assert to_v.max() <= 1.001 * mask.rows


@with_compiled
@pytest.mark.parametrize("last", [True, False])
def test_scores_that_overflow_downward_weigh_nothing(last):
    i = torch.arange(12)
    mask = AttentionMask.of_edges(torch.cartesian_prod(i, i).T, 12)
    x = [
        torch.full((12, 16), 4.0),
        torch.zeros(12, 16),
        torch.randn(12, 16, generator=torch.Generator().manual_seed(0)),
    ]
    x[1][slice(4, None) if last else slice(8)] = -3e38
    leaves = [t.requires_grad_() for t in x]
    outs = [f(*leaves, mask, 1) for f in (masked_attention, plain_attention)]
    assert torch.isfinite(outs[0]).all()
    torch.testing.assert_close(*outs)
    torch.testing.assert_close(*(torch.autograd.grad(out.sum(), leaves[2])[0] for out in outs))


def test_leading_dims_and_none():
    x = masks.inputs(MASK, 32, (2, 3))
    expected = plain_attention(*x, MASK, 4)
    assert masks.distance(masked_attention(*x, MASK, 4), expected) < 1e-13
    assert masks.distance(masked_attention(*(t[1, 2] for t in x), MASK, 4), expected[1, 2]) < 1e-13


def test_strided_input_and_cotangents():
    x = masks.inputs(MASK, 32)
    strided = [t.mT.contiguous().mT.requires_grad_() for t in x]
    assert not any(t.is_contiguous() for t in strided)
    leaves = [t.requires_grad_() for t in x]
    weight = torch.ones((), dtype=torch.float64).expand(2, MASK.rows, 32)
    results = [masked_attention(*y, MASK, 4) for y in (strided, leaves)]
    assert torch.equal(*results)
    gradients = [torch.autograd.grad(out, y, weight) for out, y in zip(results, (strided, leaves), strict=True)]
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


@with_compiled
def test_result_does_not_depend_on_threads():
    mask = masks.random_mask(400, 300, 5000)
    x = masks.inputs(mask, 64, (3,), torch.float32)
    before, results = torch.get_num_threads(), []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        results.append(masked_attention(*x, mask, 4))
    torch.set_num_threads(before)
    assert torch.equal(*results)


@with_compiled
def test_a_derivative_of_the_gradient_is_refused():
    leaves = [x.requires_grad_() for x in masks.inputs(MASK, 8)]
    slope = torch.autograd.grad(masked_attention(*leaves, MASK, 2).square().sum(), leaves[0], create_graph=True)[0]
    with pytest.raises(UnsupportedError, match="plain_attention"):
        torch.autograd.grad(slope.sum(), leaves[1])


Q, K, V = masks.inputs(MASK, 8)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((Q.half(), K.half(), V.half(), MASK, 2), TypeError, "expected all torch.float32 or all torch.float64"),
        ((Q, K.float(), V, MASK, 2), TypeError, r"torch.float64, torch.float32 and torch.float64"),
        ((Q, K[:, 1:], V, MASK, 2), SpecificationError, r"expected \(..., 23, width\) and twice \(..., 19, width\)"),
        ((Q, K, V[..., 1:], MASK, 2), SpecificationError, r"got queries, keys and values of shapes"),
        ((K, K, V, MASK, 2), SpecificationError, r"shapes \(2, 19, 8\)"),
        ((Q, K, V, MASK, 3), SpecificationError, "got 3 heads for width 8"),
        ((Q.to("meta"), K, V, MASK, 2), SpecificationError, "on meta, cpu, cpu and cpu, expected one device"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        masked_attention(*arguments)


def test_limits_are_those_of_the_kernels():
    host, device = ((source_folder() / place / "attention.h").read_text() for place in ("host", "device"))
    assert f"MAX_ATTENTION_WIDTH = {_attention.MAX_WIDTH}, MAX_HEADS = {_attention.MAX_HEADS};" in host
    assert f"MAX_DEVICE_COLUMNS = {_attention.MAX_DEVICE_COLUMNS};" in device


def test_what_the_kernels_do_not_take_goes_through_plain_torch():
    x = masks.inputs(MASK, 1024, (1,))
    assert torch.equal(masked_attention(*x, MASK, 4), plain_attention(*x, MASK, 4))
