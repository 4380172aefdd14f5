"""Quadrature over the interior of a shape: Gauss rules wherever its form is known, else low discrepancy."""

import numpy as np

from ._chords import placed
from ._ellipse import Ellipse
from ._interval import Interval, TimeInterval
from ._mesh import MeshDomain, simplex_measures
from ._rectangle import Box, Rectangle
from ._round import Ball, Cylinder, Disk
from ._samples import Samples
from ._shape import Shape
from ._slices import sliced
from ._spacetime import SpaceTime
from ._transform import Named, Rotated, Translated

_PANEL = 128  # nodes of one Gauss rule: more are no more exact
_MOST = 16  # points in a mesh, in units of how many were asked for


def quadrature(shape: Shape, n: int) -> Samples:
    """About n points inside with positive weights, whose sum is the measure.

    Errors fall exponentially for smooth integrands on intervals, rectangles, boxes, disks, ellipses, balls, cylinders,
    and on what is moved, joined or cut out of these and of polygons: there with up to ten times n points, in space
    good to about 1e-5. Exact for polynomials of degree 3 on meshes of up to 4 n triangles or 2 n tetrahedra, and of
    degree 1 up to 16 n cells. Also on products with time. On other shapes n low-discrepancy points, good to about 1/n.
    """
    match shape:
        case Named(inner, _):
            return quadrature(inner, n)
        case Translated(inner, _) | Rotated(inner):
            rule = quadrature(inner, n)
            return Samples(shape._move(rule.points), rule.weights)
        case SpaceTime(space, time) if placed(space) is not None or _is_coarse(space, n):
            each = max(4, round(n ** (1 / shape.dim)))
            return _product(quadrature(space, each**space.dim), quadrature(time, each))
        case Interval() | TimeInterval() | Rectangle() | Box():
            return _box(shape, max(4, round(n ** (1 / shape.dim))))
        case Disk(center, radius):
            return _polar(center, (radius, radius), max(4, round(n**0.5)))
        case Ellipse(center, radii):
            return _polar(center, radii, max(4, round(n**0.5)))
        case Ball():
            return _spherical(shape, max(4, round(n ** (1 / 3))))
        case Cylinder((x, y, z), radius, height):
            each = max(4, round(n ** (1 / 3)))
            return _product(_polar((x, y), (radius, radius), each), _gauss(z, z + height, each))
        case MeshDomain() if _is_coarse(shape, n):
            return _in_cells(shape, n)
    rule = sliced(shape, n)  # remembered there: what is handed out may be changed
    return shape.sample_interior(n) if rule is None else Samples(rule.points.copy(), rule.weights.copy())


def _gauss(lower: float, upper: float, n: int) -> Samples:
    """Of at least n points, in panels: nodes are eigenvalues of a matrix of their number squared."""
    panels = -(-n // _PANEL)
    x, w = np.polynomial.legendre.leggauss(-(-n // panels))
    half = (upper - lower) / (2 * panels)
    middles = lower + half * (2 * np.arange(panels) + 1)
    return Samples((middles[:, None] + half * x).reshape(-1, 1), np.tile(half * w, panels))


def _product(first: Samples, second: Samples) -> Samples:
    points = np.hstack([np.repeat(first.points, len(second), axis=0), np.tile(second.points, (len(first), 1))])
    return Samples(points, np.outer(first.weights, second.weights).ravel())


def _box(shape: Shape, n: int) -> Samples:
    rule, *others = [_gauss(a, b, n) for a, b in zip(*shape.bounds, strict=True)]
    for other in others:
        rule = _product(rule, other)
    return rule


def _polar(center: tuple[float, float], radii: tuple[float, float], n: int) -> Samples:
    """Gauss in the radius, the trapezoidal rule in the angle, stretched to the half axes."""
    radius = _gauss(0.0, 1.0, n)
    angle = 2 * np.pi * (np.arange(n) + 0.5) / n
    r = np.repeat(radius.points[:, 0], n)
    directions = np.tile(np.stack([np.cos(angle), np.sin(angle)], 1), (n, 1))
    weights = np.repeat(radius.weights * radius.points[:, 0] * 2 * np.pi / n, n)
    return Samples(np.array(center) + np.array(radii) * r[:, None] * directions, radii[0] * radii[1] * weights)


def _spherical(ball: Ball, n: int) -> Samples:
    """Gauss in the radius and in the cosine of the latitude, the trapezoidal rule in the longitude."""
    longitude = 2 * np.pi * (np.arange(n) + 0.5) / n
    turn = Samples(longitude[:, None], np.full(n, 2 * np.pi / n))
    rule = _product(_product(_gauss(0.0, ball.radius, n), _gauss(-1.0, 1.0, n)), turn)
    r, cosine, phi = rule.points.T
    sine = np.sqrt(1 - cosine**2)
    directions = np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine], 1)
    return Samples(np.array(ball.center) + r[:, None] * directions, rule.weights * r**2)


def _is_coarse(shape: Shape, n: int) -> bool:
    """A mesh with few enough cells for a point in each."""
    while isinstance(shape, Named | Translated | Rotated):
        shape = shape.shape
    return isinstance(shape, MeshDomain) and 0 < len(shape.cells) <= _MOST * n


def _in_cells(mesh: MeshDomain, n: int) -> Samples:
    """Gauss-Jacobi in every simplex, from the cube by Duffy's map, whose Jacobian is the Jacobi weights."""
    from scipy.special import roots_jacobi  # slow to import, and for meshes only

    corners, dim = mesh.points[mesh.cells], mesh.dim
    each = max(1 + (len(corners) * 2**dim <= _MOST * n), round((n / len(corners)) ** (1 / dim)))
    cube = Samples(np.empty((1, 0)), np.ones(1))
    for power in reversed(range(dim)):
        x, w = roots_jacobi(each, 0, power)
        cube = _product(cube, Samples((x[:, None] + 1) / 2, w / w.sum()))
    # The corners' shares: one coordinate after the other divides what the ones before have left.
    shares = -np.diff(np.cumprod(cube.points, axis=1), axis=1, prepend=1.0, append=0.0)
    points = np.einsum("ps,csd->cpd", shares, corners).reshape(-1, dim)
    return Samples(points, np.outer(simplex_measures(corners), cube.weights).ravel())
