"""Diffusion and advection of a concentration between cells, in one flux per directed edge.

Through the face of an edge from cell i to cell j flows, out of i, f_ij c_i (micrograms per second and metre of height)

    diffusion     f = face * D / distance
    advection     f = face * max(v, 0)                          v the wind along the edge: first-order upwind
    both          f = face * D / distance * B(-v distance / D)  B(x) = x / (exp(x) - 1)
    both          f = face * (D / distance + v / 2)             with central differences

"Fitted" after Scharfetter and Gummel (1969): upwind where v distance / D is large, of second order where it is small.
Central differences add no diffusion of their own, so that the diffusivity that is learned is the equation's, but values
are kept in bounds only where v distance < 2 D. All conserve mass: what leaves i enters j.

    area_i dc_i/dt = sum_j f_ji c_j - sum_j f_ij c_i - (flow through the rim)

"Compact" are central differences with M dc/dt on the left side, see `mass`: waves of a few cells spread and travel too
slowly by central differences, which learned coefficients would have to make up for.

Over the rim the wind carries a cell's own concentration in and out (no gradient there), or nothing at all.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from ._graph import StationGraph

Scheme = Literal["fitted", "central", "compact"]

LARGEST_EXPONENT = 80.0
"""exp of it is finite in float32, and B is zero there to rounding."""


def edge_wind(graph: StationGraph, wind: Float[Tensor, "*batch n 2"]) -> Float[Tensor, "*batch edges"]:
    """Wind along every edge, the mean of its ends, m/s; `wind` is east and north, TO which the air moves."""
    ends = wind.index_select(-2, graph.sender) + wind.index_select(-2, graph.receiver)
    return (ends * graph.normal).sum(-1) / 2


def rim_wind(graph: StationGraph, wind: Float[Tensor, "*batch n 2"]) -> Float[Tensor, "*batch n"]:
    """Volume that the wind carries out of every cell over the rim, per metre of height: m^2/s."""
    out = (wind.index_select(-2, graph.wall) * graph.wall_normal).sum(-1) * graph.wall_face
    return out.new_zeros(*out.shape[:-1], len(graph)).index_add(-1, graph.wall, out)


def bernoulli(x: Tensor) -> Tensor:
    """x / (exp(x) - 1), 1 at zero, with derivatives everywhere."""
    small = x.abs() < 1e-2
    inner = torch.where(small, torch.ones_like(x), x.clamp(max=LARGEST_EXPONENT))
    return torch.where(small, 1 - x / 2 + x * x / 12, inner / torch.expm1(inner))


def conductance(
    graph: StationGraph,
    diffusivity: Float[Tensor, " pairs"] | None,
    speed: Float[Tensor, "*batch edges"] | None,
    scheme: Scheme = "fitted",
) -> Float[Tensor, "*batch edges"]:
    """f of every edge, m^2/s, from diffusivities of pairs (m^2/s, positive) and the wind along edges (m/s)."""
    if diffusivity is None:
        return graph.face.new_zeros(()).expand_as(graph.face) if speed is None else graph.face * speed.relu()
    across = diffusivity.repeat_interleave(2) / graph.distance
    if speed is None:
        return graph.face * across
    return graph.face * (across * bernoulli(-speed / across) if scheme == "fitted" else across + speed / 2)


@dataclass(frozen=True, eq=False)
class Exchange:
    """Rates, 1/s, at which cells exchange mass: dc_j = gain_ij c_i over edges, dc_i = -loss_i c_i.

    gain   (*batch, edges), loss (*batch, n)
    """

    graph: StationGraph
    gain: Float[Tensor, "*batch edges"]
    loss: Float[Tensor, "*batch n"]

    def __call__(self, c: Float[Tensor, "*batch n channels"]) -> Float[Tensor, "*batch n channels"]:
        """dc/dt of all samples and channels at once."""
        carried = self.gain[..., None] * c.index_select(-2, self.graph.sender)
        return (-self.loss[..., None] * c).index_add(-2, self.graph.receiver, carried)


def exchange(
    graph: StationGraph, f: Float[Tensor, "*batch edges"], rim: Float[Tensor, "*batch n"] | None = None
) -> Exchange:
    """Rates of conductances; `rim` as of `rim_wind` where the rim is open, None where nothing passes it."""
    gain = f / graph.area[graph.receiver]
    out = f / graph.area[graph.sender]
    loss = out.new_zeros(*f.shape[:-1], len(graph)).index_add(-1, graph.sender, out)
    return Exchange(graph, gain, loss if rim is None else loss + rim / graph.area)


def divergence(graph: StationGraph, wind: Float[Tensor, "*batch n 2"]) -> Float[Tensor, "*batch n"]:
    """Divergence of the wind in every cell, 1/s, faces of the rim included; zero for uniform wind to rounding."""
    out = edge_wind(graph, wind) * graph.face
    inner = out.new_zeros(*out.shape[:-1], len(graph)).index_add(-1, graph.sender, out)
    return (inner + rim_wind(graph, wind)) / graph.area


def mass(graph: StationGraph) -> Float[Tensor, "n n"]:
    """M of M dc/dt = ...: area_i (M c)_i = area_i c_i + sum_j face distance (c_j - c_i) / 12 over neighbours j.

    On a regular grid 1 + h^2 laplacian / 12: for waves along its axes the fourth-order scheme of Crandall (1955) for
    diffusion, and half the error of advection. Total mass and constants are what they were. As face distance / 4 over
    its faces adds up to a cell's area, M is diagonally dominant by 1/3 on any graph: its inverse multiplies nothing by
    more than 3.
    """
    n = len(graph)
    weight = (graph.face * graph.distance).double() / (12 * graph.area[graph.receiver].double())
    m = torch.eye(n, dtype=torch.float64, device=weight.device)
    m.index_put_((graph.receiver, graph.sender), weight, accumulate=True)
    m.index_put_((graph.receiver, graph.receiver), -weight, accumulate=True)
    return m.to(graph.face.dtype)
