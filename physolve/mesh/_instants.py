"""Whether steps take the time that they should."""

import numpy as np
from jaxtyping import Float

TOLERANCE = 1e-3  # of a step
ROUNDING = float(np.finfo(np.float32).eps)  # of an instant, as files in single precision have it


def uneven_step(times: Float[np.ndarray, " frames"], stride: int, dt: float) -> tuple[int, float] | None:
    """The first frame from which `stride` frames do not take `dt`, and what they take; None where there is no such."""
    steps = times[stride:] - times[:-stride]
    allowed = TOLERANCE * dt + ROUNDING * np.abs(times).max(initial=0.0)
    off = np.flatnonzero(np.abs(steps - dt) > allowed)
    return (int(off[0]), float(steps[off[0]])) if len(off) else None
