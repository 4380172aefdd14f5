"""Curves of a solution: in one space dimension, and of ordinary equations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ._curve import add_legend, curve_axes, curve_look, shared_label, time_look, widen
from ._figure import Film
from ._mesh import at_time, evaluate
from ._quantity import Quantity, magnitude
from ._render import Pixels
from ._request import Request
from ._solution_like import Floats

_POINTS = 600
_SNAPSHOTS = 6


def curve_figure(request: Request) -> Any:
    """Curves over the only coordinate; with time, one per moment (and unknown)."""
    x = _abscissa(request)
    logarithmic = all(quantity.kind == "logarithmic" for quantity in request.quantities)
    moments = request.instants(_SNAPSHOTS) if request.dimension else (None,)
    title = request.heading(moments[0]) if len(moments) == 1 else request.title
    figure, axes = curve_axes(request.labels[0], shared_label(request.quantities), title, logarithmic)
    several = len(request.quantities) > 1
    for j, time in enumerate(moments):
        for k, quantity in enumerate(request.quantities):
            look = curve_look(k) if len(moments) == 1 else time_look(j / (len(moments) - 1))
            if len(moments) > 1 and several:
                look["linestyle"] = curve_look(7 * k)["linestyle"]
            label = ", ".join(filter(None, [quantity.math if several else "", request.clock(time)]))
            axes.plot(x, _values(request, quantity, x, time), label=label or quantity.math, **look)
        _overlay(request, axes, x, time, last=j == len(moments) - 1)
    axes.set_xlim(x[0], x[-1])
    if logarithmic:
        axes.set_ylim(bottom=max(axes.get_ylim()[0], axes.get_ylim()[1] * 1e-9))
    else:
        widen(axes)
    add_legend(axes, outside=len(axes.get_lines()) > 4)
    return figure


def curve_frames(request: Request) -> Iterator[Pixels]:
    """The curves over time, with fixed axes."""
    x = _abscissa(request)
    moments = request.instants(request.style.frames)
    tables = [[_values(request, q, x, t) for t in moments] for q in request.quantities]
    logarithmic = request.quantities[0].kind == "logarithmic"
    figure, axes = curve_axes(
        request.labels[0], shared_label(request.quantities), request.clock(moments[-1]), logarithmic
    )
    if request.title:
        figure.suptitle(request.title, fontsize=12)
    lines = []
    for k, (quantity, table) in enumerate(zip(request.quantities, tables, strict=True)):
        axes.plot(x, table[0], color="#c4c4c4", linewidth=1.0)  # where it began
        lines += axes.plot(x, table[0], label=quantity.math, **curve_look(k))
    if len(lines) > 1:
        axes.legend(handles=lines, frameon=True, edgecolor="#dddddd", fontsize=9, loc="upper right")
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(*_limits(tables, logarithmic))
    film = Film(figure, request.style.dpi)
    for j, time in enumerate(moments):
        axes.set_title(request.clock(time), fontsize=12)
        for line, table in zip(lines, tables, strict=True):
            line.set_ydata(table[j])
        yield film.frame()


def _abscissa(request: Request) -> Floats:
    lower, upper = request.plane.bounds
    return np.linspace(lower[0], upper[0], request.resolution or _POINTS)


def _values(request: Request, quantity: Quantity, x: Floats, time: float | None) -> Floats:
    """Values along the curve, NaN outside the domain."""
    points = x[:, None]
    pairs = np.stack([np.arange(len(x) - 1), np.arange(1, len(x))], axis=1)
    values = magnitude(evaluate(quantity.columns, points, pairs, time), quantity.kind)
    inside = request.plane.contains(at_time(points, time), 1e-9 * request.plane.size)
    return np.where(inside, values, np.nan)


def _overlay(request: Request, axes: Any, x: Floats, time: float | None, last: bool) -> None:
    """Reference values as dots on the curves."""
    if request.compared is None:
        return
    few = x[:: max(1, len(x) // 24)]
    columns = request.compared(at_time(few[:, None], time))
    names = [u.func.__name__ for u in request.problem.unknowns]
    for quantity in request.quantities:
        axes.plot(
            few, columns[:, names.index(quantity.name)], linestyle="", marker="o", markersize=4,
            markerfacecolor="none", color="#222222",
            label="reference" if last and quantity is request.quantities[-1] else "_",
        )  # fmt: skip


def _limits(tables: list[list[Floats]], logarithmic: bool) -> tuple[float, float]:
    flat = np.concatenate([values for table in tables for values in table])
    flat = flat[np.isfinite(flat) & ((flat > 0) | (not logarithmic))]
    low, high = (float(flat.min()), float(flat.max())) if len(flat) else (0.0, 1.0)
    if logarithmic:
        return max(low, high * 1e-10) / 2, high * 2
    margin = 0.06 * (high - low) or 0.5 * max(abs(high), 1.0)
    return low - margin, high + margin
