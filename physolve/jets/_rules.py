"""What torch must know of the compiled operations besides how to run them: fake, autograd and vmap rules.

    jet_forward   points (n, dim) or (networks, n, dim), weights (networks, count) -> (networks, rows, n, outputs)
    jet_backward  cotangents of that, points, weights -> gradients of weights and, where asked, of points
    jet_jacobian  coefficients like cotangents, points, weights -> (networks, n, count); jet_jacobian_out writes them

The rules are registered with the operations, for direct calls and torch.compile; jet_forward has its gradient in C++
(cuda/torch/autograd.h). The autograd functions in this file are the same operations again: neither that nor formulas
registered with torch.library work under torch.func (torch 2.14).
Forward mode is refused by the autograd functions, and by the operations themselves on their way from autograd to the
kernels (cuda/torch/bindings.cpp).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from physolve._kernels import with_signature
from physolve.errors import UnsupportedError

from ._activations import GELU, SINE, TANH, Activation
from ._architecture import Architecture
from ._layout import JetLayout

FUNCTIONS = (TANH, SINE, GELU)  # in the order of cuda/core/plan.h
SHAPE_ARGUMENTS = 8  # what `arguments_of` gives

Operation = Callable[..., Any]


def arguments_of(architecture: Architecture, layout: JetLayout) -> tuple[object, ...]:
    """What the operations are told of a network and its rows: sizes, function, bands, gated, center, slope, first and
    second derivatives."""
    return (
        list(architecture.sizes),
        number_of(architecture.activation),
        list(architecture.bands),
        architecture.gated,
        list(architecture.center),
        list(architecture.slope),
        list(layout.first),
        [axis for pair in layout.second for axis in pair],
    )


def number_of(activation: Activation) -> int:
    """Place among FUNCTIONS, -1 for any other. By its function: torch.compile cannot compare dataclasses."""
    for number, known in enumerate(FUNCTIONS):
        if activation.derivatives is known.derivatives:
            return number
    return -1


def _keep_nothing(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    """For operations without a gradient of their own."""


def _refuse(ctx: Any, *gradients: Any) -> Any:
    raise UnsupportedError(
        "jet kernels: a derivative of the gradient was asked for (create_graph, hessian), which the compiled kernels do"
        " not have; use physolve.jets.plain_jet, which has all of them, or set PHYSOLVE_KERNELS=plain"
    )


class JetForward(torch.autograd.Function):
    """`jet_forward` with its gradient under torch.func. Below autograd, where its own gradient would refuse that."""

    @staticmethod
    @with_signature
    def forward(points: Tensor, weights: Tensor, *shape: Any) -> Tensor:
        with torch._C._AutoDispatchBelowAutograd():
            return torch.ops.physolve.jet_forward(points, weights, *shape)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        points, weights, *ctx.shape = inputs
        ctx.save_for_backward(points, weights)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        points, weights = ctx.saved_tensors
        to_points = ctx.needs_input_grad[0]
        to_weights, gradient = JetBackward.apply(gradients[0], points, weights, *ctx.shape, to_points)
        return (gradient if to_points else None, to_weights, *[None] * SHAPE_ARGUMENTS)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Any) -> tuple[Tensor, int]:
        return _vmap_forward(JetForward.apply, info, in_dims, *args)


class JetBackward(torch.autograd.Function):
    """`jet_backward`, which has no gradient of its own."""

    @staticmethod
    @with_signature
    def forward(*inputs: Any) -> tuple[Tensor, Tensor]:
        with torch._C._AutoDispatchBelowAutograd():
            return torch.ops.physolve.jet_backward(*inputs)

    setup_context = staticmethod(_keep_nothing)
    backward = staticmethod(_refuse)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Any) -> Any:
        return _vmap_backward(JetBackward.apply, info, in_dims, *args)


class JetJacobian(torch.autograd.Function):
    """`jet_jacobian`, which has no gradient."""

    @staticmethod
    @with_signature
    def forward(*inputs: Any) -> Tensor:
        return torch.ops.physolve.jet_jacobian(*inputs)

    setup_context = staticmethod(_keep_nothing)
    backward = staticmethod(_refuse)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Any) -> Any:
        return _vmap_jacobian(JetJacobian.apply, info, in_dims, *args)


def register() -> None:
    """Once, after the library is loaded."""
    operations = torch.ops.physolve
    torch.library.register_fake("physolve::jet_forward", _fake_forward)
    torch.library.register_fake("physolve::jet_backward", _fake_backward)
    torch.library.register_fake("physolve::jet_jacobian", _fake_jacobian)
    torch.library.register_fake("physolve::jet_jacobian_out", lambda *inputs: None)
    for name in ("jet_backward", "jet_jacobian"):
        torch.library.register_autograd(f"physolve::{name}", _refuse, setup_context=_keep_nothing)
    torch.library.register_vmap("physolve::jet_forward", partial(_vmap_forward, operations.jet_forward))
    torch.library.register_vmap("physolve::jet_backward", partial(_vmap_backward, operations.jet_backward))
    torch.library.register_vmap("physolve::jet_jacobian", partial(_vmap_jacobian, operations.jet_jacobian))


def _fake_forward(points: Tensor, weights: Tensor, *shape: Any) -> Tensor:
    sizes, first, second = shape[0], shape[6], shape[7]
    rows = 1 + len(first) + len(second) // 2
    return weights.new_empty(weights.shape[0], rows, points.shape[-2], sizes[-1])


def _fake_backward(cotangents: Tensor, points: Tensor, weights: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
    to_points = points.new_empty(points.shape) if rest[-1] else weights.new_empty(0)
    return weights.new_empty(weights.shape), to_points


def _fake_jacobian(coefficients: Tensor, points: Tensor, weights: Tensor, *shape: Any) -> Tensor:
    return weights.new_empty(weights.shape[0], points.shape[-2], weights.shape[1])


def _vmap_forward(
    forward: Operation, info: Any, dims: tuple[Any, ...], points: Tensor, weights: Tensor, *shape: Any
) -> tuple[Tensor, int]:
    points, weights, samples = _as_networks(info.batch_size, dims, points, weights)
    return forward(points, weights, *shape).unflatten(0, samples), 0


def _vmap_backward(
    backward: Operation,
    info: Any,
    dims: tuple[Any, ...],
    cotangents: Tensor,
    points: Tensor,
    weights: Tensor,
    *rest: Any,
) -> tuple[tuple[Tensor, Tensor], tuple[int, int | None]]:
    size = info.batch_size
    shared = points.ndim - (dims[1] is not None) == 2
    if shared:  # each sample sums over its own networks only, so that every network gets points of its own first
        networks = _per_sample(weights, dims[2], size).shape[1]
        points = _per_sample(points, dims[1], size).unsqueeze(1).expand(-1, networks, -1, -1)
        dims = (dims[0], 0, *dims[2:])
    cotangents = _per_sample(cotangents, dims[0], size).flatten(0, 1)
    flat, weights, samples = _as_networks(size, dims[1:3], points, weights)
    to_weights, to_points = backward(cotangents, flat, weights, *rest)
    to_weights = to_weights.unflatten(0, samples)
    if not rest[-1]:
        return (to_weights, to_points), (0, None)
    to_points = to_points.unflatten(0, samples)
    return (to_weights, to_points.sum(1) if shared else to_points), (0, 0)


def _vmap_jacobian(
    jacobian: Operation,
    info: Any,
    dims: tuple[Any, ...],
    coefficients: Tensor,
    points: Tensor,
    weights: Tensor,
    *shape: Any,
) -> tuple[Tensor, int]:
    size = info.batch_size
    coefficients = _per_sample(coefficients, dims[0], size).flatten(0, 1)
    points, weights, samples = _as_networks(size, dims[1:3], points, weights)
    return jacobian(coefficients, points, weights, *shape).unflatten(0, samples), 0


def _as_networks(
    size: int, dims: tuple[Any, ...], points: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor, tuple[int, int]]:
    """Samples become networks: points (size * networks, n, dim), or (n, dim) where no sample has its own; and what they
    are to be split into again."""
    weights = _per_sample(weights, dims[1], size)
    networks = weights.shape[1]
    if dims[0] is not None or points.ndim == 3:
        points = _per_sample(points, dims[0], size)
        if points.ndim == 3:
            points = points.unsqueeze(1).expand(-1, networks, -1, -1)
        points = points.flatten(0, 1)
    return points, weights.flatten(0, 1), (size, networks)


def _per_sample(tensor: Tensor, dim: int | None, size: int) -> Tensor:
    """The vmapped dim in front; a tensor without it is repeated."""
    return tensor.expand(size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)
