"""Triangulations of the specification's plane shapes, by netgen's two-dimensional constructive geometry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import UnsupportedError
from ..spec import geometry as g
from ._triangulation import Floats, Ints

Map = Callable[[Floats], Floats]

#: Control polygon of the unit circle: four rational quadratic arcs.
_CIRCLE = np.array([[1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]], dtype=np.float64)


def mesh_shape(shape: g.Shape, h: float, fine: Sequence[tuple[tuple[float, float], float]] = ()) -> tuple[Floats, Ints]:
    """Points (n, 2) and triangles (m, 3) of a mesh of `shape` with edges of about `h`.

    `fine` holds (point, length) pairs: edges are about as short as `length` near the point, growing away from it.

    Vertices lie on the boundary to rounding except on ellipses, where netgen's arcs are approximate.
    A `MeshDomain` gives its own mesh whatever `h`.

    Raises:
        UnsupportedError: a shape that is not two-dimensional, or of a kind not known here.
    """
    if shape.dim != 2:
        raise UnsupportedError(f"mesh: got a {shape.dim}-dimensional domain; meshes are made of plane shapes only")
    if isinstance(bare := _unnamed(shape), g.Rectangle) and not fine:
        return _regular(bare, h)
    if isinstance(bare, g.MeshDomain):
        return _own_mesh(bare)
    from netgen.geom2d import CSG2d
    from netgen.meshing import MeshingParameters

    geometry = CSG2d()
    geometry.Add(_solid(shape, lambda points: points, h))
    sizes = MeshingParameters(maxh=h, grading=0.3)
    for (x, y), length in fine:
        sizes.RestrictH(x, y, 0.0, length)
    mesh = geometry.GenerateMesh(mp=sizes)
    triangles = np.asarray(mesh.Elements2D().NumPy()["nodes"], dtype=np.int64)[:, :3] - 1
    used, inverse = np.unique(triangles, return_inverse=True)
    return np.asarray(mesh.Coordinates(), dtype=np.float64)[used, :2], inverse.reshape(-1, 3)


def _own_mesh(shape: g.MeshDomain) -> tuple[Floats, Ints]:
    if len(shape.cells) == 0:
        raise UnsupportedError("mesh: a domain of boundary facets without cells; give a mesh file with triangles")
    used, inverse = np.unique(shape.cells, return_inverse=True)
    return shape.points[used], inverse.reshape(-1, 3)


def _unnamed(shape: g.Shape) -> g.Shape:
    return _unnamed(shape.shape) if isinstance(shape, g.Named) else shape


def _regular(shape: g.Rectangle, h: float) -> tuple[Floats, Ints]:
    """A rectangle cut into equal right triangles; opposite sides have matching vertices."""
    (x0, y0), (x1, y1) = shape.lower, shape.upper
    nx, ny = (max(1, int(np.ceil(length / h - 1e-9))) for length in (x1 - x0, y1 - y0))
    x, y = np.meshgrid(np.linspace(x0, x1, nx + 1), np.linspace(y0, y1, ny + 1), indexing="ij")
    i, j = (k.ravel() for k in np.meshgrid(np.arange(nx), np.arange(ny), indexing="ij"))
    a = i * (ny + 1) + j
    b, c, d = a + ny + 1, a + ny + 2, a + 1
    # diagonals alternate, so that no direction is preferred
    even = ((i + j) % 2 == 0)[:, None]
    first = np.where(even, np.stack([a, b, c], 1), np.stack([a, b, d], 1))
    second = np.where(even, np.stack([a, c, d], 1), np.stack([b, c, d], 1))
    return np.stack([x.ravel(), y.ravel()], axis=1), np.vstack([first, second]).astype(np.int64)


def _solid(shape: g.Shape, place: Map, h: float) -> Any:
    match shape:
        case g.Named():
            return _solid(shape.shape, place, h)
        case g.Translated():
            return _solid(shape.shape, lambda points: place(points + np.asarray(shape.vector)), h)
        case g.Rotated():
            return _solid(shape.shape, lambda points: place(_rotated(points, shape)), h)
        case g.Union():
            return _solid(shape.a, place, h) + _solid(shape.b, place, h)
        case g.Intersection():
            return _solid(shape.a, place, h) * _solid(shape.b, place, h)
        case g.Difference():
            return _solid(shape.a, place, h) - _solid(shape.b, place, h)
        case g.Disk():
            return _oval(shape.center, (shape.radius, shape.radius), place, h)
        case g.Ellipse():
            return _oval(shape.center, shape.radii, place, h)
        case _:
            return _polygon(place(_vertices(shape)))


def _rotated(points: Floats, shape: g.Rotated) -> Floats:
    about = np.zeros(2) if shape.about is None else np.asarray(shape.about, dtype=np.float64)
    c, s = np.cos(shape.angle), np.sin(shape.angle)
    return (points - about) @ np.array([[c, s], [-s, c]]) + about


def _vertices(shape: g.Shape) -> Floats:
    match shape:
        case g.Rectangle():
            (x0, y0), (x1, y1) = shape.lower, shape.upper
            return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
        case g.Polygon():
            return np.asarray(shape.vertices, dtype=np.float64)
        case g.Triangle():
            return np.array([shape.a, shape.b, shape.c], dtype=np.float64)
    raise UnsupportedError(
        f"mesh: no mesh is made of a {type(shape).__name__}; use plane shapes and their combinations"
    )


def _polygon(vertices: Floats) -> Any:
    from netgen.geom2d import Solid2d

    (x, y), (x1, y1) = vertices.T, np.roll(vertices, -1, axis=0).T
    vertices = vertices if np.sum(x * y1 - x1 * y) > 0 else vertices[::-1]
    return Solid2d([tuple(v) for v in vertices.tolist()])


def _oval(center: Any, radii: Any, place: Map, h: float) -> Any:
    from netgen.geom2d import EdgeInfo, Solid2d

    control = place(np.asarray(center) + np.asarray(radii) * _CIRCLE).tolist()
    fine = min(h, 0.6 * float(min(radii)))
    parts: list[Any] = []
    for k in range(0, 8, 2):
        parts += [tuple(control[k]), EdgeInfo(control_point=tuple(control[k + 1]), maxh=fine)]
    return Solid2d(parts)
