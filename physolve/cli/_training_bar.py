"""How far a training run is: some lines and one live bar on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ._console import messages

if TYPE_CHECKING:
    from ..training import News, Pace

MEASURED = 10
"""Steps after which the time a run takes is told."""


@contextmanager
def training_bar(
    quiet: bool, settings: Pace, folder: Path, judged: str = "median error"
) -> Iterator[Callable[[News], None] | None]:
    """The `progress` callback of `train`; None if quiet. The bar is drawn only on a terminal.

    `judged` says what the error of the news is.
    """
    if quiet:
        yield None
        return
    console = messages()
    columns = (
        SpinnerColumn(),
        BarColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield _Teller(console, bar, settings, folder, judged)


class _Teller:
    """Says how long the run takes and where it writes, then moves the bar."""

    def __init__(self, console: Console, bar: Progress, settings: Pace, folder: Path, judged: str) -> None:
        self.console = console
        self.bar = bar
        self.settings = settings
        self.folder = folder
        self.judged = judged
        self.first: News | None = None
        self.task: TaskID | None = None

    def __call__(self, news: News) -> None:
        if self.first is None or self.task is None:
            self.first = news
            self.task = self.bar.add_task(described(news, self.judged), total=1.0)
            self.console.print(opening(self.settings, self.folder, news))
        elif self.settings.steps is not None and news.steps == self.first.steps + MEASURED:
            each = (news.seconds - self.first.seconds) / MEASURED
            left = (self.settings.steps - news.steps) * each
            self.console.print(f"{each:.2g} s a step: about {duration(left)} left")
        self.bar.update(self.task, completed=news.share, description=described(news, self.judged))


def opening(settings: Pace, folder: Path, news: News) -> str:
    """How long the run takes, where it goes on, where it writes."""
    whole = duration(3600 * settings.hours) if settings.steps is None else f"{settings.steps} steps"
    at = f", from step {news.steps} on ({news.share:.0%} done)" if news.steps else ""
    return f"training for {whole}{at}; writing to {folder}"


def described(news: News, judged: str = "median error") -> str:
    """The news in one line, such as "step 120, loss 0.412, median error 0.103"."""
    parts = [f"step {news.steps}"]
    if news.loss == news.loss:
        parts.append(f"loss {news.loss:.3f}")
    if news.error is not None:
        parts.append(f"{judged} {news.error:.3f}")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """In the unit that a person would use."""
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.2g} s"
