"""What the training commands share: their options, the length of a run, its end."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

import typer

from ._console import complain
from ._exit import ExitCode
from ._options import positive, whole
from ._summary import print_json, print_table
from ._training_bar import duration, training_bar

Config: TypeAlias = Annotated[Path, typer.Argument(metavar="CONFIG", help="Configuration (TOML).")]
Folder: TypeAlias = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="DIR", help="Folder to write to; else runs/CONFIG's name.")
]
Hours: TypeAlias = Annotated[
    float | None, typer.Option("--hours", metavar="NUMBER", help="Train for this long.", parser=positive)
]
Steps: TypeAlias = Annotated[
    int | None, typer.Option("--steps", metavar="NUMBER", help="Train for so many steps.", parser=whole)
]
Resume: TypeAlias = Annotated[
    bool, typer.Option("--resume/--fresh", help="Go on with the run in the folder, or begin anew.")
]

C = TypeVar("C")


def lasting(configuration: C, hours: float | None, steps: int | None) -> C:
    """The configuration with the length that was asked for, in its `training`.

    Raises:
        typer.BadParameter: both were.
    """
    if hours is not None and steps is not None:
        raise typer.BadParameter("give --hours or --steps, not both")
    if hours is None and steps is None:
        return configuration
    length = {"steps": None, "hours": hours} if hours is not None else {"steps": steps}
    settings: Any = configuration
    return dataclasses.replace(settings, training=dataclasses.replace(settings.training, **length))


def run_and_report(
    train: Callable[..., Path],
    configuration: Any,
    folder: Path,
    resume: bool,
    judged: str,
    figures: Callable[[dict[str, float]], str],
    quiet: bool,
    as_json: bool,
) -> None:
    """Train with a bar and tell how it ended; `judged` names the error of a validation, `figures` words its figures.

    Raises:
        typer.Exit: after Ctrl-C, with a word about what there is.
    """
    from ..training import RECORD, WEIGHTS

    first = os.environ.get("RANK", "0") == "0"
    try:
        with training_bar(quiet or as_json or not first, configuration.training, folder, judged) as listener:
            train(configuration, folder, fresh=not resume, progress=listener)
    except KeyboardInterrupt:
        _leave(folder)
    if first:
        _report(folder / WEIGHTS, folder / RECORD, judged, figures, quiet, as_json)


def _leave(folder: Path) -> None:
    from ..training import LAST

    if (folder / LAST).is_file():
        complain(f"interrupted; with --resume the same command goes on from the last epoch in {folder}")
    else:
        complain("interrupted before the end of the first epoch; there is nothing to go on from")
    raise typer.Exit(ExitCode.INTERRUPTED)


def _report(
    weights: Path,
    record: Path,
    judged: str,
    figures: Callable[[dict[str, float]], str],
    quiet: bool,
    as_json: bool,
) -> None:
    content: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    last = content["curve"][-1]
    if as_json:
        totals = {name: content[name] for name in ("steps", "samples", "hours", "processes")}
        print_json({"weights": str(weights), "record": str(record), **totals, "validation": last})
    elif not quiet:
        spent = duration(3600 * content["hours"])
        print_table(
            [
                ("trained", f"{content['steps']} steps, {content['samples']} samples, {spent}"),
                (judged, figures(last)),
                ("weights", str(weights)),
                ("record", str(record)),
            ]
        )
