"""Where labels of points may stand so that they cover neither points nor each other."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

GAPS = (9.0, 13.0, 20.0)
"""From a point to its label; beyond the first a line has to join them."""

DOT = 5.0
"""Half the side of the square around a point that labels keep free."""

SWEEPS = 4

_SIDES = [
    np.array(side, dtype=float) for side in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
]
_OFFERS = [(side, gap) for gap in GAPS for side in _SIDES]


def place_labels(
    points: Float[ndarray, "n 2"],
    sizes: Float[ndarray, "n 2"],
    lower: Float[ndarray, " 2"],
    upper: Float[ndarray, " 2"],
    free: Float[ndarray, "m 2"] | None = None,
) -> Float[ndarray, "n 2"]:
    """Middles of labels, everything in points of print; none is to leave the frame, nor to cover what is at `free`.

    Every label takes the place beside, above, below or askew of its point where it covers least, near before far; then
    each looks again now that the others have theirs. Where points crowd too much something stays covered.
    """
    places = np.full_like(points, np.nan)
    dots = points if free is None else np.concatenate([points, free])
    order = np.argsort([np.sort(np.linalg.norm(points - point, axis=1))[:4].sum() for point in points])
    offers = [
        np.array([_middle(point, size, side, gap) for side, gap in _OFFERS])
        for point, size in zip(points, sizes, strict=True)
    ]
    costs = [_cost(offers[k], sizes[k], dots, lower, upper) for k in range(len(points))]
    for _ in range(SWEEPS):
        for k in order:
            taken = (np.arange(len(points)) != k) & np.isfinite(places[:, 0])
            covered = _overlap(offers[k], sizes[k], places[taken], sizes[taken]).sum(1)
            places[k] = offers[k][np.argmin(covered + costs[k])]
    return places


def _cost(
    middles: Float[ndarray, "m 2"],
    size: Float[ndarray, " 2"],
    dots: Float[ndarray, "k 2"],
    lower: Float[ndarray, " 2"],
    upper: Float[ndarray, " 2"],
) -> Float[ndarray, " m"]:
    """Of every place that is offered, whatever the other labels do: dots covered, frame left, distance."""
    covered = _overlap(middles, size, dots, np.full_like(dots, 2 * DOT)).sum(1)
    outside = np.maximum(lower - (middles - size / 2), 0).sum(1) + np.maximum(middles + size / 2 - upper, 0).sum(1)
    return covered + size.max() * outside + 0.2 * np.array([gap for _, gap in _OFFERS])


def _middle(
    point: Float[ndarray, " 2"], size: Float[ndarray, " 2"], side: Float[ndarray, " 2"], gap: float
) -> Float[ndarray, " 2"]:
    """Of a label on that side; askew it comes nearer, for its corner is next to the point."""
    return point + side * (size / 2 + (gap if abs(side).sum() == 1 else 0.7 * gap))


def _overlap(
    middles: Float[ndarray, "m 2"],
    size: Float[ndarray, " 2"],
    others: Float[ndarray, "k 2"],
    sizes: Float[ndarray, "k 2"],
) -> Float[ndarray, "m k"]:
    """Areas that boxes of one size share with others."""
    reach = (size + sizes) / 2 - np.abs(middles[:, None] - others)
    return np.minimum(np.maximum(reach, 0), np.minimum(size, sizes)).prod(-1)
