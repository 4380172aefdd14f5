"""The random problems that training sees: a function of (seed, process, step, progress) alone."""

import torch

from .._batch import ProblemBatch
from ..sampler import SamplerSettings, sample

PROCESSES = 4096
"""More processes than a run will ever have: seeds of different processes and steps never meet within a run."""


def problems_at(
    settings: SamplerSettings, batch: int, seed: int, process: int, step: int, progress: float, device: torch.device
) -> ProblemBatch:
    """The batch that one process sees in one step, so that a resumed run goes on as if it had not stopped."""
    generator = torch.Generator(device)
    generator.manual_seed((seed * 1_000_003 + step) * PROCESSES + process)
    return sample(settings, batch, generator, progress)
