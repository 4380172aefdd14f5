"""PINN: one dense network with an output for every unknown, on coordinates normalised to the domain's box."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from physolve._typing import Column, Points
from physolve.jets import (
    Architecture,
    Jet,
    JetLayout,
    activation_of_name,
    derivatives,
    directions_of,
    network_jet,
)

from ._field import Field, JetAtom
from ._mlp import MLP, Weights

CHUNK_POINTS = 8192


@dataclass(frozen=True)
class PINNModel:
    """The network and the box [lower, upper] that is mapped to [-1, 1]^dim before the first layer."""

    network: MLP
    lower: tuple[float, ...]
    upper: tuple[float, ...]

    @property
    def dim(self) -> int:
        return len(self.lower)

    @cached_property
    def architecture(self) -> Architecture:
        """The network on the plain coordinates, as the jets know it."""
        sides = list(zip(self.lower, self.upper, strict=True))
        center, slope = tuple((a + b) / 2 for a, b in sides), tuple(2 / (b - a) for a, b in sides)
        return Architecture(self.network.sizes, self.network.activation, center=center, slope=slope)

    def apply(self, weights: Weights, points: Tensor) -> Tensor:
        """Values at points, (..., n, dim) to (..., n, outputs), by plain torch operations."""
        center, slope = (points.new_tensor(part) for part in (self.architecture.center, self.architecture.slope))
        return self.network.apply(weights, (points - center) * slope)

    def atoms(self, weights: Weights, points: Points, atoms: Sequence[JetAtom]) -> dict[JetAtom, Column]:
        """The asked derivatives, any order, differentiable in the weights."""
        found = derivatives(_Bound(self, weights), points, list(dict.fromkeys(a.orders for a in atoms)))
        return {atom: found[atom.orders][:, atom.unknown] for atom in atoms}


@dataclass(frozen=True, eq=False)
class _Bound:
    """The model with its weights: a function of points, and of jets of the plain coordinates."""

    model: PINNModel
    weights: Weights

    def __call__(self, points: Tensor) -> Tensor:
        return self.model.apply(self.weights, points)

    def jet(self, points: Tensor, layout: JetLayout) -> Jet:
        vector = self.model.network.flatten(self.weights)
        return Jet(network_jet(self.model.architecture, vector, points, layout), layout)


@dataclass(frozen=True, eq=False)
class PINN(Field):
    """A trained network as a field; `weights` as `MLP.init` lays them out, float64."""

    model: PINNModel
    weights: Mapping[str, Tensor]

    @property
    def components(self) -> int:
        return self.model.network.sizes[-1]

    def derivatives(self, points: Points, atoms: Sequence[JetAtom]) -> dict[JetAtom, Column]:
        """Values of the asked derivatives at the points, in chunks of bounded memory, without a graph."""
        with torch.no_grad():
            parts = [self.model.atoms(self.weights, part, atoms) for part in points.split(CHUNK_POINTS)]
        return {atom: torch.cat([part[atom] for part in parts]) for atom in atoms}

    def tensors(self) -> dict[str, Tensor]:
        return dict(self.weights)

    def config(self) -> dict[str, Any]:
        network = self.model.network
        return {
            "kind": "pinn",
            "sizes": list(network.sizes),
            "activation": network.activation.name,
            "lower": list(self.model.lower),
            "upper": list(self.model.upper),
        }

    @classmethod
    def rebuild(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "PINN":
        """The field whose `config()` and `tensors()` these are."""
        network = MLP(tuple(config["sizes"]), activation_of_name(config["activation"]))
        return cls(PINNModel(network, tuple(config["lower"]), tuple(config["upper"])), dict(tensors))


def order_of(atoms: Sequence[JetAtom], dim: int) -> int:
    """Highest total order among the atoms."""
    return max((len(directions_of(atom.orders, dim)) for atom in atoms), default=0)
