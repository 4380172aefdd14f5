"""`physolve mesh`: the subcommands of mesh transformers."""

from __future__ import annotations

import typer

from ._console import results
from ._mesh_convert import convert
from ._mesh_generate import generate

mesh = typer.Typer(
    name="mesh",
    rich_markup_mode=None,
)


@mesh.callback(invoke_without_command=True)
def _top(context: typer.Context) -> None:
    """Mesh transformers: make data sets for them."""
    if context.invoked_subcommand is None:
        results().print(context.get_help())


mesh.command("convert")(convert)
mesh.command("generate")(generate)
