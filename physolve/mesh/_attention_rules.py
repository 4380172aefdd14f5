"""What torch must know of the compiled attention besides how to run it: fake and autograd rules.

    attention_forward    q (batch, rows, width), k, v (batch, nodes, width), mask
                         -> out (like q), logs (batch, rows, heads)
    attention_backward   cotangents of out, q, k, v, logs, mask -> gradients of q, k, v

Forward mode is refused by the operations themselves (cuda/torch/tangents.h).
"""

from typing import Any

import torch
from torch import Tensor

from physolve.errors import UnsupportedError

MASK_ARGUMENTS = 6  # begin, node, transposed_begin, transposed_node, heads, scale


def register() -> None:
    """Once, after the library is loaded."""
    torch.library.register_fake("physolve::attention_forward", _fake_forward)
    torch.library.register_fake("physolve::attention_backward", _fake_backward)
    torch.library.register_autograd("physolve::attention_forward", _pull_back, setup_context=_keep)
    torch.library.register_autograd("physolve::attention_backward", _refuse, setup_context=_keep_nothing)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    q, k, v, *mask, ctx.heads, ctx.scale = inputs
    ctx.mark_non_differentiable(output[1])
    ctx.save_for_backward(q, k, v, output[1], *mask)


def _pull_back(ctx: Any, cotangents: Tensor, _: Any) -> tuple[Any, ...]:
    gradients = torch.ops.physolve.attention_backward(cotangents, *ctx.saved_tensors, ctx.heads, ctx.scale)
    return (*gradients, *[None] * MASK_ARGUMENTS)


def _keep_nothing(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    """The gradient has no gradient of its own."""


def _refuse(ctx: Any, *gradients: Any) -> Any:
    raise UnsupportedError(
        "attention kernels: a derivative of the gradient was asked for (create_graph, hessian), which the compiled"
        " kernels do not have; use physolve.mesh.plain_attention, which has all of them, or set PHYSOLVE_KERNELS=plain"
    )


def _fake_forward(q: Tensor, k: Tensor, v: Tensor, *mask: Any) -> tuple[Tensor, Tensor]:
    heads = mask[-2]
    return q.new_empty(q.shape), q.new_empty(q.shape[0], q.shape[1], heads)


def _fake_backward(cotangents: Tensor, q: Tensor, k: Tensor, v: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
    return q.new_empty(q.shape), k.new_empty(k.shape), v.new_empty(v.shape)
