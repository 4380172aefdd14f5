"""The least-squares head inside the training loop: its solution as a differentiable function of generated weights.

With rows A, right side b, minimiser a of |A a - b|^2 + |S a|^2, remainder r = b - A a, and a gradient g in a,

    v = (A^T A + S^2)^-1 g,    dLoss/dA = r v^T - (A v) a^T                              (Golub and Pereyra 1973)

The rows are linear in the hidden layers' jets, and so is u, so that the gradient in the jets is a sum of three products
of something at a point with something of a column: with a, with v, and with the network's own last layer. That is the
backward pass of the network with these three as its outputs. The gradient in the jets, forty times larger, is never
formed. Factors of the rows and lengths of the columns count as constants.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from physolve.errors import UnsupportedError
from physolve.jets import Architecture, JetLayout, network_pullback

from ._batch import LAYOUT, ProblemBatch
from ._head import (
    SLOPES,
    Features,
    Head,
    HeadRows,
    RowScale,
    hidden_weights,
    least_squares_head,
    own_head,
    rows_of,
)


class Projected(NamedTuple):
    """Jets in the interior and values and gradients on the boundary of two solutions: with the least-squares head and
    with the head the hypernetwork wrote; differentiable in the weights. `scale` weights their rows."""

    solution: Float[Tensor, "batch 5 points"]
    trace: Float[Tensor, "batch 3 edge"]
    own_solution: Float[Tensor, "batch 5 points"]
    own_trace: Float[Tensor, "batch 3 edge"]
    scale: RowScale


def project(target: Architecture, weights: Float[Tensor, "batch networks count"], batch: ProblemBatch) -> Projected:
    """Solve a batch of problems on the functions of its generated networks."""
    found = _Projection.apply(weights, target, batch)
    return Projected(*found[:4], scale=RowScale(*found[4:]))


class _Projection(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: Tensor, target: Architecture, batch: ProblemBatch) -> tuple[Tensor, ...]:
        weights = weights.detach()
        features = Features.of(target, weights, batch)
        rows = rows_of(features, batch)
        head, own = least_squares_head(rows.matrix, rows.right), own_head(target, weights)
        ctx.kept = target, batch, weights, features, rows, head, own
        scale = (rows.scale.equation, rows.scale.dirichlet, rows.scale.neumann)
        ctx.mark_non_differentiable(*scale)
        a = head.coefficients
        return features.solution(a), features.trace(a), features.solution(own), features.trace(own), *scale

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise UnsupportedError("projection: got create_graph=True, expected first derivatives only")
        target, batch, weights, features, rows, head, own = ctx.kept
        to_solution, to_trace, to_own_solution, to_own_trace = gradients[:4]
        v = head.solve(_to_head(features, to_solution, to_trace).double())
        r, q = _pulled(rows, head, v)
        on_a, on_v = _through_rows(batch, rows.scale, -q), _through_rows(batch, rows.scale, r)
        interior = torch.stack([to_solution + on_a[0], on_v[0], to_own_solution], -1)
        boundary = torch.stack([to_trace + on_a[1], on_v[1], to_own_trace], -1)
        outputs = torch.stack([head.coefficients.to(weights), v.to(weights), own.to(weights)], -1)[:, :-1]
        outputs = outputs.unflatten(1, (weights.shape[1], -1))
        gradient = _pull(target, weights, outputs, batch.interior, LAYOUT, interior)
        gradient += _pull(target, weights, outputs, batch.boundary.points, SLOPES, boundary)
        last = _to_last_layer(features, to_own_solution, to_own_trace)
        return torch.cat([gradient, last.to(gradient)], -1), None, None


def _to_head(features: Features, to_solution: Tensor, to_trace: Tensor) -> Float[Tensor, "batch columns"]:
    """Gradient in the coefficients of u, given those in its jets."""
    pulled = _pulled_jets(features.interior, to_solution) + _pulled_jets(features.boundary, to_trace)
    constant = to_solution[:, 0].sum(1, keepdim=True) + to_trace[:, 0].sum(1, keepdim=True)
    return torch.cat([pulled.flatten(1), constant], 1)


def _pulled_jets(jets: Float[Tensor, "batch networks rows n width"], to_jet: Float[Tensor, "batch rows n"]) -> Tensor:
    """(batch, networks, width): gradient in the coefficients of jets, as one product with them as they lie."""
    return (jets.flatten(2, 3).mT @ to_jet.flatten(1)[:, None, :, None]).squeeze(-1)


def _pulled(rows: HeadRows, head: Head, v: Tensor) -> tuple[Float[Tensor, "batch rows"], Float[Tensor, "batch rows"]]:
    """r = b - A a and q = A v."""
    both = rows.matrix @ torch.stack([head.coefficients, v], -1)
    return rows.right - both[..., 0], both[..., 1]


def _through_rows(batch: ProblemBatch, scale: RowScale, to_rows: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients in the jet (batch, 5, points) and the trace (batch, 3, edge) of u, given those in the weighted rows."""
    edge, points = batch.boundary, batch.interior.shape[1]
    equation, dirichlet, neumann = to_rows.to(batch.source).split(
        [points, edge.points.shape[1], edge.points.shape[1]], 1
    )
    jet = batch.coefficients[:, :, None] * (scale.equation * equation)[:, None]
    slope = edge.normals.mT * (scale.neumann * neumann)[:, None]
    return jet, torch.cat([(scale.dirichlet * dirichlet)[:, None], slope], 1)


def _pull(
    target: Architecture,
    weights: Float[Tensor, "batch networks count"],
    outputs: Float[Tensor, "batch networks width outputs"],
    points: Float[Tensor, "batch n 2"],
    layout: JetLayout,
    cotangents: Float[Tensor, "batch rows n outputs"],
) -> Float[Tensor, "batch networks hidden"]:
    """Gradient in the hidden weights, backwards through networks whose last layers are `outputs`."""
    hidden, count = hidden_weights(target, weights), outputs.shape[-1]
    biases = outputs.new_zeros(*outputs.shape[:2], count)
    whole = torch.cat([hidden, outputs.flatten(2), biases], -1)
    cotangents = cotangents.unsqueeze(1).expand(-1, weights.shape[1], -1, -1, -1)
    return network_pullback(target.with_outputs(count), whole, points.unsqueeze(1), layout, cotangents)[
        ..., : hidden.shape[-1]
    ]


def _to_last_layer(features: Features, to_solution: Tensor, to_trace: Tensor) -> Float[Tensor, "batch networks last"]:
    """Gradient in the last layers that the hypernetwork wrote: matrix, then bias."""
    gradient = _to_head(features, to_solution, to_trace)
    networks, width = features.interior.shape[1], features.interior.shape[-1]
    bias = gradient[:, -1:].expand(-1, networks)
    return torch.cat([gradient[:, :-1].unflatten(1, (networks, width)), bias.unsqueeze(-1)], -1) / networks
