"""The label that is at a given place at a given time: the map inverted by safeguarded Newton iterations."""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physolve._typing import Points

from ._labels import at_time
from ._model import MovingModel

ITERATIONS = 60
NEAR = 3
"""Newton steps from labels that were right for a map nearby."""

PRECISION = 1e-11
"""Distance from the place, in extents of the labels, at which an iteration ends."""

ACCEPTED = 1e-8
"""Distance up to which a label is an answer."""

STRETCH = 0.05
"""How far outside the box of labels an answer may lie, in its extents: walls are reached from both sides."""

TABLE_LABELS, TABLE_TIMES = 41, 33
"""Labels along each axis and times of the table of first guesses in two dimensions."""

CHUNK = 16_384


class Locator:
    """Labels at fixed places and times for maps that change little from call to call: a few Newton steps from the
    labels found last. Good enough where what is left of the distance is made up for to first order."""

    def __init__(self, places: Points) -> None:
        self.places = places
        self._labels: Points | None = None

    def __call__(self, model: MovingModel, vector: Float[Tensor, " count"]) -> Points:
        """Labels and times (n, dim + 1), inside the box of labels or a little outside."""
        inverse = Inverse(model, vector)
        with torch.no_grad():
            if self._labels is None:
                self._labels = inverse(self.places)[0]
            self._labels = inverse.improved(self.places, self._labels)
        return self._labels


@dataclass(frozen=True, eq=False)
class Inverse:
    """xi(x, t) for one map."""

    model: MovingModel
    vector: Float[Tensor, " count"]
    _images: dict[int, tuple[Tensor, object]] = field(default_factory=dict)

    def __call__(self, points: Points) -> tuple[Points, Bool[Tensor, " n"]]:
        """Labels and times (n, dim + 1) of places and times (n, dim + 1), and which of them were found.

        Where a place is taken by no characteristic of the box there is none. The map must be invertible up to the times
        asked for; whether it is, is the business of `_crossing`.
        """
        if not len(points):
            return points, points.new_zeros(0, dtype=torch.bool)
        with torch.no_grad():
            parts = [self._part(part) for part in points.split(CHUNK)]
        return torch.cat([labels for labels, _ in parts]), torch.cat([found for _, found in parts])

    def improved(self, points: Points, labels: Points) -> Points:
        """Labels and times after NEAR Newton steps from given ones, kept in the box and a little more."""
        box, found = self.model.frame.labels, labels[:, :-1]
        low, high, extent = (found.new_tensor(v) for v in (box.lower, box.upper, box.extent))
        for _ in range(NEAR):
            offset, slope = self._offset(points, found)
            step = torch.linalg.solve_ex(slope, offset)[0].nan_to_num()
            found = found - step.clamp(-STRETCH * extent, STRETCH * extent)
            held = torch.minimum(torch.maximum(found, low - STRETCH * extent), high + STRETCH * extent)
            found = torch.where(torch.tensor(box.periodic), found, held)
        return torch.cat([found, points[:, -1:]], 1)

    def _part(self, points: Points) -> tuple[Points, Bool[Tensor, " n"]]:
        labels = self._bracketed(points) if self.model.frame.labels.dim == 1 else self._damped(points)
        distance = self._offset(points, labels)[0].abs().amax(1)
        box = self.model.frame.labels
        inside = torch.ones(len(points), dtype=torch.bool)
        for axis, (a, b) in enumerate(zip(box.lower, box.upper, strict=True)):
            if not box.periodic[axis]:
                room = STRETCH * (b - a)
                inside &= (labels[:, axis] >= a - room) & (labels[:, axis] <= b + room)
        found = inside & (distance <= ACCEPTED * max(box.extent))
        return torch.cat([labels, points[:, -1:]], 1), found

    def _offset(self, points: Points, labels: Float[Tensor, "n dim"]) -> tuple[Tensor, Tensor]:
        """X - x (n, dim), and dX / dxi (n, dim, dim)."""
        box = self.model.frame.labels
        jet = self.model.place(self.vector, torch.cat([labels, points[:, -1:]], 1))
        slope = jet.tensor[[jet.layout.first_row(axis) for axis in range(box.dim)]].movedim(0, 2)
        return jet.value - points[:, :-1], slope

    def _bracketed(self, points: Points) -> Float[Tensor, "n 1"]:
        """Newton between two labels on either side, bisection where it leaves them; X grows with the label."""
        low, high = self._bracket(points)
        label = (low + high) / 2
        size = max(self.model.frame.labels.extent)
        for _ in range(ITERATIONS):
            offset, slope = self._offset(points, label[:, None])
            offset, slope = offset[:, 0], slope[:, 0, 0]
            low, high = torch.where(offset < 0, label, low), torch.where(offset < 0, high, label)
            if float(offset.abs().max()) <= PRECISION * size:
                break
            step = label - offset / slope
            label = torch.where((step > low) & (step < high), step, (low + high) / 2)
        return label[:, None]

    def _bracket(self, points: Points) -> tuple[Tensor, Tensor]:
        """Labels whose images lie on both sides: the ends of the box, or a period more and less than a guess."""
        box = self.model.frame.labels
        extent = box.extent[0]
        if not box.periodic[0]:
            ones = torch.ones(len(points), dtype=points.dtype)
            return (box.lower[0] - STRETCH * extent) * ones, (box.upper[0] + STRETCH * extent) * ones
        offset, _ = self._offset(points, points[:, :1])
        # X(xi + P) = X(xi) + P, so X - xi varies by less than P while X grows with xi.
        guess = points[:, 0] - offset[:, 0]
        return guess - extent, guess + extent

    def _damped(self, points: Points) -> Float[Tensor, "n 2"]:
        """Newton from the nearest tabulated image; steps are halved until the distance falls."""
        labels = self._guess(points)
        size = max(self.model.frame.labels.extent)
        offset, slope = self._offset(points, labels)
        damping = torch.ones(len(points), 1, dtype=points.dtype)
        for _ in range(ITERATIONS):
            distance = offset.norm(dim=1)
            if float(distance.max()) <= PRECISION * size:
                break
            regular = slope + 1e-14 * torch.eye(slope.shape[-1], dtype=slope.dtype)
            step = torch.linalg.solve_ex(regular, offset)[0]
            candidate = labels - damping * step.nan_to_num()
            moved, steeper = self._offset(points, candidate)
            better = moved.norm(dim=1) < distance
            labels = torch.where(better[:, None], candidate, labels)
            offset = torch.where(better[:, None], moved, offset)
            slope = torch.where(better[:, None, None], steeper, slope)
            damping = torch.where(better[:, None], (2 * damping).clamp(max=1), damping / 2)
        return labels

    def _guess(self, points: Points) -> Float[Tensor, "n 2"]:
        """Labels of the nearest images at the nearest tabulated times; along periodic axes images are wrapped."""
        box = self.model.frame.labels
        last = TABLE_TIMES - 1
        nearest = ((points[:, -1] - box.start) / box.duration * last).round().long().clamp(0, last)
        guess = points.new_zeros(len(points), box.dim)
        for k in nearest.unique().tolist():
            here = nearest == k
            guess[here] = self._nearest(points[here], box.start + k * box.duration / last, k)
        return guess

    def _nearest(self, points: Points, time: float, k: int) -> Float[Tensor, "n 2"]:
        from scipy.spatial import cKDTree

        box = self.model.frame.labels
        periods = [size if periodic else 0.0 for size, periodic in zip(box.extent, box.periodic, strict=True)]
        if k not in self._images:
            grid = box.grid(TABLE_LABELS)
            image = self.model.place(self.vector, at_time(grid, time)).value
            tree = cKDTree(_wrapped(image.numpy(), box.lower, periods), boxsize=periods)
            self._images[k] = torch.cat([grid, image], 1), tree
        table, tree = self._images[k]
        _, index = tree.query(_wrapped(points[:, :-1].numpy(), box.lower, periods))  # type: ignore[attr-defined]
        chosen = table[torch.from_numpy(np.asarray(index))]
        labels, images = chosen[:, : box.dim].clone(), chosen[:, box.dim :]
        for axis, period in enumerate(periods):
            if period:
                labels[:, axis] += period * ((points[:, axis] - images[:, axis]) / period).round()
        return labels


def _wrapped(places: np.ndarray, lower: tuple[float, ...], periods: list[float]) -> np.ndarray:
    """Places with periodic coordinates in [0, period)."""
    places = places.copy()
    for axis, period in enumerate(periods):
        if period:
            inside = np.mod(places[:, axis] - lower[axis], period)
            places[:, axis] = np.where(inside >= period, 0.0, inside)
    return places
