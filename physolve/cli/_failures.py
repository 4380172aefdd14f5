"""Errors as one line and an exit code; `--debug` adds the traceback."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from ..errors import PhysolveError, SpecificationError, UnsupportedError
from ._console import complain
from ._exit import ExitCode


@contextmanager
def told_in_one_line(
    debug: bool, interrupted: str = "interrupted before there was a solution; nothing was written"
) -> Iterator[None]:
    """Turn any exception inside into one line on stderr and `typer.Exit`; Ctrl-C as well, with its own line."""
    try:
        yield
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except KeyboardInterrupt:
        complain(interrupted)
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except Exception as error:
        if debug:
            traceback.print_exc()
        complain(_line(error))
        raise typer.Exit(_code(error)) from None


def _code(error: Exception) -> ExitCode:
    return ExitCode.BAD_INPUT if isinstance(error, (SpecificationError, UnsupportedError)) else ExitCode.FAILED


def _line(error: Exception) -> str:
    if isinstance(error, PhysolveError):
        return str(error)
    return f"{type(error).__name__}: {error} (not foreseen; --debug shows where, please report it)"
