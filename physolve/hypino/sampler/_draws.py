"""Random numbers by the names of their distributions, on the generator's device."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of a generator, all float32, int64 or bool."""

    generator: torch.Generator

    @property
    def device(self) -> torch.device:
        return self.generator.device

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Float[Tensor, "..."]:
        return low + (high - low) * torch.rand(shape, generator=self.generator, device=self.device)

    def log_uniform(self, *shape: int, low: float, high: float) -> Float[Tensor, "..."]:
        return self.uniform(*shape, low=math.log(low), high=math.log(high)).exp()

    def normal(self, *shape: int) -> Float[Tensor, "..."]:
        return torch.randn(shape, generator=self.generator, device=self.device)

    def chance(self, probability: float, *shape: int) -> Bool[Tensor, "..."]:
        return self.uniform(*shape) < probability

    def sign(self, *shape: int) -> Float[Tensor, "..."]:
        return torch.where(self.chance(0.5, *shape), 1.0, -1.0)

    def integers(self, low: int, high: int, *shape: int) -> Int[Tensor, "..."]:
        """low, ..., high - 1."""
        return torch.randint(low, high, shape, generator=self.generator, device=self.device)

    def shares(self, weights: Sequence[float], count: int) -> Int[Tensor, " count"]:
        """Numbers of the weights, each as often as its share says to within one, in random order.

        Tried plain independent draws: the kinds' shares of a batch of 32 then vary so much that losses are noisy.
        """
        if not sum(weights) > 0:
            raise ValueError(
                f"sampler: got shares {tuple(weights)}, expected at least one above zero; see SamplerSettings"
            )
        ends = torch.tensor(weights, device=self.device).cumsum(0)
        places = (torch.arange(count, device=self.device) + self.uniform(1)) / count * ends[-1]
        order = torch.randperm(count, generator=self.generator, device=self.device)
        return torch.searchsorted(ends, places, right=True).clamp(max=len(weights) - 1)[order]
