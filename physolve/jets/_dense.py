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

    inputs[l] (rows, n, in_l), detached; outputs[l] (rows, n, out_l), the pre-activation jets, in the
    autograd graph.
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def point_gradients(
        self, total: Float[Tensor, ""], group: int = 1, out: Float[Tensor, "rows weights"] | None = None
    ) -> Float[Tensor, "rows weights"]:
        """Weight gradients, one row a point (or one a `group` of consecutive points, summed), of a sum over
        points.

        total = sum_p s[p], where s[p] depends on the output jet at point p alone. One reverse sweep gives
        delta_l = d total / d outputs[l]; as points do not mix,
            d s[p] / d W_l = sum_r inputs[l][r, p] (x) delta_l[r, p],   d s[p] / d b_l = delta_l[0, p].
        Columns: W_0 (row-major), b_0, W_1, b_1, ... `out` takes the result in place of a new tensor.
        The graph is kept, so that several sums can be asked of one tape.
        """
        deltas = torch.autograd.grad(total, self.outputs, retain_graph=True, materialize_grads=True)
        widths = [(a.shape[-1], z.shape[-1]) for a, z in zip(self.inputs, self.outputs, strict=True)]
        if out is None:
            rows = self.inputs[0].shape[-2] // group
            out = total.new_empty(rows, sum((i + 1) * o for i, o in widths))
        start = 0
        for a, delta, (i, o) in zip(self.inputs, deltas, widths, strict=True):
            a, delta = (x.unflatten(1, (-1, group)) if x.shape[1] else x.unsqueeze(2) for x in (a, delta))
            out[:, start : start + i * o] = torch.einsum("rngi,rngo->nio", a, delta).flatten(1)
            out[:, start + i * o : start + (i + 1) * o] = delta[0].sum(1)
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
