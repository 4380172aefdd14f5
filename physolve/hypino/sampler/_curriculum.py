"""How hard the samples are at a given progress of the training."""

import dataclasses
import math
from dataclasses import dataclass

from ._settings import Kinds, SamplerSettings


@dataclass(frozen=True)
class Stage:
    """The numbers of the distribution that change while training."""

    waves: float
    width: float
    kinds: Kinds


def stage_at(settings: SamplerSettings, progress: float) -> Stage:
    """The stage at `progress` in [0, 1]: wave numbers and widths move geometrically.

    Raises ValueError for another progress.
    """
    if not 0 <= progress <= 1:
        raise ValueError(f"sampler: got progress={progress}, expected a number from 0 (easy) to 1 (everything)")
    c = settings.curriculum
    part = min(1.0, progress / c.full)
    physics = min(1.0, max(0.0, (progress - c.physics_from) / (c.full - c.physics_from)))
    kinds = dataclasses.replace(settings.kinds, physics=physics * settings.kinds.physics)
    return Stage(_between(*c.waves, part), _between(*c.width, part), kinds)


def _between(start: float, end: float, part: float) -> float:
    return math.exp((1 - part) * math.log(start) + part * math.log(end))
