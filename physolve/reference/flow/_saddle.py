"""The saddle-point systems of velocities and pressures, [[A, B'], [B, 0]], for vectors (2 n + m,) of both."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg
from jaxtyping import Float

from ...errors import NumericalError
from .._triangulation import Floats
from ._flow import Flow

# Minimum degree on the symmetric pattern halves the fill where A does not couple the components (1.6 against 2.4
# million entries on 1,600 vertices), and has five times as much (12) where it does.
_SYMMETRIC: dict[str, Any] = {
    "permc_spec": "MMD_AT_PLUS_A",
    "diag_pivot_thresh": 0.01,
    "options": {"SymmetricMode": True},
}
_COLUMNS: dict[str, Any] = {"permc_spec": "COLAMD", "diag_pivot_thresh": 0.1}


def saddle(flow: Flow, operator: sparse.csr_matrix) -> sparse.csr_matrix:
    """(2 n + m, 2 n + m), from A (2 n, 2 n)."""
    divergence = flow.space.divergence
    return sparse.bmat([[operator, divergence.T], [divergence, None]]).tocsr()


def pair(operator: sparse.csr_matrix) -> sparse.csr_matrix:
    """(2 n, 2 n): the same operator (n, n) for both components."""
    return sparse.block_diag([operator, operator]).tocsr()


class Factor:
    """A factorised saddle-point system; `coupled` where A couples the components.

    Raises NumericalError where it is singular.
    """

    def __init__(self, flow: Flow, matrix: sparse.csr_matrix, *, coupled: bool = False) -> None:
        self._rows = flow.unknown_rows
        self._factor = _factorised(matrix[self._rows][:, self._rows].tocsc(), _COLUMNS if coupled else _SYMMETRIC)

    def correct(self, residual: Floats) -> Floats:
        """What must be added to remove a residual (2 n + m,); zero where the velocity is known."""
        found = np.zeros_like(residual)
        found[self._rows] = self._factor.solve(residual[self._rows])
        return found


def solved(
    flow: Flow, matrix: sparse.csr_matrix, load: Floats, values: Float[np.ndarray, "2 k"], *, coupled: bool = False
) -> Floats:
    """Velocities and pressures (2 n + m,) for a load (2 n + m,) and the velocities at the known nodes."""
    x = np.zeros_like(load)
    x[flow.known_rows] = values.ravel()
    return x + Factor(flow, matrix, coupled=coupled).correct(load - matrix @ x)


def _factorised(matrix: sparse.csc_matrix, ordering: dict[str, Any]) -> scipy.sparse.linalg.SuperLU:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", scipy.sparse.linalg.MatrixRankWarning)
            return scipy.sparse.linalg.splu(matrix, **ordering)
    except (RuntimeError, scipy.sparse.linalg.MatrixRankWarning) as error:
        raise NumericalError(
            "flow: the system of velocity and pressure is singular: a triangle has no free velocity, or the flow has"
            " no open part; refine the mesh near the boundary"
        ) from error
