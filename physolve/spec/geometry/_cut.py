"""Cuts a boundary curve into the spans that are boundary of a composite, with end points good to rounding."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from physolve._typing import PointArray

from ._face import Face

if TYPE_CHECKING:
    from ._shape import Shape

_SAMPLES = 1024  # per length of the whole shape's diagonal

Span = tuple[float, float, int]
"""start and end of the curve's parameter in [0, 1], and the boundary test's sign there"""


@dataclass(frozen=True)
class Ends:
    """What may end a span, to find its end to rounding.

    others    primitives whose boundaries may;  vertices (m, 2): ends of curves, which may too
    size      of the whole shape;  epsilon: accuracy of the boundary test in units of size, 0 for exact
    """

    others: "tuple[Shape, ...]"
    vertices: PointArray
    size: float
    epsilon: float


def cut_curve(face: Face, state: Callable[[PointArray, PointArray], np.ndarray], ends: Ends) -> list[Span]:
    """Spans of the curve where `state` is not zero; none in a composite without extent, such as two disks far apart."""
    if not ends.size:
        return []

    def at(s: np.ndarray) -> np.ndarray:
        points, normals, _ = face.chart(s[:, None])
        return state(points, normals)

    eps = ends.epsilon * ends.size / face.measure
    inset = min(4 * eps, 0.4)
    count = int(np.clip(_SAMPLES * face.measure / ends.size, 33, 4 * _SAMPLES))
    s = np.linspace(inset, 1 - inset, count)
    signs = at(s)
    changes = np.flatnonzero(signs[1:] != signs[:-1])
    cuts = _bisect(at, s[changes], s[changes + 1], signs[changes]) if len(changes) else np.empty(0)
    cuts = [_polish(face, cut, ends, eps) for cut in cuts] if eps else list(cuts)
    marks = [0.0, *cuts, 1.0]
    kinds = [int(signs[0]), *(int(k) for k in signs[changes + 1])]
    return [(a, b, k) for a, b, k in zip(marks[:-1], marks[1:], kinds, strict=True) if k and b > a]


def _bisect(at: Callable, a: np.ndarray, b: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Where the state stops being `left`, between a and b."""
    for _ in range(45):
        middle = (a + b) / 2
        still = at(middle) == left
        a, b = np.where(still, middle, a), np.where(still, b, middle)
    return (a + b) / 2


def _polish(face: Face, s: float, ends: Ends, eps: float) -> float:
    """The state is smeared over eps; the true end is a vertex nearby or a zero of another distance."""
    point = face.chart(np.array([[s]]))[0][0]
    if len(ends.vertices):
        gaps = np.linalg.norm(ends.vertices - point, axis=1)
        if gaps.min() < 20 * eps * face.measure:
            return _project(face, s, ends.vertices[gaps.argmin()])
    roots = [root for other in ends.others if (root := _crossing(face, other, s, 1000 * eps)) is not None]
    return min(roots, key=lambda root: abs(root - s)) if roots else s


def _project(face: Face, s: float, target: np.ndarray) -> float:
    """The parameter nearest to a point on the curve, by Gauss-Newton; the speed is the curve's length."""
    h = 1e-6
    for _ in range(4):
        low, high = max(s - h, 0.0), min(s + h, 1.0)
        p = face.chart(np.array([[low], [s], [high]]))[0]
        tangent = (p[2] - p[0]) / (high - low)
        s = float(np.clip(s + (target - p[1]) @ tangent / (tangent @ tangent), 0.0, 1.0))
    return s


def _crossing(face: Face, other: "Shape", s: float, reach: float) -> float | None:
    """The zero of another primitive's signed distance on the curve within `reach` of s, if there is one."""

    def value(t: float) -> float:
        return float(other._distance(face.chart(np.array([[t]]))[0])[0])

    a, b = max(s - reach, 0.0), min(s + reach, 1.0)
    at_a, at_b = value(a), value(b)
    if at_a * at_b >= 0:
        return None
    for _ in range(60):
        middle = (a + b) / 2
        if value(middle) * at_a > 0:
            a = middle
        else:
            b = middle
    return (a + b) / 2
