"""Training, validation and test by whole trajectories, and the refusal of data that are in two of them."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from physolve.errors import SpecificationError

from ._layout import SPLITS, Split

SHARED_FRAMES = 2
"""One frame may be common: simulations that start from rest on one mesh begin alike."""


def random_split(names: Sequence[str], fractions: Sequence[float], seed: int = 0) -> dict[str, Split]:
    """Trajectories drawn into training, validation and test; each fraction above zero gets at least one.

    Raises SpecificationError for fractions that do not add up to one, and for too few trajectories.
    """
    if len(fractions) != 3 or min(fractions) < 0 or not math.isclose(sum(fractions), 1.0, abs_tol=1e-9):
        raise SpecificationError(f"split: got {list(fractions)}, expected three fractions that add up to 1")
    wanted = sum(fraction > 0 for fraction in fractions)
    if len(names) < wanted:
        raise SpecificationError(
            f"split: got {len(names)} trajectories for {wanted} splits; splits are of whole trajectories: convert more,"
            " or use --split 1,0,0"
        )
    counts = _counts(len(names), fractions)
    order = np.random.default_rng(seed).permutation(len(names))
    drawn: list[Split] = [split for split, count in zip(SPLITS, counts, strict=True) for _ in range(count)]
    return {names[int(k)]: split for k, split in zip(order, drawn, strict=True)}


def refuse_leakage(splits: Mapping[str, Split], prints: Mapping[str, NDArray[np.uint64]]) -> None:
    """Raises SpecificationError where trajectories in different splits have two frames or more in common: copies, or
    overlapping pieces of one simulation."""
    holders: dict[int, list[str]] = {}
    for name, values in prints.items():
        for value in np.unique(values):
            holders.setdefault(int(value), []).append(name)
    common: dict[tuple[str, str], int] = {}
    for names in holders.values():
        for a, b in combinations(names, 2):
            if splits[a] != splits[b]:
                common[a, b] = common.get((a, b), 0) + 1
    for (a, b), count in common.items():
        if count >= SHARED_FRAMES:
            raise SpecificationError(
                f"split: trajectories '{a}' ({splits[a]}) and '{b}' ({splits[b]}) have {count} frames in common: what"
                " is tested would have been trained on; leave one out or put both in one split"
            )


def _counts(number: int, fractions: Sequence[float]) -> list[int]:
    """Whole numbers near the fractions, none of those above zero empty; the largest takes what is left."""
    counts = [max(1, round(number * fraction)) if fraction > 0 else 0 for fraction in fractions]
    counts[int(np.argmax(fractions))] += number - sum(counts)
    while min(counts) < 0 or any(count == 0 < fraction for count, fraction in zip(counts, fractions, strict=True)):
        counts[int(np.argmax(counts))] -= 1
        counts[int(np.argmin(counts))] += 1
    return counts
