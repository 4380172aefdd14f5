"""Hour of the day and day of the year as smooth features."""

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

DAY, YEAR = 86_400.0, 365.2425 * 86_400.0
HARMONICS = (DAY, DAY / 2, YEAR)
CLOCK = 2 * len(HARMONICS)
"""How many features an instant has."""


def clock_features(times: NDArray[np.datetime64]) -> Float[np.ndarray, "*times features"]:
    """Sine and cosine of the day's phase, of twice it, and of the year's; float32."""
    seconds = times.astype("datetime64[s]").astype(np.int64).astype(np.float64)
    phases = [2 * np.pi * seconds / period for period in HARMONICS]
    return np.stack([f(phase) for phase in phases for f in (np.sin, np.cos)], axis=-1).astype(np.float32)


def day_phase(clock: Float[Tensor, "*times features"]) -> Float[Tensor, "*times"]:
    """The share of the day that has passed, in [0, 1), from its features."""
    return torch.atan2(clock[..., 0], clock[..., 1]) / (2 * np.pi) % 1
