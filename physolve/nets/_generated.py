"""The last hidden layers of trained or generated networks as a basis, with a constant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Points
from physolve.jets import Architecture, JetLayout, network_jet

from ._architecture_config import architecture_config, architecture_of
from ._basis import Basis, Operator, Orders
from ._pinn import PINN, PINNModel

CHUNK_POINTS = 4096


@dataclass(frozen=True, eq=False)
class GeneratedBasis(Basis):
    """phi_kj(x) = h_kj(x), the `width` functions of the last hidden layer of network k, and the constant 1 last.

    architecture   ends with that layer: its last size is `width`, its last layer the identity (see `of`)
    weights        (networks, count), float64, the identity included

    Derivatives come from the jet kernels and end at order 2; UnsupportedError beyond.
    """

    architecture: Architecture
    weights: Float[Tensor, "networks count"]

    @classmethod
    def of(cls, architecture: Architecture, weights: Float[Tensor, "networks count"]) -> "GeneratedBasis":
        """The basis of whole networks: their own last layers are left out.

        Raises ValueError for weights of another shape.
        """
        if weights.ndim != 2:
            raise ValueError(
                f"generated basis: got weights of shape {tuple(weights.shape)}, expected (networks, count)"
            )
        architecture.split(weights)  # for its message
        return cls(*with_last_layer(architecture, weights, torch.eye(architecture.sizes[-2], dtype=torch.float64)))

    @property
    def size(self) -> int:
        return len(self.weights) * self.width + 1

    @property
    def dim(self) -> int:
        return self.architecture.dim

    @property
    def width(self) -> int:
        return self.architecture.sizes[-1]

    def operate(self, points: Points, operator: Operator) -> Float[Tensor, "n size"]:
        layout = JetLayout.of(self.dim, operator)
        matrix = points.new_zeros(len(points), self.size)
        for chunk in torch.arange(len(points)).split(CHUNK_POINTS):
            jets = network_jet(self.architecture, self.weights, points[chunk], layout)
            for orders, coefficient in operator.items():
                part = jets[:, layout.row(orders)] * coefficient[chunk, None]
                matrix[chunk, :-1] += part.transpose(0, 1).flatten(1)
        matrix[:, -1] = operator.get((0,) * self.dim, points.new_zeros(len(points)))
        return matrix

    def combine(
        self, points: Points, coefficients: Float[Tensor, "size k"], orders: Sequence[Orders]
    ) -> Float[Tensor, "orders n k"]:
        layout = JetLayout.of(self.dim, orders)
        last = coefficients[:-1].unflatten(0, (len(self.weights), self.width))
        jets = network_jet(*with_last_layer(self.architecture, self.weights, last), points, layout).sum(0)
        found = torch.stack([jets[layout.row(alpha)] for alpha in orders])
        constant = [float(not any(alpha)) for alpha in orders]
        return found + points.new_tensor(constant)[:, None, None] * coefficients[-1]

    def network(self, coefficients: Float[Tensor, "size k"]) -> PINN:
        """sum_j coefficients[j] phi_j as networks to be trained further; each has its share of the constant."""
        last = coefficients[:-1].unflatten(0, (len(self.weights), self.width))
        architecture, weights = with_last_layer(self.architecture, self.weights, last)
        weights[:, -coefficients.shape[1] :] = coefficients[-1] / len(weights)
        return PINN(PINNModel(architecture, len(weights)), weights)

    def tensors(self) -> dict[str, Tensor]:
        return {"weights": self.weights}

    def config(self) -> dict[str, Any]:
        return {"kind": "generated", "architecture": architecture_config(self.architecture)}

    @classmethod
    def rebuild(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "GeneratedBasis":
        """The basis whose `config()` and `tensors()` these are."""
        return cls(architecture_of(config["architecture"]), tensors["weights"])


def with_last_layer(
    architecture: Architecture,
    weights: Float[Tensor, "networks count"],
    matrix: Float[Tensor, "*networks width outputs"],
) -> tuple[Architecture, Float[Tensor, "networks other"]]:
    """The networks, in float64, with another last layer (without bias)."""
    changed = architecture.with_outputs(matrix.shape[-1])
    inputs, outputs = architecture.layers[-1]
    hidden = weights.detach().double()[:, : architecture.count - (inputs + 1) * outputs]
    last = matrix.flatten(-2).expand(len(weights), -1)
    return changed, torch.cat([hidden, last, last.new_zeros(len(weights), matrix.shape[-1])], 1)
