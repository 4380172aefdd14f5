"""Windows of a series as tensors: filled, scaled, cut where they are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physolve.errors import SpecificationError

from ._batch import AirBatch
from ._clock import clock_features
from ._setup import AirSetup
from ._sizes import AirSizes
from .data import EAST, NORTH, AirSeries, fill_for_input


@dataclass(frozen=True, eq=False)
class Windows:
    """A series as tensors, for windows that start anywhere in it.

    inputs         (T, n, features), as `InputLayout` has them
    concentration  (T, n) filled, in units of the scale; wind (T, n, 2) filled, m/s; clock (T, clock)
    target         (T, n) micrograms per cubic metre; measured (T, n)
    weather_seen   (T, n, 5) where the weather was measured
    """

    sizes: AirSizes
    inputs: Float[Tensor, "time n features"]
    concentration: Float[Tensor, "time n"]
    wind: Float[Tensor, "time n 2"]
    clock: Float[Tensor, "time clock"]
    target: Float[Tensor, "time n"]
    measured: Bool[Tensor, "time n"]
    weather_seen: Bool[Tensor, "time n 5"]

    @classmethod
    def of(cls, series: AirSeries, setup: AirSetup, sizes: AirSizes) -> "Windows":
        """Raises SpecificationError for a series of other stations, step, pollutants or weather than the set-up's."""
        setup.check(series)
        filled = fill_for_input(series, setup.scaler)
        c = filled.values / setup.scaler.values_std
        clock = clock_features(series.times)
        every_station = np.broadcast_to(clock[:, None], (*series.values.shape[:2], clock.shape[-1]))
        logs, seen = np.log1p(10 * np.maximum(c, 0)), filled.values_seen
        inputs = np.concatenate([c, logs, seen, setup.scaler.scaled_weather(filled.weather), every_station], axis=-1)
        target = series.values[..., 0]
        return cls(
            sizes,
            inputs=torch.tensor(inputs, dtype=torch.float32),
            concentration=torch.tensor(c[..., 0]),
            wind=torch.tensor(filled.weather[..., EAST : NORTH + 1]),
            clock=torch.tensor(clock),
            target=torch.tensor(np.nan_to_num(target)),
            measured=torch.tensor(np.isfinite(target)),
            weather_seen=torch.tensor(np.isfinite(series.weather)),
        )

    @property
    def instants(self) -> range:
        """Steps at which a forecast can begin whose history and horizon lie in the series."""
        return range(self.sizes.history - 1, len(self.target) - self.sizes.horizon)

    def at(self, instants: Sequence[int] | Int[Tensor, " batch"]) -> AirBatch:
        """The windows around these steps. Raises SpecificationError for one that is none of `instants`."""
        t = torch.as_tensor(instants)
        first, last = self.instants.start, self.instants.stop - 1
        if len(t) and not first <= int(t.min()) <= int(t.max()) <= last:
            raise SpecificationError(f"window: got steps {int(t.min())} to {int(t.max())}, expected {first} to {last}")
        past = t[:, None] + torch.arange(1 - self.sizes.history, 1)
        ahead = t[:, None] + torch.arange(self.sizes.horizon + 1)
        return AirBatch(
            self.inputs[past],
            self.concentration[t],
            self.wind[t],
            self.clock[ahead],
            self.wind[ahead],
            self.target[ahead[:, 1:]],
            self.measured[ahead[:, 1:]],
        )
