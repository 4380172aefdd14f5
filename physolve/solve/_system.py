"""The rows of a problem as one weighted least-squares system on a basis."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column
from physolve.nets import Basis, Expansion, Field
from physolve.residual import Rows

from ._least_squares import least_squares

CONDITION_WEIGHT = 20.0
"""Conditions count twenty times an equation of the same size. Measured on Helmholtz and wave problems: 1 to 100 differ
by less than a factor of five in the error, 0.1 costs a digit."""

DATA_WEIGHT = 0.003
"""Measurements are noisy, equations are not: they may only choose among solutions of the equations. At 0.001 the first,
coarse rungs of inverse_heat fitted the diffusivity to their own truncation error."""

NOTHING = 1e-9
"""Of the largest column, up to which another one counts as zero."""

TYPICAL = 0.4
"""Quantile of the sizes of a block's columns that stands for all: see `_weight`."""

FAR = 1e4
"""Sizes of unknowns that many times apart are due to units, not to orders of derivatives."""

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
    """The least-squares solution on a basis, its parameters and the scale in which it was found; of Newton's iteration
    how far, relative to it, a further step would go."""

    field: Field
    parameters: tuple[float, ...]
    scale: Scale
    features: int
    rows: int
    unsettled: float = 0.0


def project(
    rows: Sequence[Rows],
    basis: Basis,
    unknowns: int,
    state: Field | None = None,
    parameters: Sequence[float] = (),
    ridge: float = 1e-15,
    *,
    fixed: bool = False,
    sizes: Sequence[float] = (),
) -> Projection:
    """Solve the rows, linearised at `state` and `parameters`, for the best field on the basis.

    For a linear problem this is the solution; for a nonlinear one it is Newton's next iterate, whatever basis the
    state lives on. `fixed` keeps the parameters as they are. With `sizes` rows weigh as if every unknown were measured
    in units of its own. Raises NumericalError where the rows are not finite.
    """
    weights: list[float] = []
    blocks = weighted(rows, basis, unknowns, state, parameters, fixed=fixed, sizes=sizes, weights=weights)
    split = basis.size * unknowns
    solution = least_squares(blocks, split if fixed else split + len(parameters), ridge).coefficients[:, 0]
    return Projection(
        expansion_of(basis, solution[:split], unknowns, sizes),
        tuple(parameters) if fixed else tuple(solution[split:].tolist()),
        Scale(tuple(weights)),
        basis.size,
        sum(len(block) for block in rows),
    )


def weighted(
    rows: Sequence[Rows],
    basis: Basis,
    unknowns: int,
    state: Field | None = None,
    parameters: Sequence[float] = (),
    *,
    fixed: bool = False,
    sizes: Sequence[float] = (),
    weights: list[float],
) -> Iterator[tuple[Float[Tensor, "m columns"], Column]]:
    """The blocks of the system that `project` solves, for the coefficients in units of `sizes`; to `weights` it adds
    theirs."""
    split = basis.size * unknowns
    for block in rows:
        matrix, right = block.matrix(basis, unknowns, state, parameters)
        if fixed and parameters:
            right -= matrix[:, split:] @ matrix.new_tensor(parameters)
            matrix = matrix[:, :split]
        for unknown, size in enumerate(sizes):
            matrix[:, unknown * basis.size : (unknown + 1) * basis.size] *= size
        weights.append(_weight(block, matrix))
        factor = weights[-1] / math.sqrt(max(len(block), 1))
        yield matrix.mul_(factor), right.mul_(factor)


def expansion_of(
    basis: Basis, solution: Float[Tensor, " columns"], unknowns: int, sizes: Sequence[float] = ()
) -> Expansion:
    """The field whose coefficients in units of `sizes` are these, unknown by unknown."""
    coefficients = solution.reshape(unknowns, basis.size).T
    coefficients = coefficients * coefficients.new_tensor(sizes) if sizes else coefficients
    return Expansion(basis, coefficients.contiguous())


def sizes_of_unknowns(
    rows: Sequence[Rows], basis: Basis, unknowns: int, parameters: Sequence[float]
) -> tuple[float, ...]:
    """At which the terms of every equation and condition are alike, relative to the largest: what their coefficients
    say of units (a flux q = -1e-9 grad p in SI is far smaller than its pressure). Empty where no two are FAR apart.

    Scaling of Curtis and Reid (1972, J. Inst. Math. Appl. 10): of the typical entries a_ij of the rows i and the
    unknown j, sum (log a_ij + log w_i + log s_j)^2 is least. For linear problems.
    """
    if unknowns == 1:
        return ()
    lines, logs = [], []
    blocks = [block for block in rows if block.role != "data"]
    for i, block in enumerate(blocks):
        entries = block.matrix(basis, unknowns, None, parameters)[0][:, : unknowns * basis.size].square().mean(0).sqrt()
        for j, sizes in enumerate(entries.split(basis.size)):
            if bool((sizes > 0).any()):
                line = np.zeros(len(blocks) + unknowns)
                line[[i, len(blocks) + j]] = 1
                lines.append(line)
                logs.append(-math.log(_typical(sizes)))
    found = np.exp(np.linalg.lstsq(np.stack(lines), np.array(logs))[0][len(blocks) :]) if lines else np.ones(unknowns)
    return tuple((found / found.max()).tolist()) if found.min() * FAR < found.max() else ()


def _weight(rows: Rows, matrix: Float[Tensor, "m columns"]) -> float:
    """Role weight over the size of a typical column: a low quantile, because steep local features, which may be half
    of the columns, must not make the equation they serve count less."""
    sizes = matrix.square().mean(0).sqrt()
    return ROLE_WEIGHTS[rows.role] / _typical(sizes) if bool((sizes > 0).any()) else 0.0


def _typical(sizes: Float[Tensor, " columns"]) -> float:
    """Of those that reach there: a window around a hole is nothing at the far side of the domain."""
    return float(sizes[sizes > NOTHING * sizes.max()].quantile(TYPICAL))


def residuals(rows: Sequence[Rows], field: Field, parameters: Sequence[float] = ()) -> list[Column]:
    """The residual of a field in every block of rows."""
    return [block.residual_of(field, parameters) for block in rows]
