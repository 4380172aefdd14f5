"""Rows: a form at points, with everything needed to evaluate it for a field or to build its matrix on a basis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column, Points
from physolve.errors import NumericalError
from physolve.nets import Basis, Field, JetAtom

from ._form import Form, Linearization

Role: TypeAlias = Literal["equation", "condition", "data"]
State: TypeAlias = Mapping[JetAtom, Column]


@dataclass(frozen=True, eq=False)
class Side:
    """Points at which the form is evaluated, and the sign with which it counts."""

    points: Points
    normals: Points | None = None
    sign: float = 1.0


@dataclass(frozen=True, eq=False)
class Rows:
    """r_i = sum over sides of sign F(x_i) - target_i, and where `average` is set the means of that many
    consecutive entries in place of the entries.

    One side is an equation or a condition at points, two sides (signs + and -) are periodicity or a jump.
    `weights` (n,) are quadrature weights of the points, `noise` the standard deviation of measured targets; `factor`
    (n,) multiplies the rows where their points lie closer together in one place than in another.
    """

    form: Form
    role: Role
    sides: tuple[Side, ...]
    weights: Column
    target: Column
    average: int | None = None
    noise: float | None = None
    factor: Column | None = None

    @property
    def name(self) -> str:
        """The equation or condition these rows come from."""
        return self.form.name

    @property
    def points(self) -> Points:
        """Points of the first side."""
        return self.sides[0].points

    def __len__(self) -> int:
        return len(self.target)

    def residual(self, states: Sequence[State], parameters: Sequence[float | Tensor] = ()) -> Column:
        """Residual for given values of the atoms, one mapping for each side; differentiable."""
        values = [
            side.sign * self.form.residual(side.points, side.normals, state, parameters)
            for side, state in zip(self.sides, states, strict=True)
        ]
        return self._scaled(self._reduce(torch.stack(values).sum(0)) - self.target)

    def residual_of(self, field: Field, parameters: Sequence[float | Tensor] = ()) -> Column:
        """Residual of a field."""
        return self.residual([field.derivatives(s.points, self.form.atoms) for s in self.sides], parameters)

    def matrix(
        self, basis: Basis, unknowns: int, field: Field | None, parameters: Sequence[float | Tensor] = ()
    ) -> tuple[Float[Tensor, "n columns"], Column]:
        """Matrix A and right side b of the rows linearised at `field` (None: zero) and `parameters`.

        A (c, theta) = b is the linearised equation for the coefficients c of the whole solution, unknown by
        unknown, followed by the values of the parameters: a Newton step, or the equation itself if it is linear.
        Raises NumericalError where the equation has no finite value.
        """
        columns = basis.size * unknowns + len(parameters)
        matrix = self.points.new_zeros(len(self.points), columns)
        right = self.points.new_zeros(len(self.points))
        for side in self.sides:
            state = self._state(side, field)
            local = self.form.linearize(side.points, side.normals, state, parameters)
            self._check_finite(side, local)
            self._add_side(matrix, right, side, local, state, basis, parameters)
        return self._scaled(self._reduce(matrix)), self._scaled(self._reduce(right) + self.target)

    def _check_finite(self, side: Side, local: Linearization) -> None:
        total = local.value.abs()
        for slope in (*local.slopes.values(), *local.parameter_slopes):
            total = total + slope.abs()
        self.refuse_infinite(total, side.points, "Newton's iteration diverged")

    def refuse_infinite(self, values: Column, points: Points, cause: str) -> None:
        """Raises NumericalError unless the values at the points are finite; `cause` may be why, beside the usual."""
        wrong = ~values.isfinite()
        if wrong.any():
            point = ", ".join(f"{c:.4g}" for c in points[wrong][0].tolist())
            names = ", ".join(s.name for s in self.form.frame.coordinates)
            raise NumericalError(
                f"{self.name}: NaN or infinity at {int(wrong.sum())} of {len(wrong)} points, first at ({names}) = "
                f"({point}); likely causes: a coefficient or source is singular there or not real, as log and sqrt of "
                f"negative numbers are, or {cause}"
            )

    def _state(self, side: Side, field: Field | None) -> State:
        if field is None:
            return {atom: side.points.new_zeros(len(side.points)) for atom in self.form.atoms}
        return field.derivatives(side.points, self.form.atoms)

    def _add_side(
        self,
        matrix: Float[Tensor, "n columns"],
        right: Column,
        side: Side,
        local: Linearization,
        state: State,
        basis: Basis,
        parameters: Sequence[float | Tensor],
    ) -> None:
        right -= side.sign * local.value
        for unknown in sorted({atom.unknown for atom in local.slopes}):
            operator = {a.orders: side.sign * s for a, s in local.slopes.items() if a.unknown == unknown}
            start = unknown * basis.size
            matrix[:, start : start + basis.size] += basis.operate(side.points, operator)
        for atom, slope in local.slopes.items():
            right += side.sign * slope * state[atom]
        for k, (slope, theta) in enumerate(zip(local.parameter_slopes, parameters, strict=True)):
            matrix[:, matrix.shape[1] - len(parameters) + k] += side.sign * slope
            right += side.sign * slope * theta

    def _scaled(self, values: Tensor) -> Tensor:
        if self.factor is None:
            return values
        return values * (self.factor if values.ndim == 1 else self.factor[:, None])

    def _reduce(self, values: Tensor) -> Tensor:
        """Weighted means of consecutive entries where the rows are averages."""
        if self.average is None:
            return values
        shape = (-1, self.average, *values.shape[1:])
        weights = self.weights.reshape(-1, self.average)
        weights = weights / weights.sum(1, keepdim=True)
        return torch.einsum("gm,gm...->g...", weights, values.reshape(shape))
