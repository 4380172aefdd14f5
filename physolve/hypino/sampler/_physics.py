"""Problems without a known solution: a source, and boundary and initial data that the operator admits.

Published (2509.05117): a constant source ~ N(0, 10^2). Here also ones, sums of bumps and of waves, times the size of
the operator, so that solutions keep their size when its coefficients are small. Elliptic problems have zero, constant
(one for the square, one for every hole) or smooth values; time-dependent ones a constant at the ends and at the start,
and an initial profile that is zero at the ends. Slopes are zero, but a random constant on half of the holes.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ._boundary import BOTTOM, SIDES, Rim
from ._curriculum import Stage
from ._draws import Draws
from ._fields import Mixture, random_bumps, random_waves
from ._modes import random_profile
from ._operators import Operators

STRENGTH = 10.0
"""Deviation of constant sources; bumps and waves are as much stronger than in solutions."""

NONE, CONSTANT, BUMPS, WAVES = range(4)
SOURCES = (0.2, 0.3, 0.25, 0.25)
"""Shares of the kinds of sources."""

HELD, CONSTANTS, SMOOTH = range(3)
VALUES = (0.4, 0.35, 0.25)
"""Shares of the kinds of boundary values: zero, constant on every part, smooth (or an initial profile)."""


@dataclass(frozen=True, eq=False)
class RandomPhysics:
    """source: constant + field, times size. values: constants[part] + trace, slopes: slopes[part]."""

    constant: Float[Tensor, " batch"]
    field: Mixture
    size: Float[Tensor, " batch"]
    constants: Float[Tensor, "batch parts"]
    trace: Mixture
    slopes: Float[Tensor, "batch parts"]
    evolving: Bool[Tensor, " batch"]

    def source(self, points: Float[Tensor, "batch n 2"]) -> Float[Tensor, "batch n"]:
        return self.size[:, None] * (self.constant[:, None] + STRENGTH * self.field.jet(points)[:, 0])

    def dirichlet(self, rim: Rim) -> Float[Tensor, "batch n"]:
        """A profile is a start, and zero at the ends."""
        trace = self.trace.jet(rim.points)[:, 0]
        held = self.evolving[:, None] & (rim.part != BOTTOM)
        return self.constants.gather(1, rim.part) + torch.where(held, 0.0, trace)

    def neumann(self, rim: Rim) -> Float[Tensor, "batch n"]:
        return self.slopes.gather(1, rim.part)


def random_physics(draws: Draws, operators: Operators, stage: Stage, holes: int) -> RandomPhysics:
    """Data for all samples of a batch of operators."""
    count, evolving = len(operators.type), ~operators.elliptic
    values = draws.shares(VALUES, count)
    source = draws.shares(SOURCES, count)
    source = torch.where((values == HELD) & (source == NONE), CONSTANT, source)  # else the solution is zero
    return RandomPhysics(
        constant=_constant(draws, count) * (source == CONSTANT),
        field=_field(draws, source, stage),
        size=operators.size,
        constants=_constants(draws, values, evolving, holes),
        trace=_trace(draws, (values == SMOOTH) | ((values == CONSTANTS) & evolving), evolving, stage),
        slopes=_slopes(draws, count, holes),
        evolving=evolving,
    )


def _constant(draws: Draws, count: int) -> Float[Tensor, " count"]:
    """N(0, 10^2), or plus or minus one."""
    return torch.where(draws.chance(0.6, count), STRENGTH * draws.normal(count), draws.sign(count))


def _field(draws: Draws, source: Int[Tensor, " batch"], stage: Stage) -> Mixture:
    bumps, waves = ((source == kind).nonzero()[:, 0] for kind in (BUMPS, WAVES))
    parts = (random_bumps(draws, len(bumps), stage.width), random_waves(draws, len(waves), stage.waves))
    return Mixture(len(source), (bumps, waves), parts)


def _trace(draws: Draws, wanted: Bool[Tensor, " batch"], evolving: Bool[Tensor, " batch"], stage: Stage) -> Mixture:
    smooth, profile = ((wanted & those).nonzero()[:, 0] for those in (~evolving, evolving))
    parts = (random_waves(draws, len(smooth), 0.5 * stage.waves), random_profile(draws, len(profile), stage.waves))
    return Mixture(len(wanted), (smooth, profile), parts)


def _constants(
    draws: Draws, values: Int[Tensor, " batch"], evolving: Bool[Tensor, " batch"], holes: int
) -> Float[Tensor, "batch parts"]:
    """One for the square and one for every hole, the same for half of the samples' holes; half are zeros and ones."""
    count = len(values)
    outer, inner = draws.normal(count, 1), draws.normal(count, holes)
    inner = torch.where(draws.chance(0.5, count, 1), inner[:, :1], inner)
    simple = draws.chance(0.5, count, 1)
    outer_simple, inner_simple = draws.integers(0, 2, count, 1), draws.integers(0, 2, count, 1)
    outer = torch.where(simple, torch.maximum(outer_simple, 1 - inner_simple), outer)
    inner = torch.where(simple, inner_simple.expand(count, holes), inner)
    table = torch.cat([outer.expand(count, SIDES), inner], 1)
    kept = (values == CONSTANTS) & ~(evolving & draws.chance(0.5, count))
    return table * kept[:, None]


def _slopes(draws: Draws, count: int, holes: int) -> Float[Tensor, "batch parts"]:
    slopes = draws.normal(count, SIDES + holes) * draws.chance(0.5, count, 1)
    slopes[:, :SIDES] = 0
    return slopes
