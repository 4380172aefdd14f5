"""How good a hypernetwork is on random problems whose solutions are known."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from physolve.jets import Architecture

from ._batch import Labels, ProblemBatch
from ._head import Features, least_squares_head, own_head, rows_of
from ._hypernetwork import Hypernetwork
from ._scaling import scaled
from ._start import weight_scales
from .sampler import SamplerSettings, sample

SEED = 20_270_102
"""Of the problems: those of process 3,094 of a training, which no training had; and not those it was validated on."""

CHUNK = 32
"""Problems judged at a time."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Relative L2 error |u - u*| / |u*| of every problem, at points that the least squares did not see.

    written   networks that the hypernetwork wrote, with the least-squares head
    own       the same with the head that it wrote itself
    random    networks with random weights, with the least-squares head: what the head does alone
    """

    written: Float[Tensor, " samples"]
    own: Float[Tensor, " samples"]
    random: Float[Tensor, " samples"]


def evaluate(
    hypernetwork: Hypernetwork,
    samples: int = 256,
    *,
    settings: SamplerSettings | None = None,
    seed: int = SEED,
    progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Solve `samples` random problems of the whole distribution, the same for the same seed.

    The settings' `points` are for the least squares; as many more are for the errors. `progress` is called with the
    number of problems that are done.
    """
    settings = _labelled(settings or SamplerSettings(), hypernetwork.sizes.grid)
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for start in range(0, samples, CHUNK):
        batch = sample(settings, min(CHUNK, samples - start), generator)
        parts.append(_judged(hypernetwork, batch, generator))
        if progress is not None:
            progress(min(start + CHUNK, samples))
    return Evaluation(*(torch.cat(column) for column in zip(*parts, strict=True)))


def _labelled(settings: SamplerSettings, grid: int) -> SamplerSettings:
    """Only problems with a known solution, and points for both purposes."""
    kinds = dataclasses.replace(settings.kinds, physics=0.0)
    return dataclasses.replace(settings, grid=grid, points=2 * settings.points, kinds=kinds)


@torch.no_grad()
def _judged(
    hypernetwork: Hypernetwork, batch: ProblemBatch, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    problems = batch if hypernetwork.sizes.published else scaled(batch).batch
    like = next(hypernetwork.parameters())
    weights = hypernetwork(problems.raster.to(like), problems.coefficients.to(like)).double()
    target = hypernetwork.sizes.target
    random = weight_scales(target) * torch.randn(weights.shape, generator=generator)
    problems = problems.map(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)
    written, own = _errors(target, weights, problems)
    return written, own, _errors(target, random.to(weights), problems)[0]


def _errors(
    target: Architecture, weights: Float[Tensor, "batch networks count"], batch: ProblemBatch
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """With the least-squares head, fitted to the first half of the points, and with the written one."""
    seen = batch.interior.shape[1] // 2
    features = Features.of(target, weights, batch)
    fitted = dataclasses.replace(features, interior=features.interior[..., :seen, :])
    rows = rows_of(fitted, dataclasses.replace(batch, interior=batch.interior[:, :seen], source=batch.source[:, :seen]))
    assert isinstance(batch.labels, Labels)
    truth = batch.labels.jet[:, 0, seen:]
    heads = least_squares_head(rows).coefficients, own_head(target, weights)
    best, own = ((features.solution(head)[:, 0, seen:] - truth).norm(dim=1) / truth.norm(dim=1) for head in heads)
    return best, own
