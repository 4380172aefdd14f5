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
from ._scale import Scale, fit_scale
from ._style import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KM_PER_DEGREE = 111.195
GRID = 160
"""Points of the interpolated field along either side."""

FLOW = "#b22222"

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
        east = (self.longitude - self.longitude.mean()) * np.cos(np.deg2rad(self.latitude.mean()))
        return KM_PER_DEGREE * np.stack([east, self.latitude - self.latitude.mean()], -1)


def plot_stations(
    maps: Sequence[StationMap],
    path: str | PathLike[str],
    *,
    label: str,
    flux_unit: str = "",
    style: Style | None = None,
) -> None:
    """Draw maps beside each other, with one scale of colours that `label` names, to .png, .svg or .pdf.

    Arrows between stations have one scale as well: under the maps stands what flows along the widest, in `flux_unit`.

    Raises SpecificationError for none, NumericalError where no value is finite, ProblemFileError for the file.
    """
    if not maps:
        raise SpecificationError("station maps: got none, expected at least one")
    columns = min(len(maps), 2)
    rows = -(-len(maps) // columns)
    figure, grid = page(4.6 * columns, 4.4 * rows, rows, columns)
    scale = fit_scale("sequential", [each.values for each in maps], label)
    strongest = max(map(_strongest, maps))
    for axes, each in zip(grid.flat, maps, strict=False):
        _draw(axes, each, scale, strongest)
    for axes in list(grid.flat)[len(maps) :]:
        axes.set_visible(False)
    add_color_bar(figure, list(grid.flat), scale, label)
    if strongest > 0:
        text = f"flow between stations: the widest arrow is {strongest:.3g} {flux_unit}"
        figure.supxlabel(text.rstrip(), fontsize=8, color=FLOW)
    save_figure(figure, path, (style or Style()).dpi)


def _strongest(each: StationMap) -> float:
    if each.edges is None or each.fluxes is None:
        return 0.0
    return float(net_fluxes(each.edges, each.fluxes)[1].max(initial=0))


def _draw(axes: Axes, each: StationMap, scale: Scale, strongest: float) -> None:
    places = each.places
    side = float(np.ptp(places, axis=0).max())
    lower, upper = places.min(0) - MARGIN * side, places.max(0) + MARGIN * side
    _draw_field(axes, each, scale, lower, upper, MARGIN * side)
    if each.edges is not None and each.fluxes is not None and strongest > 0:
        _draw_fluxes(axes, places, *net_fluxes(each.edges, each.fluxes), strongest)
    if each.spread is not None:
        _draw_spread(axes, each, scale)
    shown = {"cmap": scale.colormap, "norm": scale.norm(), "edgecolors": "black", "linewidths": 0.9, "zorder": 5}
    axes.scatter(*places.T, c=each.values, s=62, plotnonfinite=True, **shown)
    if each.wind is not None:
        _draw_wind(axes, places, each.wind, side)
    _draw_names(axes, each.names, places, side)
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


def _draw_spread(axes: Axes, each: StationMap, scale: Scale) -> None:
    """Rings whose area beyond the station's dot grows with the uncertainty, over the range of the colours."""
    assert each.spread is not None
    share = np.nan_to_num(each.spread / (scale.high - scale.low))
    axes.scatter(*each.places.T, s=62 + 900 * share, facecolors="none", edgecolors="black", linewidths=0.6, zorder=4)


_SIDES = ((0, 1, "center", "bottom"), (0, -1, "center", "top"), (1, 0, "left", "center"), (-1, 0, "right", "center"))
"""Where a name may stand: direction, and how the text is aligned there."""


def _draw_names(axes: Axes, names: Sequence[str], places: Float[ndarray, "n 2"], side: float) -> None:
    """Every name on that side of its station that is farthest from other stations and from the names drawn before."""
    from matplotlib.patheffects import withStroke

    taken = places
    for name, place in zip(names, places, strict=True):
        middles = [place + np.array([0.11, 0.06]) * side * np.array(each[:2]) for each in _SIDES]
        free = [np.sort(np.linalg.norm((taken - middle) / [3, 1], axis=1))[:2].min() for middle in middles]
        best = int(np.argmax(np.round(free, 9)))
        east, north, horizontal, vertical = _SIDES[best]
        text = axes.annotate(
            name, tuple(place), (6 * east, 6 * north), textcoords="offset points", ha=horizontal, va=vertical,
            fontsize=6.5, zorder=7, path_effects=[withStroke(linewidth=1.8, foreground="white")],
        )  # fmt: skip
        text.set_in_layout(False)
        taken = np.vstack([taken, middles[best]])


def _draw_wind(axes: Axes, places: Float[ndarray, "n 2"], wind: Float[ndarray, "n 2"], side: float) -> None:
    """White arrows; one of 3 m/s is a tenth of the region."""
    known = np.isfinite(wind).all(1)
    arrows = axes.quiver(
        *places[known].T, *wind[known].T, angles="xy", scale_units="xy", scale=30 / side, width=0.008, color="white",
        edgecolor="black", linewidth=0.5, zorder=6,
    )  # fmt: skip
    axes.quiverkey(arrows, 0.86, 0.05, 3, "3 m/s", labelpos="N", fontproperties={"size": 7})
