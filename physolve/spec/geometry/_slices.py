"""Quadrature over joined shapes, one coordinate after the other down to the pieces of lines that are inside.

In the spirit of Saye (2015, doi 10.1137/140966290), without a grid: the ends of the pieces are known in closed form,
and so are most heights at which they cease to be smooth functions of the other coordinates. Between two such heights
there is a Gauss rule, in a variable in which square roots at the heights are smooth; a panel is halved until the
moments of its lines no longer change.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from physolve._typing import ColumnArray, PointArray

from ._chords import Placed, placed
from ._pieces import is_composite, pieces
from ._samples import Samples
from ._shape import Shape

_MOMENTS = 5  # of the lines, by which panels are judged
_TOLERANCE = {1: 1.0, 2: 1e-10, 3: 3e-6}  # of a panel, in measures of the whole, by dimension
_ROUGH = 1e-8  # the same for outlines of so many edges that not every vertex can begin a slab
_HALVINGS = {1: 0, 2: 24, 3: 8}
_TINY = 1e-12  # of the extent: what is shorter has no room for points

Values = Callable[[np.ndarray, ColumnArray], np.ndarray]
"""owners (n,), heights (n,) -> moments (n, k) of what lies at the height in the owner's section"""


@dataclass(frozen=True, eq=False)
class _Panels:
    """Intervals start..end of a slab lower..upper in the variable s in [0, 1] (see `nodes`), in the section `owner`.

    turns: whether square roots begin at the slab's ends (n, 2); order: points in a panel.
    """

    owner: np.ndarray
    slab: np.ndarray
    turns: np.ndarray
    part: np.ndarray
    order: np.ndarray

    @classmethod
    def joined(cls, *these: "_Panels") -> "_Panels":
        parts = [(p.owner, p.slab, p.turns, p.part, p.order) for p in these]
        return cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def take(self, index: np.ndarray) -> "_Panels":
        return _Panels(self.owner[index], self.slab[index], self.turns[index], self.part[index], self.order[index])

    def halved(self) -> "_Panels":
        """The halves of a panel follow each other."""
        twice = self.take(np.repeat(np.arange(len(self.owner)), 2))
        twice.part[0::2, 1] = twice.part[1::2, 0] = self.part.mean(1)
        return twice

    def nodes(self) -> tuple[np.ndarray, ColumnArray, ColumnArray]:
        """Panels (n,), heights and weights. With roots at one end the height is quadratic in s there, at both ends
        3 s^2 - 2 s^3."""
        panel = np.repeat(np.arange(len(self.order)), self.order)
        gauss = [_unit_gauss(k) for k in self.order]
        x, w = (np.concatenate([g[k] for g in gauss]) for k in (0, 1))
        start, width = self.part[panel, 0], np.ptp(self.part, axis=1)[panel]
        s = start + width * x
        low, high = self.turns[panel].T
        y = np.select([low & high, low, high], [s * s * (3 - 2 * s), s * s, s * (2 - s)], s)
        slope = np.select([low & high, low, high], [6 * s * (1 - s), 2 * s, 2 * (1 - s)], 1.0)
        height = np.ptp(self.slab, axis=1)[panel]
        return panel, self.slab[panel, 0] + height * y, height * slope * width * w


@dataclass(frozen=True, eq=False)
class _Slicing:
    """The rule for one shape: `order` points per panel at the most, twice as many from side to side."""

    shape: Shape
    bodies: tuple[Placed, ...]
    order: int

    @property
    def _tolerance(self) -> float:
        return _ROUGH if any(body.is_rough for body in self.bodies) else _TOLERANCE[self.shape.dim]

    def rule(self) -> Samples:
        """Points inside and positive weights."""
        _, lines, weights = self._lines(np.empty((1, 0)))
        lower, upper = self.shape.bounds
        line, ends = self._inside(lines)
        length = np.ptp(ends, axis=1)
        counts = np.clip(np.ceil(2 * self.order * length / (upper[0] - lower[0])).astype(int) + 1, 4, 2 * self.order)
        piece = np.repeat(np.arange(len(counts)), counts)
        gauss = [_unit_gauss(k) for k in counts]
        x, w = (np.concatenate([g[k] for g in gauss] or [np.empty(0)]) for k in (0, 1))
        points = np.column_stack([ends[piece, 0] + length[piece] * x, lines[line[piece]]])
        return Samples(points, weights[line[piece]] * length[piece] * w)

    def _lines(self, fixed: PointArray) -> tuple[np.ndarray, PointArray, ColumnArray]:
        """Lines along x in sections, at which the last coordinates (m, k) are fixed: section of every line, its other
        coordinates (n, dim - 1), weights."""
        axis = self.shape.dim - 1 - fixed.shape[1]
        if axis == 0:
            return np.arange(len(fixed)), fixed, np.ones(len(fixed))

        def moments(owner: np.ndarray, y: ColumnArray) -> np.ndarray:
            section, lines, weights = self._lines(np.column_stack([y, fixed[owner]]))
            return _sums(section, weights[:, None] * self._line_moments(lines), len(y))

        panels = self._settled(self._panels(fixed, axis), moments, axis)
        panel, y, weights = panels.nodes()
        owner = panels.owner[panel]
        section, lines, inner = self._lines(np.column_stack([y, fixed[owner]]))
        return owner[section], lines, weights[section] * inner

    def _settled(self, panels: _Panels, moments: Values, axis: int) -> _Panels:
        """The panels, halved where halving still matters."""
        lower, upper = (bound[axis] for bound in self.shape.bounds)

        def integrals(these: _Panels) -> np.ndarray:
            panel, y, weights = these.nodes()
            found = moments(these.owner[panel], y)
            along = found[:, :1] * (((2 * y - lower - upper) / (upper - lower)) ** 4)[:, None]
            return _sums(panel, weights[:, None] * np.hstack([found, along]), len(these.owner))

        if not len(panels.owner):
            return panels
        values = integrals(panels)
        whole = _sums(panels.owner, values, panels.owner.max() + 1)[:, 0].max()
        # The inner integrals must be better than what the outer ones are judged by.
        enough = whole * self._tolerance * (1.0 if axis == self.shape.dim - 1 else 0.1)
        settled: list[_Panels] = []
        for _ in range(_HALVINGS[self.shape.dim]):
            halves = panels.halved()
            finer = integrals(halves)
            open_ = np.abs(values - finer[0::2] - finer[1::2]).max(1) > enough
            settled.append(panels.take(~open_))
            again = np.repeat(open_, 2)
            panels, values = halves.take(again), finer[again]
            if not len(values):
                break
        return _Panels.joined(*settled, panels)

    def _panels(self, fixed: PointArray, axis: int) -> _Panels:
        """The slabs between neighbouring heights, wide ones in two."""
        heights, turns = self._heights(fixed, axis)
        lower, upper = (bound[axis] for bound in self.shape.bounds)
        tiny = _TINY * (upper - lower)
        order = np.argsort(heights, axis=1)
        heights, turns = (np.take_along_axis(values, order, axis=1) for values in (heights, turns))
        gaps = np.diff(heights, axis=1)
        before, after = turns.copy(), turns.copy()  # a slab counts all heights that are one with its end
        for k in range(gaps.shape[1]):
            before[:, k + 1] |= (gaps[:, k] <= tiny) & before[:, k]
            after[:, -k - 2] |= (gaps[:, -k - 1] <= tiny) & after[:, -k - 1]
        owner, k = np.nonzero(gaps > tiny)
        slab = np.stack([heights[owner, k], heights[owner, k + 1]], 1)
        share = np.ptp(slab, axis=1) / (upper - lower)
        ends = np.stack([before[owner, k], after[owner, k + 1]], 1)
        least = np.where(ends.any(1), 6, 3)
        counts = np.clip(np.ceil(2 * self.order * share).astype(int) + 1, least, self.order)
        whole = _Panels(owner, slab, ends, np.tile([0.0, 1.0], (len(owner), 1)), counts)
        wide = share > 0.5
        return _Panels.joined(whole.take(~wide), whole.take(wide).halved())

    def _heights(self, fixed: PointArray, axis: int) -> tuple[np.ndarray, np.ndarray]:
        """Heights along an axis at which the sections change their form, and whether like a square root."""
        lower, upper = (bound[axis] for bound in self.shape.bounds)
        found = [(np.full((len(fixed), 1), end), False) for end in (lower, upper)]
        if fixed.shape[1]:
            found += [body.section_tips(fixed[:, 0]) for body in self.bodies]
        else:
            tips = [body.tips() for body in self.bodies]
            if self.shape.dim == 2:
                tips = [(points[self._on_boundary(points)], turn) for points, turn in tips]
                tips.append((self._meetings(), False))
            found += [(points[None, :, -1], turn) for points, turn in tips]
        heights = np.hstack([np.where((y >= lower) & (y <= upper), y, np.nan) for y, _ in found])
        return heights, np.hstack([np.full(y.shape, turn) for y, turn in found])

    def _meetings(self) -> PointArray:
        """Where boundary curves of different primitives meet."""
        curves = pieces(self.shape) if is_composite(self.shape) else ()
        ends = [np.empty((0, 2)), *(curve.propose(np.array([[0.0], [1.0]]))[0] for curve in curves)]
        points = np.concatenate(ends)
        for body in self.bodies:
            if body.is_rough:  # its vertices are ends of curves, too
                points = points[cKDTree(body.vertices).query(points)[0] > _TINY * self.shape.size]
        return points

    def _on_boundary(self, points: PointArray) -> np.ndarray:
        return np.abs(self.shape._distance(points)) < 1e-7 * self.shape.size

    def _line_moments(self, lines: PointArray) -> np.ndarray:
        """(n, k) integrals of the powers of x, scaled to [-1, 1]."""
        lower, upper = (bound[0] for bound in self.shape.bounds)
        line, ends = self._inside(lines)
        scaled = (2 * ends - lower - upper)[:, :, None] / (upper - lower)
        powers = np.arange(1, _MOMENTS + 1)
        return _sums(line, np.diff(scaled**powers, axis=1)[:, 0] / powers, len(lines))

    def _inside(self, lines: PointArray) -> tuple[np.ndarray, np.ndarray]:
        """The pieces of lines that are inside: line (n,), ends (n, 2). The shape's own distance decides."""
        lower, upper = (bound[0] for bound in self.shape.bounds)
        x = np.sort(np.hstack([body.crossings(lines) for body in self.bodies]), axis=1)
        x = np.clip(x[:, : int(np.isfinite(x).sum(1).max(initial=0))], lower, upper)
        gaps = np.diff(x, axis=1)
        line, k = np.nonzero(gaps > _TINY * (upper - lower))
        middles = np.column_stack([x[line, k] + gaps[line, k] / 2, lines[line]])
        inside = self.shape._distance(middles) < 0
        line, ends = line[inside], np.stack([x[line, k], x[line, k] + gaps[line, k]], 1)[inside]
        return _joined(line, ends, _TINY * (upper - lower))


@lru_cache(maxsize=64)
def sliced(shape: Shape, n: int) -> Samples | None:
    """A rule of a few times n points; None where lines cannot be cut with the shape or find nothing inside."""
    bodies = placed(shape)
    lower, upper = shape.bounds
    if bodies is None or not (upper > lower).all():
        return None
    low, high, share = {1: (16, 64, 1.0), 2: (8, 48, 0.5), 3: (5, 10, 0.6)}[shape.dim]
    rule = _Slicing(shape, bodies, int(np.clip(round(share * n ** (1 / shape.dim)), low, high))).rule()
    return rule if len(rule) else None


@lru_cache(maxsize=128)
def _unit_gauss(n: int) -> tuple[np.ndarray, np.ndarray]:
    x, w = np.polynomial.legendre.leggauss(n)
    return (x + 1) / 2, w / 2


def _sums(index: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    """Sums (n, k) of the rows (m, k) with equal index."""
    return np.stack([np.bincount(index, column, n) for column in values.T], 1)


def _joined(line: np.ndarray, ends: np.ndarray, tiny: float) -> tuple[np.ndarray, np.ndarray]:
    """Pieces of a line that touch as one."""
    if not len(line):
        return line, ends
    parted = (line[1:] != line[:-1]) | (ends[1:, 0] - ends[:-1, 1] > tiny)
    first, last = np.append(True, parted), np.append(parted, True)
    return line[first], np.stack([ends[first, 0], ends[last, 1]], 1)
