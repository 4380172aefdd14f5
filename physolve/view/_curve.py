"""Curves: fields of one variable, cuts through fields, and how a solve converged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SpecificationError
from ._figure import number_format, page, save_figure
from ._quantity import Quantity
from ._solution_like import Floats
from ._style import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Colours that stay apart for colour-blind readers (after Okabe and Ito), and dashes for when they do not.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444")
_DASHES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D", "v")


def curve_axes(xlabel: str, ylabel: str, title: str, logarithmic: bool = False) -> tuple[Any, Axes]:
    """A figure with one pair of axes for curves."""
    figure, grid = page(6.4, 4.2, aspect=False)
    axes = grid[0, 0]
    axes.set_xlabel(xlabel, fontsize=11)
    axes.set_ylabel(ylabel, fontsize=11)
    axes.set_title(title, fontsize=12)
    axes.grid(True, color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.xaxis.set_major_formatter(number_format())
    if logarithmic:
        axes.set_yscale("log")
    else:
        axes.yaxis.set_major_formatter(number_format())
    return figure, axes


def widen(axes: Axes) -> None:
    """A constant drawn as one: else its rounding fills the height."""
    low, high = axes.get_ylim()
    size = max(abs(low), abs(high))
    if high - low < 1e-9 * size:
        axes.set_ylim(low - 0.05 * size, high + 0.05 * size)


def curve_look(index: int) -> dict[str, Any]:
    """Colour and dash of the index-th curve."""
    dash = _DASHES[index // len(COLORS) % len(_DASHES)]
    return {"color": COLORS[index % len(COLORS)], "linestyle": dash, "linewidth": 1.8}


def time_look(share: float) -> dict[str, Any]:
    """Colour of a curve at a share in [0, 1] of the time."""
    import matplotlib

    return {"color": matplotlib.colormaps["viridis"](0.9 * share), "linewidth": 1.8}


def add_legend(axes: Axes, outside: bool = False) -> None:
    """A legend if there is more than one curve."""
    if len(axes.get_lines()) < 2:
        return
    place: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)} if outside else {"loc": "best"}
    axes.legend(frameon=not outside, framealpha=0.85, edgecolor="#dddddd", fontsize=9, **place)


def shared_label(quantities: Sequence[Quantity]) -> str:
    """Label of an axis for one quantity, or for several of one unit."""
    if len(quantities) == 1:
        return quantities[0].label
    units = {quantity.unit for quantity in quantities}
    names = ", ".join(quantity.math if len(units) == 1 else quantity.label for quantity in quantities)
    unit = units.pop() if len(units) == 1 else ""
    return names + (f" [{unit}]" if unit else "")


def plot_cut(
    fields: Mapping[str, Callable[[Floats], Floats]],
    path: str | PathLike[str],
    start: Sequence[float],
    stop: Sequence[float],
    *,
    n: int = 400,
    component: int = 0,
    label: str = "",
    title: str = "",
    style: Style | None = None,
) -> None:
    """Draw fields along the straight line from `start` to `stop`, one curve each; gaps where they are NaN.

    - `fields`: name in the legend to a function of points (m, dim) with values (m,) or (m, components).
    - `component`: which column is drawn; `label`: of the vertical axis.

    Raises:
        SpecificationError: no fields, or ends that do not fit together.
    """
    a, b = np.asarray(start, dtype=np.float64), np.asarray(stop, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1 or not np.any(a != b):
        raise SpecificationError(f"cut: start {start!r} and stop {stop!r} must be two points of one dimension")
    if not fields:
        raise SpecificationError("cut: no fields given; expected a mapping of name to function")
    distance = np.linspace(0.0, 1.0, n)
    points = a + distance[:, None] * (b - a)
    ends = " to ".join("(" + ", ".join(f"{x:g}" for x in end) + ")" for end in (a, b))
    figure, axes = curve_axes(f"distance along {ends}", label, title)
    for k, (name, field) in enumerate(fields.items()):
        values = np.asarray(field(points), dtype=np.float64).reshape(n, -1)[:, component]
        axes.plot(distance * np.linalg.norm(b - a), values, label=name, **curve_look(k))
    add_legend(axes)
    save_figure(figure, path, (style or Style()).dpi)


def plot_convergence(
    features: Sequence[float],
    series: Mapping[str, Sequence[float]],
    path: str | PathLike[str],
    *,
    tol: float | None = None,
    order: float | None = None,
    title: str = "",
    style: Style | None = None,
) -> None:
    """Draw errors or estimates against the number of features, both logarithmic.

    - `series`: name ("estimate", "error", ...) to one value per entry of `features`; NaN and zero leave a gap.
    - `tol`: drawn as a line; `order`: slope of a line for comparison, features^-order.

    Raises:
        SpecificationError: lengths that differ, or nothing to draw.
    """
    count = np.asarray(features, dtype=np.float64)
    if not series or not len(count):
        raise SpecificationError("convergence: nothing to draw; expected features and at least one series")
    figure, axes = curve_axes("number of features", "error", title, logarithmic=True)
    axes.set_xscale("log")
    for k, (name, given) in enumerate(series.items()):
        values = np.asarray(given, dtype=np.float64)
        if values.shape != count.shape:
            raise SpecificationError(
                f"convergence: series '{name}' has {values.size} values for {count.size} numbers of features"
            )
        shown = np.where(values > 0, values, np.nan)
        axes.plot(count, shown, label=name, marker=_MARKERS[k % len(_MARKERS)], markersize=5, **curve_look(k))
    if order is not None:
        _slope(axes, count, order)
    if tol is not None:
        axes.axhline(tol, color="#888888", linestyle="--", linewidth=1.2, label=f"tolerance {tol:g}")
    axes.set_ylabel(next(iter(series)) if len(series) == 1 else "error", fontsize=11)
    _plain_ticks(axes, count)
    add_legend(axes)
    save_figure(figure, path, (style or Style()).dpi)


def _slope(axes: Axes, count: Floats, order: float) -> None:
    first = np.array(axes.get_lines()[0].get_ydata(), dtype=np.float64)
    known = np.flatnonzero(np.isfinite(first))
    if len(known):
        at = known[0]
        line = 0.5 * first[at] * (count / count[at]) ** -order
        axes.plot(count, line, color="#888888", linestyle=":", linewidth=1.4, label=f"order {order:g}")


def _plain_ticks(axes: Axes, count: Floats) -> None:
    """Numbers of features written out, at most eight of them."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    distinct = np.unique(count[count > 0])
    keep = distinct[:: max(1, -(-len(distinct) // 8))]
    axes.xaxis.set_major_locator(FixedLocator(list(keep)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
