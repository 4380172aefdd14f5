"""Small batches of random problems in float64."""

from collections.abc import Callable

import pytest
import torch

from physolve.hypino import ProblemBatch, SamplerSettings, sample


@pytest.fixture
def problems() -> Callable[..., ProblemBatch]:
    """`problems(count, seed)`: of all types, with Dirichlet and Neumann conditions."""

    def problems(count: int = 6, seed: int = 3, points: int = 150, edge: int = 80) -> ProblemBatch:
        settings = SamplerSettings(grid=16, points=points, edge=edge)
        batch = sample(settings, count, torch.Generator().manual_seed(seed))
        return batch.map(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)

    return problems
