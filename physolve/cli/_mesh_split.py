"""The option that splits trajectories."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

Split: TypeAlias = Annotated[
    str, typer.Option("--split", metavar="A,B,C", help="Fractions for training, validation, test.")
]


def fractions(text: str) -> tuple[float, float, float]:
    """The three numbers.

    Raises:
        typer.BadParameter: anything else.
    """
    try:
        a, b, c = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"expected three numbers such as 0.8,0.1,0.1, got '{text}'", param_hint="--split"
        ) from None
    return a, b, c
