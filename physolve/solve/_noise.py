"""What noise in measurements does to a solution and its parameters: the least squares solved again for noise alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from physolve.nets import Basis, Expansion, Field
from physolve.residual import Rows

from ._least_squares import least_squares
from ._system import Projection

MOST = 256
"""Right sides that the noise is given as: one for every measurement up to this number, random combinations of more."""


@dataclass(frozen=True, eq=False)
class Spread:
    """Changes of the field that independent parts of the noise make, side by side, and standard deviations of the
    parameters: infinite where nothing depends on one."""

    fields: Expansion
    parameters: tuple[float, ...]


def spread_of_noise(rows: Sequence[Rows], basis: Basis, solved: Projection, seed: int, ridge: float) -> Spread:
    """Linear response of the solution to noise in its data.

    The noise's standard deviation is the one stated with the observations, else the root mean square of what the
    solution leaves of them.
    """
    measurements = sum(len(block) for block in rows if block.role == "data")
    unknowns, thetas = solved.field.components, solved.parameters
    split = basis.size * unknowns
    parts = iter(_independent(measurements, seed))
    influence = torch.zeros(len(thetas), dtype=torch.float64)

    def blocks() -> Iterator[tuple[Float[Tensor, "m columns"], Float[Tensor, "m parts"]]]:
        for block, weight in zip(rows, solved.scale.weights, strict=True):
            matrix, _ = block.matrix(basis, unknowns, solved.field, thetas)
            influence.add_(matrix[:, split:].abs().sum(0))
            factor = weight / len(block) ** 0.5
            noise = [next(parts) for _ in range(len(block))] if block.role == "data" else None
            right = matrix.new_zeros(len(block), min(measurements, MOST)) if noise is None else torch.stack(noise)
            yield matrix.mul_(factor), right.mul_(_deviation(block, solved.field, thetas) * factor)

    found = least_squares(blocks(), split + len(thetas), ridge).coefficients
    changes = found[:split].unflatten(0, (unknowns, basis.size)).movedim(0, 2)  # features, parts, unknowns
    deviations = torch.where(influence > 0, found[split:].norm(dim=1), torch.inf)
    return Spread(Expansion(basis, changes.flatten(1).contiguous()), tuple(deviations.tolist()))


def _independent(measurements: int, seed: int) -> Float[Tensor, "measurements parts"]:
    """What the noise of every measurement is in every part; their products over all parts are those of its covariance,
    of that many random ones in the mean."""
    if measurements <= MOST:
        return torch.eye(measurements, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(measurements, MOST, generator=generator, dtype=torch.float64) / MOST**0.5


def _deviation(block: Rows, field: Field, parameters: Sequence[float]) -> float:
    if block.role != "data":
        return 0.0
    if block.noise is not None:
        return block.noise
    return float(block.residual_of(field, parameters).square().mean().sqrt())
