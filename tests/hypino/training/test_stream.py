"""The stream is a function of (seed, process, step, progress), and of nothing else."""

import torch

from physolve.hypino import ProblemBatch, SamplerSettings
from physolve.hypino.sampler import sample
from physolve.hypino.training._module import VALIDATION_SEED
from physolve.training import EpochStream, seed_of
from physolve.training._module import PROCESSES

SETTINGS = SamplerSettings(grid=16, points=32, edge=16)


def batch(seed: int = 1, process: int = 0, step: int = 0, progress: float = 1.0) -> ProblemBatch:
    return sample(SETTINGS, 3, torch.Generator().manual_seed(seed_of(seed, step, process)), progress)


def equal(one: ProblemBatch, other: ProblemBatch) -> bool:
    tensors: list[list[torch.Tensor]] = [[], []]
    for found, each in zip(tensors, (one, other), strict=True):
        each.map(lambda tensor, found=found: found.append(tensor) or tensor)
    return len(tensors[0]) > 8 and all(map(torch.equal, *tensors))


def test_the_same_again_whatever_was_drawn_before() -> None:
    first = batch(step=7)
    torch.manual_seed(5)
    batch(step=8)
    assert equal(first, batch(step=7))


def test_seed_process_step_and_progress_each_matter() -> None:
    others = [batch(seed=2), batch(process=1), batch(step=1), batch(progress=0.0)]
    assert not any(equal(batch(), other) for other in others)


def test_an_epoch_begins_where_the_run_is_when_its_first_batch_is_wanted() -> None:
    at, seen = [0], []
    stream = EpochStream(3, lambda: at[0], lambda steps: (seen.append(step) or batch(step=step) for step in steps))
    epoch = iter(stream)
    at[0] = 6
    assert len(list(epoch)) == len(stream) == 3
    assert seen == [6, 7, 8]


def test_validation_problems_are_of_no_process_that_a_run_has() -> None:
    """On the CPU the generator takes the lower 32 bits of a seed, in which the lower 12 are the process."""
    assert PROCESSES == 2**12
    assert VALIDATION_SEED % PROCESSES > 1000
