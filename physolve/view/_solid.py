"""Pictures of solids: a cut-open body, slices, a surface, or arrows and streamlines inside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..io import MeshField, domain_mesh
from ..spec.geometry import Box, Shape
from ._mesh import boundary_faces, evaluate, simplices, to_pyvista
from ._quantity import Function, Quantity, magnitude
from ._render import Camera, Patch, render
from ._scale import Scale
from ._solution_like import Floats, Integers

if TYPE_CHECKING:
    import pyvista
    from matplotlib.axes import Axes

AZIMUTH, ELEVATION = -55.0, 24.0  # degrees: where the viewer stands
_INCHES = 9.0  # pixels drawn per dot per inch along the longer side; then reduced by matplotlib
_ARROWS, _STREAMLINES = 9, 60  # arrows along the longest side; streamlines in all


@dataclass(frozen=True, eq=False)
class Body:
    """A triangulated surface to be coloured, and perhaps a translucent hull around it."""

    points: Floats
    triangles: Integers
    hull: tuple[Floats, Integers] | None = None


def solid_camera(lower: Floats, upper: Floats, azimuth: float = AZIMUTH) -> Camera:
    """A camera that sees the whole box, wherever it stands on its circle."""
    a, e = np.radians(azimuth), np.radians(ELEVATION)
    right = np.array([-np.sin(a), np.cos(a), 0.0])
    up = np.array([-np.sin(e) * np.cos(a), -np.sin(e) * np.sin(a), np.cos(e)])
    half = (upper - lower) / 2
    width = 2 * np.abs(right) @ half
    height = 2 * np.abs(up) @ half
    return Camera(right, up, (lower + upper) / 2, 1.02 * float(width), 1.02 * float(height))


def _largest_view(lower: Floats, upper: Floats) -> tuple[float, float]:
    """Width and height that hold the box from any side."""
    x, y, z = upper - lower
    e = np.radians(ELEVATION)
    across = float(np.hypot(x, y))
    return 1.02 * across, 1.02 * float(np.sin(e) * across + np.cos(e) * z)


# --- bodies -------------------------------------------------------------------------------------------------


def cutaway(domain: Shape, resolution: int | None) -> Body:
    """The domain without the eighth of its box that is nearest to the viewer."""
    lower, upper = domain.bounds
    center, beyond = (lower + upper) / 2, upper - lower
    near = solid_camera(lower, upper).toward > 0
    notch = Box(tuple(np.where(near, center, lower - beyond)), tuple(np.where(near, upper + beyond, center)))
    return surface(domain - notch, resolution)


def surface(domain: Shape, resolution: int | None) -> Body:
    """The whole boundary."""
    mesh = domain_mesh(domain, resolution)
    points, triangles = _used(mesh.points, boundary_faces(simplices(mesh)))
    return Body(points, triangles)


def slices(domain: Shape, resolution: int | None) -> Body:
    """Three orthogonal planes through the middle, in a translucent hull."""
    mesh = domain_mesh(domain, resolution)
    lower, upper = mesh.points.min(axis=0), mesh.points.max(axis=0)
    center = (lower + upper) / 2 + 1e-7 * (upper - lower)  # off the grid's planes
    found = (
        to_pyvista(mesh)
        .slice_orthogonal(x=center[0], y=center[1], z=center[2])
        .combine()
        .extract_surface(algorithm=None)
    )
    points, triangles = _triangles(found)
    return Body(points, triangles, _hull(mesh))


def arrows(domain: Shape, resolution: int | None, quantity: Quantity, time: float | None) -> Body:
    """Arrows of a vector at points of a regular grid."""
    import pyvista

    mesh = domain_mesh(domain, resolution)
    lower, upper = domain.bounds
    spacing = float((upper - lower).max()) / _ARROWS
    axes = [np.arange(lo + spacing / 2, hi, spacing) for lo, hi in zip(lower, upper, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    points = points[domain.signed_distance(points) < -0.2 * spacing]
    cloud = pyvista.PolyData(points)
    cloud["v"] = np.nan_to_num(evaluate(quantity.columns, points, np.arange(len(points))[:, None], time))
    longest = np.linalg.norm(cloud["v"], axis=1).max(initial=0.0) or 1.0
    shape = pyvista.Arrow(tip_length=0.35, tip_radius=0.14, shaft_radius=0.05, start=(-0.5, 0, 0))
    found = cloud.glyph(orient="v", scale="v", factor=1.1 * spacing / longest, geom=shape)
    return Body(*_triangles(found), _hull(mesh))


def streamlines(domain: Shape, resolution: int | None, quantity: Quantity, time: float | None) -> Body:
    """Tubes along streamlines of a vector from points spread over the domain."""
    import pyvista

    mesh = domain_mesh(domain, resolution)
    values = np.nan_to_num(evaluate(quantity.columns, mesh.points, simplices(mesh), time))
    grid = to_pyvista(MeshField(mesh.points, mesh.cells, {"v": values}))
    seeds = pyvista.PolyData(domain.sample_interior(_STREAMLINES).points)
    size = float(np.ptp(mesh.points, axis=0).max())
    lines = grid.streamlines_from_source(seeds, vectors="v", max_length=3 * size)
    return Body(*_triangles(lines.tube(radius=0.006 * size, n_sides=10)), _hull(mesh))


def _hull(mesh: MeshField) -> tuple[Floats, Integers]:
    return _used(mesh.points, boundary_faces(simplices(mesh)))


def _used(points: Floats, triangles: Integers) -> tuple[Floats, Integers]:
    used, renumbered = np.unique(triangles, return_inverse=True)
    return points[used], renumbered.reshape(triangles.shape)


def _triangles(found: pyvista.PolyData) -> tuple[Floats, Integers]:
    found = found.triangulate()
    return np.asarray(found.points, dtype=np.float64), found.faces.reshape(-1, 4)[:, 1:].astype(np.int64)


def body_values(function: Function, kind: Any, body: Body, time: float | None) -> Floats:
    """The coloured number at the points of a body."""
    return magnitude(evaluate(function, body.points, body.triangles, time), kind)


# --- the panel ----------------------------------------------------------------------------------------------


class SolidPanel:
    """One quantity on one body in one pair of axes; `show` again with other values, `turn` to another side."""

    def __init__(
        self, axes: Axes, body: Body, bounds: tuple[Floats, Floats], scale: Scale, names: tuple[str, ...]
    ) -> None:
        self._axes, self._body, self._bounds, self._scale, self._names = axes, body, bounds, scale, names
        self._tones = np.zeros(len(body.points))
        self._drawn: list[Any] = []
        axes.set_axis_off()
        axes.set_aspect("equal")

    def show(self, values: Floats, azimuth: float = AZIMUTH, steady: bool = False) -> None:
        """Colour by values (n,); `steady` keeps room for a full turn."""
        self._tones = self._scale.position(values)
        self.turn(azimuth, steady)

    def turn(self, azimuth: float, steady: bool = True) -> None:
        """Draw from another side."""
        for artist in self._drawn:
            artist.remove()
        camera = solid_camera(*self._bounds, azimuth)
        width, height = _largest_view(*self._bounds) if steady else (camera.width, camera.height)
        size = _INCHES * self._axes.figure.dpi / max(camera.width, camera.height)
        pixels = (int(size * camera.width), int(size * camera.height))
        picture = render(self._patches(), camera, pixels, self._scale.colormap, lit=True)
        image = self._axes.imshow(picture, extent=camera.extent, interpolation="antialiased", zorder=2)
        image.set_interpolation_stage("rgba")
        self._axes.set(xlim=(-0.62 * width, 0.62 * width), ylim=(-0.64 * height, 0.56 * height))
        self._drawn = [image, *_box(self._axes, camera, *self._bounds, self._names)]

    def _patches(self) -> list[Patch]:
        body = self._body
        hull = [] if body.hull is None else [Patch(*body.hull, color="#7a8694", opacity=0.13)]
        return [Patch(body.points, body.triangles, self._tones), *hull]


def _box(axes: Axes, camera: Camera, lower: Floats, upper: Floats, names: tuple[str, ...]) -> list[Any]:
    """The edges of the bounding box behind the body, with ticks and labels on three outer ones."""
    near = camera.toward > 0
    drawn: list[Any] = []
    for axis in range(3):
        others = [k for k in range(3) if k != axis]
        for first in (False, True):
            for second in (False, True):
                ends = np.tile(np.where(near, upper, lower), (2, 1))
                for k, far in zip(others, (first, second), strict=True):
                    if far:
                        ends[:, k] = lower[k] if near[k] else upper[k]
                ends[:, axis] = lower[axis], upper[axis]
                if first or second:  # not those that meet at the nearest corner
                    line = camera.project(ends)
                    drawn += axes.plot(*line.T, color="#9a9a9a", linewidth=0.8, zorder=1)
    for axis in range(3):
        drawn += _ticks(axes, camera, _label_edge(camera, lower, upper, axis), axis, names[axis])
    return drawn


def _label_edge(camera: Camera, lower: Floats, upper: Floats, axis: int) -> Floats:
    """The two ends of the outer edge that carries the labels of an axis."""
    near = np.where(camera.toward > 0, upper, lower)
    far = lower + upper - near
    ends = np.stack([lower, upper])
    if axis < 2:
        other = 1 - axis
        ends[:, other], ends[:, 2] = near[other], far[2]
        return ends
    left = [np.array([near[0], far[1]]), np.array([far[0], near[1]])]
    place = min(left, key=lambda xy: camera.right[:2] @ xy)
    ends[:, :2] = place
    return ends


def _ticks(axes: Axes, camera: Camera, ends: Floats, axis: int, name: str) -> list[Any]:
    from matplotlib.ticker import MaxNLocator

    lo, hi = ends[:, axis]
    line = camera.project(ends)
    along = (line[1] - line[0]) / max(np.linalg.norm(line[1] - line[0]), 1e-300)
    outward = np.array([along[1], -along[0]])
    outward *= np.sign(outward @ line.mean(axis=0)) or 1.0
    length = 0.018 * max(camera.width, camera.height)
    align: dict[str, Any] = {"ha": "center", "va": "top" if outward[1] < 0 else "bottom"}
    if abs(outward[0]) > 0.2:
        align = {"ha": "right" if outward[0] < 0 else "left", "va": "center" if axis == 2 else "top"}
    drawn: list[Any] = []
    for value in MaxNLocator(4).tick_values(lo, hi):
        if lo - 1e-9 * (hi - lo) <= value <= hi + 1e-9 * (hi - lo):
            share = (value - lo) / (hi - lo)
            foot = line[0] + share * (line[1] - line[0])
            tip = foot + length * outward
            drawn += axes.plot(*np.stack([foot, tip]).T, color="#555555", linewidth=0.8, zorder=1)
            # two labels meet at the corners of the floor: keep them apart
            apart = 0.0 if axis == 2 or 0.02 < share < 0.98 else 0.7 * np.sign(0.5 - share)
            x, y = tip + length * (0.3 * outward + apart * along)
            drawn.append(axes.text(x, y, f"{value:g}".replace("-", "\N{MINUS SIGN}"), fontsize=9, **align))
    x, y = line.mean(axis=0) + 5.2 * length * outward
    drawn.append(axes.text(x, y, name, fontsize=11, ha="center", va="center"))
    return drawn
