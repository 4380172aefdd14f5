"""`physolve view`: a saved solution as a picture."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Any

import typer

from ._failures import told_in_one_line
from ._options import Debug
from ._outputs import PICTURES, output
from ._summary import print_table


class Drawn(enum.StrEnum):
    """What to draw."""

    FIELD = "field"
    RESIDUAL = "residual"
    ERROR = "error"


def view(
    saved: Annotated[Path, typer.Argument(metavar="SAVED", help="A saved solution (.safetensors).")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help=f"The picture: {', '.join(PICTURES)}.", callback=output(PICTURES)),
    ],
    quantity: Annotated[
        Drawn, typer.Option("--quantity", help="What to draw; the error needs an exact solution.")
    ] = Drawn.FIELD,
    unknown: Annotated[str | None, typer.Option("--unknown", help="Only this unknown.")] = None,
    time: Annotated[float | None, typer.Option("--time", help="At this time.")] = None,
    debug: Debug = False,
) -> None:
    """Draw a saved solution: a still picture, an animation (.gif, .mp4) or a scene to turn (.html)."""
    chosen: dict[str, Any] = {"unknown": unknown, "time": time}
    with told_in_one_line(debug):
        from ..solve import Solution

        solution = Solution.load(saved)
        given = {name: value for name, value in chosen.items() if value is not None}
        solution.plot(out, quantity=quantity.value, **given)
        print_table([("picture", str(out))])
