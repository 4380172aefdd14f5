"""Maps of stations: values and an interpolated field, wind, and what flows between stations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from ..errors import SpecificationError
from ._between_stations import beyond, interpolated, net_fluxes
from ._figure import add_color_bar, page, save_figure
from ._labels import place_labels
from ._scale import Scale, fit_scale
from ._style import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRID = 160
"""Points of the interpolated field along either side."""

FLOW = "#b22222"

DOT_AREA, RING_AREA = 62, 190
"""Square points of a station's dot, and of what the widest ring has beyond it: such rings hardly meet in a city."""

CALM = 0.1
"""m/s below which no wind is drawn."""

JOINED = 10.0
"""Points of print between a station and its name, beyond which a line joins them."""

MARGIN = 0.18
"""Around the stations, as a share of the region's larger side; the field ends half as far from them."""


@dataclass(frozen=True, eq=False)
class StationMap:
    """What is drawn of stations at one instant.

    names                 (n,)
    longitude, latitude   (n,) degrees
    values                (n,), NaN where there is none
    title                 such as the time
    spread                (n,) half the width of the values' uncertainty, drawn as rings, or None
    wind                  (n, 2) m/s, east and north, TO which the air moves, NaN where unknown; or None
    edges, fluxes         (2, E) pairs of stations and (E,) what flows from the first to the second; or None
    """

    names: Sequence[str]
    longitude: Float[ndarray, " n"]
    latitude: Float[ndarray, " n"]
    values: Float[ndarray, " n"]
    title: str = ""
    spread: Float[ndarray, " n"] | None = None
    wind: Float[ndarray, "n 2"] | None = None
    edges: Int[ndarray, "2 E"] | None = None
    fluxes: Float[ndarray, " E"] | None = None

    def __post_init__(self) -> None:
        n, edges = len(self.names), 0 if self.edges is None else self.edges.shape[-1]
        for name, shape in (
            ("longitude", (n,)), ("latitude", (n,)), ("values", (n,)), ("spread", (n,)), ("wind", (n, 2)),
            ("edges", (2, edges)), ("fluxes", (edges,)),
        ):  # fmt: skip
            got = getattr(self, name)
            if got is not None and got.shape != shape:
                raise SpecificationError(f"station map: {name}: got shape {got.shape}, expected {shape}")
        if n < 3:
            raise SpecificationError(f"station map: got {n} stations, expected at least 3")

    @property
    def places(self) -> Float[ndarray, "n 2"]:
        """Kilometres east and north of the stations' middle: a plane for the eye."""
        from ..air.operators import KM_PER_DEGREE  # here, so that other pictures do without that room

        away = (self.longitude - self.longitude[0] + 180) % 360 - 180  # the date line may be between them
        east = (away - away.mean()) * np.cos(np.deg2rad(self.latitude.mean()))
        return KM_PER_DEGREE * np.stack([east, self.latitude - self.latitude.mean()], -1)


def plot_stations(
    maps: Sequence[StationMap],
    path: str | PathLike[str],
    *,
    label: str,
    flux_unit: str = "",
    spread_unit: str = "",
    style: Style | None = None,
) -> None:
    """Draw maps beside each other, with one scale of colours that `label` names, to .png, .svg or .pdf.

    Arrows between stations have one scale as well, and rings: under the maps stands what flows along the widest, in
    `flux_unit`, and how uncertain the value in the widest is, in `spread_unit`.

    Raises SpecificationError for none, NumericalError where no value is finite, ProblemFileError for the file.
    """
    if not maps:
        raise SpecificationError("station maps: got none, expected at least one")
    columns = min(len(maps), 2)
    rows = -(-len(maps) // columns)
    figure, grid = page(4.6 * columns, 4.4 * rows, rows, columns)
    scale = fit_scale("sequential", [each.values for each in maps], label)
    strongest = max(map(_strongest, maps))
    widest = max(map(_widest, maps))
    for axes, each in zip(grid.flat, maps, strict=False):
        _draw(axes, each, scale, strongest, widest)
    for axes in list(grid.flat)[len(maps) :]:
        axes.set_visible(False)
    add_color_bar(figure, list(grid.flat), scale, label)
    notes = (
        [f"flow between stations: the widest arrow is {_plain(strongest)} {flux_unit}".rstrip()] if strongest else []
    )
    notes += [f"uncertainty: the widest ring is ± {_plain(widest)} {spread_unit}".rstrip()] if widest else []
    if notes:
        figure.supxlabel("\n".join(notes), fontsize=8)
    figure.draw_without_rendering()  # the layout, which decides where names have room
    for axes, each in zip(grid.flat, maps, strict=False):
        _draw_names(axes, each)
    save_figure(figure, path, (style or Style()).dpi)


def _strongest(each: StationMap) -> float:
    if each.edges is None or each.fluxes is None:
        return 0.0
    return float(net_fluxes(each.edges, each.fluxes)[1].max(initial=0))


def _widest(each: StationMap) -> float:
    return 0.0 if each.spread is None else float(np.nan_to_num(each.spread).max(initial=0))


def _plain(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{float(f'{value:.3g}'):,.10g}"


def _draw(axes: Axes, each: StationMap, scale: Scale, strongest: float, widest: float) -> None:
    places = each.places
    side = float(np.ptp(places, axis=0).max())
    lower, upper = places.min(0) - MARGIN * side, places.max(0) + MARGIN * side
    _draw_field(axes, each, scale, lower, upper, MARGIN * side)
    if each.edges is not None and each.fluxes is not None and strongest > 0:
        _draw_fluxes(axes, places, *net_fluxes(each.edges, each.fluxes), strongest)
    if each.spread is not None and widest > 0:
        _draw_spread(axes, each, widest)
    shown = {"cmap": scale.colormap, "norm": scale.norm(), "edgecolors": "black", "linewidths": 0.9, "zorder": 5}
    known = np.isfinite(each.values)
    axes.scatter(*places[known].T, c=each.values[known], s=DOT_AREA, **shown)
    axes.scatter(*places[~known].T, c="white", marker="X", s=DOT_AREA, edgecolors="black", linewidths=0.9, zorder=5)
    if each.wind is not None:
        _draw_wind(axes, each, each.wind)
    axes.set(xlim=(lower[0], upper[0]), ylim=(lower[1], upper[1]), aspect="equal")
    axes.set_title(each.title, fontsize=10)
    axes.set_xlabel("km east", fontsize=8)
    axes.set_ylabel("km north", fontsize=8)
    axes.tick_params(labelsize=7)


def _draw_field(
    axes: Axes, each: StationMap, scale: Scale, lower: Float[ndarray, " 2"], upper: Float[ndarray, " 2"], reach: float
) -> None:
    """Where stations are near enough; elsewhere nothing is known and nothing drawn."""
    places = each.places
    x, y = (np.linspace(low, high, GRID) for low, high in zip(lower, upper, strict=True))
    points = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    field = interpolated(places, each.values, points)
    field[beyond(places, points) > reach] = np.nan
    axes.imshow(
        field.reshape(GRID, GRID), extent=(lower[0], upper[0], lower[1], upper[1]), origin="lower",
        cmap=scale.colormap, norm=scale.norm(), interpolation="bilinear", zorder=1,
    )  # fmt: skip


def _draw_fluxes(
    axes: Axes, places: Float[ndarray, "n 2"], pairs: Int[ndarray, "2 P"], net: Float[ndarray, " P"], strongest: float
) -> None:
    """Arrows from station to station, as wide as what flows is strong; below 2 % of the strongest none."""
    for (a, b), share in zip(pairs.T, net / strongest, strict=True):
        if share > 0.02:
            look: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 5 + 8 * share, "linewidth": 0.4 + 3 * share}
            look |= {"color": FLOW, "alpha": 0.8, "shrinkA": 6, "shrinkB": 6}
            arrow = axes.annotate("", tuple(places[b]), tuple(places[a]), arrowprops=look, zorder=3)
            arrow.set_in_layout(False)  # it is inside; the layout need not look at every arrow


def _draw_spread(axes: Axes, each: StationMap, widest: float) -> None:
    """Rings whose area beyond the station's dot is in proportion to the uncertainty."""
    assert each.spread is not None
    areas = DOT_AREA + RING_AREA * np.nan_to_num(each.spread) / widest
    look: dict[str, Any] = {"facecolors": "none", "edgecolors": "black", "linewidths": 0.6, "path_effects": _halo()}
    axes.scatter(*each.places.T, s=areas, zorder=4, **look)


def _draw_names(axes: Axes, each: StationMap) -> None:
    """Every name where it covers least, joined to its station by a line where that is not next to it.

    The layout must be final: names take room in points of print, stations in kilometres.
    """
    figure: Any = axes.get_figure()
    points = 72 / figure.dpi
    stations = points * axes.transData.transform(each.places)
    tips = each.places if each.wind is None else each.places + _arrow_length(each) * np.nan_to_num(each.wind)
    frame = points * axes.get_window_extent().get_points()
    shown = [axes.text(0, 0, name, fontsize=6.5, zorder=7, path_effects=_halo()) for name in each.names]
    boxes = [text.get_window_extent(figure.canvas.get_renderer()) for text in shown]
    sizes = points * np.array([(box.width, box.height) for box in boxes])
    middles = place_labels(stations, sizes + 1, *frame, free=points * axes.transData.transform(tips))
    for text, station, middle, size in zip(shown, stations, middles, sizes, strict=True):
        text.set(ha="center", va="center", position=axes.transData.inverted().transform(middle / points))
        text.set_in_layout(False)
        nearest = np.clip(station, middle - size / 2, middle + size / 2)
        if np.linalg.norm(nearest - station) > JOINED:
            ends = axes.transData.inverted().transform(np.stack([station, nearest]) / points)
            axes.plot(*ends.T, color="black", linewidth=0.5, zorder=4.5)[0].set_in_layout(False)


def _arrow_length(each: StationMap) -> float:
    """Kilometres of an arrow for every m/s: one of 3 m/s is a tenth of the region."""
    return float(np.ptp(each.places, axis=0).max()) / 30


def _draw_wind(axes: Axes, each: StationMap, wind: Float[ndarray, "n 2"]) -> None:
    """White arrows; none where it hardly blows."""
    known = np.linalg.norm(np.nan_to_num(wind), axis=1) > CALM
    arrows = axes.quiver(
        *each.places[known].T, *wind[known].T, angles="xy", scale_units="xy", scale=1 / _arrow_length(each),
        width=0.008, color="white", edgecolor="black", linewidth=0.5, zorder=6,
    )  # fmt: skip
    key = axes.quiverkey(arrows, 0.86, 0.05, 3, "3 m/s", labelpos="N", fontproperties={"size": 7})
    key.text.set_path_effects(_halo())


def _halo() -> list[Any]:
    """White around black: seen on dark colours as well."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=1.8, foreground="white")]
