"""The published ways to test harder: sudden changes only, and short of history."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from .._layout import InputLayout
from .._windows import Windows
from ..data import EAST, NORTH

HIGH = 75.0
"""Micrograms per cubic metre of PM2.5 above which air is polluted (Chinese standard, 24 h mean)."""

CHANGE = 20.0
"""Micrograms per cubic metre within a step that are a sudden change."""


def sudden_changes(windows: Windows, instants: Sequence[int]) -> list[int]:
    """The instants after which a station goes from below to above `HIGH`, or back, or changes by `CHANGE` in a step.

    The change lies in the first day of the horizon; unmeasured steps count as no change.
    """
    t = torch.as_tensor(instants)
    ahead = t[:, None] + torch.arange(min(8, windows.sizes.horizon) + 1)
    c, known = windows.target[ahead], windows.measured[ahead]
    both = known[:, 1:] & known[:, :-1]
    large = (c[:, 1:] - c[:, :-1]).abs() > CHANGE
    crossed = (c[:, 1:] > HIGH) != (c[:, :-1] > HIGH)
    sudden = (both & large & crossed).flatten(1).float().mean(1)
    return t[sudden > 0].tolist()


def sparse_history(windows: Windows, keep: float, seed: int = 0) -> Windows:
    """Windows of which only a share `keep` of station hours is known: of every variable, what was measured last in one
    that is kept stands for all after it.

    Targets and clocks stay; what is carried is marked as not measured. An hour that is kept but in which nothing was
    measured is no better than one that is not: what it was filled with may come from an hour that is not kept. The
    first step is kept at every station; where nothing was measured in it, the training's mean stands there.
    """
    generator = torch.Generator().manual_seed(seed)
    kept = torch.rand(*windows.target.shape, generator=generator) < keep
    kept[0] = True
    layout = InputLayout.of(windows.inputs)
    seen = kept[..., None] & (windows.inputs[..., layout.seen] > 0)
    weather_seen = kept[..., None] & windows.weather_seen
    last, last_weather = _last(seen), _last(weather_seen)
    inputs = windows.inputs.clone()
    for columns, where in ((layout.concentrations, last), (layout.logarithms, last), (layout.weather, last_weather)):
        inputs[..., columns] = torch.take_along_dim(windows.inputs[..., columns], where, 0)
    inputs[..., layout.seen] = seen.to(inputs.dtype)
    concentration = torch.take_along_dim(windows.concentration, last[..., 0], 0)
    wind = torch.take_along_dim(windows.wind, last_weather[..., EAST : NORTH + 1], 0)
    return replace(windows, inputs=inputs, concentration=concentration, wind=wind, weather_seen=weather_seen)


def _last(seen: Bool[Tensor, "time n k"]) -> Int[Tensor, "time n k"]:
    """The last step that was seen, until every step; 0 where none was."""
    return torch.where(seen, torch.arange(len(seen))[:, None, None], 0).cummax(0).values
