"""What a running solve is doing, as one live line on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from ._console import messages

if TYPE_CHECKING:
    from ..solve import Progress


@contextmanager
def live_line(quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """The `progress` callback of `solve`; None if quiet. Nothing is drawn where stderr is no terminal."""
    if quiet:
        yield None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    console = messages()
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading the problem", total=None)
        yield lambda news: bar.update(task, description=describe(news))


def describe(news: Progress) -> str:
    """The news in one line, such as "least squares: 800 features, error about 2.1e-04"."""
    parts = [f"{news.features} features"] if news.features else []
    if news.estimate is not None:
        parts.append(f"error about {news.estimate:.1e}")
    if news.message:
        parts.append(news.message)
    return f"{news.stage}: {', '.join(parts)}" if parts else news.stage
