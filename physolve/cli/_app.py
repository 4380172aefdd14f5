"""The typer application and its entry point."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from ._air import air
from ._check import check
from ._compare import compare
from ._console import complain, results
from ._doctor import doctor
from ._exit import ExitCode
from ._hypino import hypino
from ._mesh import mesh
from ._solve import solve
from ._view import view

app = typer.Typer(
    name="physolve",
    help="State a PDE, get a solution to a tolerance, with an error estimate.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        results().print(f"physolve {version('physolve')}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """State a PDE, get a solution to a tolerance, with an error estimate."""


for _command in (solve, check, compare, view, doctor):
    app.command()(_command)
app.add_typer(air)
app.add_typer(hypino)
app.add_typer(mesh)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (`sys.argv` by default) and return the exit code; see `ExitCode`.

    A usage error is one line on stderr. Nothing given: the help.
    """
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        return int(app(given, prog_name="physolve", standalone_mode=False) or ExitCode.DONE)
    except typer.TyperException as error:
        complain(_usage_line(error))
        return ExitCode.BAD_INPUT
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted before there was a solution; nothing was written")
        return ExitCode.INTERRUPTED


def _usage_line(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "physolve"
    return f"{' '.join(error.format_message().split()).rstrip('.')}; see '{command} --help'"
