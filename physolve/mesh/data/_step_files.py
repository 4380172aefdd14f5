"""Which file of a folder is which step: the order of the numbers at the end of their names."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from physolve.errors import ProblemFileError

_COUNTED = re.compile(r"(.*?)(\d*)")
_DECIMAL = re.compile(r"(.*?)((?:(?<!\d\.)(?<!\d)\d+\.)?\d+|)")
"""Name and number. The lookbehinds: in 1.2.3 there is no decimal."""


def in_order(folder: Path, files: Sequence[Path]) -> list[Path]:
    """The files by their numbers: flow_0.25 before flow_0.5, and Re100.9 before Re100.10.

    Raises ProblemFileError for names of several kinds, for two files of one number, and where the order depends on
    whether a point in the names is a decimal one and nothing tells.
    """
    numbers = dict(zip(files, _numbers(folder, files), strict=True))
    ordered = sorted(files, key=lambda file: (numbers[file], file.name))
    for one, other in pairwise(ordered):
        if numbers[one] == numbers[other]:
            raise ProblemFileError(
                f"{folder}: files: '{one.name}' and '{other.name}' have the same number, expected one file a step; keep"
                " one of each such pair here"
            )
    return ordered


def _numbers(folder: Path, files: Sequence[Path]) -> list[float]:
    names, decimals = _read(_DECIMAL, files)
    if len(names) > 1:
        raise ProblemFileError(
            f"{folder}: files: got series called {names}, expected one trajectory a folder; make a folder of each"
        )
    bases, counts = _read(_COUNTED, files)
    # What stands before the point is the same in all names: it may belong to them, as in Re100.9.vtu.
    counted = len(bases) == 1 and bases != names and _are_counts(folder, decimals, counts)
    return [float(text or -1) for text in (counts if counted else decimals)]


def _read(pattern: re.Pattern[str], files: Sequence[Path]) -> tuple[list[str], list[str]]:
    """The different names, and the number of every file."""
    found = [match.groups() for file in files if (match := pattern.fullmatch(file.stem))]
    return sorted({name for name, _ in found}), [number for _, number in found]


def _are_counts(folder: Path, decimals: Sequence[str], counts: Sequence[str]) -> bool:
    """Whether the digits behind a point are a number of their own."""
    if len({len(digits) for digits in counts}) == 1 or any(re.match(r"0\d", digits) for digits in counts):
        return False  # in one order either way; or 0.05 beside 0.1
    if any(re.search(r"\d0$", digits) for digits in counts):
        return True  # a decimal is 0.1 and not 0.10, unless all are of one length
    as_decimals, as_counts = (np.array(texts, dtype=float) for texts in (decimals, counts))
    if _evenly_spaced(as_decimals) != _evenly_spaced(as_counts):
        return _evenly_spaced(as_counts)
    if not np.array_equal(np.argsort(as_decimals), np.argsort(as_counts)) and as_decimals.min() >= 1:
        raise ProblemFileError(
            f"{folder}: files: the order depends on whether the first one's number is {decimals[0]} or {counts[0]};"
            " write the numbers with equally many digits, or list the files in a .pvd"
        )
    return False


def _evenly_spaced(values: NDArray[np.floating]) -> bool:
    steps = np.diff(np.sort(values))
    return bool(np.allclose(steps, steps[0]))
