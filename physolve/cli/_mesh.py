"""`physolve mesh`: the subcommands of mesh transformers."""

from __future__ import annotations

import typer

from ._console import results
from ._mesh_convert import convert
from ._mesh_generate import generate
from ._mesh_rollout import rollout
from ._mesh_train import train

mesh = typer.Typer(
    name="mesh",
    rich_markup_mode=None,
)


@mesh.callback(invoke_without_command=True)
def _top(context: typer.Context) -> None:
    """Simulations on meshes: make data sets of them, compute new ones, learn from these, predict others."""
    if context.invoked_subcommand is None:
        results().print(context.get_help())


for _name, _command in (("convert", convert), ("generate", generate), ("train", train), ("rollout", rollout)):
    mesh.command(_name)(_command)
