"""What noise in measurements does to a solution and its parameters: the least squares solved again for noise alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from physolve.nets import Basis, Expansion, Field
from physolve.residual import Rows

from ._least_squares import least_squares
from ._system import Projection, expansion_of

DRAWS = 8


@dataclass(frozen=True, eq=False)
class Spread:
    """Changes of the field under `DRAWS` draws of the noise, and standard deviations of the parameters."""

    fields: tuple[Expansion, ...]
    parameters: tuple[float, ...]


def spread_of_noise(rows: Sequence[Rows], basis: Basis, solved: Projection, seed: int, ridge: float) -> Spread | None:
    """Linear response of the solution to noise in its data; None without data.

    The noise's standard deviation is the one stated with the observations, else the root mean square of what the
    solution leaves of them.
    """
    if not any(block.role == "data" for block in rows):
        return None
    generator = torch.Generator().manual_seed(seed)
    unknowns, thetas = solved.field.components, solved.parameters

    def blocks() -> Iterator[tuple[Float[Tensor, "m columns"], Float[Tensor, "m draws"]]]:
        for block, weight in zip(rows, solved.scale.weights, strict=True):
            matrix, _ = block.matrix(basis, unknowns, solved.field, thetas)
            factor = weight / len(block) ** 0.5
            noise = _deviation(block, solved.field, thetas)
            draws = torch.randn(len(block), DRAWS, generator=generator, dtype=torch.float64)
            yield matrix.mul_(factor), draws * (noise * factor)

    found = least_squares(blocks(), basis.size * unknowns + len(thetas), ridge).coefficients
    split = basis.size * unknowns
    fields = [expansion_of(basis, c, unknowns) for c in found[:split].T]
    deviations = found[split:].square().mean(1).sqrt()
    return Spread(tuple(fields), tuple(deviations.tolist()))


def _deviation(block: Rows, field: Field, parameters: Sequence[float]) -> float:
    if block.role != "data":
        return 0.0
    if block.noise is not None:
        return block.noise
    return float(block.residual_of(field, parameters).square().mean().sqrt())
