"""The stream of random problems that training sees."""

from collections.abc import Iterator

import torch

from .._batch import ProblemBatch
from ..sampler import SamplerSettings, sample

RANKS = 4096
"""More processes than a run will ever have: seeds of different ranks and steps never meet."""


def problem_stream(
    settings: SamplerSettings, batch: int, seed: int, rank: int, steps: range, progress: float, device: torch.device
) -> Iterator[ProblemBatch]:
    """One batch for every step. It depends on (seed, rank, step, progress) alone, so a resumed run sees the same."""
    for step in steps:
        generator = torch.Generator(device)
        generator.manual_seed((seed * 1_000_003 + step) * RANKS + rank)
        yield sample(settings, batch, generator, progress)
