"""Label space: which characteristics there are, when each of them begins, and what a network sees of a label."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physolve._typing import Column, Points
from physolve.jets import Jet, JetLayout


@dataclass(frozen=True)
class Entry:
    """The side through which labels enter: x[axis] = position, and the velocity there, signed, that numbers them.

    A label on the far side of the position is one that enters at the time (position - label) / speed. Any speed of the
    right sign numbers the characteristics; that at the start makes the map differentiable across the first of them.
    """

    axis: int
    position: float
    speed: float


@dataclass(frozen=True)
class Labels:
    """Characteristics xi in a box, for times from `start` to `end`; points are (n, dim + 1), the label and then t.

    A characteristic begins at the position xi at `start`, or where and when it enters. Along a periodic axis the box is
    one period.
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    periodic: tuple[bool, ...]
    start: float
    end: float
    entry: Entry | None = None

    @property
    def dim(self) -> int:
        return len(self.lower)

    @property
    def duration(self) -> float:
        return self.end - self.start

    @property
    def extent(self) -> tuple[float, ...]:
        return tuple(b - a for a, b in zip(self.lower, self.upper, strict=True))

    def layout(self, second: bool) -> JetLayout:
        """Value, all first derivatives, and where wanted the second ones along the labels."""
        axes = range(self.dim)
        pairs = tuple((i, j) for i in axes for j in axes if i <= j) if second else ()
        return JetLayout(self.dim + 1, tuple(range(self.dim + 1)), pairs)

    def sample(self, n: int, seed: int, until: float | None = None) -> tuple[Points, Column]:
        """About n points (scrambled Sobol) on characteristics that have begun, and weights of sum 1; up to a time."""
        sobol = torch.quasirandom.SobolEngine(self.dim + 1, scramble=True, seed=seed)
        unit = sobol.draw(n, dtype=torch.float64)
        low, size = unit.new_tensor(self.lower), unit.new_tensor(self.extent)
        labels = low + size * unit[:, :-1]
        begin = self.begin(labels)
        life = ((self.end if until is None else until) - begin).clamp(min=0)
        points = torch.cat([labels, (begin + life * unit[:, -1])[:, None]], 1)
        return points[life > 0], (life / life.sum())[life > 0]

    def grid(self, count: int) -> Float[Tensor, "n dim"]:
        """Labels on a regular grid, `count` along each axis, ends included."""
        ends = zip(self.lower, self.upper, strict=True)
        axes = [torch.linspace(a, b, count, dtype=torch.float64) for a, b in ends]
        return torch.cartesian_prod(*axes).reshape(-1, self.dim)

    def begin(self, labels: Float[Tensor, "n dim"]) -> Column:
        """When each characteristic begins."""
        if self.entry is None:
            return labels.new_full((len(labels),), self.start)
        return self.start + self._delay(labels)

    def entering(self, labels: Float[Tensor, "n dim"]) -> Tensor:
        """Which characteristics enter after the start (n,)."""
        if self.entry is None:
            return torch.zeros(len(labels), dtype=torch.bool)
        return self._delay(labels) > 0

    def _delay(self, labels: Float[Tensor, "n dim"]) -> Column:
        assert self.entry is not None
        return ((self.entry.position - labels[:, self.entry.axis]) / self.entry.speed).clamp(min=0)

    def wrapped(self, places: Float[Tensor, "n dim"]) -> Float[Tensor, "n dim"]:
        """Places moved by whole periods into the box along periodic axes; derivatives pass unchanged."""
        columns = []
        for axis, column in enumerate(places.unbind(1)):
            period = self.extent[axis]
            turns = ((column.detach() - self.lower[axis]) / period).floor() if self.periodic[axis] else 0.0
            columns.append(column - period * turns)
        return torch.stack(columns, 1)

    def inside(
        self, places: Float[Tensor, "*batch dim"], window: tuple[Sequence[float], Sequence[float]], room: float = 0.0
    ) -> Bool[Tensor, "*batch"]:
        """Which places are in the window, or outside by `room` of its extents at most; along periodic axes all are."""
        inside = torch.ones_like(places[..., 0], dtype=torch.bool)
        for axis, (low, high) in enumerate(zip(*window, strict=True)):
            if not self.periodic[axis]:
                more, place = room * (high - low), places[..., axis]
                inside &= (place >= low - more) & (place <= high + more)
        return inside

    def clock(self, points: Points, layout: JetLayout) -> Jet:
        """Jet (rows, n, 1) of the time since the beginning."""
        tensor = points.new_zeros(layout.rows, len(points), 1)
        tensor[0, :, 0] = points[:, -1] - self.begin(points[:, :-1])
        tensor[layout.first_row(self.dim)] = 1
        if self.entry is not None:
            late = self.entering(points[:, :-1]).to(points.dtype)
            tensor[layout.first_row(self.entry.axis), :, 0] = late / self.entry.speed
        return Jet(tensor, layout)

    def origin(self, points: Points, layout: JetLayout) -> Jet:
        """Jet (rows, n, dim) of the place where the characteristic begins."""
        tensor = points.new_zeros(layout.rows, len(points), self.dim)
        tensor[0] = points[:, :-1]
        for axis in range(self.dim):
            tensor[layout.first_row(axis), :, axis] = 1
        if self.entry is not None:
            late = self.entering(points[:, :-1])
            tensor[0, late, self.entry.axis] = self.entry.position
            tensor[layout.first_row(self.entry.axis), late, self.entry.axis] = 0
        return Jet(tensor, layout)

    def box(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Bounds of what `embed` makes: -1 and 1 for cosine and sine, else those of the label; then those of time."""
        low, high = [], []
        for a, b, periodic in zip(self.lower, self.upper, self.periodic, strict=True):
            low += [-1.0, -1.0] if periodic else [a]
            high += [1.0, 1.0] if periodic else [b]
        return (*low, self.start), (*high, self.end)

    def embed(self, points: Points, layout: JetLayout) -> Jet:
        """Jet (rows, n, inputs) of what the networks read: cos and sin of a periodic label, other labels, the time."""
        channels = []
        for axis in range(self.dim):
            if self.periodic[axis]:
                channels += self._circle(points[:, axis], axis, layout)
            else:
                channels.append(_coordinate(points[:, axis], axis, layout))
        channels.append(_coordinate(points[:, -1], self.dim, layout))
        return Jet(torch.stack(channels, -1), layout)

    def _circle(self, label: Column, axis: int, layout: JetLayout) -> list[Float[Tensor, "rows n"]]:
        wave = 2 * torch.pi / self.extent[axis]
        angle = wave * (label - self.lower[axis])
        made = []
        for value, slope in ((angle.cos(), -angle.sin()), (angle.sin(), angle.cos())):
            rows = label.new_zeros(layout.rows, len(label))
            rows[0], rows[layout.first_row(axis)] = value, wave * slope
            if (axis, axis) in layout.second:
                rows[1 + len(layout.first) + layout.second.index((axis, axis))] = -(wave**2) * value
            made.append(rows)
        return made


def at_time(labels: Float[Tensor, "n dim"], time: float) -> Points:
    """Labels (or places), all at one time (n, dim + 1)."""
    return torch.cat([labels, torch.full_like(labels[:, :1], time)], 1)


def _coordinate(values: Column, axis: int, layout: JetLayout) -> Float[Tensor, "rows n"]:
    rows = values.new_zeros(layout.rows, len(values))
    rows[0], rows[layout.first_row(axis)] = values, 1
    return rows
