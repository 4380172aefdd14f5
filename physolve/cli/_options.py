"""Arguments and options that several subcommands share."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated, TypeAlias

import typer


def positive(given: str | float) -> float:
    """A typer parser of positive numbers.

    Raises:
        typer.BadParameter: anything else.
    """
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise typer.BadParameter(f"expected a positive number such as 1e-3, got '{given}'")
    return value


def whole(given: str | int) -> int:
    """A typer parser of whole numbers from 0.

    Raises:
        typer.BadParameter: anything else.
    """
    if not str(given).isdecimal():
        raise typer.BadParameter(f"expected a whole number from 0, got '{given}'")
    return int(given)


def seed_number(given: str | int) -> int:
    """A typer parser of seeds, which the library takes below 2**32.

    Raises:
        typer.BadParameter: anything else.
    """
    if not str(given).isdecimal() or int(given) >= 2**32:
        raise typer.BadParameter(f"expected a whole number from 0 to {2**32 - 1}, got '{given}'")
    return int(given)


ProblemFile: TypeAlias = Annotated[Path, typer.Argument(metavar="FILE", help="Problem file (TOML).")]
Data: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--data", metavar="NAME=FILE[:KEY]", help="File for the data NAME of the problem; repeatable."),
]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Debug: TypeAlias = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Tolerance: TypeAlias = Annotated[
    float,
    typer.Option("--tol", metavar="NUMBER", help="Relative root-mean-square error to reach.", parser=positive),
]
Seed: TypeAlias = Annotated[
    int, typer.Option("--seed", metavar="NUMBER", help="Seed of everything random.", parser=seed_number)
]

Weights: TypeAlias = Annotated[
    Path | None,
    typer.Option("--weights", metavar="FILE", help="Weights of the hypernetwork; the shipped ones by default."),
]


def data_files(given: list[str] | None) -> dict[str, str]:
    """{name: "FILE" or "FILE:KEY"} from a list of "NAME=FILE[:KEY]".

    Raises:
        typer.BadParameter: not of this form, or a name given twice.
    """
    files: dict[str, str] = {}
    for text in given or ():
        name, equals, file = text.partition("=")
        if not (equals and file and re.fullmatch(r"[A-Za-z_]\w*", name)):
            raise typer.BadParameter(f"expected NAME=FILE or NAME=FILE:KEY, got '{text}'", param_hint="--data")
        if name in files:
            raise typer.BadParameter(f"the data '{name}' are given twice", param_hint="--data")
        files[name] = file
    return files
