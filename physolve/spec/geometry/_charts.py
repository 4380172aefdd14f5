"""Measure-preserving charts of the primitive shapes' faces: unit cube -> points, outward normals, kept."""

import numpy as np

from ._checks import Vector
from ._face import Chart


def _whole(points: np.ndarray, normals: np.ndarray):
    return points, normals, np.ones(len(points), dtype=bool)


def point_chart(x: float, normal: float) -> Chart:
    """The end of an interval."""
    return lambda u: _whole(np.full((len(u), 1), x), np.full((len(u), 1), normal))


def segment_chart(a: Vector, b: Vector) -> Chart:
    """The segment from a to b; the normal points to the right of the direction of travel."""
    start, end = np.array(a), np.array(b)
    dx, dy = (end - start) / np.linalg.norm(end - start)
    lower, upper = np.minimum(start, end), np.maximum(start, end)

    def chart(u: np.ndarray):
        points = np.clip(start + u * (end - start), lower, upper)  # clip: u = 1 gives b to the last bit
        return _whole(points, np.tile([dy, -dx], (len(u), 1)))

    return chart


def circle_chart(center: Vector, radius: float) -> Chart:
    """A whole circle, counter-clockwise from angle zero."""

    def chart(u: np.ndarray):
        theta = 2 * np.pi * u[:, 0]
        normals = np.column_stack([np.cos(theta), np.sin(theta)])
        return _whole(np.array(center) + radius * normals, normals)

    return chart


def ellipse_length(rx: float, ry: float) -> float:
    """Circumference of an ellipse."""
    from scipy.special import ellipeinc  # slow to import, and for ellipses only

    return float(4 * ry * ellipeinc(np.pi / 2, 1 - (rx / ry) ** 2))


def ellipse_chart(center: Vector, radii: Vector) -> Chart:
    """A whole ellipse by arc length: the elliptic integral of the second kind inverted by Newton."""
    from scipy.special import ellipeinc

    rx, ry = radii
    m = 1 - (rx / ry) ** 2
    table = np.linspace(0, 2 * np.pi, 1025)
    lengths = ry * ellipeinc(table, m)

    def chart(u: np.ndarray):
        s = u[:, 0] * lengths[-1]
        t = np.interp(s, lengths, table)
        for _ in range(4):
            t -= (ry * ellipeinc(t, m) - s) / np.hypot(rx * np.sin(t), ry * np.cos(t))
        normals = np.column_stack([ry * np.cos(t), rx * np.sin(t)])
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return _whole(np.array(center) + np.column_stack([rx * np.cos(t), ry * np.sin(t)]), normals)

    return chart


def box_face_chart(lower: Vector, upper: Vector, axis: int, side: int) -> Chart:
    """The face of a box where coordinate `axis` is at its lower (side = -1) or upper (side = 1) end."""
    lo, hi = np.array(lower), np.array(upper)
    others = [k for k in range(len(lo)) if k != axis]

    def chart(u: np.ndarray):
        points = np.empty((len(u), len(lo)))
        points[:, axis] = hi[axis] if side > 0 else lo[axis]
        points[:, others] = lo[others] + u * (hi - lo)[others]
        normals = np.zeros_like(points)
        normals[:, axis] = side
        return _whole(points, normals)

    return chart


def sphere_chart(center: Vector, radius: float) -> Chart:
    """A whole sphere by Archimedes: height and longitude are uniform."""

    def chart(u: np.ndarray):
        z, phi = 2 * u[:, 0] - 1, 2 * np.pi * u[:, 1]
        rho = np.sqrt(np.maximum(1 - z**2, 0.0))
        normals = np.column_stack([rho * np.cos(phi), rho * np.sin(phi), z])
        return _whole(np.array(center) + radius * normals, normals)

    return chart


def cylinder_side_chart(base: Vector, radius: float, height: float) -> Chart:
    """The mantle of a cylinder along z."""

    def chart(u: np.ndarray):
        phi = 2 * np.pi * u[:, 0]
        normals = np.column_stack([np.cos(phi), np.sin(phi), np.zeros(len(u))])
        points = np.array(base) + radius * normals
        points[:, 2] = base[2] + height * u[:, 1]
        return _whole(points, normals)

    return chart


def cylinder_cap_chart(base: Vector, radius: float, z: float, side: int) -> Chart:
    """The bottom (side = -1) or top (side = 1) disk of a cylinder along z."""

    def chart(u: np.ndarray):
        r, phi = radius * np.sqrt(u[:, 0]), 2 * np.pi * u[:, 1]
        points = np.column_stack([base[0] + r * np.cos(phi), base[1] + r * np.sin(phi), np.full(len(u), z)])
        normals = np.tile([0.0, 0.0, float(side)], (len(u), 1))
        return _whole(points, normals)

    return chart
