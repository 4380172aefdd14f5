"""Quadrature over the interior of a shape: Gauss rules where the shape has a chart for them, else low discrepancy."""

import numpy as np

from ._interval import Interval, TimeInterval
from ._rectangle import Box, Rectangle
from ._round import Disk
from ._samples import Samples
from ._shape import Shape
from ._spacetime import SpaceTime
from ._transform import Named


def quadrature(shape: Shape, n: int) -> Samples:
    """About n points inside with weights: Gauss-Legendre on intervals, rectangles, boxes and their products with
    time, a polar Gauss rule on disks (errors fall exponentially for smooth integrands); otherwise n low-discrepancy
    points, good to about 1/n."""
    if isinstance(shape, Named):
        return quadrature(shape.shape, n)
    if isinstance(shape, SpaceTime) and _has_rule(shape.space):
        each = max(4, round(n ** (1 / shape.dim)))
        return _product(quadrature(shape.space, each ** (shape.dim - 1)), quadrature(shape.time, each))
    if isinstance(shape, Interval | TimeInterval | Rectangle | Box):
        lower, upper = shape.bounds
        each = max(4, round(n ** (1 / shape.dim)))
        rules = [_gauss(a, b, each) for a, b in zip(lower, upper, strict=True)]
        rule = rules[0]
        for other in rules[1:]:
            rule = _product(rule, other)
        return rule
    if isinstance(shape, Disk):
        return _polar(shape, max(4, round(n**0.5)))
    return shape.sample_interior(n)


def _has_rule(shape: Shape) -> bool:
    return _has_rule(shape.shape) if isinstance(shape, Named) else isinstance(shape, Interval | Rectangle | Box | Disk)


def _gauss(lower: float, upper: float, n: int) -> Samples:
    x, w = np.polynomial.legendre.leggauss(n)
    half = (upper - lower) / 2
    return Samples(((lower + upper) / 2 + half * x)[:, None], half * w)


def _product(first: Samples, second: Samples) -> Samples:
    points = np.hstack([np.repeat(first.points, len(second), axis=0), np.tile(second.points, (len(first), 1))])
    return Samples(points, np.outer(first.weights, second.weights).ravel())


def _polar(disk: Disk, n: int) -> Samples:
    """Gauss in the radius, the trapezoidal rule in the angle."""
    radius = _gauss(0.0, disk.radius, n)
    angle = 2 * np.pi * (np.arange(n) + 0.5) / n
    r = np.repeat(radius.points[:, 0], n)
    directions = np.tile(np.stack([np.cos(angle), np.sin(angle)], 1), (n, 1))
    weights = np.repeat(radius.weights * radius.points[:, 0] * 2 * np.pi / n, n)
    return Samples(np.array(disk.center) + r[:, None] * directions, weights)
