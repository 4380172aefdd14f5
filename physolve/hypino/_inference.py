"""The hypernetwork at work: from problems to answers, zero-shot and refined, thousands at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from math import ceil
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from physolve.errors import UnsupportedError
from physolve.jets import Architecture
from physolve.nets import Field, GeneratedBasis
from physolve.spec import Problem

from ._answer import Answer
from ._batch import ProblemBatch, stack
from ._class import why_not
from ._hypernetwork import Hypernetwork
from ._lower import Lowered, lower, lowered_one_by_one
from ._nearby import frozen
from ._placement import Resolution
from ._refine import Fit, Step, refined
from ._scaling import scaled
from ._side_by_side import side_by_side
from ._weights import load_weights

SHIPPED = Path(__file__).parent / "weights" / "small.safetensors"
"""Trained as data/hypino/train.toml says; the record lies beside it."""

TOGETHER = {"cpu": 8, "cuda": 64}
"""Problems that are worked on together, by the device. On the CPU their jets, 16 MB, are handed on from one part of the
work to the next in memory that is there already, a fifth faster than 32 at a time; after ten refinements each problem
holds a tenth of a gigabyte."""

POINTS, EDGE = 1024, 512
"""Where problems are posed: for the 129 functions of one answer; refinement with several answers wants more."""

REFINEMENTS = 2
"""Before random features join the functions of `bases`."""


class Fields(NamedTuple):
    """What `HyPINO.fields` returns.

    values     on `grid_nodes` of each problem's bounding box, in its own units; outside the domain too. Rows go from
               the top of the box down, columns from left to right, as in an image
    residual   share of equation and conditions that is not met, at points that the head did not see; no error: near a
               resonance, or where conditions do not determine the solution, errors are far larger
    """

    values: Float[Tensor, "problems nodes nodes"]
    residual: Float[Tensor, " problems"]


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
    def zero_shot(
        self, batch: ProblemBatch, *, least_squares: bool = True, dtype: torch.dtype = torch.float64
    ) -> Answer:
        """One forward pass, and the least-squares head on what it wrote (without: the head that it wrote).

        With `dtype` float32 the functions are evaluated in it, twice as fast, and their least squares solved in float64
        all the same. On 128 random problems no quartile of the error changed by a hundredth of itself.
        """
        answered = partial(self._answered, least_squares=least_squares, dtype=dtype)
        return _joined(_each(answered, _parts(batch)))

    def _answered(self, batch: ProblemBatch, least_squares: bool, dtype: torch.dtype) -> Answer:
        return self._fit(batch, self.write(batch), least_squares, dtype).answer

    @torch.no_grad()
    def fields(self, problems: Sequence[Problem], nodes: int = 224, points: int = 768, edge: int = 384) -> Fields:
        """The zero-shot answers to problems of the class, functions in float32, each posed at `points` inside and
        `edge` points on the boundary; a few are lowered while others are answered.

        Raises UnsupportedError, as `lower`, for a problem that is not in the class.
        """
        size = TOGETHER["cpu"]
        lowered = lowered_one_by_one(problems, Resolution(self.grid, points, edge))
        none = Fields(torch.empty(0, nodes, nodes).double(), torch.empty(0).double())

        def found(part: list[Lowered]) -> Fields:
            answer = self._answered(stack([one.posed for one in part]), True, torch.float32)
            amplitudes = torch.tensor([one.amplitude for one in part], dtype=torch.float64)
            return Fields(amplitudes[:, None, None] * answer.on_grid(nodes), answer.residual)

        parts = iter(lambda: list(islice(lowered, size)), [])
        made = side_by_side(found, parts, ceil(len(problems) / size))
        return Fields(*(torch.cat(column) for column in zip(none, *made, strict=True)))

    @torch.no_grad()
    def refine(self, batch: ProblemBatch, steps: int, step: Step = Step.ALL) -> list[Answer]:
        """The zero-shot answer and those after each refinement, none of which is worse than the one before."""
        stages = []
        for part in _parts(batch):
            fit = self._fit(part, self.write(part), step is not Step.LENGTH)
            stages.append([fit.answer, *refined(fit, self.write, steps, step)])
        return [_joined(stage) for stage in zip(*stages, strict=True)]

    @property
    def name(self) -> str:
        """How solutions name what made their functions."""
        return "HyPINO"

    def bases(self, problem: Problem) -> Iterator[GeneratedBasis]:
        """The functions written for a problem, then those of REFINEMENTS more answers beside them.

        A source of functions for `physolve.solve(problem, source=...)`. For a problem near the class they are those of
        the nearest one in it (coefficients frozen at their means); for others there are none.
        """
        lowered = self._nearest(problem)
        if lowered is None:
            return
        with torch.no_grad():
            fit = self._fit(lowered.posed, self.write(lowered.posed))
            yield lowered.basis(self.target, fit.weights[0])
            for _ in refined(fit, self.write, REFINEMENTS, Step.ALL):
                pass
            yield lowered.basis(self.target, fit.weights[0])

    def guess(self, problem: Problem) -> Field | None:
        """The answer to the nearest problem of the class (coefficients frozen, nonlinear terms linearised), if any."""
        near = self._nearest(problem)
        if near is None:
            return None
        answer = self.zero_shot(near.posed)
        return near.field(self.target, answer.weights[0], answer.head[0])

    def _nearest(self, problem: Problem) -> Lowered | None:
        """The problem itself or the nearest one of the class, lowered; None where there is none."""
        if why_not(problem) is None:
            return lower(problem, self.grid, POINTS, EDGE)
        try:
            return frozen(problem, None, self.grid, POINTS, EDGE).lowered
        except UnsupportedError:
            return None

    def _fit(
        self,
        batch: ProblemBatch,
        weights: Float[Tensor, "batch networks count"],
        least_squares: bool = True,
        dtype: torch.dtype = torch.float64,
    ) -> Fit:
        batch = batch.map(lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)
        fit = Fit(self.target, batch, weights)
        if least_squares:
            fit.solve()
        else:
            fit.take_own_heads()
        return fit


def _parts(batch: ProblemBatch) -> list[ProblemBatch]:
    """Of as many problems as are worked on together."""
    size = TOGETHER[batch.source.device.type]
    return [batch.map(lambda tensor, a=a: tensor[a : a + size]) for a in range(0, len(batch), size)]


def _each(answered: Callable[[ProblemBatch], Answer], parts: Sequence[ProblemBatch]) -> list[Answer]:
    """The answers to all parts; on the CPU side by side."""
    if parts[0].source.device.type == "cpu":
        return side_by_side(answered, parts, len(parts))
    return [answered(part) for part in parts]


def _joined(answers: Sequence[Answer]) -> Answer:
    first = answers[0]
    return Answer(
        first.target,
        torch.cat([answer.weights for answer in answers]),
        torch.cat([answer.head for answer in answers]),
        torch.cat([answer.residual for answer in answers]),
    )
