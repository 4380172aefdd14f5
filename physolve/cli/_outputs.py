"""Output paths, checked before any work is done, and what is written to them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ..solve import Solution

SOLUTIONS = (".safetensors", ".vtu", ".npz", ".h5", ".csv", ".xdmf")
"""What `Solution.save` writes; only the first can be loaded again."""

PICTURES = (".png", ".svg", ".pdf", ".gif", ".mp4", ".html")


def output(suffixes: tuple[str, ...]) -> Callable[[Path | None], Path | None]:
    """A typer callback that refuses a path with another suffix, or one that cannot be written."""

    def check(path: Path | None) -> Path | None:
        if path is not None:
            _check(path, suffixes)
        return path

    return check


def written(solution: Solution, out: Path | None, plot: Path | None) -> dict[str, str]:
    """Save and draw where asked to; what was written, by its label."""
    if out is not None:
        solution.save(out)
    if plot is not None:
        solution.plot(plot)
    return {label: str(path) for label, path in (("saved", out), ("picture", plot)) if path is not None}


def _check(path: Path, suffixes: tuple[str, ...]) -> None:
    if path.suffix.lower() not in suffixes:
        got = f"suffix '{path.suffix}'" if path.suffix else "no suffix"
        raise typer.BadParameter(f"{path} has {got}; known are {', '.join(suffixes)}")
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder; give a file name")
    if not path.parent.is_dir():
        raise typer.BadParameter(f"the folder {path.parent} does not exist; create it first")
    if not os.access(path.parent, os.W_OK):
        raise typer.BadParameter(f"the folder {path.parent} is not writable")
