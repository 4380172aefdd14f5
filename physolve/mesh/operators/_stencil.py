"""Derivatives at nodes as sums over neighbours: (D u)_i = sum over a node's stencil of weight * u."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from physolve.errors import SpecificationError


@dataclass(frozen=True, eq=False)
class Stencil:
    """Linear operators at the nodes of a mesh, differentiable in the field.

    row, node    (edges,): row i gets weight * u[node]
    weights      (edges, operators)
    nodes        how many there are
    """

    row: Int[Tensor, " edges"]
    node: Int[Tensor, " edges"]
    weights: Float[Tensor, "edges operators"]
    nodes: int

    def __call__(self, u: Float[Tensor, "n *components"]) -> Float[Tensor, "n *components operators"]:
        """All operators on a field; raises SpecificationError for another number of nodes."""
        if len(u) != self.nodes:
            raise SpecificationError(f"mesh operator: got a field of {len(u)} nodes, expected {self.nodes}")
        weights = self.weights.to(u.dtype)
        columns = []
        for k in range(weights.shape[1]):
            weight = weights[:, k].reshape(-1, *[1] * (u.ndim - 1))
            columns.append(torch.zeros_like(u).index_add(0, self.row, weight * u[self.node]))
        return torch.stack(columns, -1)

    def within(self, nodes: Int[Tensor, " m"], rows: int) -> "Stencil":
        """The operators at the first `rows` of some nodes of the mesh, as a stencil of these; zero at the others.

        Raises SpecificationError where one needs a node that is not among them.
        """
        place = torch.full((self.nodes,), -1)
        place[nodes] = torch.arange(len(nodes))
        row = place[self.row]
        kept = (row >= 0) & (row < rows)
        node = place[self.node[kept]]
        if bool((node < 0).any()):
            short = len(torch.unique(row[kept][node < 0]))
            raise SpecificationError(
                f"mesh operator: {short} of {rows} nodes have neighbours beyond the {len(nodes)} nodes of a piece;"
                " take a deeper halo"
            )
        return type(self)(row[kept], node, self.weights[kept], len(nodes))

    def to(self, device: torch.device | str) -> "Stencil":
        return type(self)(self.row.to(device), self.node.to(device), self.weights.to(device), self.nodes)


@dataclass(frozen=True, eq=False)
class NodeGradient:
    """Gradient and divergence at nodes."""

    stencil: Stencil

    def __call__(self, u: Float[Tensor, "n *components"]) -> Float[Tensor, "n *components dim"]:
        """Entry (i, a, b) is d u_a / d x_b at node i."""
        return self.stencil(u)

    def divergence(self, v: Float[Tensor, "n dim"]) -> Float[Tensor, " n"]:
        """sum_a d v_a / d x_a; raises SpecificationError for a field with another number of components."""
        dim = self.stencil.weights.shape[1]
        if v.ndim != 2 or v.shape[1] != dim:
            raise SpecificationError(f"divergence: got a field of shape {tuple(v.shape)}, expected (nodes, {dim})")
        return self.stencil(v).diagonal(dim1=-2, dim2=-1).sum(-1)

    def to(self, device: torch.device | str) -> "NodeGradient":
        return type(self)(self.stencil.to(device))


@dataclass(frozen=True, eq=False)
class NodeLaplacian:
    """The sum of the pure second derivatives at nodes, component by component."""

    stencil: Stencil

    def __call__(self, u: Float[Tensor, "n *components"]) -> Float[Tensor, "n *components"]:
        return self.stencil(u)[..., 0]

    def to(self, device: torch.device | str) -> "NodeLaplacian":
        return type(self)(self.stencil.to(device))
