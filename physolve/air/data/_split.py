"""Training, validation and test: one after the other in time."""

from collections.abc import Sequence

import numpy as np

from physolve.errors import SpecificationError

from ._series import AirSeries


def split(series: AirSeries, fractions: Sequence[float] = (7, 1, 2)) -> tuple[AirSeries, AirSeries, AirSeries]:
    """Three series cut by time, in proportion to `fractions`: training, then validation, then test.

    Windows that are made of one of them cannot reach into another, so that nothing tested was trained on.
    Raises SpecificationError for other than three positive numbers and for a series with a part of no step.
    """
    shares = np.asarray(fractions, dtype=float)
    if shares.shape != (3,) or not (shares > 0).all() or not np.isfinite(shares).all():
        raise SpecificationError(f"split: got {list(fractions)}, expected three positive numbers such as 7, 1, 2")
    first, second = (int(k) for k in np.round(len(series) * shares.cumsum()[:2] / shares.sum()))
    if not 0 < first < second < len(series):
        raise SpecificationError(f"split: {len(series)} steps are too few for the parts {list(fractions)}")
    return series.between(0, first), series.between(first, second), series.between(second, len(series))
