"""What a model is given: histories and, for training, what came after them."""

from collections.abc import Callable
from dataclasses import dataclass, fields

from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class AirBatch:
    """Windows of a series, the instant of the forecast at the end of the history.

    history   (batch, history, n, features) scaled inputs without gaps
    now       (batch, n) the last concentration, in units of the scale
    wind_now  (batch, n, 2) m/s, east and north, TO which the air moves
    clock     (batch, horizon + 1, clock) features of the forecast's instants, the present first
    wind      (batch, horizon + 1, n, 2) m/s; from the future, so only for losses and where it is known
    target    (batch, horizon, n) micrograms per cubic metre, zero where nothing was measured
    measured  (batch, horizon, n)
    """

    history: Float[Tensor, "batch history n features"]
    now: Float[Tensor, "batch n"]
    wind_now: Float[Tensor, "batch n 2"]
    clock: Float[Tensor, "batch instants clock"]
    wind: Float[Tensor, "batch instants n 2"]
    target: Float[Tensor, "batch horizon n"]
    measured: Bool[Tensor, "batch horizon n"]

    def __len__(self) -> int:
        return len(self.now)

    def map(self, change: Callable[[Tensor], Tensor]) -> "AirBatch":
        return type(self)(*(change(getattr(self, each.name)) for each in fields(self)))
