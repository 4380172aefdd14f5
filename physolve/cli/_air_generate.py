"""`physolve air generate`: a known equation sampled at stations, to judge models by."""

from __future__ import annotations

from typing import Annotated

import typer

from ._air_prepare import SeriesOut, series_record, series_rows
from ._failures import told_in_one_line
from ._options import AsJson, Debug, ProblemFile, Quiet, Seed, positive
from ._summary import print_json, print_table


def generate(
    problem: ProblemFile,
    out: SeriesOut,
    grid: Annotated[
        str, typer.Option("--grid", metavar="COLUMNS,ROWS", help="Of cells, each with one station.")
    ] = "6,5",
    jitter: Annotated[
        float, typer.Option("--jitter", metavar="SHARE", help="How far off their middle, as a share of a cell.")
    ] = 0.15,
    hours: Annotated[float, typer.Option("--hours", metavar="NUMBER", help="Between samples.", parser=positive)] = 3.0,
    spin_up: Annotated[float, typer.Option("--spin-up", metavar="HOURS", help="Left out at the beginning.")] = 240.0,
    seed: Seed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Solve a transport problem in a closed rectangle, in km and hours, and sample it at stations.

    The truth stays in the problem file: diffusivity, wind, sources, deposition. data/air/README.md says more.
    """
    stations = _grid(grid)
    with told_in_one_line(debug):
        from ..air.data import Sampling, write_series
        from ..air.data import generate as run
        from ..spec import read_problem

        how = Sampling(stations=stations, jitter=jitter, hours=hours, spin_up=spin_up, seed=seed)
        series = run(read_problem(problem), how)
        write_series(out, series)
    if as_json:
        print_json(series_record(out, series))
    elif not quiet:
        print_table(series_rows(out, series))


def _grid(text: str) -> tuple[int, int]:
    try:
        columns, rows = (int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"expected two whole numbers such as 6,5, got '{text}'", param_hint="--grid") from None
    return columns, rows
