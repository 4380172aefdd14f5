"""Masked attention: by the compiled kernels where they can, else in plain torch, with the same result."""

from math import prod, sqrt

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._kernels import Kernels, constant_in_traces, is_traced_gradient
from physolve.errors import SpecificationError

from ._attention_rules import AttentionForward
from ._build import ATTENTION
from ._mask import AttentionMask
from ._plain_attention import plain_attention

MAX_WIDTH, MAX_HEADS = 512, 32  # of cuda/host/attention.h
MAX_DEVICE_COLUMNS = 16  # of cuda/device/attention.h


def attention_kernels() -> Kernels:
    """The active path of attention, built if that has not been done; raises as `KernelLibrary.active`."""
    return ATTENTION.active()


def masked_attention(
    q: Float[Tensor, "*batch rows width"],
    k: Float[Tensor, "*batch nodes width"],
    v: Float[Tensor, "*batch nodes width"],
    mask: AttentionMask,
    heads: int,
    scale: float | None = None,
) -> Float[Tensor, "*batch rows width"]:
    """Every row attends to the nodes its mask allows, head by head; a row without any gives zeros.

        out_idh = sum_j softmax_j(scale sum_d q_idh k_jdh) v_jdh,   scale = 1 / sqrt(width / heads) where not given

    Heads are interleaved: column d * heads + h is channel d of head h. Differentiable once in q, k and v; a derivative
    of the gradient raises UnsupportedError (plain_attention has it). The compiled kernels need memory for the arrays
    alone, whatever the number of edges. Raises TypeError for dtypes other than float32 and float64 or for two dtypes,
    SpecificationError for shapes that do not fit.
    """
    _check(q, k, v, mask, heads)
    if isinstance(scale, Tensor):
        raise TypeError("masked_attention: got a tensor as scale, expected a number; multiply the queries by it")
    scale = 1 / sqrt(q.shape[-1] // heads) if scale is None else scale
    known = _has_kernel(q.shape[-1], heads, q.device.type)
    if not (known and _compiled_on(q.device.type)) or is_traced_gradient():
        return plain_attention(q, k, v, mask, heads, scale)
    flat = (x.reshape(prod(x.shape[:-2]), *x.shape[-2:]) for x in (q, k, v))
    arrays = mask.begin, mask.node, mask.transposed_begin, mask.transposed_node
    # torch.compile (2.14) cannot trace the autograd function; torch.func cannot use the registered rules.
    attend = torch.ops.physolve.attention_forward if torch.compiler.is_compiling() else AttentionForward.apply
    out, _ = attend(*flat, *arrays, heads, scale)
    return out.reshape(q.shape)


def _has_kernel(width: int, heads: int, device: str) -> bool:
    """Whether the kernels take this width and number of heads; on the device, see `group_of` in cuda/device."""
    if device == "cpu":
        return width <= MAX_WIDTH and heads <= MAX_HEADS
    group = 8 if width % 32 else 32
    return heads & (heads - 1) == 0 and heads <= group and width % group == 0 and width <= MAX_DEVICE_COLUMNS * group


def _compiled_on(device: str) -> bool:
    return ATTENTION.runs_on(device)


constant_in_traces(_compiled_on)


def _check(q: Tensor, k: Tensor, v: Tensor, mask: AttentionMask, heads: int) -> None:
    if q.dtype not in (torch.float32, torch.float64) or k.dtype != q.dtype or v.dtype != q.dtype:
        raise TypeError(
            f"masked_attention: got queries, keys and values of {q.dtype}, {k.dtype} and {v.dtype}, expected all"
            " torch.float32 or all torch.float64; convert with .to()"
        )
    devices = {x.device for x in (q, k, v, mask.node)}
    if len(devices) > 1:
        raise SpecificationError(
            f"masked_attention: got queries, keys, values and mask on {q.device}, {k.device}, {v.device} and"
            f" {mask.node.device}, expected one device; move the mask with .to()"
        )
    expected = (*q.shape[:-2], mask.nodes, q.shape[-1]) if q.ndim >= 2 else ()
    if q.ndim < 2 or q.shape[-2] != mask.rows or k.shape != expected or v.shape != expected:
        raise SpecificationError(
            f"masked_attention: got queries, keys and values of shapes {tuple(q.shape)}, {tuple(k.shape)} and"
            f" {tuple(v.shape)}, expected (..., {mask.rows}, width) and twice (..., {mask.nodes}, width)"
        )
    if heads < 1 or q.shape[-1] % heads or q.shape[-1] == 0:
        raise SpecificationError(
            f"masked_attention: got {heads} heads for width {q.shape[-1]}, expected a number that divides it"
        )
