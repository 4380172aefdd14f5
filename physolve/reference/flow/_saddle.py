"""The saddle-point system of velocities and pressures, factorised once."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg
from jaxtyping import Float

from ...errors import NumericalError
from .._triangulation import Floats
from ._flow import Flow


# Minimum degree on the symmetric pattern halves the fill where the components are not coupled (1.6 against 2.4 million
# entries on 1,600 vertices), and has five times as much (12) where they are.
_SYMMETRIC = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.01, "options": {"SymmetricMode": True}}
_COLUMNS = {"permc_spec": "COLAMD", "diag_pivot_thresh": 0.1}


class Saddle:
    """[[A, B'], [B, 0]] (u, p) = (f, 0) with u known on the boundary; whether A couples the components or not.

    Raises NumericalError where it is singular.
    """

    def __init__(self, flow: Flow, operator: sparse.csr_matrix, *, coupled: bool = False) -> None:
        space, n = flow.space, flow.space.points.shape[0]
        whole = sparse.bmat([[operator, space.divergence.T], [space.divergence, None]]).tocsr()
        self._n = n
        self._known = np.concatenate([flow.known, flow.known + n])
        fixed = np.append(self._known, 2 * n) if flow.is_enclosed else self._known
        self._free = np.setdiff1d(np.arange(whole.shape[0]), fixed)
        rows = whole[self._free]
        self._coupling = rows[:, self._known]
        self._boundary_rows = whole[self._known]
        self._factor = _factorised(rows[:, self._free], _COLUMNS if coupled else _SYMMETRIC)

    def solve(
        self, load: Float[np.ndarray, "2 n"], values: Float[np.ndarray, "2 k"]
    ) -> tuple[Float[np.ndarray, "2 n"], Floats]:
        """Velocity (2, n) and pressure (m,) for a load and the velocities at the known nodes."""
        whole = np.zeros(self._boundary_rows.shape[1])
        whole[: 2 * self._n] = load.ravel()
        solved = self._factor.solve(whole[self._free] - self._coupling @ values.ravel())
        whole[:] = 0.0
        whole[self._known], whole[self._free] = values.ravel(), solved
        return whole[: 2 * self._n].reshape(2, -1), whole[2 * self._n :]

    def reaction(self, load: Floats, velocity: Floats, pressure: Floats) -> Float[np.ndarray, "2 k"]:
        """What the equations leave at the known nodes: the force that holds the fluid there.

        The sum over a part's nodes is the integral of viscosity du/dn - p n over it in its weak form, which converges
        with twice the order of the integral itself (John 1997; Giles et al. 1997).
        """
        left = self._boundary_rows @ np.concatenate([velocity.ravel(), pressure]) - load.ravel()[self._known]
        return left.reshape(2, -1)


def _factorised(matrix: sparse.csr_matrix, ordering: Mapping[str, Any]) -> scipy.sparse.linalg.SuperLU:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", scipy.sparse.linalg.MatrixRankWarning)
            return scipy.sparse.linalg.splu(matrix.tocsc(), **ordering)
    except (RuntimeError, scipy.sparse.linalg.MatrixRankWarning) as error:
        raise NumericalError(
            "flow: the system of velocity and pressure is singular: a triangle has no free velocity, or the flow has"
            " no open part; refine the mesh near the boundary"
        ) from error


def pair(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """The same operator for both components."""
    return sparse.block_diag([matrix, matrix]).tocsr()
