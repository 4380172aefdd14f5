"""The linear system of one step: diffusion, and transport by a given velocity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sparse
from jaxtyping import Float

from .._triangulation import Floats
from ._flow import Flow
from ._saddle import Factor


@dataclass(frozen=True, eq=False)
class Oseen:
    """`still` (2 n + m, 2 n + m) and the transport of both components by `wind` (2, n)."""

    flow: Flow
    still: sparse.csr_matrix
    wind: Float[np.ndarray, "2 n"]

    def apply(self, x: Floats) -> Floats:
        """The system times velocities and pressures (2 n + m,)."""
        y = self.still @ x
        moved = self.flow.space.tested @ (self._transport @ x[: self.wind.size].reshape(2, -1).T)
        y[: self.wind.size] += moved.T.ravel()
        return y

    def apply_free(self, x: Floats) -> Floats:
        """The rows in which something is unknown; zero in the others."""
        return self.free(self.apply(x))

    def free(self, x: Floats) -> Floats:
        """x with zeros where nothing is unknown."""
        kept = np.zeros_like(x)
        kept[self.flow.unknown_rows] = x[self.flow.unknown_rows]
        return kept

    def factorised(self) -> Factor:
        """For as long as the wind stays about the same."""
        moved = self.flow.space.tested @ self._transport
        pressures = sparse.csr_matrix((len(self.flow.space.vertices),) * 2)
        return Factor(self.flow, (self.still + sparse.block_diag([moved, moved, pressures])).tocsr())

    @cached_property
    def _transport(self) -> sparse.csr_matrix:
        return self.flow.space.transport(self.wind)
