"""Dense networks on jets, and the rows of their Gauss-Newton Jacobian, in plain torch.

These two functions are what a compiled kernel replaces: `dense_jet` (forward; autograd is its backward) and
`DenseTape.point_gradients` (per-point weight gradients of a scalar built from the output jet).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ._activations import Activation
from ._jet import Jet, affine, elementwise

Layers = Sequence[tuple[Tensor, Tensor]]  # (weight (..., in, out), bias (..., out)) from the first to the last layer


def dense_jet(layers: Layers, activation: Activation, inputs: Jet) -> Jet:
    """Jet of a dense network: the activation between layers, none after the last one.

    The weights' leading dims (networks) broadcast with those of the inputs.
    """
    jet = inputs
    for index, (weight, bias) in enumerate(layers):
        jet = affine(elementwise(activation, jet) if index else jet, weight, bias)
    return jet


@dataclass(frozen=True)
class DenseTape:
    """What one forward sweep leaves behind for the rows of the Jacobian: every layer's input and output jets.

    inputs[l] (rows, n, in_l), detached; outputs[l] (rows, n, out_l), the pre-activation jets, in the autograd graph.
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def point_gradients(self, scalar: Float[Tensor, " n"], out: Tensor | None = None) -> Float[Tensor, "n weights"]:
        """d scalar[p] / d weights for every point p, where scalar[p] depends on the output jet at p alone.

        One reverse sweep of sum(scalar) gives delta_l = d sum / d outputs[l]; as points do not mix,
            d scalar[p] / d W_l = sum_rows inputs[l][row, p] (x) delta_l[row, p],   d scalar[p] / d b_l = delta_l[0, p].
        Columns: W_0 (row-major), b_0, W_1, b_1, ... `out` (n, weights) takes the result in place of a new tensor.
        The graph is kept, so that several scalars can be asked from one tape.
        """
        deltas = torch.autograd.grad(scalar.sum(), self.outputs, retain_graph=True, materialize_grads=True)
        widths = [(a.shape[-1], z.shape[-1]) for a, z in zip(self.inputs, self.outputs, strict=True)]
        if out is None:
            out = scalar.new_empty(scalar.shape[0], sum((i + 1) * o for i, o in widths))
        start = 0
        for a, delta, (i, o) in zip(self.inputs, deltas, widths, strict=True):
            out[:, start : start + i * o] = torch.einsum("rni,rno->nio", a, delta).flatten(1)
            out[:, start + i * o : start + (i + 1) * o] = delta[0]
            start += (i + 1) * o
        return out


def taped_dense_jet(layers: Layers, activation: Activation, inputs: Jet) -> tuple[Jet, DenseTape]:
    """`dense_jet` of one network (no leading dims) at constant weights and inputs, with its tape."""
    jet, arrivals, results = Jet(inputs.tensor.detach(), inputs.layout), [], []
    for index, (weight, bias) in enumerate(layers):
        arrived = elementwise(activation, jet) if index else jet
        jet = affine(arrived, weight.detach(), bias.detach())
        if index == 0:
            jet.tensor.requires_grad_()
        arrivals.append(arrived.tensor.detach())
        results.append(jet.tensor)
    return jet, DenseTape(tuple(arrivals), tuple(results))
