"""From values to colours: one range for all pictures that are to be compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..errors import NumericalError
from ._solution_like import Floats

if TYPE_CHECKING:
    from matplotlib.colors import Normalize

Kind = Literal["sequential", "diverging", "logarithmic"]

# A map whose middle is grey, not white, for signed values: holes stay distinct from zero.
_MAPS: dict[Kind, str] = {"sequential": "viridis", "diverging": "coolwarm", "logarithmic": "magma"}
_DECADES = 6  # a logarithmic range spans at most so many
_BULK, _SPIKE = 99.8, 4.0  # percentile, and how far the largest error may stand out before it is cut off


@dataclass(frozen=True)
class Scale:
    """Colour map and range; `low` and `high` are values, not their logarithms; `cut` if some lie beyond."""

    kind: Kind
    low: float
    high: float
    cut: bool = False

    @property
    def colormap(self) -> str:
        """Name of matplotlib's colour map."""
        return _MAPS[self.kind]

    def norm(self) -> Normalize:
        """matplotlib's map of values to [0, 1]."""
        from matplotlib.colors import LogNorm, Normalize

        return (LogNorm if self.kind == "logarithmic" else Normalize)(self.low, self.high)

    def position(self, values: Floats) -> Floats:
        """Values mapped to [0, 1], those beyond the range to its ends; NaN stays."""
        low, high = self.low, self.high
        if self.kind == "logarithmic":
            values, low, high = np.log(np.maximum(values, low)), np.log(low), np.log(high)
        return np.clip((values - low) / (high - low), 0.0, 1.0)


def fit_scale(kind: Kind, values: Iterable[Floats], what: str) -> Scale:
    """The range that covers all values: symmetric about zero if diverging, positive if logarithmic.

    A few large signed values, such as errors at a corner, are cut off where they would hide all others.

    Raises NumericalError if there is no finite value of `what`.
    """
    flat = np.concatenate([np.ravel(each) for each in values])
    flat = flat[np.isfinite(flat)]
    if not len(flat):
        raise NumericalError(f"plot: {what} has no finite value here; the solution may have diverged")
    low, high = float(flat.min()), float(flat.max())
    if kind == "diverging":
        high = max(-low, high) or 1.0
        bulk = float(np.percentile(np.abs(flat), _BULK))
        cut = 0 < _SPIKE * bulk < high
        high = bulk if cut else high
        return Scale(kind, -high, high, cut)
    if kind == "logarithmic":
        high = high if high > 0 else 1.0
        positive = flat[flat > 0]
        low = float(positive.min()) if len(positive) else high
        low = min(max(low, high * 10.0**-_DECADES), high / 10)
        return Scale(kind, low, high)
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # a constant, up to rounding
        margin = 0.5 * max(abs(low), abs(high)) or 1.0
        return Scale(kind, low - margin, high + margin)
    return Scale(kind, low, high)
