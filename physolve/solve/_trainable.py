"""What the training methods ask of a problem posed for networks: residual rows of one trainable vector."""

import math
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from jaxtyping import Float, Int
from torch import Tensor

from physolve._typing import Column, Points
from physolve.nets import Field

Vector: TypeAlias = Float[Tensor, " columns"]


@dataclass(frozen=True, eq=False)
class Sample:
    """Blocks of rows at fresh points; factors[k] (n_k,) scale block k; `zero` is the loss that counts as one: that of
    the zero field, or 1 where the rows have relative size themselves."""

    blocks: tuple[Any, ...]
    factors: tuple[Column, ...]
    zero: float

    @property
    def size(self) -> int:
        return sum(len(rows) for rows in self.blocks)

    def relative(self, loss: float) -> float:
        """The residual with this sum of squares, over that of u = 0; NaN where it is not finite."""
        return math.sqrt(loss / self.zero) if math.isfinite(loss) else math.nan


class TrainableSystem(Protocol):
    """Residuals of a problem as functions of one vector; the problem in the plain frame (`NetworkSystem`), or in a
    moving one (`physolve.lagrangian`)."""

    @property
    def columns(self) -> int:
        """Length of the vector."""
        ...

    @property
    def given(self) -> object | None:
        """The weights training goes on from; None where it begins at random ones."""
        ...

    @property
    def last_layers(self) -> Int[Tensor, " outputs"]:
        """Entries of the vector that the networks' outputs are linear in."""
        ...

    def start(self, seed: int) -> Vector: ...

    def blocks(self, count: int, seed: int) -> tuple[Any, ...]:
        """About `count` rows at fresh points."""
        ...

    def levels(self, vector: Vector, blocks: tuple[Any, ...]) -> tuple[float, ...]:
        """A factor for every block that balances it against the others."""
        ...

    def sample(self, count: int, seed: int, levels: tuple[float, ...]) -> Sample: ...

    def residuals(self, vector: Vector, sample: Sample) -> list[Column]:
        """Scaled residuals of every block, differentiable in the vector."""
        ...

    def residual(self, vector: Vector, sample: Sample) -> Column:
        """All of them in one column."""
        ...

    def loss(self, vector: Vector, sample: Sample) -> float:
        """Sum of squares, without a graph."""
        ...

    def linearize(
        self, vector: Vector, sample: Sample, memory: Float[Tensor, "_ columns"] | None = None
    ) -> tuple[Column, Float[Tensor, "rows columns"]]:
        """Scaled residuals and their Jacobian, in `memory` where that has as many rows."""
        ...

    def in_time(self, block: Any) -> Points | None:
        """Points of the block, time last, if its rows are equations that advance in time; else None."""
        ...

    def field(self, vector: Vector) -> Field: ...

    def parameters(self, vector: Vector) -> dict[str, float]: ...
