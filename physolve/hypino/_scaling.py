"""Problems brought to one size, so that the hypernetwork need not learn that equations may be multiplied.

(L, f) -> (L, f) / c,  c the second-order coefficient of largest size (the largest of all where there is none)
(f, g, h) -> (f, g, h) / s,  s the size of the data;  u = s v  for the solution v of the scaled problem
"""

import dataclasses
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ._batch import ProblemBatch

SOURCE_SIZE, SLOPE_SIZE = 16.0, 4.0
"""Sizes of f and of du/dn that go with u of size 1: solutions with wave numbers of about 4."""


@dataclass(frozen=True, eq=False)
class Scaled:
    """A scaled batch and the sizes its solutions are to be multiplied by."""

    batch: ProblemBatch
    size: Float[Tensor, " batch"]


def scaled(batch: ProblemBatch) -> Scaled:
    """Divide equations and data by their sizes; exact to rounding, undone by `size`."""
    c = leading_coefficient(batch.coefficients)
    source, edge = batch.source / c[:, None], batch.boundary
    size = torch.stack(
        [
            source.square().mean(1).sqrt() / SOURCE_SIZE,
            (edge.dirichlet * edge.on_dirichlet).abs().amax(1),
            (edge.neumann * edge.on_neumann).abs().amax(1) / SLOPE_SIZE,
        ]
    ).amax(0)
    size = torch.where(size > 0, size, 1)
    per_channel = torch.ones_like(batch.raster[:, :, 0, 0])
    per_channel[:, 2:4] = 1 / size[:, None]
    per_channel[:, 4] = 1 / (c * size)
    labels = batch.labels
    return Scaled(
        dataclasses.replace(
            batch,
            coefficients=batch.coefficients / c[:, None],
            raster=batch.raster * per_channel[..., None, None],
            source=source / size[:, None],
            boundary=dataclasses.replace(
                edge, dirichlet=edge.dirichlet / size[:, None], neumann=edge.neumann / size[:, None]
            ),
            labels=labels and dataclasses.replace(labels, jet=labels.jet / size[:, None, None]),
        ),
        size,
    )


def leading_coefficient(coefficients: Float[Tensor, "batch 5"]) -> Float[Tensor, " batch"]:
    """The signed coefficient that the equation is divided by."""
    second = coefficients[:, 3:]
    top = second.gather(1, second.abs().argmax(1, keepdim=True))[:, 0]
    whole = coefficients.gather(1, coefficients.abs().argmax(1, keepdim=True))[:, 0]
    return torch.where(top != 0, top, whole)
