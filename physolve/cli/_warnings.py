"""Warnings of the library as yellow lines, each once; those of other packages are for debugging only."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import WellPosednessWarning
from ._console import messages


@contextmanager
def warnings_in_yellow(debug: bool = False) -> Iterator[None]:
    """Show a `WellPosednessWarning` raised inside as one line, the same text only once."""
    shown: set[str] = set()

    def show(message, category, filename, lineno, file=None, line=None) -> None:
        text = " ".join(str(message).split())
        if text not in shown and (debug or issubclass(category, WellPosednessWarning)):
            shown.add(text)
            messages().print(f"warning: {text}", style="yellow")

    with warnings.catch_warnings():
        warnings.simplefilter("always", WellPosednessWarning)
        warnings.showwarning = show
        yield
