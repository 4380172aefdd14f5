"""What is asked on which part of the boundary.

Elliptic problems have conditions on the whole boundary; time-dependent ones on the sides x = +-1 and at y = -1, the
hyperbolic ones the normal derivative at y = -1 as well (2509.05117). There, too: every hole Dirichlet, Neumann or both,
and Neumann on the outer boundary as well for a quarter of the samples with a solution. Ours: on a few samples one side
or two opposite ones have Neumann data only. Problems without a known solution have one condition a point.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from ._boundary import BOTTOM, LEFT, RIGHT, SIDES, TOP
from ._draws import Draws
from ._operators import Operators

DOUBLED = 0.25
MIXED = 0.12


@dataclass(frozen=True, eq=False)
class Conditions:
    """For every part of the boundary (LEFT, RIGHT, BOTTOM, TOP, holes) whether its values or slopes are given."""

    dirichlet: Bool[Tensor, "batch parts"]
    neumann: Bool[Tensor, "batch parts"]

    @property
    def used(self) -> Bool[Tensor, "batch parts"]:
        return self.dirichlet | self.neumann


def random_conditions(draws: Draws, operators: Operators, known: Bool[Tensor, " batch"], holes: int) -> Conditions:
    """Conditions that the operators admit; on samples not `known` none is given twice."""
    count = len(known)
    dirichlet = torch.ones(count, SIDES + holes, dtype=torch.bool, device=draws.device)
    neumann = (known & draws.chance(DOUBLED, count))[:, None].repeat(1, SIDES + holes)
    dirichlet[:, SIDES:], neumann[:, SIDES:] = _hole_conditions(draws, known, holes)
    mixed = _mixed_sides(draws, count, operators.elliptic)
    dirichlet[:, :SIDES] &= ~mixed
    neumann[:, :SIDES] |= mixed
    evolving = ~operators.elliptic
    dirichlet[:, TOP] &= ~evolving
    neumann[:, TOP] &= ~evolving
    neumann[:, BOTTOM] = torch.where(evolving, operators.hyperbolic, neumann[:, BOTTOM])
    return Conditions(dirichlet, neumann)


def _hole_conditions(draws: Draws, known: Bool[Tensor, " batch"], holes: int) -> tuple[Tensor, Tensor]:
    """Each with probability one half, at least one; where both are drawn for an unknown solution, Dirichlet."""
    dirichlet, neumann = draws.chance(0.5, len(known), holes), draws.chance(0.5, len(known), holes)
    dirichlet |= ~neumann
    return dirichlet, neumann & (known[:, None] | ~dirichlet)


def _mixed_sides(draws: Draws, count: int, elliptic: Bool[Tensor, " batch"]) -> Bool[Tensor, "batch 4"]:
    """One side or two opposite ones of a few samples; never the initial state."""
    sides = torch.arange(SIDES, device=draws.device)
    first = torch.where(elliptic, draws.integers(0, SIDES, count), draws.integers(LEFT, RIGHT + 1, count))[:, None]
    pair = draws.chance(0.3, count)[:, None]
    chosen = torch.where(pair, sides // 2 == first // 2, sides == first)
    return chosen & draws.chance(MIXED, count)[:, None]
