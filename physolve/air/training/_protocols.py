"""The published ways to test harder: sudden changes only, and short of history."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from .._windows import Windows

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
    """Windows of which only a share `keep` of station hours was measured: the last measured value stands for the rest.

    Targets stay. Clocks stay, too; concentration and weather are carried forward, marked as not measured. The first
    step is kept at every station, so that a kept value stands behind whatever is carried.
    """
    generator = torch.Generator().manual_seed(seed)
    steps, stations = windows.target.shape
    kept = torch.rand(steps, stations, generator=generator) < keep
    kept[0] = True
    last = torch.where(kept, torch.arange(steps)[:, None], 0).cummax(0).values
    inputs = torch.take_along_dim(windows.inputs, last[..., None], 0).clone()
    clock = windows.clock.shape[-1]
    inputs[..., -clock:] = windows.inputs[..., -clock:]
    pollutants = (inputs.shape[-1] - clock - 5) // 3
    inputs[..., 2 * pollutants : 3 * pollutants] *= kept[..., None]
    concentration = torch.take_along_dim(windows.concentration, last, 0)
    wind = torch.take_along_dim(windows.wind, last[..., None], 0)
    return replace(windows, inputs=inputs, concentration=concentration, wind=wind)
