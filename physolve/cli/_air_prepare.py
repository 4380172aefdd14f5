"""`physolve air prepare`: tables of measurements in, one data set out, and what was wrong in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._console import messages
from ._failures import told_in_one_line
from ._options import AsJson, Debug, Quiet, positive, whole
from ._outputs import output
from ._summary import print_json, print_table

if TYPE_CHECKING:
    from ..air.data import AirSeries

SeriesOut = Annotated[
    Path, typer.Option("--out", "-o", metavar="FILE", help="The data set to write (.h5).", callback=output((".h5",)))
]


def prepare(
    sources: Annotated[list[Path], typer.Argument(metavar="IN...", help="Tables (.csv, .csv.gz), or folders of them.")],
    stations: Annotated[
        Path, typer.Option("--stations", metavar="FILE", help="Table of station, longitude, latitude (.csv).")
    ],
    out: SeriesOut,
    hours: Annotated[int, typer.Option("--hours", metavar="NUMBER", help="Of an interval.", parser=whole)] = 3,
    pollutants: Annotated[
        list[str] | None, typer.Option("--pollutant", metavar="NAME", help="PM2.5 by default; repeatable.")
    ] = None,
    columns: Annotated[
        Path | None, typer.Option("--columns", metavar="FILE", help="What the tables' columns are called (TOML).")
    ] = None,
    least: Annotated[
        float,
        typer.Option("--least", metavar="SHARE", help="Of an interval that must have been measured.", parser=positive),
    ] = 0.5,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Put tables of measurements on a regular clock, say what was wrong in them, and write one data set.

    Times are those of the tables' clock, concentrations in micrograms per cubic metre, winds in m/s FROM a direction in
    degrees or compass points. What was not measured stays missing.
    """
    with told_in_one_line(debug):
        from ..air.data import Preparation, Stations, read_columns, write_series
        from ..air.data import prepare as run

        how = Preparation(
            hours, tuple(pollutants or ("PM2.5",)), least, None if columns is None else read_columns(columns)
        )
        console = messages()
        series, report = run(
            sources,
            Stations.read(stations),
            how,
            progress=lambda name: None if quiet or as_json else console.print(f"reading {name}"),
        )
        write_series(out, series)
    if as_json:
        print_json({**series_record(out, series), "report": vars(report)})
    elif not quiet:
        print_table(series_rows(out, series) + report.lines)


def series_record(file: Path, series: AirSeries) -> dict[str, Any]:
    """What a data set holds."""
    return {
        "file": str(file),
        "stations": list(series.stations.names),
        "steps": len(series),
        "hours": series.step,
        "first": str(series.times[0]),
        "last": str(series.times[-1]),
        "pollutants": list(series.pollutants),
    }


def series_rows(file: Path, series: AirSeries) -> list[tuple[str, str]]:
    """The same as lines of a table."""
    record = series_record(file, series)
    return [
        ("file", record["file"]),
        ("stations", f"{len(series.stations)}: {', '.join(record['stations'])}"),
        ("steps", f"{record['steps']} of {series.step:g} h, {record['first']} to {record['last']}"),
        ("pollutants", ", ".join(series.pollutants)),
    ]
