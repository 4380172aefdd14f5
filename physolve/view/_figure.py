"""Figures of matplotlib without its global state: pages, colour bars, saving, frames."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..io._files import replacing
from ._render import Pixels
from ._scale import Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Suffixes of single pictures.
STILLS = (".png", ".svg", ".pdf")


def page(
    width: float, height: float, rows: int = 1, columns: int = 1, aspect: bool = True, dpi: int = 100
) -> tuple[Any, Any]:
    """A white figure of this size in inches with axes (rows, columns); `aspect`: in true proportions."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    layout = "compressed" if aspect else "constrained"
    figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    figure.set_layout_engine(layout, w_pad=0.12, h_pad=0.12)
    return figure, figure.subplots(rows, columns, squeeze=False)


def add_color_bar(figure: Figure, axes: Axes | Sequence[Axes], scale: Scale, label: str, below: bool = False) -> None:
    """A colour bar as high as its axes (or as wide, if `below`); one for all if several axes are given."""
    from matplotlib.cm import ScalarMappable

    orientation = "horizontal" if below else "vertical"
    shown = ScalarMappable(scale.norm(), scale.colormap)
    place: dict[str, Any]
    if isinstance(axes, Sequence):
        place = {"ax": list(axes), "shrink": 0.8, "aspect": 28, "pad": 0.02}
    else:
        box = (0.0, -0.36, 1.0, 0.09) if below else (1.035, 0.0, 0.045, 1.0)
        place = {"cax": axes.inset_axes(box)}
    extend = "both" if scale.cut else "neither"  # pointed ends: there are values beyond
    bar = figure.colorbar(shown, orientation=orientation, extend=extend, **place)
    bar.set_label(label, fontsize=11)
    bar.outline.set_linewidth(0.6)  # type: ignore[operator]
    if scale.kind != "logarithmic":
        axis = bar.ax.xaxis if below else bar.ax.yaxis
        axis.set_major_formatter(number_format())


def number_format() -> Any:
    """Tick labels with a common power of ten where numbers are small or large."""
    from matplotlib.ticker import ScalarFormatter

    formatter = ScalarFormatter(useMathText=True)
    formatter.set_powerlimits((-2, 4))
    return formatter


def save_figure(figure: Figure, path: str | PathLike[str], dpi: int) -> None:
    """Write the figure, cropped to what is drawn, in the format of the suffix; whole or not at all."""
    suffix = str(path).rsplit(".", 1)[-1].lower()
    with replacing(path) as temporary:
        figure.savefig(temporary, format=suffix, dpi=dpi, bbox_inches="tight", pad_inches=0.12)


class Film:
    """Frames of one figure that changes: all cropped to the box that the first one needs."""

    def __init__(self, figure: Figure, dpi: int) -> None:
        figure.set_dpi(dpi)
        figure.canvas.draw()
        figure.set_layout_engine("none")
        self._figure = figure
        width, height = figure.canvas.get_width_height()  # type: ignore[attr-defined]
        box = figure.get_tightbbox().padded(0.12)
        left, right = max(0, int(box.x0 * dpi)), min(width, int(np.ceil(box.x1 * dpi)))
        bottom, top = max(0, int(box.y0 * dpi)), min(height, int(np.ceil(box.y1 * dpi)))
        even = [(right - left) // 2 * 2, (top - bottom) // 2 * 2]  # as video coders want it
        self._crop = (slice(height - top, height - top + even[1]), slice(left, left + even[0]))

    def frame(self) -> Pixels:
        """The figure as it is now: (height, width, 3)."""
        self._figure.canvas.draw()
        return np.array(self._figure.canvas.buffer_rgba())[self._crop][..., :3]  # type: ignore[attr-defined]
