"""The terms of an equation with their learned coefficients, readable in SI units at any time."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ._sizes import AirSizes
from .operators import (
    Coefficient,
    Scheme,
    StationGraph,
    Terms,
    conductance,
    divergence,
    edge_wind,
    exchange,
    mass,
    rim_wind,
    stream_speeds,
)

DAY = 86_400.0

STILL = 0.1
"""m/s below which the wind hardly counts as coming from somewhere."""


class ExchangeRates(NamedTuple):
    """Rates in 1/s of exchange: gain (*batch, edges) of receivers, loss (*batch, n); see `operators.Exchange`."""

    gain: Float[Tensor, "*batch edges"]
    loss: Float[Tensor, "*batch n"]


class Physics(nn.Module):
    """Diffusivities, wind response and deposition: positive numbers, learned where the equation has a parameter.

    Only what the equation has is there: the others are None. `level` is a usual concentration in units of the scale:
    what is learned of a steady emission is its excess over what is deposited there, so that it does not have to follow
    every change of the deposition (on the basin of data/air: D 1.04, k 0.91 of the truth where it was 1.16 and 0.65
    after as many steps). A source that varies is not helped (tried on Beijing, 24, 48, 72 h: 0.3, 0.0, 0.3 worse).
    """

    def __init__(self, terms: Terms, graph: StationGraph, sizes: AirSizes, level: float) -> None:
        super().__init__()
        self._speeds: Tensor | None
        self.unmixing: Float[Tensor, "n n"] | None  # inverse of `mass`, for changes by exchange; only "compact" has it
        self.terms, self.graph = terms, graph
        self.open_rim = sizes.open_rim
        self.scheme: Scheme = sizes.scheme
        self.register_buffer("_speeds", stream_speeds(graph) if sizes.solenoidal else None, persistent=False)
        unmixing = torch.linalg.inv(mass(graph).double()).to(graph.face.dtype) if sizes.scheme == "compact" else None
        self.register_buffer("unmixing", unmixing, persistent=False)
        self._diffusion = _logarithm(terms.diffusion, graph.pairs if sizes.per_edge else 1)
        self._response = _logarithm(terms.advection.response if terms.advection else None, 1)
        self._deposition = _logarithm(terms.deposition, 1)
        self._level = level if terms.source == "steady" else 0.0
        self._emission = nn.Parameter(torch.zeros(len(graph))) if terms.source else None

    def _apply(self, fn, recurse: bool = True):  # the graph follows the weights to devices and dtypes
        self.graph = self.graph.map(fn)
        return super()._apply(fn, recurse)

    @property
    def diffusivity(self) -> Float[Tensor, " pairs"] | None:
        """m^2/s of every pair of neighbours."""
        return None if self._diffusion is None else self._diffusion.exp().expand(self.graph.pairs)

    @property
    def response(self) -> Float[Tensor, ""] | None:
        """Share of the wind with which the concentration is carried."""
        return None if self._response is None else self._response.exp()[0]

    @property
    def deposition(self) -> Float[Tensor, ""] | None:
        """1/s."""
        return None if self._deposition is None else self._deposition.exp()[0]

    @property
    def emission(self) -> Float[Tensor, " n"] | None:
        """The part of the source that does not change in time, in units of the scale per day."""
        if self._emission is None or self.deposition is None:
            return self._emission
        return self._emission + DAY * self.deposition * self._level

    def transport(self, wind: Float[Tensor, "*batch n 2"]) -> ExchangeRates:
        """Rates of diffusion and advection, in a wind (m/s, TO which the air moves)."""
        graph, advection = self.graph, self.terms.advection
        carrier = None if self.response is None else self.response * wind
        speed = None if carrier is None else self._speed(carrier)
        f = conductance(graph, self.diffusivity, speed, self.scheme).expand(*wind.shape[:-2], -1)
        rim = rim_wind(graph, carrier) if carrier is not None and self.open_rim else None
        moved = exchange(graph, f, rim)
        loss = moved.loss
        diverges = advection and not advection.conservative and self._speeds is None
        if carrier is not None and diverges:
            loss = loss - (divergence(graph, carrier) if self.open_rim else self._inner_divergence(carrier))
        return ExchangeRates(moved.gain, loss)

    def _speed(self, carrier: Float[Tensor, "*batch n 2"]) -> Float[Tensor, "*batch edges"]:
        """Along edges: the mean of their ends, or of a solenoidal wind that of its stream function."""
        if self._speeds is None:
            return edge_wind(self.graph, carrier)
        forth = torch.einsum("pni,...ni->...p", self._speeds, carrier)
        return torch.stack([forth, -forth], dim=-1).flatten(-2)

    def _inner_divergence(self, carrier: Float[Tensor, "*batch n 2"]) -> Float[Tensor, "*batch n"]:
        return divergence(self.graph, carrier) - rim_wind(self.graph, carrier) / self.graph.area

    def supports(self, wind: Float[Tensor, "batch n 2"]) -> list["NeighbourSum"]:
        """Operators of the terms between neighbours for Chebyshev convolutions, spectra in the unit disk.

        Of diffusion the normalised Laplacian less 1, which is minus the normalised adjacency; of advection the shares
        in which the wind at hand brings air from up-wind neighbours.
        """
        found = []
        if self.terms.diffusion:
            found.append(_laplacian(self.graph))
        if self.terms.advection:
            found.append(_upwind(self.graph, wind))
        return found


class NeighbourSum(NamedTuple):
    """x_j = sum of weight_ij x_i over edges; weight (*batch, edges)."""

    graph: StationGraph
    weight: Float[Tensor, "*batch edges"]

    def __call__(self, x: Tensor) -> Tensor:
        carried = self.weight[..., None] * x.index_select(-2, self.graph.sender)
        return torch.zeros_like(x).index_add(-2, self.graph.receiver, carried)


def _laplacian(graph: StationGraph) -> NeighbourSum:
    weight = graph.face / graph.distance
    degree = weight.new_zeros(len(graph)).index_add(0, graph.sender, weight)
    return NeighbourSum(graph, -weight * (degree[graph.sender] * degree[graph.receiver]).rsqrt())


def _upwind(graph: StationGraph, wind: Float[Tensor, "batch n 2"]) -> NeighbourSum:
    brought = graph.face * edge_wind(graph, wind).relu()
    still = (STILL * graph.face).expand_as(brought)
    total = brought.new_zeros(*brought.shape[:-1], len(graph)).index_add(-1, graph.receiver, brought + still)
    return NeighbourSum(graph, brought / total[..., graph.receiver])


def _logarithm(coefficient: Coefficient | None, count: int) -> nn.Parameter | None:
    if coefficient is None:
        return None
    return nn.Parameter(torch.full((count,), math.log(coefficient.value)), requires_grad=coefficient.learned)
