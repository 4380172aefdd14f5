"""Manufactured solutions of every kind, and the kinds of a batch."""

from dataclasses import astuple
from enum import IntEnum

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from ._curriculum import Stage
from ._draws import Draws
from ._fields import Mixture, Product, RandomField, Vanishing, random_bumps, random_waves
from ._modes import random_modes
from ._operators import Operators
from ._settings import SamplerSettings
from ._trees import select_trees


class SolutionKind(IntEnum):
    """In the order of `Kinds`."""

    TREES = 0
    WAVES = 1
    BUMPS = 2
    MODES = 3
    VANISHING = 4
    PHYSICS = 5


def random_kinds(draws: Draws, stage: Stage, count: int) -> Int[Tensor, " count"]:
    return draws.shares(astuple(stage.kinds), count)


def random_solutions(
    draws: Draws, settings: SamplerSettings, stage: Stage, kinds: Int[Tensor, " batch"], operators: Operators
) -> Mixture:
    """The true solutions; those of SolutionKind.PHYSICS are zero."""
    vanishing = kinds == SolutionKind.VANISHING
    base = torch.where(vanishing, draws.integers(SolutionKind.TREES, SolutionKind.BUMPS + 1, len(kinds)), kinds)
    rows = tuple(
        (base == kind).nonzero()[:, 0]
        for kind in (SolutionKind.TREES, SolutionKind.WAVES, SolutionKind.BUMPS, SolutionKind.MODES)
    )
    trees, waves, bumps, modes = rows
    parts = (
        select_trees(draws, len(trees), settings.value, settings.slope, settings.spread),
        random_waves(draws, len(waves), stage.waves),
        random_bumps(draws, len(bumps), stage.width),
        random_modes(draws, operators.coefficients[modes], ~operators.elliptic[modes], stage.waves),
    )
    in_y = vanishing & operators.elliptic
    parts = (_vanish(part, vanishing[some], in_y[some]) for part, some in zip(parts, rows, strict=True))
    return Mixture(len(kinds), rows, tuple(parts))


def _vanish(part: RandomField, in_x: Bool[Tensor, " batch"], in_y: Bool[Tensor, " batch"]) -> RandomField:
    return Product(part, Vanishing(in_x, in_y)) if bool(in_x.any()) else part
