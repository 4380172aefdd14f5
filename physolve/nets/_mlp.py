"""A plain multilayer perceptron: an immutable configuration, and functions of its weights."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from physolve.jets import TANH, Activation

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class MLP:
    """sizes = (inputs, hidden..., outputs); the activation between layers, none after the last one.

    Weights live outside, in a dict: "weight0" (..., in, out), "bias0" (..., out), "weight1", ...; leading
    dims are a batch of networks. Raises ValueError for fewer than two sizes or a size below 1.
    """

    sizes: tuple[int, ...]
    activation: Activation = TANH

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ValueError(f"MLP: got sizes={self.sizes}, expected at least two, all >= 1: (inputs, ..., outputs)")

    @property
    def layers(self) -> int:
        return len(self.sizes) - 1

    @property
    def count(self) -> int:
        """Number of weights, biases included."""
        return sum((i + 1) * o for i, o in pairwise(self.sizes))

    def init(self, seed: int = 0, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        """Glorot normal weights (variance 2 / (in + out)), zero biases; the same for the same seed."""
        generator = torch.Generator().manual_seed(seed)
        weights = {}
        for index, (i, o) in enumerate(pairwise(self.sizes)):
            draw = torch.randn(i, o, generator=generator, dtype=torch.float64) * math.sqrt(2 / (i + o))
            weights[f"weight{index}"] = draw.to(dtype)
            weights[f"bias{index}"] = torch.zeros(o, dtype=dtype)
        return weights

    def stack(self, weights: Weights) -> list[tuple[Tensor, Tensor]]:
        """(weight, bias) a layer; raises ValueError naming the tensor that is missing or has another size."""
        return [
            (self._tensor(weights, f"weight{k}", (i, o)), self._tensor(weights, f"bias{k}", (o,)))
            for k, (i, o) in enumerate(pairwise(self.sizes))
        ]

    def apply(self, weights: Weights, inputs: Float[Tensor, "*batch n inputs"]) -> Float[Tensor, "*batch n outputs"]:
        """Values at the inputs; the weights' leading dims broadcast with the inputs'."""
        values = inputs
        for index, (weight, bias) in enumerate(self.stack(weights)):
            values = (self.activation(values) if index else values) @ weight + bias.unsqueeze(-2)
        return values

    def flatten(self, weights: Weights) -> Float[Tensor, "*batch count"]:
        """All weights of a network as a vector: weight0 (row-major), bias0, weight1, ..."""
        layers = self.stack(weights)
        return torch.cat([part for weight, bias in layers for part in (weight.flatten(-2), bias)], -1)

    def unflatten(self, vector: Float[Tensor, " count"]) -> dict[str, Tensor]:
        """The inverse of `flatten`, as views of the vector."""
        if vector.shape != (self.count,):
            raise ValueError(f"MLP: got a vector of shape {tuple(vector.shape)}, expected ({self.count},)")
        weights, start = {}, 0
        for index, (i, o) in enumerate(pairwise(self.sizes)):
            weights[f"weight{index}"] = vector[start : start + i * o].view(i, o)
            weights[f"bias{index}"] = vector[start + i * o : start + (i + 1) * o]
            start += (i + 1) * o
        return weights

    @staticmethod
    def _tensor(weights: Weights, name: str, shape: tuple[int, ...]) -> Tensor:
        tensor = weights.get(name)
        if tensor is None:
            raise ValueError(
                f"MLP: weights have no {name!r}, expected it with shape (..., {shape}); got {sorted(weights)}"
            )
        if tuple(tensor.shape[-len(shape) :]) != shape:
            raise ValueError(f"MLP: got {name} of shape {tuple(tensor.shape)}, expected it to end in {shape}")
        return tensor
