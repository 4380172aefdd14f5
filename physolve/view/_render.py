"""Coloured triangles to pixels: by VTK off screen, or in plain matplotlib where no OpenGL is to be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._mesh import in_space
from ._offscreen import can_render, offscreen_window
from ._solution_like import Floats, Integers

if TYPE_CHECKING:
    import pyvista

Pixels = NDArray[np.uint8]
MISSING = "#b0b0b0"  # colour of NaN inside the domain
_LIGHT = np.array([0.35, 0.35, 0.87])  # towards the light, in the camera's frame


@dataclass(frozen=True, eq=False)
class Patch:
    """Triangles (m, 3) over points (n, 3), coloured by `tones` (n,) in [0, 1] or in one `color`."""

    points: Floats
    triangles: Integers
    tones: Floats | None = None
    color: str = "#c8c8c8"
    opacity: float = 1.0


@dataclass(frozen=True, eq=False)
class Camera:
    """A parallel projection: `right` and `up` are orthonormal (3,), the picture is `width` x `height` about
    `center`."""

    right: Floats
    up: Floats
    center: Floats
    width: float
    height: float

    @property
    def toward(self) -> Floats:
        """Unit vector from the scene to the viewer."""
        return np.cross(self.right, self.up)

    def project(self, points: Floats) -> Floats:
        """Picture coordinates (n, 2) of points (n, 3), zero in the middle."""
        return (points - self.center) @ np.stack([self.right, self.up], axis=1)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top of the picture in its coordinates."""
        return -self.width / 2, self.width / 2, -self.height / 2, self.height / 2


def flat_camera(lower: Floats, upper: Floats) -> Camera:
    """Straight down on the rectangle between two points of the plane."""
    lo, hi = in_space(lower[None])[0], in_space(upper[None])[0]
    width, height = (hi - lo)[:2]
    return Camera(np.array([1.0, 0, 0]), np.array([0.0, 1, 0]), (lo + hi) / 2, float(width), float(height))


def render(patches: Sequence[Patch], camera: Camera, pixels: tuple[int, int], colormap: str, lit: bool) -> Pixels:
    """RGBA picture (height, width, 4), transparent where there is nothing; `pixels` is (width, height)."""
    draw = _by_vtk if can_render() else _by_matplotlib
    return draw(patches, camera, pixels, colormap, lit)


def _by_vtk(patches: Sequence[Patch], camera: Camera, pixels: tuple[int, int], colormap: str, lit: bool) -> Pixels:
    import pyvista

    with offscreen_window():
        plotter: Any = pyvista.Plotter(off_screen=True, window_size=list(pixels), lighting="none")
        try:
            for patch in patches:
                _add(plotter, patch, colormap, lit)
            if lit:
                light = _LIGHT @ np.stack([camera.right, camera.up, camera.toward])
                plotter.add_light(pyvista.Light(position=tuple(light), light_type="scene light"))
            _aim(plotter, camera)
            plotter.set_background("white")
            return np.array(plotter.screenshot(transparent_background=True, return_img=True))
        finally:
            plotter.close()


def _add(plotter: Any, patch: Patch, colormap: str, lit: bool) -> None:
    mesh = _polydata(patch)
    # the shares of light count even where lighting is off
    ambient, diffuse = (0.6, 0.45) if lit else (1.0, 0.0)
    shading: dict[str, Any] = {
        "lighting": lit, "ambient": ambient, "diffuse": diffuse, "opacity": patch.opacity,
    }  # fmt: skip
    if patch.tones is None:
        plotter.add_mesh(mesh, color=patch.color, smooth_shading=True, split_sharp_edges=lit, **shading)
        return
    mesh.point_data["tones"] = patch.tones
    plotter.add_mesh(
        mesh,
        scalars="tones",
        cmap=colormap,
        clim=(0.0, 1.0),
        nan_color=MISSING,
        show_scalar_bar=False,
        smooth_shading=lit,
        split_sharp_edges=lit,
        **shading,
    )


def _polydata(patch: Patch) -> pyvista.PolyData:
    import pyvista

    count = np.full((len(patch.triangles), 1), 3)
    return pyvista.PolyData(patch.points, np.hstack([count, patch.triangles]).ravel())


def _aim(plotter: Any, camera: Camera) -> None:
    distance = 10 * (camera.width + camera.height)
    plotter.enable_parallel_projection()
    plotter.camera.focal_point = tuple(camera.center)
    plotter.camera.position = tuple(camera.center + distance * camera.toward)
    plotter.camera.up = tuple(camera.up)
    plotter.camera.parallel_scale = camera.height / 2
    plotter.camera.clipping_range = (0.5 * distance, 1.5 * distance)


def _by_matplotlib(
    patches: Sequence[Patch], camera: Camera, pixels: tuple[int, int], colormap: str, lit: bool
) -> Pixels:
    """Painter's algorithm: triangles in one colour each, the farthest first."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

    corners = np.concatenate([patch.points[patch.triangles] for patch in patches])
    colors = np.concatenate([_colors(patch, camera, colormap, lit) for patch in patches])
    order = np.argsort(corners.mean(axis=1) @ camera.toward)
    outlines = camera.project(corners.reshape(-1, 3)).reshape(-1, 3, 2)[order]
    figure = Figure(figsize=(pixels[0] / 100, pixels[1] / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    figure.patch.set_alpha(0.0)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    left, right, bottom, top = camera.extent
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.add_collection(PolyCollection(list(outlines), facecolors=colors[order], antialiased=False))
    canvas.draw()
    return np.array(canvas.buffer_rgba())


def _colors(patch: Patch, camera: Camera, colormap: str, lit: bool) -> Floats:
    """RGBA (m, 4) of every triangle."""
    import matplotlib
    from matplotlib.colors import to_rgba

    if patch.tones is None:
        colors = np.tile(to_rgba(patch.color), (len(patch.triangles), 1))
    else:
        tones = patch.tones[patch.triangles].mean(axis=1)
        colors = matplotlib.colormaps[colormap].with_extremes(bad=MISSING)(np.ma.masked_invalid(tones))
    if lit:
        a, b, c = np.moveaxis(patch.points[patch.triangles], 1, 0)
        normal = np.cross(b - a, c - a)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
        light = _LIGHT @ np.stack([camera.right, camera.up, camera.toward])
        colors[:, :3] *= (0.6 + 0.45 * np.abs(normal @ light)).clip(max=1.0)[:, None]
    colors[:, 3] = patch.opacity
    return colors
