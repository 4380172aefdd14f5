"""Where characteristics come too close: the map's determinant, watched before it vanishes."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from ._frame import MovingFrame
from ._kinematics import THRESHOLD, pulled_back
from ._labels import at_time
from ._model import MovingModel

EARLY = 0.9
"""Of the time up to which the pilot sees no characteristics come close. A trained map in which they do before has not
been learned: diffusion, which the pilot does not know, only keeps them apart for longer."""

COARSE, FINE = {1: 257, 2: 49}, {1: 1025, 2: 97}
"""Labels along each axis, by dimension: to look through all times, and to find one of them exactly."""

TIMES = 65

HALVINGS = 30


@dataclass(frozen=True)
class Crossing:
    """Neighbouring characteristics are closer than THRESHOLD of their first distance from the time `close` on; at the
    time `crossing` they meet, None where they do not within the time of the problem."""

    close: float
    crossing: float | None

    def __str__(self) -> str:
        if self.crossing is None:
            return f"characteristics come closer than {THRESHOLD:g} of their first distance at t = {self.close:.6g}"
        return f"characteristics cross at t = {self.crossing:.6g}"


def mislearned(found: Crossing | None, frame: MovingFrame) -> bool:
    """Whether characteristics come close in a trained map before the pilot sees them do so, if it does at all."""
    start, close = frame.labels.start, frame.pilot.close
    return found is not None and (close is None or found.close - start < EARLY * (close - start))


def confirmed(found: Crossing | None, frame: MovingFrame) -> Crossing | None:
    """What the pilot confirms of a crossing found in a trained map, where it foresees the characteristics; there it
    also knows of one that was not found. A prescribed velocity brings them close at most, which does no harm to a state
    that depends on no derivatives in space."""
    pilot = frame.pilot
    if not frame.foreseen:
        return found
    if pilot.close is None or (frame.prescribed and not frame.coupled):
        return None
    if found is None or mislearned(found, frame):
        found = Crossing(pilot.close, pilot.crossing)
    return replace(found, crossing=None) if frame.prescribed else found


def first_crossing(model: MovingModel, vector: Float[Tensor, " count"], until: float | None = None) -> Crossing | None:
    """The first time at which characteristics come too close, None where they do not (up to a time)."""
    labels = model.frame.labels
    end = labels.end if until is None else until
    coarse, fine = labels.grid(COARSE[labels.dim]), labels.grid(FINE[labels.dim])

    def least(time: float, grid: Tensor) -> float:
        return float(_determinants(model, vector, grid, time).min())

    def first_below(level: float) -> float | None:
        """When the least determinant first falls to a level: bracketed on a grid of times, then halved."""
        before = labels.start
        for k in range(1, TIMES):
            after = labels.start + k * (end - labels.start) / (TIMES - 1)
            if least(after, coarse) <= level:
                for _ in range(HALVINGS):
                    middle = (before + after) / 2
                    before, after = (before, middle) if least(middle, fine) <= level else (middle, after)
                return after
            before = after
        return None

    close = first_below(THRESHOLD)
    return None if close is None else Crossing(close, first_below(0.0))


def _determinants(model: MovingModel, vector: Tensor, grid: Tensor, time: float) -> Tensor:
    """dX / dxi at one time, in units of its value where a characteristic begins, of those that have begun and are not
    outside the window."""
    labels = model.frame.labels
    points = at_time(grid, time)[labels.begin(grid) < time]
    if not len(points):
        return points.new_ones(1)
    with torch.no_grad():
        motion = model.place(vector, points)
        found = pulled_back(motion, motion).determinant
        found = found / _first(model, vector, points)
    if model.frame.confined:
        found = found[model.frame.inside(motion.value)]
    return torch.cat([found, found.new_ones(1)])


def _first(model: MovingModel, vector: Tensor, points: Tensor) -> Tensor:
    """The determinant where the characteristic begins: 1 at the start, the speed in units of the entry's for those that
    enter."""
    labels = model.frame.labels
    late = labels.entering(points[:, :-1])
    first = points.new_ones(len(points))
    if bool(late.any()):
        begin = torch.cat([points[late, :-1], labels.begin(points[late, :-1])[:, None]], 1)
        motion = model.place(vector, begin)
        first[late] = pulled_back(motion, motion).determinant
    return first
