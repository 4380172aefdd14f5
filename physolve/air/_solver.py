"""Solving the graph's ordinary differential equation with torchdiffeq."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physolve.errors import NumericalError, SpecificationError

STABLE = 2.5
"""Largest rate times step that a fourth-order Runge-Kutta step is given; beyond 2.78 it grows without bound."""


@dataclass(frozen=True)
class OdeSolver:
    """How to integrate over the horizon.

    method     "rk4": fixed steps, one for each of the series' steps, or as many more as stability asks for;
               "dopri5": adaptive, to `tolerance`, relative and absolute, as published
    adjoint    gradients by solving the adjoint equation backward: memory does not grow with the steps
    most       steps of rk4 within one of the series' that are not exceeded

    Raises SpecificationError for a tolerance that is not positive.
    """

    method: Literal["rk4", "dopri5"] = "rk4"
    adjoint: bool = False
    tolerance: float = 1e-5
    most: int = 64

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise SpecificationError(f"ODE solver: got tolerance={self.tolerance}, expected a positive number")

    def __call__(
        self,
        right: nn.Module,
        start: Float[Tensor, "*batch n channels"],
        steps: int,
        fastest: float,
        leaves: tuple[Tensor, ...],
    ) -> Float[Tensor, "steps *batch n channels"]:
        """States after 1, ..., `steps` steps; time is measured in steps.

        right     right(t, state), the derivative
        fastest   largest rate per step, which decides the length of rk4's
        leaves    tensors that `right` depends on and gradients are wanted of, for the adjoint

        Raises NumericalError where the rates ask for more than `most` steps, or the state is not finite.
        """
        from torchdiffeq import odeint, odeint_adjoint

        times = torch.arange(steps + 1, dtype=start.dtype, device=start.device)
        options = {"step_size": 1 / self._within(fastest)} if self.method == "rk4" else {}
        given = {"rtol": self.tolerance, "atol": self.tolerance, "method": self.method, "options": options}
        if self.adjoint:
            used = tuple(leaf for leaf in leaves if leaf.requires_grad)
            states = odeint_adjoint(right, start, times, adjoint_params=used, **given)
        else:
            states = odeint(right, start, times, **given)
        assert isinstance(states, Tensor)
        return states[1:]

    def _within(self, fastest: float) -> int:
        """How many steps of rk4 one of the series' is divided into."""
        if not math.isfinite(fastest) or fastest > STABLE * self.most:
            raise NumericalError(
                f"graph ODE: the fastest exchange is {fastest:.3g} per step, which asks for more than {self.most} steps"
                " of rk4 in one; likely causes: units of the wind (m/s), a large wind response, stations too close"
                " together; or take method='dopri5'"
            )
        return max(1, math.ceil(fastest / STABLE))
