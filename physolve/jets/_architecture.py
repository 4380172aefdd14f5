"""What a jet kernel must know of a dense network besides its weights."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor

from ._activations import TANH, Activation

Layers = Sequence[tuple[Tensor, Tensor]]  # (weight (..., in, out), bias (..., out)) from the first to the last layer


@dataclass(frozen=True)
class Architecture:
    """A dense network of coordinates x: z = (x - center) slope, features phi(z), then layers with an activation s.

        plain   h = s(phi W_0 + b_0),  h = s(h W_l + b_l) ...,  u = h W + b
        gated   U, V, h = s(phi W_k + b_k), k = 0, 1, 2;  h = s((U h + V (1 - h)) W_l + b_l) ...,  u = h W + b

    sizes   (inputs, hidden..., outputs), inputs = number of coordinates; a gated network has hidden layers of one width
    bands   b_k of the Fourier features [sin(2 pi b_k z) ..., cos(2 pi b_k z) ..., z]: all sines (bands of the first
            coordinate, then of the second, ...), all cosines, the coordinates; without bands phi = z
    center, slope   the affine map of the coordinates; the identity by default

    The weights of one network are a flat vector: W_0 (row-major, in x out), b_0, W_1, b_1, ... Gated networks are
    those of Wang, Teng and Perdikaris (2021, 2001.04536), with bands HyPINO's target network (2509.05117).
    Raises ValueError for sizes, bands, center or slope that do not fit.
    """

    sizes: tuple[int, ...]
    activation: Activation = TANH
    bands: tuple[float, ...] = ()
    gated: bool = False
    center: tuple[float, ...] = ()
    slope: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ValueError(f"architecture: got sizes={self.sizes}, expected at least two, all >= 1")
        for name, neutral in (("center", 0.0), ("slope", 1.0)):
            given = getattr(self, name)
            if not given:
                object.__setattr__(self, name, (neutral,) * self.dim)
            elif len(given) != self.dim:
                raise ValueError(f"architecture: got {name}={given}, expected {self.dim} numbers, one a coordinate")
        if not all(math.isfinite(b) for b in (*self.bands, *self.center, *self.slope)):
            raise ValueError("architecture: bands, center and slope must be finite numbers")
        if self.gated and (len(self.sizes) < 3 or len(set(self.sizes[1:-1])) != 1):
            raise ValueError(f"architecture: got sizes={self.sizes}; a gated network has hidden layers of one width")
        _ = self.count  # now: torch.compile cannot trace the lock of a cached property (Python 3.11)

    @property
    def dim(self) -> int:
        return self.sizes[0]

    @property
    def heads(self) -> int:
        """Layers that read the features."""
        return 3 if self.gated else 1

    @cached_property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """(in, out) of every affine map, in the order of the flat weights."""
        features = self.dim * (2 * len(self.bands) + 1)
        return (*[(features, self.sizes[1])] * self.heads, *pairwise(self.sizes[1:]))

    @cached_property
    def count(self) -> int:
        """Number of weights, biases included."""
        return sum((i + 1) * o for i, o in self.layers)

    def with_outputs(self, count: int) -> "Architecture":
        """The same network with another number of outputs: only its last layer differs."""
        return replace(self, sizes=(*self.sizes[:-1], count))

    def split(self, weights: Float[Tensor, "*batch count"]) -> Layers:
        """(weight, bias) of every layer, as views. Raises ValueError for another number of weights."""
        if weights.shape[-1:] != (self.count,):
            raise ValueError(f"architecture: got weights of shape {tuple(weights.shape)}, expected (..., {self.count})")
        sizes = [size for i, o in self.layers for size in (i * o, o)]
        parts = weights.split(sizes, dim=-1)
        return [
            (matrix.unflatten(-1, shape), bias)
            for matrix, bias, shape in zip(parts[::2], parts[1::2], self.layers, strict=True)
        ]
