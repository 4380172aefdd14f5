"""The least-squares head: for given hidden layers the best last layer solves a small linear problem.

    u = sum_j a_j phi_j,  phi = 1 and the last hidden layer of every generated network
    a = argmin  mean_i (w_e (L u - f))^2 + mean_i (w_d (u - g))^2 + mean_i (w_n (du/dn - h))^2 + ridge sum_j (s_j a_j)^2

Rows are weighted by the size of their own entries, so that neither units nor derivative orders decide which of them is
met best; s_j is the length of column j. Variable projection (Golub and Pereyra 1973): the minimiser is a smooth
function of the hidden layers; its derivative is in `_projection`.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from physolve.jets import Architecture, JetLayout, network_jet

from ._batch import LAYOUT, Boundary, ProblemBatch

SLOPES = JetLayout(2, (0, 1))
"""Jets at the boundary: value and gradient."""

CONDITION_WEIGHT = 30.0
"""A condition counts thirty times an equation of the same size. The median error on 96 random problems was 0.092,
0.041, 0.031, 0.029, 0.057 with 3, 10, 30, 100, 300; that of Helmholtz's equation (HZ) was least with 30."""

TYPICAL = 0.4
"""Quantile of the columns' sizes that counts as the size of a row's entries: oscillating functions, which may be half
of the columns, must not make the equation count less. (With the root mean square over all columns Helmholtz's equation
was met up to a hundredth only, by u = 0.)"""

RIDGE = 1e-10
"""Of the normal equations in float64; jets in float32 are good to about 1e-6 of a column, squared 1e-12."""


def hidden_weights(
    target: Architecture, weights: Float[Tensor, "batch networks count"]
) -> Float[Tensor, "batch networks hidden"]:
    """The weights without those of the last layer, which come last."""
    width, outputs = target.layers[-1]
    return weights[..., : target.count - (width + 1) * outputs]


def hidden_jets(
    target: Architecture,
    weights: Float[Tensor, "batch networks count"],
    points: Float[Tensor, "batch n 2"],
    layout: JetLayout,
) -> Float[Tensor, "batch networks rows n width"]:
    """Jets of the last hidden layer of every generated network: the network with the identity as its last layer."""
    hidden, width = hidden_weights(target, weights), target.layers[-1][0]
    identity = torch.cat([torch.eye(width).flatten(), torch.zeros(width)]).to(weights)
    whole = torch.cat([hidden, identity.expand(*hidden.shape[:-1], -1)], -1)
    return network_jet(target.with_outputs(width), whole, points.unsqueeze(1), layout)


@dataclass(frozen=True, eq=False)
class Features:
    """The functions phi at the points of a batch of problems; columns: network by network, then the constant.

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

    def beside(self, other: "Features") -> "Features":
        """More networks at the same points."""
        return Features(torch.cat([self.interior, other.interior], 1), torch.cat([self.boundary, other.boundary], 1))

    def solution(self, head: Float[Tensor, "batch columns"]) -> Float[Tensor, "batch 5 points"]:
        """The jet of u = sum_j a_j phi_j at the interior points."""
        return combined(self.interior, head)

    def trace(self, head: Float[Tensor, "batch columns"]) -> Float[Tensor, "batch 3 edge"]:
        """Value and gradient of u at the boundary points."""
        return combined(self.boundary, head)


@dataclass(frozen=True, eq=False)
class RowScale:
    """Factors of the rows: weight / (typical size of the kind's entries sqrt(number of its rows)), zero if unused."""

    equation: Float[Tensor, "batch points"]
    dirichlet: Float[Tensor, "batch edge"]
    neumann: Float[Tensor, "batch edge"]


@dataclass(frozen=True, eq=False)
class HeadRows:
    """The weighted least-squares problem of every sample, in float64: equation, Dirichlet rows, Neumann rows."""

    matrix: Float[Tensor, "batch rows columns"]
    right: Float[Tensor, "batch rows"]
    scale: RowScale


@dataclass(frozen=True, eq=False)
class Head:
    """The minimiser of a least-squares problem, and what its derivative needs.

    factor   Cholesky factor of the normal equations with columns of length one
    lengths  of the columns
    """

    coefficients: Float[Tensor, "batch columns"]
    factor: Float[Tensor, "batch columns columns"]
    lengths: Float[Tensor, "batch columns"]

    def solve(self, right: Float[Tensor, "batch columns"]) -> Float[Tensor, "batch columns"]:
        """(A^T A + ridge s^2)^-1 right."""
        return _solved(self.factor, self.lengths, right)


def rows_of(features: Features, batch: ProblemBatch, scale: RowScale | None = None) -> HeadRows:
    """The rows of equation and conditions on these functions, with factors of their own or with those of other rows."""
    edge = batch.boundary
    equation = operator_columns(features.interior, batch.coefficients)
    value, slope = _trace_columns(features.boundary, edge)
    if scale is None:
        scale = RowScale(
            _factors(equation, torch.ones_like(equation[..., 0]), 1.0),
            _factors(value, edge.on_dirichlet, CONDITION_WEIGHT),
            _factors(slope, edge.on_neumann, CONDITION_WEIGHT),
        )
    blocks, factors = (equation, value, slope), (scale.equation, scale.dirichlet, scale.neumann)
    counts = [block.shape[1] for block in blocks]
    matrix = equation.new_empty(len(equation), sum(counts), equation.shape[2], dtype=torch.float64)
    for block, factor, place in zip(blocks, factors, matrix.split(counts, 1), strict=True):
        torch.mul(block, factor.unsqueeze(-1), out=place)
    return HeadRows(matrix, right_side(batch, scale), scale)


def operator_columns(
    jets: Float[Tensor, "batch networks 5 n width"], coefficients: Float[Tensor, "batch 5"]
) -> Float[Tensor, "batch n columns"]:
    """L phi of all functions, of the constant at the end."""
    # A product with (5, n width) matrices reads the jets as they lie; an einsum to (n, networks, width) copies them.
    applied = coefficients[:, None, None] @ jets.flatten(3)
    return _columns(applied.unflatten(3, jets.shape[3:])[:, :, 0], coefficients[:, 0])


def right_side(batch: ProblemBatch, scale: RowScale) -> Float[Tensor, "batch rows"]:
    """The weighted data."""
    edge = batch.boundary
    parts = [batch.source * scale.equation, edge.dirichlet * scale.dirichlet, edge.neumann * scale.neumann]
    return torch.cat([part.double() for part in parts], 1)


def applied(
    batch: ProblemBatch,
    scale: RowScale,
    solution: Float[Tensor, "batch 5 points"],
    trace: Float[Tensor, "batch 3 edge"],
) -> Float[Tensor, "batch rows"]:
    """The weighted rows of any function u, given its jet in the interior and its value and gradient on the boundary."""
    operator = torch.einsum("br,brn->bn", batch.coefficients.to(solution), solution)
    slope = torch.einsum("bei,bie->be", batch.boundary.normals.to(trace), trace[:, 1:])
    parts = [operator * scale.equation, trace[:, 0] * scale.dirichlet, slope * scale.neumann]
    return torch.cat([part.double() for part in parts], 1)


def least_squares_head(
    matrix: Float[Tensor, "batch rows columns"], right: Float[Tensor, "batch rows"], ridge: float = RIDGE
) -> Head:
    """The minimiser, by Cholesky of the normal equations with columns scaled to unit length."""
    gram = matrix.mT @ matrix
    lengths = gram.diagonal(dim1=1, dim2=2).sqrt().clamp_min(1e-30)
    gram /= lengths.unsqueeze(1) * lengths.unsqueeze(2)
    gram.diagonal(dim1=1, dim2=2).add_(ridge)
    factor = torch.linalg.cholesky(gram)
    pulled = (matrix.mT @ right.unsqueeze(-1)).squeeze(-1)
    return Head(_solved(factor, lengths, pulled), factor, lengths)


def _solved(factor: Tensor, lengths: Tensor, right: Float[Tensor, "batch columns"]) -> Float[Tensor, "batch columns"]:
    """The normal equations solved, whose Cholesky factor belongs to columns of length one."""
    return torch.cholesky_solve((right / lengths).unsqueeze(-1), factor).squeeze(-1) / lengths


def own_head(target: Architecture, weights: Float[Tensor, "batch networks count"]) -> Float[Tensor, "batch columns"]:
    """The head that the hypernetwork itself wrote: the mean of its networks."""
    width = target.layers[-1][0]
    last = weights[..., -(width + 1) :] / weights.shape[1]
    return torch.cat([last[..., :width].flatten(1), last[..., width].sum(1, keepdim=True)], -1)


def combined(
    jets: Float[Tensor, "batch networks rows n width"], head: Float[Tensor, "batch columns"]
) -> Float[Tensor, "batch rows n"]:
    """Jets of u = a_0 + sum_kj a_kj h_kj; the first row is the value."""
    per_network = head[:, :-1].unflatten(1, (jets.shape[1], jets.shape[-1])).to(jets.dtype)
    total = (jets.flatten(2, 3) @ per_network.unsqueeze(-1)).sum(1).unflatten(1, jets.shape[2:4]).squeeze(-1)
    total[:, 0] += head[:, -1:].to(jets.dtype)
    return total


def _trace_columns(jets: Float[Tensor, "batch networks 3 edge width"], edge: Boundary) -> tuple[Tensor, Tensor]:
    """Values and normal derivatives of all columns at the boundary points."""
    n_x, n_y = edge.normals[:, None, :, :, None].unbind(3)
    ones = torch.ones_like(edge.dirichlet[:, 0])
    slope = torch.addcmul(n_x * jets[:, :, 1], n_y, jets[:, :, 2])
    return _columns(jets[:, :, 0], ones), _columns(slope, torch.zeros_like(ones))


def _columns(
    functions: Float[Tensor, "batch networks n width"], constant: Float[Tensor, " batch"]
) -> Float[Tensor, "batch n columns"]:
    """Something of all functions, network by network, and of the constant, as columns."""
    last = constant[:, None, None].expand(-1, functions.shape[2], 1)
    return torch.cat([*functions.unbind(1), last], -1)


def _factors(matrix: Tensor, used: Tensor, weight: float) -> Float[Tensor, "batch rows"]:
    """weight / (typical size of the used entries sqrt(number of used rows)) for rows of a kind; zero if unused."""
    used = used.to(matrix.dtype)
    count = used.sum(1, keepdim=True).clamp_min(1)
    columns = (torch.einsum("brc,br->bc", matrix.square(), used) / count).sqrt()
    size = columns.quantile(TYPICAL, dim=1, keepdim=True).clamp_min(1e-30)
    return weight * used / (size * count.sqrt())
