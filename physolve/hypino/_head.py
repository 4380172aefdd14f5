"""The least-squares head: for given hidden layers the best last layer solves a small linear problem.

    u = sum_j a_j phi_j,  phi = 1 and the last hidden layer of every generated network
    a = argmin  mean_i (w_e (L u - f))^2 + mean_i (w_d (u - g))^2 + mean_i (w_n (du/dn - h))^2 + ridge |a|^2

Variable projection (Golub and Pereyra 1973): the problem is linear in the last layer, and the minimiser is
differentiable in the hidden layers, so the head can stand inside the training loop. Rows are weighted by the size of
their own entries, so that neither units nor derivative orders decide which of them is met best.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from physolve.jets import Architecture, JetLayout, network_jet

from ._batch import LAYOUT, Boundary, ProblemBatch

SLOPES = JetLayout(2, (0, 1))
"""Jets at the boundary: value and gradient."""

CONDITION_WEIGHT = 10.0
"""A condition counts ten times an equation of the same size."""

RIDGE = 1e-10
"""Of the normal equations with columns of unit length, in float64: below the rounding of float32 jets squared, about
1e-13 a row, it would fit noise."""


def hidden_jets(
    target: Architecture,
    weights: Float[Tensor, "batch networks count"],
    points: Float[Tensor, "batch n 2"],
    layout: JetLayout,
) -> Float[Tensor, "batch networks rows n width"]:
    """Jets of the last hidden layer of every generated network: the network with the identity as its last layer."""
    width, outputs = target.layers[-1]
    hidden = weights[..., : target.count - (width + 1) * outputs]
    identity = torch.cat([torch.eye(width, dtype=weights.dtype).flatten(), torch.zeros(width, dtype=weights.dtype)])
    identity = identity.to(weights.device).expand(*hidden.shape[:-1], -1)
    whole = Architecture(
        (*target.sizes[:-1], width), target.activation, target.bands, target.gated, target.center, target.slope
    )
    return network_jet(whole, torch.cat([hidden, identity], -1), points.unsqueeze(1), layout)


@dataclass(frozen=True, eq=False)
class Features:
    """The functions phi at the points of a batch of problems; columns: the constant, then network by network.

    interior   jets of the hidden layers, as LAYOUT orders them
    boundary   values and gradients of the hidden layers, as SLOPES orders them
    """

    interior: Float[Tensor, "batch networks 5 points width"]
    boundary: Float[Tensor, "batch networks 3 edge width"]

    @classmethod
    def of(
        cls, target: Architecture, weights: Float[Tensor, "batch networks count"], batch: ProblemBatch
    ) -> "Features":
        """Evaluate the generated networks where the problems are posed."""
        return cls(
            hidden_jets(target, weights, batch.interior, LAYOUT),
            hidden_jets(target, weights, batch.boundary.points, SLOPES),
        )

    def solution(self, head: Float[Tensor, "batch columns"]) -> Float[Tensor, "batch 5 points"]:
        """The jet of u = sum_j a_j phi_j at the interior points."""
        return combined(self.interior, head)

    def traces(self, head: Float[Tensor, "batch columns"]) -> Float[Tensor, "batch 3 edge"]:
        """Value and gradient of u at the boundary points."""
        return combined(self.boundary, head)


@dataclass(frozen=True, eq=False)
class Rows:
    """The weighted least-squares problem of every sample: equation, Dirichlet and Neumann rows, in float64."""

    matrix: Float[Tensor, "batch rows columns"]
    right: Float[Tensor, "batch rows"]

    def residual(self, head: Float[Tensor, "batch columns"]) -> Float[Tensor, " batch"]:
        """|A a - b| over |b|: the share of the data that is not met."""
        off = (self.matrix @ head.unsqueeze(-1)).squeeze(-1) - self.right
        return off.norm(dim=1) / self.right.norm(dim=1).clamp_min(1e-30)


def rows_of(features: Features, batch: ProblemBatch) -> Rows:
    """Every row divided by the size of its kind's entries and by the root of their number; unused rows are zero."""
    c = batch.coefficients
    equation = torch.einsum("br,bkrnw->bnkw", c, features.interior).flatten(2)
    equation = torch.cat([c[:, :1, None].expand(-1, equation.shape[1], 1), equation], -1)
    value, slope = _trace_columns(features.boundary, batch.boundary)
    edge = batch.boundary
    blocks = [
        _weighted(equation, batch.source, torch.ones_like(batch.source), 1.0),
        _weighted(value, edge.dirichlet, edge.on_dirichlet, CONDITION_WEIGHT),
        _weighted(slope, edge.neumann, edge.on_neumann, CONDITION_WEIGHT),
    ]
    return Rows(torch.cat([matrix for matrix, _ in blocks], 1), torch.cat([right for _, right in blocks], 1))


def least_squares_head(rows: Rows, ridge: float = RIDGE) -> Float[Tensor, "batch columns"]:
    """The minimiser, by Cholesky of the normal equations with columns scaled to unit length; differentiable."""
    size = rows.matrix.detach().norm(dim=1, keepdim=True).clamp_min(1e-30)
    matrix = rows.matrix / size
    gram = matrix.mT @ matrix + ridge * torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    right = (matrix.mT @ rows.right.unsqueeze(-1)).squeeze(-1)
    factor = torch.linalg.cholesky(gram)
    return torch.cholesky_solve(right.unsqueeze(-1), factor).squeeze(-1) / size.squeeze(1)


def generated_head(
    target: Architecture, weights: Float[Tensor, "batch networks count"]
) -> Float[Tensor, "batch columns"]:
    """The head that the hypernetwork itself wrote: the mean of its networks."""
    width = target.layers[-1][0]
    last = weights[..., -(width + 1) :] / weights.shape[1]
    return torch.cat([last[..., width].sum(1, keepdim=True), last[..., :width].flatten(1)], -1)


def combined(
    jets: Float[Tensor, "batch networks rows n width"], head: Float[Tensor, "batch columns"]
) -> Float[Tensor, "batch rows n"]:
    """Jets of u = a_0 + sum_kj a_kj h_kj; the first row is the value."""
    per_network = head[:, 1:].unflatten(1, (jets.shape[1], jets.shape[-1])).to(jets.dtype)
    total = torch.einsum("bkrnw,bkw->brn", jets, per_network)
    constant = torch.zeros_like(total)
    constant[:, 0] = head[:, :1].to(jets.dtype)
    return total + constant


def _trace_columns(jets: Float[Tensor, "batch networks 3 edge width"], edge: Boundary) -> tuple[Tensor, Tensor]:
    """Values and normal derivatives of all columns at the boundary points."""
    value = jets[:, :, 0].permute(0, 2, 1, 3).flatten(2)
    slope = torch.einsum("bei,bkiew->bekw", edge.normals, jets[:, :, 1:]).flatten(2)
    one = torch.ones_like(value[..., :1])
    return torch.cat([one, value], -1), torch.cat([torch.zeros_like(one), slope], -1)


def _weighted(matrix: Tensor, right: Tensor, used: Tensor, weight: float) -> tuple[Tensor, Tensor]:
    """Rows of one kind in float64, times weight / (size of the used entries sqrt(number of used rows))."""
    used = used.to(matrix.dtype)
    count = used.sum(1).clamp_min(1)
    with torch.no_grad():
        per_column = ((matrix.square() * used[..., None]).sum(1) / count[:, None]).sqrt()
        size = per_column.quantile(0.4, dim=-1).clamp_min(1e-30)
    factor = (weight * used / (size * count.sqrt())[:, None]).double()
    return matrix.double() * factor.unsqueeze(-1), right.double() * factor
