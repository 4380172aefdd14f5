"""Derivatives in space from derivatives along labels: the chain rule of the map, Jacobian and curvature included."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column
from physolve.jets import Jet

FLOOR = 0.02
"""Determinant of the map below which its inverse is continued smoothly, so that training can pass through maps that are
not invertible; solutions are never evaluated there."""

THRESHOLD = 2 * FLOOR
"""Determinant, 1 where neighbours keep their distance, below which a solution is not valid any more where it depends on
derivatives in space."""


@dataclass(frozen=True, eq=False)
class PulledBack:
    """Values (n, m), gradients (n, m, dim) and, where the jets have them, Hessians (n, m, dim, dim) in space, and the
    determinant (n,) of the map."""

    value: Float[Tensor, "n m"]
    gradient: Float[Tensor, "n m dim"]
    hessian: Float[Tensor, "n m dim dim"] | None
    determinant: Column


def pulled_back(motion: Jet, state: Jet) -> PulledBack:
    """Derivatives of w, w(X(xi)) = W(xi), at X(xi), from the jets of X (rows, n, dim) and of W (rows, n, m).

        grad w    = F^-T grad W                                        F = dX / dxi
        hess w    = F^-T (hess W - sum_c (grad w)_c hess X_c) F^-1

    In one dimension w_xx = (1 / X_xi) d/dxi (W_xi / X_xi). (2205.02902 has this term as W_xixi in its code.) The first
    dim coordinates of the jets are the labels; with the time as one more component of X and of xi the same rule
    gives derivatives in time at fixed x.
    """
    dim, layout = motion.channels, motion.layout
    first = [layout.first_row(axis) for axis in range(dim)]
    slope = motion.tensor[first].movedim(0, 2)  # (n, c, a) = d X_c / d xi_a
    determinant, inverse = _inverse(slope)
    along = state.tensor[first].movedim(0, 2)  # (n, m, a)
    gradient = torch.einsum("nma,nac->nmc", along, inverse)
    pairs = [(min(a, b), max(a, b)) for a in range(dim) for b in range(dim)]
    if not set(pairs) <= set(layout.second):
        return PulledBack(state.value, gradient, None, determinant)
    second = [1 + len(layout.first) + layout.second.index(pair) for pair in pairs]
    curved = state.tensor[second] - torch.einsum("rnc,nmc->rnm", motion.tensor[second], gradient)
    curved = curved.unflatten(0, (dim, dim)).permute(2, 3, 0, 1)
    hessian = torch.einsum("nmab,nac,nbe->nmce", curved, inverse, inverse)
    return PulledBack(state.value, gradient, hessian, determinant)


def _inverse(slope: Float[Tensor, "n c a"]) -> tuple[Column, Float[Tensor, "n a c"]]:
    """Determinant and inverse; adjugates by hand, because batched inverses of tiny matrices are slow."""
    dim = slope.shape[-1]
    if dim == 1:
        determinant, adjugate = slope[:, 0, 0], torch.ones_like(slope)
    elif dim == 2:
        (a, b), (c, d) = (row.unbind(-1) for row in slope.unbind(1))
        determinant = a * d - b * c
        adjugate = torch.stack([torch.stack([d, -b], -1), torch.stack([-c, a], -1)], 1)
    else:
        return torch.linalg.det(slope), torch.linalg.inv(slope)
    below = FLOOR * torch.exp((determinant / FLOOR - 1).clamp(max=0))
    return determinant, adjugate / torch.where(determinant > FLOOR, determinant, below)[:, None, None]
