"""What the training methods share: the result they return, and a problem seen as rows of one trainable vector."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from physolve._typing import Column
from physolve.jets import Activation
from physolve.nets import MLP, PINN, Field, PINNModel
from physolve.residual import Collocation, Density, Rows
from physolve.spec import Problem

from ._network_rows import linearized_rows, quadrature, row_values
from ._outcome import Estimate, History, Outcome

CONDITION_SHARE = 0.2
ROLE_WEIGHTS = {"equation": 1.0, "condition": 3.0, "data": 3.0}
"""Conditions (and measurements) over equations once both have rows of the same mean size."""

FIRST_GAIN, HIDDEN_GAIN, FIRST_BIAS = 3.0, 1.5, 2.0
"""Glorot weights of a deep tanh network make it nearly linear, and Gauss-Newton spends its first steps on leaving
that plateau. Measured on HZ with 900 to 1,500 rows: with gains 1 the loss is still 84 % of that of u = 0 after 20
steps; with these gains, first biases uniform in +-FIRST_BIAS and the output layer fitted, 0.1 % (seed 0) and 2 %
(seed 1) after 12; which of the three does it was not separated."""

Vector = Float[Tensor, " columns"]


class MethodResult(NamedTuple):
    """What a method's `run` returns: the best field it met, the parameters' values, and how it ended."""

    field: Field
    parameters: dict[str, float]
    history: History
    outcome: Outcome
    message: str
    estimate: Estimate | None = None
    deviations: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Sample:
    """Blocks of rows at fresh points; factors[k] (n_k,) scale block k; `zero` is the loss of the zero field."""

    blocks: tuple[Rows, ...]
    factors: tuple[Column, ...]
    zero: float

    @property
    def size(self) -> int:
        return sum(len(rows) for rows in self.blocks)


@dataclass(frozen=True, eq=False)
class NetworkSystem:
    """A problem as residual rows of one vector: the network's weights, then the unknown parameters in units of their
    guesses."""

    collocation: Collocation
    model: PINNModel

    @property
    def columns(self) -> int:
        return self.model.network.count + len(self.units)

    @cached_property
    def units(self) -> tuple[float, ...]:
        """Size of each unknown parameter: its guess, or 1 where that is 0."""
        return tuple(abs(float(p.guess)) or 1.0 for p in self.collocation.problem.parameters)

    def start(self, seed: int) -> Vector:
        """Random weights (Glorot, times the gains), first biases too, parameters at their guesses."""
        network = self.model.network
        drawn = network.init(seed)
        if network.layers > 1:
            generator = torch.Generator().manual_seed(seed + 99)
            drawn["bias0"].uniform_(-FIRST_BIAS, FIRST_BIAS, generator=generator)
        for layer in range(network.layers - 1):
            drawn[f"weight{layer}"] *= HIDDEN_GAIN if layer else FIRST_GAIN
        weights = network.flatten(drawn)
        guesses = [p.guess / u for p, u in zip(self.collocation.problem.parameters, self.units, strict=True)]
        return torch.cat([weights, weights.new_tensor(guesses)])

    def split(self, vector: Vector) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Weights by name, and the parameters in their own units."""
        count = self.model.network.count
        scaled = zip(vector[count:], self.units, strict=True)
        return self.model.network.unflatten(vector[:count]), [z * unit for z, unit in scaled]

    def field(self, vector: Vector) -> PINN:
        weights, _ = self.split(vector.detach().clone())
        return PINN(self.model, weights)

    def parameters(self, vector: Vector) -> dict[str, float]:
        names = [p.name for p in self.collocation.problem.parameters]
        return dict(zip(names, map(float, self.split(vector.detach())[1]), strict=True))

    def blocks(self, count: int, seed: int) -> tuple[Rows, ...]:
        """About `count` rows at fresh points, CONDITION_SHARE of them on the boundary."""
        problem = self.collocation.problem
        interior = max(8, round((1 - CONDITION_SHARE) * count / len(problem.residuals)))
        boundary = max(2, round(CONDITION_SHARE * count / len(problem.unknowns)))
        return self.collocation.rows(Density(interior, boundary), seed)

    def sample(self, count: int, seed: int, levels: tuple[float, ...]) -> Sample:
        """Blocks with factors: `levels[k]` for block k, times the square root of the quadrature weights."""
        blocks = self.blocks(count, seed)
        factors = tuple(level * quadrature(rows) for level, rows in zip(levels, blocks, strict=True))
        return Sample(blocks, factors, self._zero_loss(blocks, factors))

    def levels(self, vector: Vector, blocks: tuple[Rows, ...]) -> tuple[float, ...]:
        """Factors that give every block's Jacobian rows the same mean square, times the weight of its role.

        Makes the balance independent of units, orders and densities (Wang et al. 2021, 2001.04536, use the same
        quantity, the trace of the tangent kernel).
        """
        weights, parameters = self.split(vector)
        result = []
        for rows in blocks:
            jacobian = linearized_rows(self.model, weights, rows, parameters)[1]
            mean = float((quadrature(rows)[:, None] * jacobian).square().sum())
            result.append(ROLE_WEIGHTS[rows.role] * (mean**-0.5 if mean > 0 else 1.0))
        return tuple(result)

    def residual(self, vector: Vector, sample: Sample) -> Column:
        """Scaled residuals of all blocks, differentiable in the vector."""
        weights, parameters = self.split(vector)
        pairs = zip(sample.factors, sample.blocks, strict=True)
        return torch.cat([f * row_values(self.model, weights, rows, parameters) for f, rows in pairs])

    def loss(self, vector: Vector, sample: Sample) -> float:
        with torch.no_grad():
            return float(self.residual(vector, sample).square().sum())

    def linearize(
        self, vector: Vector, sample: Sample, memory: Float[Tensor, "_ columns"] | None = None
    ) -> tuple[Column, Float[Tensor, "rows columns"]]:
        """Scaled residuals and their Jacobian, in place of the one in `memory` where that has as many rows: the system
        hands out new memory more slowly than the rows are computed."""
        weights, parameters = self.split(vector)
        if memory is None or len(memory) != sample.size:
            memory = vector.new_empty(sample.size, self.columns)
        residuals, jacobian = [], memory
        units, start = vector.new_tensor(self.units), 0
        for factor, rows in zip(sample.factors, sample.blocks, strict=True):
            slopes = jacobian[start : start + len(rows)]
            residuals.append(linearized_rows(self.model, weights, rows, parameters, factor, slopes)[0])
            start += len(rows)
        jacobian[:, self.model.network.count :] *= units
        return torch.cat(residuals), jacobian

    def _zero_loss(self, blocks: tuple[Rows, ...], factors: tuple[Column, ...]) -> float:
        """Loss of u = 0 with the parameters at their guesses: the size of the problem's data."""
        guesses = [torch.tensor(float(p.guess), dtype=torch.float64) for p in self.collocation.problem.parameters]
        total = 0.0
        for factor, rows in zip(factors, blocks, strict=True):
            states = [{a: torch.zeros(len(s.points), dtype=torch.float64) for a in rows.form.atoms} for s in rows.sides]
            total += float((factor * rows.residual(states, guesses)).square().sum())
        return total


def network_system(problem: Problem, width: int, depth: int, activation: Activation) -> NetworkSystem:
    """A dense network with `depth` hidden layers on the problem's bounding box, one output an unknown."""
    lower, upper = problem.domain.bounds
    sizes = (len(problem.coordinates), *(width,) * depth, len(problem.unknowns))
    model = PINNModel(MLP(sizes, activation), tuple(map(float, lower)), tuple(map(float, upper)))
    return NetworkSystem(Collocation(problem), model)
