"""How a written network begins: as functions of one size whose second derivatives are of one size too."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from physolve.jets import Architecture

DAMPING = 2.0
"""Power with which features of frequency w are damped by (1 + w). With 0 the features' second derivatives differ by two
orders of magnitude and no combination of them meets an equation: sin(pi x) sin(2 pi y) from Poisson's equation had the
error 1.0 with 129 random functions, 0.27 with 1, 0.07 with 2."""


def weight_scales(target: Architecture) -> Float[Tensor, " count"]:
    """Standard deviation of every weight of a fresh network, in the flat order; of its biases it is 1.

    A matrix has 1 / sqrt(inputs); the rows of the first ones, which read Fourier features, are damped.
    """
    scales = []
    for layer, (inputs, outputs) in enumerate(target.layers):
        rows = torch.full((inputs,), 1 / math.sqrt(inputs))
        if layer < target.heads and target.bands:
            rows = rows * _damping(target)
        scales += [rows[:, None].expand(-1, outputs).flatten(), torch.ones(outputs)]
    return torch.cat(scales)


def _damping(target: Architecture) -> Float[Tensor, " features"]:
    """Factors of mean square 1 for sines, cosines and the coordinates, whose frequency counts as pi."""
    bands = torch.tensor(target.bands * (2 * target.dim) + (0.5,) * target.dim)
    factor = (1 + 2 * math.pi * bands) ** -DAMPING
    return factor / factor.square().mean().sqrt()
