"""The problem in the moving frame as residual rows of one vector, for the training methods."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from physolve._typing import Column, Points
from physolve.jets import network_jacobian
from physolve.solve import Sample, Vector

from ._field import LagrangianField
from ._inversion import Locator
from ._model import LabelPoints, MovingModel
from ._networks import LabelNetwork
from ._rows import Followed, Interior, OpenSide, RowBlock

SIDE_SHARE = 0.2
SIDE_WEIGHT = 3.0
"""Rows on open sides: their share of all, and their weight against the equations'."""


@dataclass(frozen=True, eq=False)
class MovingSystem:
    """Equations on characteristics, and conditions on open sides; initial and entering values hold by construction.

    The rows are relative errors of the state already: they are not balanced against each other, and a loss of one
    stands for an error as large as the initial values. Only times up to the `horizon` are looked at, if there is one.
    A system that is `following` asks for places and states of the frame's pilot in place of the equations.
    """

    model: MovingModel
    given: Float[Tensor, " count"] | None = None
    horizon: float | None = None
    following: bool = False

    @property
    def columns(self) -> int:
        return self.model.count

    @property
    def last_layers(self) -> Int[Tensor, " outputs"]:
        return self.model.last_layers

    def start(self, seed: int) -> Vector:
        return self.model.start(seed) if self.given is None else self.given.clone()

    def blocks(self, count: int, seed: int) -> tuple[RowBlock, ...]:
        """About `count` rows, a part of them on open sides if there are any."""
        return tuple(block for block, _ in self._weighted(count, seed))

    def levels(self, vector: Vector, blocks: tuple[RowBlock, ...]) -> tuple[float, ...]:
        return (1.0,) * len(blocks)

    def sample(self, count: int, seed: int, levels: tuple[float, ...]) -> Sample:
        weighted = self._weighted(count, seed)
        return Sample(tuple(block for block, _ in weighted), tuple(factor for _, factor in weighted), 1.0)

    def residuals(self, vector: Vector, sample: Sample) -> list[Column]:
        """Scaled residuals of every block, differentiable in the vector."""
        model, found = self.model, []
        for block, factor in zip(sample.blocks, sample.factors, strict=True):
            at = block.labels(model, vector)
            rows = block.rows(model, *model.jets_of(model.outer(vector, at), at), at)
            found.append((rows * factor).flatten())
        return found

    def residual(self, vector: Vector, sample: Sample) -> Column:
        """All of them in one column."""
        return torch.cat(self.residuals(vector, sample))

    def loss(self, vector: Vector, sample: Sample) -> float:
        """Sum of squares: the mean square relative error that the residuals amount to."""
        with torch.no_grad():
            return float(self.residual(vector, sample).square().sum())

    def linearize(
        self, vector: Vector, sample: Sample, memory: Float[Tensor, "_ columns"] | None = None
    ) -> tuple[Column, Float[Tensor, "rows columns"]]:
        """Scaled residuals and their Jacobian: the derivative in the jets by autograd, that of the jets in the weights
        by the compiled kernels."""
        if memory is None or len(memory) != sample.size:
            memory = vector.new_empty(sample.size, self.columns)
        residuals, start = [], 0
        for block, factor in zip(sample.blocks, sample.factors, strict=True):
            rows = memory[start : start + len(block)]
            residuals.append(self._block(vector.detach(), block, factor, rows))
            start += len(block)
        return torch.cat(residuals), memory

    def in_time(self, block: RowBlock) -> Points | None:
        return block.at.points.repeat(block.kinds, 1) if isinstance(block, Interior) else None

    def field(self, vector: Vector) -> LagrangianField:
        return LagrangianField(self.model, vector.detach().clone())

    def parameters(self, vector: Vector) -> dict[str, float]:
        """None: problems with unknown parameters are not lowered."""
        return {}

    def _weighted(self, count: int, seed: int) -> list[tuple[RowBlock, Float[Tensor, " n"]]]:
        frame = self.model.frame
        if self.following:
            block = self._followed(count, seed)
            return [(block, block.targets.new_full((len(block.targets),), len(block.targets) ** -0.5))]
        kinds = len(frame.velocity) + len(frame.sources)
        share = SIDE_SHARE if frame.open_sides else 0.0
        points, weights = frame.labels.sample(max(8, round((1 - share) * count / kinds)), seed, self.horizon)
        interior = Interior(self.model.at(points, frame.layout), kinds)
        made: list[tuple[RowBlock, Tensor]] = [(interior, weights.sqrt())]
        for k in range(len(frame.open_sides)):
            n = max(8, round(share * count / len(frame.open_sides)))
            block = self._on_side(k, n, seed + 7919 * (k + 1))
            made.append((block, weights.new_full((len(block.normals),), SIDE_WEIGHT * len(block.normals) ** -0.5)))
        return made

    def _followed(self, count: int, seed: int) -> Followed:
        """Random characteristics of the pilot at random times of their lives."""
        pilot, labels = self.model.frame.pilot, self.model.frame.labels
        end = labels.end if self.horizon is None else self.horizon
        times = torch.linspace(labels.start, labels.end, len(pilot.path), dtype=torch.float64)
        allowed = (times[:, None] >= pilot.begin) & (times[:, None] <= end)
        places = allowed.nonzero()
        generator = torch.Generator().manual_seed(seed)
        k, i = places[torch.randint(len(places), (count // pilot.path.shape[-1],), generator=generator)].T
        points = torch.cat([pilot.grid[i], times[k, None]], 1)
        return Followed(self.model.at(points, labels.layout(False)), pilot.path[k, i])

    def _on_side(self, k: int, n: int, seed: int) -> OpenSide:
        """Places on side number k, spread over it and the time (scrambled Sobol)."""
        frame = self.model.frame
        side, dim = frame.open_sides[k], frame.labels.dim
        end = frame.labels.end if self.horizon is None else self.horizon
        unit = torch.quasirandom.SobolEngine(dim + 1, scramble=True, seed=seed).draw(n, dtype=torch.float64)
        low, high = ([*end, t] for end, t in zip(frame.window, (frame.labels.start, end), strict=True))
        places = unit.new_tensor(low) + unit * (unit.new_tensor(high) - unit.new_tensor(low))
        places[:, side.axis] = side.position
        normals = torch.zeros_like(places)
        normals[:, side.axis] = side.sign
        return OpenSide(Locator(places), normals, side.forms(frame.problem))

    def _block(self, vector: Vector, block: RowBlock, factor: Column, rows: Float[Tensor, "n columns"]) -> Column:
        """Scaled residuals of one block; their Jacobian goes into `rows`."""
        model = self.model
        at = block.labels(model, vector)
        with torch.no_grad():
            outer = model.outer(vector, at)
        first, second = (o.requires_grad_() for o in outer)
        values = block.rows(model, *model.jets_of((first, second), at), at) * factor
        n, split = values.shape[1], model.characteristics.count
        parts = tuple(zip(model.split(vector), (model.characteristics, model.state), strict=True))
        for k, value in enumerate(values):
            slopes = torch.autograd.grad(value.sum(), (first, second), retain_graph=True, materialize_grads=True)
            here = rows[k * n : (k + 1) * n]
            for (weights, network), slope, out in zip(parts, slopes, (here[:, :split], here[:, split:]), strict=True):
                _network_rows(network, weights, at, slope, out)
        return values.detach().flatten()


def _network_rows(network: LabelNetwork, weights: Tensor, at: LabelPoints, slope: Tensor, out: Tensor) -> None:
    """Rows of one network's weights: slopes in its jets times the jets' derivatives."""
    if not slope.any():
        out.zero_()
        return
    architecture = network.model.architecture
    network_jacobian(architecture, weights, at.inputs, network.layout(at.layout), slope.contiguous(), out)
