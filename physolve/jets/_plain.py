"""Jets of dense networks, and the rows of their Gauss-Newton Jacobian, in plain torch: the compiled kernels' twin."""

import contextlib
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec

import torch
from jaxtyping import Float
from torch import Tensor

from ._activations import COSINE, SINE
from ._architecture import Architecture
from ._jet import Jet, affine, elementwise, multiply, seed_jet
from ._layout import JetLayout

Affine = Callable[[Jet, Tensor, Tensor], Jet]

P = ParamSpec("P")


def _in_full(run: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Without autocast, which would compute products in 16 bits and, by the value's bias, call them float32 again."""

    @functools.wraps(run)
    def in_full(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        with contextlib.ExitStack() as stack:
            for device in ("cpu", "cuda"):
                if torch.is_autocast_enabled(device):
                    stack.enter_context(torch.autocast(device, enabled=False))
            return run(*args, **kwargs)

    return in_full


@_in_full
def plain_jet(
    architecture: Architecture,
    weights: Float[Tensor, "*batch count"],
    points: Float[Tensor, "*batch n dim"],
    layout: JetLayout,
) -> Float[Tensor, "*batch rows n outputs"]:
    """The network's jet; differentiable in weights and points to any order. Leading dims broadcast."""
    return _jet(architecture, weights, points, layout, affine).tensor


@_in_full
def plain_jacobian(
    architecture: Architecture,
    weights: Float[Tensor, "*batch count"],
    points: Float[Tensor, "*batch n dim"],
    layout: JetLayout,
    coefficients: Float[Tensor, "*batch rows n outputs"],
) -> Float[Tensor, "*batch n count"]:
    """For every point the gradient in the weights of sum over rows and outputs of coefficients * jet.

    The output of every affine map l is given a zero to be added; one reverse sweep gives delta_l, the derivative of the
    sum over all points in that zero. As points do not mix, the point p has d / d W_l = sum_r inputs_l[r, p] (x)
    delta_l[r, p] and d / d b_l = delta_l[0, p].
    """

    def run(zeros: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        tape = _Tape(zeros)
        return _jet(architecture, weights, points, layout, tape).tensor, tape.inputs

    batch = torch.broadcast_shapes(weights.shape[:-1], points.shape[:-2])
    shape = (*batch, layout.rows, points.shape[-2])
    zeros = [weights.new_zeros(*shape, out) for _, out in architecture.layers]
    _, pull_back, *inputs = torch.func.vjp(run, zeros, has_aux=True)
    (deltas,) = pull_back(coefficients)
    columns = []
    for arrived, delta in zip(inputs[0], deltas, strict=True):
        columns.append(torch.einsum("...rni,...rno->...nio", arrived, delta).flatten(-2))
        columns.append(delta[..., 0, :, :])
    return torch.cat(columns, -1)


@dataclass(frozen=True, eq=False)
class _Tape:
    """An affine map that adds the next of `zeros` and remembers what went in."""

    zeros: list[Tensor]
    inputs: list[Tensor] = field(default_factory=list)

    def __call__(self, jet: Jet, weight: Tensor, bias: Tensor) -> Jet:
        result = affine(jet, weight, bias).tensor + self.zeros[len(self.inputs)]
        self.inputs.append(jet.tensor)
        return Jet(result, jet.layout)


def _jet(architecture: Architecture, weights: Tensor, points: Tensor, layout: JetLayout, dense: Affine) -> Jet:
    layers, activation = architecture.split(weights), architecture.activation
    inputs = _features(architecture, points, layout)
    heads = [dense(inputs, *layer) for layer in layers[: architecture.heads]]
    if len(layers) == architecture.heads:
        return heads[-1]
    *gates, jet = [elementwise(activation, head) for head in heads]
    for index, (weight, bias) in enumerate(layers[architecture.heads :], architecture.heads + 1):
        if index < len(layers):
            jet = _mixed(jet, gates) if gates else jet
            jet = elementwise(activation, dense(jet, weight, bias))
        else:
            jet = dense(jet, weight, bias)
    return jet


def _mixed(h: Jet, gates: list[Jet]) -> Jet:
    """U h + V (1 - h) = V + h (U - V)."""
    u, v = gates
    return v + multiply(h, u - v)


def _features(architecture: Architecture, points: Tensor, layout: JetLayout) -> Jet:
    """Jet of the normalised coordinates with their Fourier features."""
    center, slope = points.new_tensor(architecture.center), points.new_tensor(architecture.slope)
    seed = seed_jet((points - center) * slope, layout)
    factor = torch.cat([torch.ones_like(slope)[None], slope.expand(layout.rows - 1, -1)])
    jet = Jet(seed.tensor * factor[:, None, :], layout)
    if not architecture.bands:
        return jet
    frequencies = 2 * math.pi * points.new_tensor(architecture.bands)
    angles = affine(jet, torch.block_diag(*[frequencies[None]] * architecture.dim))
    waves = [elementwise(SINE, angles), elementwise(COSINE, angles), jet]
    return Jet(torch.cat([wave.tensor for wave in waves], -1), layout)
