"""One flow, drawn from a seed and its number."""

from dataclasses import dataclass

import numpy as np

from physolve.errors import SpecificationError
from physolve.reference.flow import Channel, Inflow
from physolve.spec import Shape

from ._settings import ChannelSettings

_TRIES = 1000


@dataclass(frozen=True)
class ChannelCase:
    """A channel, what enters it, and the radii within which its obstacles lie."""

    channel: Channel
    inflow: Inflow
    radii: tuple[float, ...]


def draw_case(settings: ChannelSettings, seed: int, number: int) -> ChannelCase:
    """The case of that number; the same whatever the others are.

    Raises SpecificationError where so many obstacles find no place.
    """
    rng = np.random.default_rng([seed, number])
    low, high = settings.obstacles
    circles = _circles(rng, settings, int(rng.integers(low, high + 1)))
    obstacles = tuple(_shape(rng, settings, circle) for circle in circles)
    channel = Channel(settings.length, settings.height, obstacles)
    inflow = Inflow(settings.height, float(rng.uniform(*settings.peak)), ramp=float(rng.uniform(*settings.ramp)))
    return ChannelCase(channel, inflow, tuple(radius for _, _, radius in circles))


def _circles(rng: np.random.Generator, settings: ChannelSettings, count: int) -> list[tuple[float, float, float]]:
    """(x, y, radius), clear of one another and of the walls."""
    found: list[tuple[float, float, float]] = []
    for _ in range(_TRIES):
        radius = float(rng.uniform(*settings.radius))
        margin = radius + settings.clearance
        x, y = float(rng.uniform(*settings.centre)), float(rng.uniform(margin, settings.height - margin))
        if all(np.hypot(x - a, y - b) >= margin + other for a, b, other in found):
            found.append((x, y, radius))
        if len(found) == count:
            return found
    raise SpecificationError(
        f"channel settings: obstacles: {count} do not fit into centres {settings.centre} in {_TRIES} tries; take fewer,"
        " smaller ones, or a longer range"
    )


def _shape(rng: np.random.Generator, settings: ChannelSettings, circle: tuple[float, float, float]) -> Shape:
    x, y, radius = circle
    return settings.shapes[int(rng.integers(len(settings.shapes)))](rng, (x, y), radius)
