"""How good a hypernetwork is on random problems whose solutions are known."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ._answer import Answer
from ._batch import ProblemBatch
from ._hypernetwork import Hypernetwork
from ._inference import HyPINO
from .sampler import SamplerSettings, sample

EVALUATION_SEED = 20_270_102
"""Of the problems: neither those a training is validated on nor those it sees, unless it has 3,094 processes."""

CHUNK = 32
"""Problems judged at a time."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Relative L2 error |u - u*| / |u*| of every problem, at points that the least squares did not see.

    head       zero-shot with the least-squares head
    own        with the head that the hypernetwork wrote
    untrained  of a hypernetwork of the same sizes with random weights, with the least-squares head: what the least
               squares do alone
    """

    head: Float[Tensor, " samples"]
    own: Float[Tensor, " samples"]
    untrained: Float[Tensor, " samples"]


def evaluate(
    model: HyPINO,
    samples: int = 256,
    *,
    settings: SamplerSettings | None = None,
    seed: int = EVALUATION_SEED,
    progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Solve `samples` random problems of the whole distribution, the same for the same seed.

    The settings' `points` are for the least squares; as many more are for the errors. `progress` is called with the
    number of problems that are done.
    """
    settings = _labelled(settings or SamplerSettings(), model.grid)
    generator = torch.Generator().manual_seed(seed)
    untrained = _untrained(model, seed)
    parts = []
    for start in range(0, samples, CHUNK):
        batch = sample(settings, min(CHUNK, samples - start), generator)
        parts.append(_judged(model, untrained, batch))
        if progress is not None:
            progress(min(start + CHUNK, samples))
    return Evaluation(*(torch.cat(column) for column in zip(*parts, strict=True)))


def _labelled(settings: SamplerSettings, grid: int) -> SamplerSettings:
    """Only problems with a known solution, and points for both purposes."""
    kinds = dataclasses.replace(settings.kinds, physics=0.0)
    return dataclasses.replace(settings, grid=grid, points=2 * settings.points, kinds=kinds)


def _untrained(model: HyPINO, seed: int) -> HyPINO:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        return HyPINO(Hypernetwork(model.hypernetwork.sizes).eval())


def _judged(model: HyPINO, untrained: HyPINO, batch: ProblemBatch) -> tuple[Tensor, Tensor, Tensor]:
    seen = batch.interior.shape[1] // 2
    known = dataclasses.replace(batch, interior=batch.interior[:, :seen], source=batch.source[:, :seen], labels=None)
    assert batch.labels is not None
    truth = batch.labels.jet[:, 0, seen:].double()
    points = batch.interior[:, seen:].double()

    def error(answer: Answer) -> Float[Tensor, " samples"]:
        return (answer.values(points) - truth).norm(dim=1) / truth.norm(dim=1)

    own = model.zero_shot(known, least_squares=False)
    return error(model.zero_shot(known)), error(own), error(untrained.zero_shot(known))
