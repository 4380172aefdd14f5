"""Pictures of fields in a solid: at one moment, over time, and turning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ._figure import Film, add_color_bar, page
from ._quantity import Quantity
from ._render import Pixels
from ._request import Request, common_scale
from ._solid import AZIMUTH, Body, SolidPanel, arrows, body_values, cutaway, slices, streamlines, surface
from ._solution_like import Floats

_BODIES = {"cutaway": cutaway, "slices": slices, "surface": surface}


def solid_figure(request: Request) -> Any:
    """One panel per unknown, at the last of the times asked for or at the end."""
    time = request.instants(1)[-1]
    figure, panels = _panels(request, [time])
    for panel, (values,) in panels:
        panel.show(values)
    if request.heading(time):
        figure.suptitle(request.heading(time), fontsize=13)
    return figure


def solid_frames(request: Request) -> Iterator[Pixels]:
    """Over time; a solid without time turns once."""
    moments = request.instants(request.style.frames)
    turning = request.span is None
    figure, panels = _panels(request, list(moments))
    heading = figure.suptitle(request.heading(moments[-1]), fontsize=13)
    for panel, frames in panels:
        panel.show(frames[-1], steady=turning)
    film = Film(figure, request.style.dpi)
    for j in range(request.style.frames if turning else len(moments)):
        heading.set_text(request.heading(None if turning else moments[j]))
        for panel, frames in panels:
            if turning:
                panel.turn(AZIMUTH + 360 * j / request.style.frames)
            else:
                panel.show(frames[j])
        yield film.frame()


def body_of(request: Request, quantity: Quantity, time: float | None) -> Body:
    """The surface that shows the quantity in the style asked for."""
    space, style = request.space_part(), request.style
    if quantity.directed and style.vectors != "none" and request.span is None:
        make = arrows if style.vectors == "arrows" else streamlines
        return make(space, request.resolution, quantity, time)
    return _BODIES[style.solid](space, request.resolution)


def _panels(request: Request, moments: list[float | None]) -> tuple[Any, list[tuple[SolidPanel, list[Floats]]]]:
    count = len(request.quantities)
    columns = min(count, 3)
    rows = -(-count // columns)
    width = {1: 6.4, 2: 4.8}.get(columns, 4.0)
    figure, axes = page(columns * (width + 1.2), rows * width * 0.95 + 0.4, rows, columns, dpi=request.style.dpi)
    for unused in axes.ravel()[count:]:
        unused.set_visible(False)
    panels = []
    for quantity, cell in zip(request.quantities, axes.ravel(), strict=False):
        body = body_of(request, quantity, moments[-1])
        frames = [body_values(quantity.columns, quantity.kind, body, time) for time in moments]
        scale = common_scale(quantity, frames)
        bounds = _bounds(body)
        panels.append((SolidPanel(cell, body, bounds, scale, request.labels[:3]), frames))
        add_color_bar(figure, cell, scale, quantity.label)
    return figure, panels


def _bounds(body: Body) -> tuple[Floats, Floats]:
    points = body.points if body.hull is None else np.concatenate([body.points, body.hull[0]])
    return points.min(axis=0), points.max(axis=0)
