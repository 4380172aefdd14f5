"""Where words go: results to stdout, everything else to stderr."""

from rich.console import Console


def results() -> Console:
    """Standard output; long lines are left to the terminal, numbers are not coloured, :x: is no picture."""
    return Console(emoji=False, soft_wrap=True, highlight=False, markup=False)


def messages() -> Console:
    """Standard error."""
    return Console(stderr=True, emoji=False, soft_wrap=True, highlight=False, markup=False)


def complain(text: str) -> None:
    """One red line on stderr."""
    messages().print(f"physolve: {' '.join(text.split())}", style="red")
