"""Pictures of plane fields: at one moment, at several, over time, and the plane of space and time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..io import MeshField, domain_mesh
from ..spec.geometry import Shape
from ._figure import Film, page
from ._flat import PLANE_RATIO, FlatPanel, arrow_points, dress, panel_size
from ._mesh import at_time, evaluate, simplices
from ._quantity import Quantity, magnitude
from ._render import Pixels
from ._request import Request, common_scale
from ._solution_like import Floats

_SNAPSHOTS = 4
_STREAM_GRID = 60


def plane_of(request: Request) -> tuple[Shape, float | None]:
    """The plane shape to be drawn, and its ratio if it is one of space and time."""
    if request.dimension == 1:
        return request.plane, PLANE_RATIO
    return request.space_part(), None


def plane_values(request: Request, quantity: Quantity, mesh: MeshField, time: float | None) -> Floats:
    """The coloured number at the nodes."""
    return magnitude(evaluate(quantity.columns, mesh.points, simplices(mesh), time), quantity.kind)


def plane_figure(request: Request) -> Any:
    """Unknowns one below the other if there are several moments (side by side), else in rows of three."""
    shape, ratio = plane_of(request)
    mesh = domain_mesh(shape, request.resolution)
    moments = (None,) if request.dimension == 1 else request.instants(_SNAPSHOTS)
    table = [[plane_values(request, q, mesh, t) for t in moments] for q in request.quantities]
    scales = [common_scale(q, row) for q, row in zip(request.quantities, table, strict=True)]
    figure, cells = _grid(request, mesh, ratio, len(request.quantities), len(moments))
    for (row, column), axes in cells.items():
        quantity, scale, time = request.quantities[row], scales[row], moments[column]
        panel = FlatPanel(axes, mesh, scale, ratio)
        panel.show(table[row][column])
        _directions(panel, request, quantity, shape, time)
        dress(figure, axes, quantity, scale, _names(request), _ratio(mesh, ratio))
        axes.set_title(_panel_title(request, quantity, time), fontsize=11)
    if request.title:
        figure.suptitle(request.title, fontsize=13)
    return figure


def plane_frames(request: Request) -> Iterator[Pixels]:
    """The plane over time, in fixed colours."""
    shape, ratio = plane_of(request)
    mesh = domain_mesh(shape, request.resolution)
    moments = request.instants(request.style.frames)
    table = [[plane_values(request, q, mesh, t) for t in moments] for q in request.quantities]
    scales = [common_scale(q, row) for q, row in zip(request.quantities, table, strict=True)]
    figure, cells = _grid(request, mesh, ratio, len(request.quantities), 1)
    panels = []
    for (row, _), axes in cells.items():
        panel = FlatPanel(axes, mesh, scales[row], ratio)
        dress(figure, axes, request.quantities[row], scales[row], _names(request), _ratio(mesh, ratio))
        axes.set_title(_panel_title(request, request.quantities[row], None), fontsize=11)
        panel.show(table[row][-1])
        panels.append(panel)
    heading = figure.suptitle(_heading(request, moments[-1]), fontsize=13)
    film = Film(figure, request.style.dpi)
    for j, time in enumerate(moments):
        heading.set_text(_heading(request, time))
        for row, panel in enumerate(panels):
            panel.show(table[row][j])
            if request.style.vectors == "arrows":  # streamlines would jump from frame to frame
                _directions(panel, request, request.quantities[row], shape, time)
        yield film.frame()


def _grid(
    request: Request, mesh: MeshField, ratio: float | None, quantities: int, moments: int
) -> tuple[Any, dict[tuple[int, int], Any]]:
    """Axes by (index of the quantity, index of the moment)."""
    columns = moments if moments > 1 else min(quantities, 3)
    rows = quantities if moments > 1 else -(-quantities // 3)
    shape_ratio = _ratio(mesh, ratio)
    if (columns > 1 and shape_ratio > 2.2 and moments == 1) or (shape_ratio > 2.2 and quantities == 1):
        rows, columns = rows * columns, 1  # wide pictures one below the other
    width, height = panel_size(shape_ratio, max(columns, rows))
    below = shape_ratio > 2.2
    size = (columns * (width + (0.9 if below else 1.8)), rows * (height + (1.7 if below else 0.9)) + 0.5)
    figure, axes = page(*size, rows, columns)
    keys = [(q, m) for q in range(quantities) for m in range(moments)]
    flat = list(axes.ravel())
    for unused in flat[len(keys) :]:
        unused.set_visible(False)
    return figure, dict(zip(keys, flat, strict=False))


def _ratio(mesh: MeshField, ratio: float | None) -> float:
    size = np.ptp(mesh.points, axis=0)
    return float(size[0] / size[1]) if ratio is None else ratio


def _names(request: Request) -> tuple[str, str]:
    return request.labels[0], request.labels[1]


def _panel_title(request: Request, quantity: Quantity, time: float | None) -> str:
    name = quantity.math if len(request.quantities) > 1 else ""
    return ", ".join(filter(None, [name, request.clock(time)]))


def _heading(request: Request, time: float | None) -> str:
    return ",  ".join(filter(None, [request.title, request.clock(time)]))


def _directions(
    panel: FlatPanel, request: Request, quantity: Quantity, shape: Shape, time: float | None
) -> None:
    """Arrows or streamlines over a vector's magnitude."""
    if not quantity.directed or request.style.vectors == "none":
        return
    if request.style.vectors == "arrows":
        points, spacing = arrow_points(shape)
        panel.arrows(points, quantity.columns(at_time(points, time)), spacing)
        return
    lower, upper = shape.bounds
    x, y = (np.linspace(lower[k], upper[k], _STREAM_GRID) for k in (0, 1))
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    vectors = np.array(quantity.columns(at_time(points, time)))
    vectors[shape.signed_distance(points) > 0] = np.nan
    u, v = (vectors[:, k].reshape(_STREAM_GRID, _STREAM_GRID) for k in (0, 1))
    panel.streamlines(x, y, u, v)
