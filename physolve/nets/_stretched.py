"""A basis in a coordinate that is stretched where the solution is steep, and follows it in time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column, Points

from ._basis import Basis, Operator, Orders

DEGREE = 5
"""Of the splines: their fourth derivatives, the most an equation may ask for, are continuous."""

TABLE = 257

INVERSIONS = 60
"""Steps of bisection after which an inverse is exact to rounding; Newton's steps in between end it long before."""

Series: TypeAlias = dict[Orders, Column]
"""Taylor coefficients of h^p k^q at n points, without the zero ones."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """The monotone map xi -> x = X(xi, t) of `lower` <= xi <= upper` onto itself: between the times `begin` and `end`
    a linear passage from one spline to another.

    `first` and `last` (cells + DEGREE,) are increasing coefficients of splines on equal cells, so that X increases
    whatever they are (Schumaker, Spline Functions, section 4.9). A layer that moves or grows thinner during the
    passage moves in xi hardly at all.
    """

    lower: float
    upper: float
    begin: float
    end: float
    first: Column
    last: Column

    @classmethod
    def of_values(
        cls, interval: tuple[float, float], times: tuple[float, float], first: Column, last: Column
    ) -> "Stretch":
        """The map that smooths the values (cells + 1,) of x at equally spaced xi. Beyond the ends they go on as an odd
        function, which keeps the ends in place."""
        return cls(*interval, *times, _odd(first), _odd(last))

    @classmethod
    def identity(cls, interval: tuple[float, float], times: tuple[float, float], cells: int = 8) -> "Stretch":
        """xi = x."""
        even = torch.linspace(*interval, cells + 1, dtype=torch.float64)
        return cls.of_values(interval, times, even, even)

    @cached_property
    def _spline(self):
        from scipy.interpolate import BSpline  # half a second that most problems never need

        cells = len(self.first) - DEGREE
        step = (self.upper - self.lower) / cells
        knots = self.lower + step * np.arange(-DEGREE, cells + DEGREE + 1)
        return BSpline(knots, torch.stack([self.first, self.last], 1).numpy(), DEGREE)

    def derivative(self, xi: Column, t: Column, order: int) -> tuple[Column, Column]:
        """d^order X / d xi^order and its rate of change in time."""
        found = torch.from_numpy(self._spline(xi.numpy(), nu=order))
        rate = (found[:, 1] - found[:, 0]) / (self.end - self.begin)
        return found[:, 0] + (t - self.begin) * rate, rate

    def change(self) -> float:
        """Largest |log| of the ratio of the rooms dX / dxi at the end and at the beginning."""
        slopes = self._spline(np.linspace(self.lower, self.upper, TABLE), nu=1)
        return float(np.abs(np.log(slopes[:, 1] / slopes[:, 0])).max())

    def inverse(self, x: Column, t: Column) -> Column:
        """xi with X(xi, t) = x: Newton's iteration, kept by bisection where it would leave the bracket."""
        low, high = torch.full_like(x, self.lower), torch.full_like(x, self.upper)
        xi = self._near(x, t)
        for _ in range(INVERSIONS):
            off = self.derivative(xi, t, 0)[0] - x
            low, high = torch.where(off < 0, xi, low), torch.where(off < 0, high, xi)
            step = xi - off / self.derivative(xi, t, 1)[0]
            following = torch.where((step >= low) & (step <= high), step, (low + high) / 2)
            moved = float((following - xi).abs().max()) if len(xi) else 0.0
            xi = following
            if moved < 1e-14 * (self.upper - self.lower):
                break
        return xi

    def _near(self, x: Column, t: Column) -> Column:
        """A guess at the inverse: between those at both ends of the passage, which tables give."""
        xi = np.linspace(self.lower, self.upper, TABLE)
        begin, end = (torch.from_numpy(np.interp(x.numpy(), table, xi)) for table in self._spline(xi).T)
        return begin + (t - self.begin) / (self.end - self.begin) * (end - begin)

    def spread(self, points: Points) -> tuple[Points, Column]:
        """Points (xi, t) moved to (X(xi, t), t), and the room dX / dxi each of them then has."""
        xi, t = points.unbind(1)
        x = self.derivative(xi, t, 0)[0].clamp(self.lower, self.upper)
        return torch.stack([x, t], 1), self.derivative(xi, t, 1)[0]

    def displacement(self, xi: Column, t: Column, order: int) -> Series:
        """The Taylor series, to a total order, of xi(x + h, t + k) - xi(x, t) in h and k.

        It solves X(xi + s, t + k) = x + h; each pass of the fixed point s = (h - higher terms of X) / X_xi makes one
        more order exact.
        """
        terms = [self.derivative(xi, t, p) for p in range(order + 1)]
        slope = terms[1][0]
        series: Series = {}
        for _ in range(order):
            # x + h = sum over p of (X_p + k X_pt) s^p / p!
            rest: Series = {(1, 0): torch.ones_like(xi), (0, 1): -terms[0][1]}
            power: Series = {(0, 0): torch.ones_like(xi)}
            for p in range(1, order + 1):
                power = _product(power, series, order)
                for (a, b), c in power.items():
                    if p > 1:
                        _add(rest, (a, b), -c * terms[p][0] / math.factorial(p))
                    if a + b < order:
                        _add(rest, (a, b + 1), -c * terms[p][1] / math.factorial(p))
            series = {alpha: c / slope for alpha, c in rest.items()}
        return series


@dataclass(frozen=True, eq=False)
class Stretches:
    """One stretch after the other in time."""

    parts: tuple[Stretch, ...]

    def spread(self, points: Points) -> tuple[Points, Column]:
        """As `Stretch.spread`, each point by the stretch of its time."""
        inner = points.new_tensor([part.begin for part in self.parts[1:]])
        number = torch.bucketize(points[:, 1].contiguous(), inner)
        moved, room = points.clone(), points.new_ones(len(points))
        for k, part in enumerate(self.parts):
            here = (number == k).nonzero()[:, 0]
            moved[here], room[here] = part.spread(points[here])
        return moved, room


@dataclass(frozen=True, eq=False)
class Stretched(Basis):
    """phi_j(x, t) = inner_j(xi(x, t), t)."""

    inner: Basis
    stretch: Stretch

    @property
    def size(self) -> int:
        return self.inner.size

    @property
    def dim(self) -> int:
        return 2

    def operate(self, points: Points, operator: Operator) -> Float[Tensor, "n size"]:
        within, chains = self._chains(points, list(operator))
        pulled: dict[Orders, Column] = {}
        for alpha, coefficient in operator.items():
            for beta, factor in chains[alpha].items():
                _add(pulled, beta, coefficient * factor)
        return self.inner.operate(within, pulled)

    def combine(
        self, points: Points, coefficients: Float[Tensor, "size k"], orders: Sequence[Orders]
    ) -> Float[Tensor, "orders n k"]:
        within, chains = self._chains(points, orders)
        needed = sorted({beta for chain in chains.values() for beta in chain})
        found = dict(zip(needed, self.inner.combine(within, coefficients, needed), strict=True))
        zero = points.new_zeros(len(points), coefficients.shape[1])
        return torch.stack([sum((f[:, None] * found[b] for b, f in chains[a].items()), zero) for a in orders])

    def _chains(self, points: Points, orders: Sequence[Orders]) -> tuple[Points, dict[Orders, Operator]]:
        """The points in stretched coordinates, and every derivative in x and t as an operator in xi and t.

        f(xi + s(h, k), t + k) = sum f_ij s^i k^j / (i! j!), whose terms in h^a k^b give d_x^a d_t^b / (a! b!).
        """
        x, t = points.unbind(1)
        xi = self.stretch.inverse(x, t)
        top = max(sum(alpha) for alpha in orders)
        powers: list[Series] = [{(0, 0): torch.ones_like(x)}]
        if top:
            step = self.stretch.displacement(xi, t, top)
            for _ in range(top):
                powers.append(_product(powers[-1], step, top))
        chains: dict[Orders, Operator] = {}
        for a, b in orders:
            scale = math.factorial(a) * math.factorial(b)
            chains[(a, b)] = {
                (i, j): powers[i][(a, b - j)] * (scale / (math.factorial(i) * math.factorial(j)))
                for j in range(b + 1)
                for i in range(a + b - j + 1)
                if (a, b - j) in powers[i]
            }
        return torch.stack([xi, t], 1), chains

    def tensors(self) -> dict[str, Tensor]:
        ends = {"first": self.stretch.first, "last": self.stretch.last}
        return ends | {f"inner.{k}": v for k, v in self.inner.tensors().items()}

    def config(self) -> dict[str, Any]:
        stretch = {name: getattr(self.stretch, name) for name in ("lower", "upper", "begin", "end")}
        return {"kind": "stretched", "inner": self.inner.config(), "stretch": stretch}


def _odd(values: Column) -> Column:
    """Coefficients of a spline of odd DEGREE from its values at the knots, which go on as an odd function beyond."""
    beyond = DEGREE // 2
    before = 2 * values[0] - values[1 : beyond + 1].flip(0)
    after = 2 * values[-1] - values[-beyond - 1 : -1].flip(0)
    return torch.cat([before, values, after])


def _product(first: Series, second: Series, order: int) -> Series:
    """The product of two series, cut off beyond a total order."""
    total: Series = {}
    for (a, b), c in first.items():
        for (p, q), d in second.items():
            if a + b + p + q <= order:
                _add(total, (a + p, b + q), c * d)
    return total


def _add(total: dict[Orders, Column], key: Orders, value: Column) -> None:
    total[key] = total[key] + value if key in total else value
