"""`physolve air forecast`: weights and recent measurements in, a table and a map out."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from ..errors import SpecificationError
from ._failures import told_in_one_line
from ._options import AsJson, Debug, Quiet, Seed, positive, whole
from ._outputs import output
from ._summary import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..air import Forecast
    from ..air.data import AirSeries
    from ..view import StationMap

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FLUX = "µg/s for every metre of height"
SPREAD = "µg/m³ (90 %)"

LEADS = (24.0, 48.0, 72.0)
"""Hours ahead that the map shows, besides the present."""


def forecast(
    weights: Annotated[Path, typer.Option("--weights", metavar="FILE", help="Of a trained model (.safetensors).")],
    data: Annotated[Path, typer.Option("--data", metavar="FILE", help="What 'physolve air prepare' wrote (.h5).")],
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="The last step that is known: 2016-12-01T00:00.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Table (.csv).", callback=output((".csv",)))
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="Picture.", callback=output((".png", ".svg", ".pdf"))),
    ] = None,
    samples: Annotated[
        int, typer.Option("--samples", metavar="NUMBER", help="For the uncertainty.", parser=whole)
    ] = 100,
    tolerate: Annotated[
        float,
        typer.Option("--tolerate", metavar="HOURS", help="How old a station's last values may be.", parser=positive),
    ] = 12.0,
    seed: Seed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Forecast concentrations at stations, with quantiles over samples of the model's uncertainty, calibrated where its
    weights hold a calibration.

    The table has a row for every time and station, micrograms per cubic metre. The map shows the present and 24, 48 and
    72 hours later: values at stations and between them, the wind as forecast, what flows from station to station, and
    rings as wide as the uncertainty.
    """
    instant = _time(at)
    with told_in_one_line(debug):
        from ..air import forecast as run
        from ..air import load_weights
        from ..air.data import check_recent, read_series

        series = read_series(data)
        check_recent(series, instant, tolerate)
        found = run(load_weights(weights), series, instant, samples=samples, seed=seed)
        if out is not None:
            write_table(out, series, found)
        if picture is not None:
            from ..view import plot_stations

            label = f"{series.pollutants[0]}, µg/m³"
            plot_stations(maps(series, found), picture, label=label, flux_unit=FLUX, spread_unit=SPREAD)
    record = _record(series, found, {"table": out, "map": picture})
    if as_json:
        print_json(record)
    elif not quiet:
        print_table(_lines(record, series.pollutants[0]))


def write_table(path: Path, series: AirSeries, found: Forecast) -> None:
    """Comma-separated: time, station, longitude, latitude as in the series, mean, and the quantiles q05 to q95."""
    from ..io import replacing

    quantiles = np.quantile(found.samples, QUANTILES, axis=0)
    places = series.stations
    names = [f"q{round(100 * q):02d}" for q in QUANTILES]
    where = list(zip(places.names, places.longitude.tolist(), places.latitude.tolist(), strict=True))
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["time", "station", "longitude", "latitude", "mean", *names])
        for t, time in enumerate(found.times):
            for k, station in enumerate(where):
                numbers = (found.mean[t, k], *quantiles[:, t, k])
                table.writerow([time, *station, *(f"{value:.2f}" for value in numbers)])


def maps(series: AirSeries, found: Forecast) -> list[StationMap]:
    """The present as it was measured, and what is forecast for `LEADS`, as far as the forecast goes."""
    from ..air.data import instant_of
    from ..view import StationMap

    now = instant_of(series, found.issued)
    stations = series.stations
    place: dict[str, Any] = {
        "names": stations.names,
        "longitude": stations.longitude,
        "latitude": stations.latitude,
    }
    shown = [
        StationMap(
            **place, values=series.values[now, :, 0], title=f"{_minute(found.issued)}, measured", wind=series.wind[now]
        )
    ]
    half = _half_width(found)
    for lead, t in _steps(found.times, found.issued):
        shown.append(
            StationMap(
                **place,
                values=found.mean[t],
                title=f"{_minute(found.times[t])}, {lead:g} h ahead",
                spread=half[t],
                wind=found.wind[t],
                edges=found.edges,
                fluxes=found.fluxes[t],
            )
        )
    return shown


def _minute(instant: np.datetime64) -> str:
    return str(instant.astype("datetime64[m]")).replace("T", " ")


def _steps(times: np.ndarray, instant: np.datetime64) -> Sequence[tuple[float, int]]:
    """Hours ahead and their place among the times of a forecast; its last one where it ends before all of them."""
    hours = (times - instant) / np.timedelta64(1, "h")
    found = [(lead, int(np.flatnonzero(hours == lead)[0])) for lead in LEADS if (hours == lead).any()]
    return found or [(float(hours[-1]), len(times) - 1)]


def _record(series: AirSeries, found: Forecast, written: dict[str, Path | None]) -> dict[str, Any]:
    """Means over the stations for the times that the map shows."""
    half = _half_width(found)
    return {
        "from": str(found.issued),
        "to": str(found.times[-1]),
        "stations": len(series.stations),
        "calibrated": found.calibrated,
        "ahead": [
            {"hours": lead, "mean": float(found.mean[t].mean()), "half_width_90": float(half[t].mean())}
            for lead, t in _steps(found.times, found.issued)
        ],
        "written": {name: str(path) for name, path in written.items() if path is not None},
    }


def _lines(record: dict[str, Any], pollutant: str) -> list[tuple[str, str]]:
    ahead = [
        (f"{each['hours']:g} h ahead", f"{pollutant} {each['mean']:.1f} ± {each['half_width_90']:.1f} µg/m³ (90 %)")
        for each in record["ahead"]
    ]
    span = ("forecast", f"{record['from']} to {record['to']}, {record['stations']} stations; their mean:")
    quantiles = (
        "calibrated on the validation part" if record["calibrated"] else "of the model's samples, not calibrated"
    )
    return [span, *ahead, ("uncertainty", quantiles), *record["written"].items()]


def _half_width(found: Forecast) -> np.ndarray:
    """(times, n): half of what holds nine samples of ten."""
    return np.ptp(np.quantile(found.samples, (0.05, 0.95), axis=0), axis=0) / 2


def _time(text: str) -> np.datetime64:
    """On the clock of the series: a zone is dropped, as in tables."""
    from ..air import instant

    try:
        return instant(text)
    except SpecificationError:
        raise typer.BadParameter(f"expected a time such as 2016-12-01T00:00, got '{text}'", param_hint="--at") from None
