"""`physolve mesh generate`: flows computed by finite elements, one data set out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ._console import complain, messages
from ._exit import ExitCode
from ._failures import told_in_one_line
from ._mesh_split import Split, fractions
from ._mesh_summary import data_set_record, print_data_set
from ._options import AsJson, Debug, Quiet, Seed, positive
from ._summary import print_json

if TYPE_CHECKING:
    from ..mesh.data.channel import ChannelSettings, Made


class ChannelKind(StrEnum):
    """What stands in the channel."""

    CYLINDER = "cylinder"
    OBSTACLES = "obstacles"


def generate(
    kind: Annotated[ChannelKind, typer.Argument(help="One cylinder, or one or two obstacles of any shape.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The data set to write (.h5).")],
    trajectories: Annotated[int, typer.Option("--trajectories", min=1, help="How many flows.")] = 100,
    nodes: Annotated[int, typer.Option("--nodes", min=100, help="Of each mesh, about.")] = 1600,
    steps: Annotated[int, typer.Option("--steps", min=2, help="Frames of each flow.")] = 201,
    dt: Annotated[
        float, typer.Option("--dt", metavar="NUMBER", help="Seconds between frames.", parser=positive)
    ] = 0.01,
    substeps: Annotated[int, typer.Option("--substeps", min=1, help="Of the solver between frames.")] = 4,
    split: Split = "0.8,0.1,0.1",
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes, one flow each.")] = 1,
    seed: Seed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Compute flows through channels with obstacles, and write them as one data set.

    Navier-Stokes equations by Taylor-Hood elements, checked on the DFG benchmarks (benchmarks/dfg.py). Obstacles,
    their place and the inflow are drawn from the seed. Flows that are done wait in FILE.pieces: after Ctrl-C the same
    command goes on. A flow that blows up is left out, and told.
    """
    shares = fractions(split)
    with told_in_one_line(debug):
        from ..mesh.data import MeshStore
        from ..mesh.data.channel import generate as run

        how = _settings(kind, nodes, steps, dt, substeps)
        try:
            with _bar(quiet or as_json, trajectories) as progress:
                left_out = run(out, trajectories, how, seed=seed, workers=workers, split=shares, progress=progress)
        except KeyboardInterrupt:
            complain(f"interrupted; the same command goes on with the flows in {out}.pieces")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        store = MeshStore(out)
    if as_json:
        print_json({**data_set_record(store), "left_out": dict(left_out)})
    elif not quiet:
        print_data_set(store)
        _tell(left_out)


def _settings(kind: ChannelKind, nodes: int, steps: int, dt: float, substeps: int) -> ChannelSettings:
    from ..mesh.data.channel import ChannelSettings, circle, ellipse, rectangle, triangle

    plain = ChannelSettings(nodes=nodes, steps=steps, interval=dt, substeps=substeps)
    if kind is ChannelKind.CYLINDER:
        return plain
    return replace(plain, shapes=(circle, ellipse, rectangle, triangle), obstacles=(1, 2), centre=(0.22, 0.7))


@contextmanager
def _bar(quiet: bool, total: int) -> Iterator[Callable[[Made], None]]:
    """A line on stderr; nothing is drawn where that is no terminal."""
    console = messages()
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("flows", total=total)

        def tell(news: Made) -> None:
            bar.update(task, completed=news.done)
            if news.reason is not None and not quiet:
                console.print(f"{news.name} is left out: {news.reason}", style="yellow")

        yield tell


def _tell(left_out: Mapping[str, str]) -> None:
    if left_out:
        messages().print(f"{len(left_out)} left out: {', '.join(left_out)}", style="yellow")
