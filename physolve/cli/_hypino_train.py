"""`physolve hypino train`: a hypernetwork from a configuration file."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._console import complain
from ._exit import ExitCode
from ._failures import told_in_one_line
from ._options import AsJson, Debug, Quiet, positive, whole
from ._summary import print_json, print_table
from ._training_bar import duration, training_bar

if TYPE_CHECKING:
    from ..hypino.training import Configuration


def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="Configuration (TOML).")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Folder to write to; else runs/CONFIG's name.")
    ] = None,
    hours: Annotated[
        float | None, typer.Option("--hours", metavar="NUMBER", help="Train for this long.", parser=positive)
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="NUMBER", help="Train for so many steps.", parser=whole)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Go on with the run in the folder, or begin anew.")
    ] = True,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Train a hypernetwork; see data/hypino/train.toml for a configuration.

    Writes weights, a record and a checkpoint after every epoch; the same command again goes on from there. Under
    torchrun several processes share the work: torchrun --nproc-per-node 2 -m physolve.cli hypino train CONFIG.
    """
    if hours is not None and steps is not None:
        raise typer.BadParameter("give --hours or --steps, not both")
    first = os.environ.get("RANK", "0") == "0"
    folder = out or Path("runs") / config.stem
    with told_in_one_line(debug):
        from ..hypino.training import RECORD, WEIGHTS, read_configuration
        from ..hypino.training import train as run

        configuration = _lasting(read_configuration(config), hours, steps)
        try:
            with training_bar(quiet or as_json or not first, configuration.training, folder) as listener:
                run(configuration, folder, fresh=not resume, progress=listener)
        except KeyboardInterrupt:
            _leave(folder)
        if first:
            _report(folder / WEIGHTS, folder / RECORD, quiet, as_json)


def _lasting(configuration: Configuration, hours: float | None, steps: int | None) -> Configuration:
    """The configuration with the length that was asked for."""
    if hours is None and steps is None:
        return configuration
    length = {"steps": None, "hours": hours} if hours is not None else {"steps": steps}
    return dataclasses.replace(configuration, training=dataclasses.replace(configuration.training, **length))


def _leave(folder: Path) -> None:
    """Exit after Ctrl-C, with a word about what there is."""
    from ..hypino.training import LAST

    if (folder / LAST).is_file():
        complain(f"interrupted; with --resume the same command goes on from the last epoch in {folder}")
    else:
        complain("interrupted before the end of the first epoch; there is nothing to go on from")
    raise typer.Exit(ExitCode.INTERRUPTED)


def _report(weights: Path, record: Path, quiet: bool, as_json: bool) -> None:
    content: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    last = content["curve"][-1]
    if as_json:
        totals = {name: content[name] for name in ("steps", "samples", "hours", "processes")}
        print_json({"weights": str(weights), "record": str(record), **totals, "validation": last})
    elif not quiet:
        print_table(
            [
                ("trained", f"{content['steps']} steps, {content['samples']} samples, {_spent(content)}"),
                ("median error", f"{last['val_median']:.3g} (with the written head {last['val_own_median']:.3g})"),
                ("weights", str(weights)),
                ("record", str(record)),
            ]
        )


def _spent(content: dict[str, Any]) -> str:
    return duration(3600 * content["hours"])
