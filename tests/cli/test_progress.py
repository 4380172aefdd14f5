"""The live line of a running solve."""

import pytest

from physolve.cli._progress import describe, live_line
from physolve.solve import Progress


@pytest.mark.parametrize(
    ("news", "line"),
    [
        (Progress("least squares", 800, 2.1e-4), "least squares: 800 features, error about 2.1e-04"),
        (Progress("meshing"), "meshing"),
        (Progress("Newton", message="step 3"), "Newton: step 3"),
    ],
)
def test_news_in_one_line(news: Progress, line: str) -> None:
    assert describe(news) == line


def test_quiet_has_no_callback() -> None:
    with live_line(quiet=True) as progress:
        assert progress is None


def test_text_with_brackets_is_no_markup() -> None:
    with live_line(quiet=False) as progress:
        assert progress is not None
        progress(Progress("solving", message="[red]u[/] on [0, 1]"))
