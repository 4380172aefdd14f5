"""What all formats share: a file appears whole or not at all, and a bad one gives one clear line."""

from __future__ import annotations

import math
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TypeVar

from ..errors import PhysolveError, ProblemFileError, SpecificationError

T = TypeVar("T")


@contextmanager
def replacing(path: str | PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is moved there, on any failure it is removed.

    Raises:
        ProblemFileError: the folder does not exist, is not writable, or `path` is a folder.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise ProblemFileError(f"{path}: file: is a folder; give a file name")
    if not target.parent.is_dir():
        raise ProblemFileError(f"{path}: folder: '{target.parent}' does not exist; create it first")
    temporary = target.with_name(f".{target.stem}-{secrets.token_hex(4)}{target.suffix}")
    try:
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        raise ProblemFileError(f"{path}: file: cannot be written ({one_line(error)})") from error
    finally:
        temporary.unlink(missing_ok=True)


def reading(path: str | PathLike[str], kind: str, read: Callable[[Path], T]) -> T:
    """`read(path)`, with whatever goes wrong inside a format's library told as one line.

    Raises:
        ProblemFileError: no such file, unreadable, truncated, or not of this `kind`.
    """
    file = Path(path)
    if not file.is_file():
        reason = "is a folder; expected a file" if file.is_dir() else "does not exist"
        raise ProblemFileError(f"{path}: file: {reason}")
    try:
        return read(file)
    except ProblemFileError:
        raise
    except PhysolveError as error:
        raise ProblemFileError(f"{path}: content: {one_line(error)}") from error
    except UnicodeDecodeError as error:
        raise ProblemFileError(
            f"{path}: content: got byte 0x{error.object[error.start]:02x}, expected text in UTF-8; save it with that"
            f" encoding, or check that it is a {kind} file"
        ) from error
    except Exception as error:  # the libraries raise anything, from AssertionError to zlib.error
        raise ProblemFileError(
            f"{path}: content: not a complete {kind} file ({type(error).__name__}: {one_line(error)}); "
            "it is truncated, damaged or of another kind"
        ) from error


def finite_time(time: float) -> float:
    """The time of a step as a plain number, whichever kind of number it came as.

    Raises:
        SpecificationError: not a finite number.
    """
    if isinstance(time, str) or not math.isfinite(time):
        raise SpecificationError(f"time of a step: got {time!r}, expected a finite number")
    return float(time)


def one_line(error: BaseException) -> str:
    """The first line of an error's text, shortened."""
    text = " ".join(str(error).split()) or "no further detail"
    return text if len(text) <= 160 else text[:157] + "..."
