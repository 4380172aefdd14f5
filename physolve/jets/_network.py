"""Jets of dense networks: by the compiled kernels where they can, else in plain torch, with the same result."""

from math import prod

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._kernels import constant_in_traces, is_traced_gradient

from ._agreement import device_agrees
from ._architecture import Architecture
from ._build import JETS
from ._layout import JetLayout
from ._plain import plain_jacobian, plain_jet
from ._rules import JetBackward, JetForward, JetJacobian, arguments_of, number_of

MAX_DIM, MAX_WIDTH, MAX_LAYERS, MAX_BANDS = 4, 128, 24, 12  # as in cuda/core/plan.h


def network_jet(
    architecture: Architecture,
    weights: Float[Tensor, "*batch count"],
    points: Float[Tensor, "*batch n dim"],
    layout: JetLayout,
) -> Float[Tensor, "*batch rows n outputs"]:
    """Value and derivatives of a network, or of a batch of them, at points; leading dims broadcast.

    Differentiable once in weights and points; a derivative of the gradient raises UnsupportedError (plain_jet has it).
    Not inside torch.compile: of what it compiles torch (2.14) itself takes second derivatives for zero, plain or not.
    Raises TypeError for dtypes other than float32 and float64 or a mixture of them, ValueError for shapes that do not
    fit, naming them.
    """
    _check(architecture, weights, points, layout)
    if not _compiled_for(architecture, weights):
        return plain_jet(architecture, weights, points, layout)
    flat_points, flat_weights, batch = _flat(weights, points)
    # torch.compile (2.14) cannot trace the autograd function; torch.func cannot use the operation's own gradient.
    in_func = not torch.compiler.is_compiling() and torch._C._are_functorch_transforms_active()
    forward = JetForward.apply if in_func else torch.ops.physolve.jet_forward
    jets = forward(flat_points, flat_weights, *arguments_of(architecture, layout))
    return jets.reshape(*batch, *jets.shape[1:])


def network_pullback(
    architecture: Architecture,
    weights: Float[Tensor, "*batch count"],
    points: Float[Tensor, "*batch n dim"],
    layout: JetLayout,
    cotangents: Float[Tensor, "*batch rows n outputs"],
) -> Float[Tensor, "*batch count"]:
    """Gradient in the weights of sum(cotangents * jet): the backward of `network_jet` by itself, without its forward.

    For code that has a rule of its own for what comes after the jets. A derivative of it raises UnsupportedError where
    the compiled kernels run. Raises like `network_jet`.
    """
    _check(architecture, weights, points, layout)
    batch = _batch(weights, points)
    _check_alike("cotangents", cotangents, (*batch, layout.rows, points.shape[-2], architecture.sizes[-1]), weights)
    if not _compiled_for(architecture, weights):
        _, pull_back, *_ = torch.func.vjp(lambda w: plain_jet(architecture, w, points, layout), weights)
        return pull_back(cotangents)[0]
    backward = torch.ops.physolve.jet_backward if torch.compiler.is_compiling() else JetBackward.apply
    gradient, _ = backward(*_flat_rows(architecture, weights, points, layout, cotangents), False)
    return gradient.reshape(*batch, architecture.count).sum_to_size(weights.shape)


def network_jacobian(
    architecture: Architecture,
    weights: Float[Tensor, "*batch count"],
    points: Float[Tensor, "*batch n dim"],
    layout: JetLayout,
    coefficients: Float[Tensor, "*batch rows n outputs"],
    out: Float[Tensor, "*batch n count"] | None = None,
) -> Float[Tensor, "*batch n count"]:
    """For every point the gradient in the weights of sum over rows and outputs of coefficients * jet.

    These are the rows of a Gauss-Newton Jacobian, `coefficients` the derivatives of the residual in the jet. A gradient
    of the rows is refused by the compiled kernels with UnsupportedError. `out` takes the rows in place of a new tensor,
    without a graph; it may be a part of a larger matrix. A matrix that is used again saves most of the time: the system
    hands out new memory more slowly than the kernels fill it. Raises like `network_jet`.
    """
    _check(architecture, weights, points, layout)
    batch = _batch(weights, points)
    expected = (*batch, layout.rows, points.shape[-2], architecture.sizes[-1])
    _check_alike("coefficients", coefficients, expected, weights)
    if out is not None:
        _check_alike("out", out, (*batch, points.shape[-2], architecture.count), weights)
        if out.requires_grad:
            raise ValueError("network_jacobian: out requires a gradient, which rows written to it have not; detach it")
        with torch.no_grad():
            return _rows_into(out, architecture, weights.detach(), points.detach(), layout, coefficients.detach())
    if not _compiled_for(architecture, weights):
        return plain_jacobian(architecture, weights, points, layout, coefficients)
    jacobian = torch.ops.physolve.jet_jacobian if torch.compiler.is_compiling() else JetJacobian.apply
    rows = jacobian(*_flat_rows(architecture, weights, points, layout, coefficients))
    return rows.reshape(*batch, *rows.shape[1:])


def _rows_into(
    out: Tensor, architecture: Architecture, weights: Tensor, points: Tensor, layout: JetLayout, coefficients: Tensor
) -> Tensor:
    """`out`, written by the kernel where it can, else copied into."""
    rows = _as_rows(out) if _compiled_for(architecture, weights) else None
    if rows is None:
        return out.copy_(network_jacobian(architecture, weights, points, layout, coefficients))
    torch.ops.physolve.jet_jacobian_out(rows, *_flat_rows(architecture, weights, points, layout, coefficients))
    torch.autograd.graph.increment_version(out)
    return out


def _as_rows(out: Float[Tensor, "*batch n count"]) -> Float[Tensor, "networks n count"] | None:
    """The same memory, where all rows are consecutive numbers and lie equally far apart, as the kernel writes them."""
    *batch, n, count = out.shape
    if out.numel() == 0 or out.stride(-1) != 1:
        return None
    try:
        return out.view(-1, count).unflatten(0, (prod(batch), n))
    except RuntimeError:  # no view: torch has no question for it
        return None


def _flat_rows(
    architecture: Architecture, weights: Tensor, points: Tensor, layout: JetLayout, coefficients: Tensor
) -> tuple[object, ...]:
    """Arguments of the operation."""
    flat_points, flat_weights, batch = _flat(weights, points)
    flat = coefficients.reshape(prod(batch), *coefficients.shape[len(batch) :])
    return flat, flat_points, flat_weights, *arguments_of(architecture, layout)


def has_kernel(architecture: Architecture) -> bool:
    """Whether the compiled kernels know this kind of network: what they do not know goes through plain torch."""
    return (
        number_of(architecture.activation) >= 0
        and len(architecture.sizes) >= 3
        and architecture.dim <= MAX_DIM
        and max(architecture.sizes[1:]) <= MAX_WIDTH
        and len(architecture.layers) <= MAX_LAYERS
        and len(architecture.bands) <= MAX_BANDS
    )


def _compiled_for(architecture: Architecture, weights: Tensor) -> bool:
    return has_kernel(architecture) and _compiled_on(weights.device.type) and not is_traced_gradient()


def _compiled_on(device: str) -> bool:
    """Whether the kernels run on this type of device, and agree with the processor's there."""
    return JETS.runs_on(device) and (device == "cpu" or device_agrees())


constant_in_traces(_compiled_on)


def _flat(weights: Tensor, points: Tensor) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    """Points (n, dim) shared by all or (networks, n, dim), weights (networks, count), and the batch they stand for."""
    batch = _batch(weights, points)
    weights = weights.expand(*batch, -1).reshape(prod(batch), weights.shape[-1])
    if prod(points.shape[:-2]) != 1 or points.numel() == 0:
        return points.expand(*batch, -1, -1).reshape(len(weights), *points.shape[-2:]), weights, batch
    return points.reshape(points.shape[-2:]), weights, batch


def _batch(weights: Tensor, points: Tensor) -> tuple[int, ...]:
    """The leading dims of both together; torch's own answer takes as long as a small network's jets."""
    of_weights, of_points = weights.shape[:-1], points.shape[:-2]
    return tuple(of_weights if of_weights == of_points else torch.broadcast_shapes(of_weights, of_points))


def _check_alike(name: str, tensor: Tensor, shape: tuple[int, ...], weights: Tensor) -> None:
    if tensor.shape != shape or tensor.dtype != weights.dtype or tensor.device != weights.device:
        raise ValueError(
            f"network jets: got {name} of shape {tuple(tensor.shape)}, {tensor.dtype} on {tensor.device}, expected"
            f" {tuple(shape)}, {weights.dtype} on {weights.device}"
        )


def _check(architecture: Architecture, weights: Tensor, points: Tensor, layout: JetLayout) -> None:
    if weights.dtype not in (torch.float32, torch.float64) or points.dtype != weights.dtype:
        raise TypeError(
            f"network_jet: got weights of {weights.dtype} and points of {points.dtype}, expected both torch.float32 or "
            "both torch.float64; convert one with .to()"
        )
    if weights.device != points.device:
        raise ValueError(f"network_jet: got weights on {weights.device} and points on {points.device}, expected one")
    if weights.ndim < 1 or weights.shape[-1] != architecture.count:
        raise ValueError(
            f"network_jet: got weights of shape {tuple(weights.shape)}, expected (..., {architecture.count}) for sizes "
            f"{architecture.sizes}"
        )
    if points.ndim < 2 or points.shape[-1] != architecture.dim or layout.dim != architecture.dim:
        raise ValueError(
            f"network_jet: got points of shape {tuple(points.shape)} and a layout of {layout.dim} coordinates,"
            f" expected (..., n, {architecture.dim}) and {architecture.dim}"
        )
    try:
        _batch(weights, points)
    except RuntimeError:
        raise ValueError(
            f"network_jet: got weights (..., count) of shape {tuple(weights.shape)} and points (..., n, dim) of shape "
            f"{tuple(points.shape)}; their leading dims must be equal or broadcast"
        ) from None
