"""What the training methods share: the result they return, and a problem seen as rows of one trainable vector."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

from physolve._typing import Column, Points
from physolve.errors import SpecificationError
from physolve.jets import Activation, Architecture
from physolve.nets import PINN, Field, PINNModel
from physolve.residual import Collocation, Density, Rows
from physolve.spec import Problem

from ._network_rows import linearized_rows, quadrature, row_values
from ._outcome import Estimate, History, Outcome
from ._random_weights import random_weights
from ._solution import Solution
from ._trainable import Sample as Sample
from ._trainable import Vector as Vector

CONDITION_SHARE = 0.2
ROLE_WEIGHTS = {"equation": 1.0, "condition": 3.0, "data": 3.0}
"""Conditions (and measurements) over equations once both have rows of the same mean size."""

Start: TypeAlias = PINN | PINNModel | Solution | None
"""A network to go on from, or the solution that it is, or a kind of network that starts with random weights."""


class MethodResult(NamedTuple):
    """What a method's `run` returns: the best field it met, the parameters' values, and how it ended."""

    field: Field
    parameters: dict[str, float]
    history: History
    outcome: Outcome
    message: str
    estimate: Estimate | None = None
    deviations: Mapping[str, float] = MappingProxyType({})
    valid_until: float | None = None
    method: str = ""


BLIND = "the equation has no value for the network that training begins with: give a better one by start="


@dataclass(frozen=True, eq=False)
class NetworkSystem:
    """A problem as residual rows of one vector: the networks' weights, then the unknown parameters in units of their
    guesses. Training begins at the weights `given`, at random ones without."""

    collocation: Collocation
    model: PINNModel
    given: Float[Tensor, "networks count"] | None = None

    @property
    def columns(self) -> int:
        return self.model.count + len(self.units)

    @cached_property
    def units(self) -> tuple[float, ...]:
        """Size of each unknown parameter: its guess, or 1 where that is 0."""
        return tuple(abs(float(p.guess)) or 1.0 for p in self.collocation.problem.parameters)

    def start(self, seed: int) -> Vector:
        """The weights that were given, else random ones; parameters at their guesses."""
        weights = random_weights(self.model, seed) if self.given is None else self.given
        guesses = [p.guess / u for p, u in zip(self.collocation.problem.parameters, self.units, strict=True)]
        return torch.cat([weights.flatten(), weights.new_tensor(guesses)])

    @property
    def last_layers(self) -> Int[Tensor, " outputs"]:
        """Columns of the networks' last layers, in which the unknowns are linear."""
        architecture = self.model.architecture
        inner, outputs = architecture.layers[-1]
        of_one = torch.arange(architecture.count - (inner + 1) * outputs, architecture.count)
        return (torch.arange(self.model.networks)[:, None] * architecture.count + of_one).flatten()

    def split(self, vector: Vector) -> tuple[Float[Tensor, "networks count"], list[Tensor]]:
        """Weights of the networks, and the parameters in their own units."""
        count = self.model.count
        scaled = zip(vector[count:], self.units, strict=True)
        return vector[:count].unflatten(0, (self.model.networks, -1)), [z * unit for z, unit in scaled]

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
        quantity, the trace of the tangent kernel). Raises NumericalError for rows that are not finite.
        """
        weights, parameters = self.split(vector)
        result = []
        for rows in blocks:
            residual, jacobian = linearized_rows(self.model, weights, rows, parameters)
            points = rows.points[:: rows.average or 1]
            rows.refuse_infinite(residual + jacobian.sum(1), points, BLIND)
            mean = float((quadrature(rows)[:, None] * jacobian).square().sum())
            result.append(ROLE_WEIGHTS[rows.role] * (mean**-0.5 if mean > 0 else 1.0))
        return tuple(result)

    def residuals(self, vector: Vector, sample: Sample) -> list[Column]:
        """Scaled residuals of every block, differentiable in the vector."""
        weights, parameters = self.split(vector)
        pairs = zip(sample.factors, sample.blocks, strict=True)
        return [f * row_values(self.model, weights, rows, parameters) for f, rows in pairs]

    def residual(self, vector: Vector, sample: Sample) -> Column:
        """All of them in one column."""
        return torch.cat(self.residuals(vector, sample))

    def in_time(self, block: Rows) -> Points | None:
        """Points of an equation's rows, where the problem has a time."""
        timed = self.collocation.problem.time is not None and block.role == "equation"
        return block.points if timed else None

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
        jacobian[:, self.model.count :] *= units
        return torch.cat(residuals), jacobian

    def _zero_loss(self, blocks: tuple[Rows, ...], factors: tuple[Column, ...]) -> float:
        """Loss of u = 0 with the parameters at their guesses: the size of the problem's data; 1 where they are nothing
        or where the equations have no value at u = 0."""
        guesses = [torch.tensor(float(p.guess), dtype=torch.float64) for p in self.collocation.problem.parameters]
        total = 0.0
        for factor, rows in zip(factors, blocks, strict=True):
            states = [{a: torch.zeros(len(s.points), dtype=torch.float64) for a in rows.form.atoms} for s in rows.sides]
            total += float((factor * rows.residual(states, guesses)).square().sum())
        return total if 0 < total < math.inf else 1.0


def network_system(
    problem: Problem, width: int, depth: int, activation: Activation, start: Start = None
) -> NetworkSystem:
    """The problem for the network or the kind of network of `start`; without one for a dense network with `depth`
    hidden layers on the problem's bounding box, one output an unknown.

    Raises SpecificationError where a start has other coordinates or unknowns than the problem.
    """
    wanted = len(problem.coordinates), len(problem.unknowns)
    start = network_of(start)
    if start is None:
        architecture = Architecture((wanted[0], *(width,) * depth, wanted[1]), activation)
        start = PINNModel.on_box(architecture, *problem.domain.bounds)
    model, given = (start.model, start.weights) if isinstance(start, PINN) else (start, None)
    if (model.dim, model.outputs) != wanted:
        raise SpecificationError(
            f"start: got a network of {model.dim} coordinates with {model.outputs} outputs, expected {wanted[0]} and"
            f" {wanted[1]}, one for every coordinate and unknown of the problem"
        )
    return NetworkSystem(Collocation(problem), model, given)


def network_of(start: Start, name: str = "start") -> PINN | PINNModel | None:
    """The network, or kind of network, of a start.

    Raises SpecificationError, with `name` first, where it is none.
    """
    field = start.field if isinstance(start, Solution) else start
    if field is None or isinstance(field, PINN | PINNModel):
        return field
    got = f"the solution by {start.method}" if isinstance(start, Solution) else f"a {type(start).__name__}"
    raise SpecificationError(
        f"{name}: got {got} as start, expected a network (PINN), a kind of network (PINNModel), or the solution of a"
        " method that trains a network"
    )
