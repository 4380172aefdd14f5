"""Pictures of plane fields: at one moment, at several, over time, and the plane of space and time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..io import MeshField, domain_mesh
from ..spec.geometry import Shape
from ._figure import Film, add_color_bar, page
from ._flat import PLANE_RATIO, FlatPanel, arrow_points, dress, panel_size
from ._mesh import at_time, evaluate, simplices
from ._quantity import Quantity, magnitude
from ._render import Pixels
from ._request import Request, common_scale
from ._solution_like import Floats

_SNAPSHOTS = 4
_STREAM_GRID = 60
_WIDE = 2.2  # ratio from which panels go below each other, with their colour bars below


def plane_of(request: Request) -> tuple[Shape, float | None]:
    """The plane shape to be drawn, and its ratio if it is one of space and time."""
    if request.dimension == 1:
        return request.plane, PLANE_RATIO
    return request.space_part(), None


def plane_values(quantity: Quantity, mesh: MeshField, time: float | None) -> Floats:
    """The coloured number at the nodes."""
    return magnitude(evaluate(quantity.columns, mesh.points, simplices(mesh), time), quantity.kind)


def plane_figure(request: Request) -> Any:
    """A panel for every unknown and moment; the moments of an unknown share a colour bar."""
    shape, ratio = plane_of(request)
    mesh = domain_mesh(shape, request.resolution)
    moments = (None,) if request.dimension == 1 else request.instants(_SNAPSHOTS)
    table = [[plane_values(q, mesh, t) for t in moments] for q in request.quantities]
    figure, cells, panels = _panels(request, mesh, ratio, table)
    for (row, column), panel in panels.items():
        panel.show(table[row][column])
        _directions(panel, request, request.quantities[row], shape, moments[column])
        cells[row, column].set_title(request.clock(moments[column]), fontsize=11)
    if request.title:
        figure.suptitle(request.title, fontsize=13)
    return figure


def plane_frames(request: Request) -> Iterator[Pixels]:
    """The plane over time, in fixed colours."""
    shape, ratio = plane_of(request)
    mesh = domain_mesh(shape, request.resolution)
    moments = request.instants(request.style.frames)
    table = [[plane_values(q, mesh, t) for t in moments] for q in request.quantities]
    figure, _, panels = _panels(request, mesh, ratio, table, together=False)
    heading = figure.suptitle(request.heading(moments[-1]), fontsize=13)
    film = Film(figure, request.style.dpi)
    for j, time in enumerate(moments):
        heading.set_text(request.heading(time))
        for (row, _), panel in panels.items():
            panel.show(table[row][j])
            if request.style.vectors == "arrows":  # streamlines would jump from frame to frame
                _directions(panel, request, request.quantities[row], shape, time)
        yield film.frame()


def _panels(
    request: Request, mesh: MeshField, ratio: float | None, table: list[list[Floats]], together: bool = True
) -> tuple[Any, dict[tuple[int, int], Any], dict[tuple[int, int], FlatPanel]]:
    """The figure, and its axes and panels by (index of the quantity, index of the moment), with colour bars.

    If not `together`, there is one panel per quantity and its colours serve all moments.
    """
    moments = len(table[0]) if together else 1
    shape_ratio = _ratio(mesh, ratio)
    figure, cells = _grid(shape_ratio, len(table), moments, request.style.dpi)
    panels = {}
    for row, quantity in enumerate(request.quantities):
        scale = common_scale(quantity, table[row])
        for column in range(moments):
            panels[row, column] = FlatPanel(cells[row, column], mesh, scale, ratio)
            dress(cells[row, column], (request.labels[0], request.labels[1]))
        mine = [cells[row, column] for column in range(moments)]
        wide = shape_ratio > _WIDE and moments == 1
        add_color_bar(figure, mine if moments > 1 else mine[0], scale, quantity.label, below=wide)
    return figure, cells, panels


def _grid(ratio: float, quantities: int, moments: int, dpi: int) -> tuple[Any, dict[tuple[int, int], Any]]:
    """Axes by (index of the quantity, index of the moment); in rows if there is but one of either."""
    if quantities > 1 and moments > 1:
        rows, columns = quantities, moments
    else:
        count, most = quantities * moments, 1 if ratio > _WIDE else (2 if moments in (2, 4) else 3)
        columns = min(count, most)
        rows = -(-count // columns)
    width, height = panel_size(ratio, max(columns, min(rows, 2)))
    beside, under = (0.9, 1.7) if ratio > _WIDE and moments == 1 else (1.8 if moments == 1 else 0.9, 0.9)
    figure, axes = page(columns * (width + beside) + 0.3, rows * (height + under) + 0.5, rows, columns, dpi=dpi)
    keys = [(q, m) for q in range(quantities) for m in range(moments)]
    for unused in axes.ravel()[len(keys) :]:
        unused.set_visible(False)
    return figure, dict(zip(keys, axes.ravel(), strict=False))


def _ratio(mesh: MeshField, ratio: float | None) -> float:
    size = np.ptp(mesh.points, axis=0)
    return float(size[0] / size[1]) if ratio is None else ratio


def _directions(panel: FlatPanel, request: Request, quantity: Quantity, shape: Shape, time: float | None) -> None:
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
