"""The hypernetwork at work: from problems to answers, zero-shot and refined, thousands at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from physolve.jets import Architecture

from ._answer import Answer
from ._batch import ProblemBatch
from ._hypernetwork import Hypernetwork
from ._refine import Fit, Step, refined
from ._scaling import scaled
from ._weights import load_weights

SHIPPED = Path(__file__).parent / "weights" / "small.safetensors"
"""Trained as data/hypino/train.toml says; the record lies beside it."""

CHUNK = 32
"""Problems answered at a time: a third of a gigabyte of jets."""


@dataclass(frozen=True, eq=False)
class HyPINO:
    """A trained hypernetwork.

    hypernetwork   in evaluation mode; float32 as a rule, the least squares on what it writes are done in float64
    """

    hypernetwork: Hypernetwork

    @classmethod
    def load(cls, path: str | PathLike[str] | None = None) -> "HyPINO":
        """From a file of `save_weights`; the shipped weights by default. Raises ProblemFileError as `load_weights`."""
        return cls(load_weights(SHIPPED if path is None else path).eval())

    @property
    def target(self) -> Architecture:
        """The network that is written."""
        return self.hypernetwork.sizes.target

    @property
    def grid(self) -> int:
        """Nodes of the raster along a side."""
        return self.hypernetwork.sizes.grid

    @torch.no_grad()
    def write(self, batch: ProblemBatch) -> Float[Tensor, "batch networks count"]:
        """The weights of every problem's networks, in float64; their last layers give u in its own units."""
        if self.hypernetwork.sizes.published:
            return self._written(batch)
        problems = scaled(batch)
        weights = self._written(problems.batch)
        last = self.target.layers[-1][0] + 1
        weights[..., -last:] *= problems.size.double()[:, None, None]
        return weights

    def _written(self, batch: ProblemBatch) -> Float[Tensor, "batch networks count"]:
        like = next(self.hypernetwork.parameters())
        return self.hypernetwork(batch.raster.to(like), batch.coefficients.to(like)).double()

    @torch.no_grad()
    def zero_shot(self, batch: ProblemBatch, *, least_squares: bool = True) -> Answer:
        """One forward pass, and the least-squares head on what it wrote (without: the head that it wrote)."""
        return _joined([self._fit(part, least_squares).answer for part in _chunks(batch)])

    @torch.no_grad()
    def refine(self, batch: ProblemBatch, steps: int, step: Step = Step.ALL) -> list[Answer]:
        """The zero-shot answer and those after each refinement, none of which is worse than the one before."""
        stages = []
        for part in _chunks(batch):
            fit = self._fit(part, step is not Step.LENGTH)
            stages.append([fit.answer, *refined(fit, self.write, steps, step)])
        return [_joined(stage) for stage in zip(*stages, strict=True)]

    def _fit(self, batch: ProblemBatch, least_squares: bool) -> Fit:
        batch = batch.map(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)
        fit = Fit(self.target, batch, self.write(batch))
        if least_squares:
            fit.solve()
        else:
            fit.take_own_heads()
        return fit


def _chunks(batch: ProblemBatch) -> list[ProblemBatch]:
    return [batch.map(lambda tensor, a=a: tensor[a : a + CHUNK]) for a in range(0, len(batch), CHUNK)]


def _joined(answers: Sequence[Answer]) -> Answer:
    first = answers[0]
    return Answer(
        first.target,
        torch.cat([answer.weights for answer in answers]),
        torch.cat([answer.head for answer in answers]),
        torch.cat([answer.residual for answer in answers]),
    )
