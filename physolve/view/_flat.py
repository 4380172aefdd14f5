"""Pictures of the plane: seen straight from above, in true proportions, holes left empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..io import MeshField
from ..spec.geometry import Shape
from ._figure import number_format
from ._mesh import boundary_faces, in_space, simplices
from ._render import Patch, flat_camera, render
from ._scale import Scale
from ._solution_like import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLANE_RATIO = 1.35  # width to height of an (x, t) plane, which has no true proportions
_INCHES = 9.0  # pixels drawn per dot per inch along the longer side; then reduced by matplotlib


class FlatPanel:
    """One quantity on one plane mesh, in one pair of axes; `show` may be called again with other values."""

    def __init__(self, axes: Axes, mesh: MeshField, scale: Scale, ratio: float | None) -> None:
        """`ratio` is width to height of the picture, None for true proportions."""
        self._axes, self._mesh, self._scale = axes, mesh, scale
        lower, upper = mesh.points.min(axis=0), mesh.points.max(axis=0)
        size = upper - lower
        ratio = float(size[0] / size[1]) if ratio is None else ratio
        self._camera = flat_camera(np.zeros(2), np.array([ratio, 1.0]))
        self._points = in_space((mesh.points - lower) / size * [ratio, 1.0])
        self._pixels = _pixels(ratio, axes.figure.dpi)
        self._arrows: Any = None
        axes.set_aspect(float(size[0] / size[1]) / ratio, adjustable="box")
        extent = (lower[0], upper[0], lower[1], upper[1])
        blank = np.zeros((2, 2, 4), dtype=np.uint8)
        self._image = axes.imshow(blank, extent=extent, aspect=axes.get_aspect(), interpolation="antialiased")
        self._image.set_interpolation_stage("rgba")
        _outline(axes, mesh)
        margin = 0.02 * size.max() if ratio == size[0] / size[1] else 0.0
        axes.set(xlim=(lower[0] - margin, upper[0] + margin), ylim=(lower[1] - margin, upper[1] + margin))

    def show(self, values: Floats) -> None:
        """Colour the mesh by values (n,) at its nodes."""
        patch = Patch(self._points, simplices(self._mesh), self._scale.position(values))
        self._image.set_data(render([patch], self._camera, self._pixels, self._scale.colormap, lit=False))

    def arrows(self, points: Floats, directions: Floats, spacing: float) -> None:
        """Arrows (n, 2) centred at points (n, 2); the longest is as long as `spacing`."""
        longest = np.sqrt(np.nansum(np.square(directions), axis=1)).max(initial=0.0) or 1.0
        if self._arrows is None:
            self._arrows = self._axes.quiver(
                *points.T, *directions.T, angles="xy", scale_units="xy", scale=longest / spacing, pivot="mid",
                color="white", edgecolor="#222222", linewidth=0.5, width=0.006, minlength=0, zorder=4,
            )  # fmt: skip
        else:
            self._arrows.set_UVC(*directions.T)

    def streamlines(self, x: Floats, y: Floats, u: Floats, v: Floats) -> None:
        """Streamlines of values (ny, nx) on a regular grid, NaN outside the domain."""
        limits = self._axes.get_xlim(), self._axes.get_ylim()
        self._axes.streamplot(x, y, u, v, color="white", linewidth=0.9, density=1.3, arrowsize=0.9, zorder=4)
        self._axes.set(xlim=limits[0], ylim=limits[1])


def dress(axes: Axes, names: tuple[str, str]) -> None:
    """Axis labels, small ticks, no frame: the outline of the domain is enough."""
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    axes.tick_params(labelsize=9)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(number_format())
    for spine in axes.spines.values():
        spine.set_visible(False)


def panel_size(ratio: float, count: int) -> tuple[float, float]:
    """Inches of one of `count` neighbouring panels with this ratio of width to height."""
    shrink = {1: 1.0, 2: 0.72}.get(count, 0.58)
    width = min(np.sqrt(22 * ratio), 8.0)
    width = min(width, 6.0 * ratio) * shrink
    return width, width / ratio


def arrow_points(domain: Shape, count: int = 18) -> tuple[Floats, float]:
    """A regular grid of points well inside a plane domain, and its spacing."""
    lower, upper = domain.bounds
    spacing = float((upper - lower).max()) / count
    axes = [
        lo + spacing * (np.arange(max(int((hi - lo) / spacing), 1)) + 0.5) for lo, hi in zip(lower, upper, strict=True)
    ]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    return points[domain.signed_distance(points) < -0.3 * spacing], 0.95 * spacing


def _pixels(ratio: float, dpi: float) -> tuple[int, int]:
    wide, high = (1.0, 1 / ratio) if ratio > 1 else (ratio, 1.0)
    return max(int(_INCHES * dpi * wide), 50), max(int(_INCHES * dpi * high), 50)


def _outline(axes: Axes, mesh: MeshField) -> None:
    from matplotlib.collections import LineCollection

    segments = mesh.points[boundary_faces(simplices(mesh))]
    axes.add_collection(
        LineCollection(list(segments), colors="#333333", linewidths=0.9, capstyle="round", zorder=5),
        autolim=False,
    )
