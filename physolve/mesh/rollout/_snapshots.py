"""What an animation of a rollout needs."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from ._case import Case


class Snapshots:
    """A writer that keeps the size of one field, and of its truth in a case, at every `every`-th step."""

    def __init__(self, field: str, every: int = 1, case: Case | None = None) -> None:
        self.field, self.every, self.case = field, every, case
        self.times: list[float] = []
        self._met = 0
        self._found: list[NDArray] = []
        self._true: list[NDArray] = []

    def write(self, time: float, point_data: Mapping[str, NDArray[np.floating]]) -> None:
        """Look at a step."""
        if self._met % self.every == 0:
            found = _size(point_data[self.field])
            self.times.append(time)
            self._found.append(found)
            truth = self._truth()
            self._true.append(np.full_like(found, np.nan) if truth is None else _size(truth))
        self._met += 1

    def _truth(self) -> NDArray[np.floating] | None:
        if self.case is None or self.case.truth is None:
            return None
        step = self._met + int(self.times[0] > self.case.time)  # the beginning may not have been written
        return self.case.truth(step).get(self.field) if step <= self.case.steps else None

    @property
    def found(self) -> Float[np.ndarray, "frames n"]:
        return np.array(self._found)

    @property
    def truth(self) -> Float[np.ndarray, "frames n"] | None:
        """NaN where it had ended; None where it was never there."""
        true = np.array(self._true)
        return None if np.isnan(true).all() else true


def _size(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Of a vector its length, of a scalar itself."""
    return values if values.ndim == 1 else np.linalg.norm(values, axis=1)
