"""The rows of a problem as one weighted least-squares system on a basis."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column
from physolve.nets import Basis, Expansion, Field
from physolve.residual import Rows

from ._least_squares import least_squares

CONDITION_WEIGHT = 20.0
"""Conditions count ten times an equation of the same size. Measured on Helmholtz and wave problems: 1 to 100 differ
by less than a factor of five in the error, 0.1 costs a digit."""

DATA_WEIGHT = 0.003
"""Measurements are noisy, equations are not: they may only choose among solutions of the equations. At 0.001 the first,
coarse rungs of inverse_heat fitted the diffusivity to their own truncation error."""

TYPICAL = 0.4

ROLE_WEIGHTS = {"equation": 1.0, "condition": CONDITION_WEIGHT, "data": DATA_WEIGHT}


@dataclass(frozen=True)
class Scale:
    """The weight of every block of rows: its role's weight over the size of its matrix entries, so that neither
    units nor derivative orders nor the number of points decide which equation is met best."""

    weights: tuple[float, ...]

    def norm(self, residuals: Sequence[Column]) -> float:
        """sqrt(sum over blocks of weight^2 mean(r^2)): the size of a residual as the least squares measure it."""
        return math.sqrt(
            sum(w * w * float(r.square().mean()) for w, r in zip(self.weights, residuals, strict=True) if len(r))
        )


@dataclass(frozen=True, eq=False)
class Projection:
    """The least-squares solution on a basis, its parameters, the scale in which it was found and its residual."""

    field: Field
    parameters: tuple[float, ...]
    scale: Scale
    features: int
    rows: int


def project(
    rows: Sequence[Rows],
    basis: Basis,
    unknowns: int,
    state: Field | None = None,
    parameters: Sequence[float] = (),
    ridge: float = 1e-15,
    *,
    fixed: bool = False,
) -> Projection:
    """Solve the rows, linearised at `state` and `parameters`, for the best field on the basis.

    For a linear problem this is the solution; for a nonlinear one it is Newton's next iterate, whatever basis the
    state lives on. `fixed` keeps the parameters as they are. Raises NumericalError where the rows are not finite.
    """
    weights: list[float] = []
    split = basis.size * unknowns

    def blocks() -> Iterator[tuple[Float[Tensor, "m columns"], Column]]:
        for block in rows:
            matrix, right = block.matrix(basis, unknowns, state, parameters)
            if fixed and parameters:
                right -= matrix[:, split:] @ matrix.new_tensor(parameters)
                matrix = matrix[:, :split]
            weights.append(_weight(block, matrix))
            factor = weights[-1] / math.sqrt(max(len(block), 1))
            yield matrix.mul_(factor), right.mul_(factor)

    columns = split if fixed else split + len(parameters)
    solution = least_squares(blocks(), columns, ridge)
    coefficients = solution.coefficients[:split, 0].reshape(unknowns, basis.size).T
    return Projection(
        Expansion(basis, coefficients.contiguous()),
        tuple(parameters) if fixed else tuple(solution.coefficients[split:, 0].tolist()),
        Scale(tuple(weights)),
        basis.size,
        sum(len(block) for block in rows),
    )


def _weight(rows: Rows, matrix: Float[Tensor, "m columns"]) -> float:
    """Role weight over the size of a typical column: a low quantile, because steep local features, which may be half
    of the columns, must not make the equation they serve count less."""
    sizes = matrix.square().mean(0).sqrt()
    sizes = sizes[sizes > 0]
    return ROLE_WEIGHTS[rows.role] / float(sizes.quantile(TYPICAL)) if len(sizes) else 0.0


def residuals(rows: Sequence[Rows], field: Field, parameters: Sequence[float] = ()) -> list[Column]:
    """The residual of a field in every block of rows."""
    return [block.residual_of(field, parameters) for block in rows]
