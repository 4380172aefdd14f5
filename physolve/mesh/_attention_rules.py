"""What torch must know of the compiled attention besides how to run it: fake, autograd and vmap rules.

    attention_forward    q (batch, rows, width), k, v (batch, nodes, width), mask
                         -> out (like q), norms (batch, rows, 2, heads)
    attention_backward   cotangents of out, q, k, v, norms, mask -> gradients of q, k, v

The rules are registered with the operations, for direct calls and torch.compile. The autograd functions in this file
are the same operations again: formulas registered with torch.library do not work under torch.func (torch 2.14).
Forward mode is refused by the operations themselves (cuda/torch/tangents.h).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from physolve._kernels import with_signature
from physolve.errors import UnsupportedError

MASK_ARGUMENTS = 6  # begin, node, transposed_begin, transposed_node, heads, scale

Operation = Callable[..., Any]


def _keep_nothing(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    """The gradient has no gradient of its own."""


def _refuse(ctx: Any, *gradients: Any) -> Any:
    raise UnsupportedError(
        "attention kernels: a derivative of the gradient was asked for (create_graph, hessian), which the compiled"
        " kernels do not have; use physolve.mesh.plain_attention, which has all of them, or set PHYSOLVE_KERNELS=plain"
    )


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    q, k, v, *mask, ctx.heads, ctx.scale = inputs
    ctx.mark_non_differentiable(output[1])
    ctx.save_for_backward(q, k, v, output[1], *mask)


class AttentionForward(torch.autograd.Function):
    """`attention_forward` with its gradient, under torch.func too. Below autograd, whose registered rules are slow."""

    @staticmethod
    @with_signature
    def forward(*inputs: Any) -> tuple[Tensor, Tensor]:
        with torch._C._AutoDispatchBelowAutograd():
            return torch.ops.physolve.attention_forward(*inputs)

    setup_context = staticmethod(_keep)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        return _pull_back(AttentionBackward.apply, ctx, *gradients)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Any) -> Any:
        return _vmap(AttentionForward.apply, 3, info, in_dims, *args)


class AttentionBackward(torch.autograd.Function):
    """`attention_backward`, which has no gradient of its own."""

    @staticmethod
    @with_signature
    def forward(*inputs: Any) -> tuple[Tensor, Tensor, Tensor]:
        with torch._C._AutoDispatchBelowAutograd():
            return torch.ops.physolve.attention_backward(*inputs)

    setup_context = staticmethod(_keep_nothing)
    backward = staticmethod(_refuse)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Any) -> Any:
        return _vmap(AttentionBackward.apply, 5, info, in_dims, *args)


def register() -> None:
    """Once, after the library is loaded."""
    operations = torch.ops.physolve
    torch.library.register_fake("physolve::attention_forward", _fake_forward)
    torch.library.register_fake("physolve::attention_backward", _fake_backward)
    pull_back = partial(_pull_back, operations.attention_backward)
    torch.library.register_autograd("physolve::attention_forward", pull_back, setup_context=_keep)
    torch.library.register_autograd("physolve::attention_backward", _refuse, setup_context=_keep_nothing)
    torch.library.register_vmap("physolve::attention_forward", partial(_vmap, operations.attention_forward, 3))
    torch.library.register_vmap("physolve::attention_backward", partial(_vmap, operations.attention_backward, 5))


def _pull_back(backward: Operation, ctx: Any, cotangents: Tensor, _: Any) -> tuple[Any, ...]:
    gradients = backward(cotangents, *ctx.saved_tensors, ctx.heads, ctx.scale)
    return (*gradients, *[None] * MASK_ARGUMENTS)


def _fake_forward(q: Tensor, k: Tensor, v: Tensor, *mask: Any) -> tuple[Tensor, Tensor]:
    heads = mask[-2]
    return q.new_empty(q.shape), q.new_empty(q.shape[0], q.shape[1], 2, heads)


def _fake_backward(cotangents: Tensor, q: Tensor, k: Tensor, v: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
    return q.new_empty(q.shape), k.new_empty(k.shape), v.new_empty(v.shape)


def _vmap(operation: Operation, values: int, info: Any, dims: tuple[Any, ...], *args: Any) -> Any:
    """Samples join the batch, the first dim of the first `values` arguments; the mask is everyone's.

    Raises UnsupportedError where each sample has a mask of its own.
    """
    if any(dim is not None for dim in dims[values:]):
        raise UnsupportedError("attention kernels: vmap over masks; join them with AttentionMask.block_diagonal")
    size = info.batch_size
    each = [_per_sample(x, dim, size) for x, dim in zip(args[:values], dims[:values], strict=True)]
    results = operation(*(x.flatten(0, 1) for x in each), *args[values:])
    return tuple(x.unflatten(0, each[0].shape[:2]) for x in results), (0,) * len(results)


def _per_sample(tensor: Tensor, dim: int | None, size: int) -> Tensor:
    """The vmapped dim in front; a tensor without it is repeated."""
    return tensor.expand(size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)
