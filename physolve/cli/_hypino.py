"""`physolve hypino`: the hypernetwork's own subcommands."""

from __future__ import annotations

import typer

from ._console import results
from ._hypino_evaluate import evaluate
from ._hypino_train import train
from ._hypino_zero_shot import zero_shot

hypino = typer.Typer(
    name="hypino",
    rich_markup_mode=None,
)


@hypino.callback(invoke_without_command=True)
def _top(context: typer.Context) -> None:
    """The hypernetwork: train it, judge it, solve a problem with it."""
    if context.invoked_subcommand is None:
        results().print(context.get_help())


for _name, _command in (("train", train), ("evaluate", evaluate), ("zero-shot", zero_shot)):
    hypino.command(_name)(_command)
