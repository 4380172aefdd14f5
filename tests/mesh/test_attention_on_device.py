"""Attention on a GPU against plain torch on the host; skipped where there is none."""

import masks
import pytest
import torch

from physolve.mesh import attention_kernels, masked_attention, plain_attention

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available() or not attention_kernels().cuda, reason="no GPU for which the kernels are built"
)


@pytest.mark.parametrize("dtype", masks.DTYPES, ids=str)
@pytest.mark.parametrize(("width", "heads"), [(64, 4), (128, 8), (8, 2), (48, 4), (12, 3), (256, 4), (96, 1)])
def test_forward_and_backward(width, heads, dtype):
    mask = masks.random_mask(300, 250, 3000)
    here = [x.requires_grad_() for x in masks.inputs(mask, width, dtype=dtype)]
    there = [x.detach().cuda().requires_grad_() for x in here]
    plain, found = plain_attention(*here, mask, heads), masked_attention(*there, mask.to("cuda"), heads)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-13
    assert masks.distance(found.cpu(), plain) < tolerance
    cotangents = torch.randn(plain.shape, generator=torch.Generator().manual_seed(3), dtype=dtype)
    expected = torch.autograd.grad(plain, here, cotangents)
    for a, b in zip(torch.autograd.grad(found, there, cotangents.cuda()), expected, strict=True):
        assert masks.distance(a.cpu(), b) < tolerance
