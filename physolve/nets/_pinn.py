"""PINN: the sum of networks of one architecture, with an output for every unknown, as a field to be trained."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column, Points
from physolve.jets import Architecture, Jet, JetLayout, derivatives, directions_of, network_jet, plain_jet

from ._architecture_config import architecture_config, architecture_of
from ._field import Field, JetAtom

CHUNK_POINTS = 8192


@dataclass(frozen=True)
class PINNModel:
    """u(x) = sum over k of N(x; theta_k), k < `networks`, all N of one architecture (which maps the coordinates).

    Weights are (networks, count), each row in the flat order of the architecture. Raises ValueError for no network.
    """

    architecture: Architecture
    networks: int = 1

    def __post_init__(self) -> None:
        if self.networks < 1:
            raise ValueError(f"PINN model: got networks={self.networks}, expected at least 1")

    @classmethod
    def on_box(
        cls, architecture: Architecture, lower: Sequence[float], upper: Sequence[float], networks: int = 1
    ) -> "PINNModel":
        """The box [lower, upper] is mapped to [-1, 1]^dim before the first layer."""
        sides = [(float(a), float(b)) for a, b in zip(lower, upper, strict=True)]
        center, slope = tuple((a + b) / 2 for a, b in sides), tuple(2 / (b - a) for a, b in sides)
        return cls(replace(architecture, center=center, slope=slope), networks)

    @property
    def dim(self) -> int:
        return self.architecture.dim

    @property
    def outputs(self) -> int:
        return self.architecture.sizes[-1]

    @property
    def count(self) -> int:
        """Number of weights of all networks."""
        return self.networks * self.architecture.count

    def glorot(self, seed: int = 0) -> Float[Tensor, "networks count"]:
        """Normal weights of variance 2 / (in + out), zero biases, float64; the same for the same seed."""
        generator = torch.Generator().manual_seed(seed)
        weights = torch.zeros(self.networks, self.architecture.count, dtype=torch.float64)
        for vector in weights:
            for matrix, _ in self.architecture.split(vector):
                draw = torch.randn(*matrix.shape, generator=generator, dtype=torch.float64)
                matrix.copy_(draw * math.sqrt(2 / sum(matrix.shape)))
        return weights

    def apply(self, weights: Float[Tensor, "networks count"], points: Float[Tensor, "n dim"]) -> Tensor:
        """Values at points (n, outputs), by plain torch operations."""
        return plain_jet(self.architecture, weights, points, JetLayout(self.dim)).sum(0)[0]

    def atoms(
        self, weights: Float[Tensor, "networks count"], points: Points, atoms: Sequence[JetAtom]
    ) -> dict[JetAtom, Column]:
        """The asked derivatives, any order, differentiable in the weights."""
        found = derivatives(_Bound(self, weights), points, list(dict.fromkeys(a.orders for a in atoms)))
        return {atom: found[atom.orders][:, atom.unknown] for atom in atoms}


@dataclass(frozen=True, eq=False)
class _Bound:
    """The model with its weights: a function of points, and of jets of the plain coordinates."""

    model: PINNModel
    weights: Float[Tensor, "networks count"]

    def __call__(self, points: Tensor) -> Tensor:
        return self.model.apply(self.weights, points)

    def jet(self, points: Tensor, layout: JetLayout) -> Jet:
        return Jet(network_jet(self.model.architecture, self.weights, points, layout).sum(0), layout)


@dataclass(frozen=True, eq=False)
class PINN(Field):
    """A trained or generated network as a field. Raises ValueError for weights that are not the model's, float64."""

    model: PINNModel
    weights: Float[Tensor, "networks count"]

    def __post_init__(self) -> None:
        expected = (self.model.networks, self.model.architecture.count)
        if tuple(self.weights.shape) != expected or self.weights.dtype != torch.float64:
            raise ValueError(
                f"PINN: got weights of shape {tuple(self.weights.shape)} and {self.weights.dtype}, expected {expected}"
                " (networks, weights of one) and torch.float64"
            )

    @property
    def components(self) -> int:
        return self.model.outputs

    def derivatives(self, points: Points, atoms: Sequence[JetAtom]) -> dict[JetAtom, Column]:
        """Values of the asked derivatives at the points, in chunks of bounded memory, without a graph."""
        with torch.no_grad():
            parts = [self.model.atoms(self.weights, part, atoms) for part in points.split(CHUNK_POINTS)]
        return {atom: torch.cat([part[atom] for part in parts]) for atom in atoms}

    def tensors(self) -> dict[str, Tensor]:
        return {"weights": self.weights}

    def config(self) -> dict[str, Any]:
        return {"kind": "pinn", "architecture": architecture_config(self.model.architecture)}

    @classmethod
    def rebuild(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "PINN":
        """The field whose `config()` and `tensors()` these are."""
        weights = tensors["weights"]
        return cls(PINNModel(architecture_of(config["architecture"]), len(weights)), weights)


def order_of(atoms: Sequence[JetAtom], dim: int) -> int:
    """Highest total order among the atoms."""
    return max((len(directions_of(atom.orders, dim)) for atom in atoms), default=0)
