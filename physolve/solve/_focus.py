"""Where a solution is under-resolved: features and points for the next rung, drawn where the residual sits."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physolve._typing import Column, Points
from physolve.nets import Field, JetAtom, TanhFeatures
from physolve.residual import Collocation
from physolve.spec.geometry import Shape

from ._system import Projection

CANDIDATES = 8192

TILT = 0.3

SPREAD = 0.1
"""Participation ratio (sum r^2)^2 / (n sum r^4) of the residual below which it counts as concentrated; a residual
like Gaussian noise has 1/3."""


@dataclass(frozen=True, eq=False)
class Focus:
    """Features tanh(slopes . (x - centers)), and the points near them where rows are added."""

    centers: Points
    slopes: Points
    points: Points

    def within(self, lower: Column, upper: Column) -> "Focus":
        """The part inside a box (a time slab)."""
        inside: Bool[Tensor, " n"] = ((self.points >= lower) & (self.points <= upper)).all(1)
        return Focus(self.centers[inside], self.slopes[inside], self.points[inside])

    def features(self, count: int) -> TanhFeatures:
        """The first `count` of them."""
        return TanhFeatures.through(self.centers[:count], self.slopes[:count])

    def __len__(self) -> int:
        return len(self.centers)


def focus_on(collocation: Collocation, solved: Projection, scale: float, count: int, seed: int) -> Focus | None:
    """Where the equations' residual is concentrated, `count` centres there; None where it is spread out.

    Slopes point along the gradient of the solution, across a layer, and reach from the ordinary `scale` (per half
    width of the box) to twice what the steepest place of the solution shows: a profile tanh(w s) of height h has the
    slope w h / 2.
    """
    domain = collocation.domain
    sample = domain.sample_interior(CANDIDATES, seed=seed)
    points = torch.tensor(sample.points)
    size = _residual_size(collocation, solved, points)
    if not torch.isfinite(size).all() or not _concentrated(size):
        return None
    return _draw(domain, points, size * torch.tensor(sample.weights), solved.field, scale, count, seed)


def focus_on_layers(domain: Shape, field: Field, scale: float, count: int, seed: int) -> Focus | None:
    """Centres where a field is steeper than features of this scale can follow; None where it is nowhere so."""
    sample = domain.sample_interior(CANDIDATES, seed=seed)
    points = torch.tensor(sample.points)
    lower, upper = (torch.tensor(bound) for bound in domain.bounds)
    generator = torch.Generator().manual_seed(seed)
    steepness = (_steepness(field, points, generator) * (upper - lower) / 2).norm(dim=1)
    excess = (steepness / scale - 1).clamp_min(0)
    if not torch.isfinite(excess).all() or float(excess.max()) < 1:
        return None
    return _draw(domain, points, excess * torch.tensor(sample.weights), field, scale, count, seed)


def _draw(domain: Shape, points: Points, density: Column, field: Field, scale: float, count: int, seed: int) -> Focus:
    """Centres among the points with probability ~ density."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.multinomial(density, count, replacement=True, generator=generator)
    lower, upper = (torch.tensor(bound) for bound in domain.bounds)
    half = (upper - lower) / 2
    steepness = _steepness(field, points, generator) * half
    steepest = float(steepness.norm(dim=1).quantile(0.999))
    spread = torch.rand(count, generator=generator, dtype=torch.float64)
    length = scale * max(2 * steepest / scale, 2.0) ** spread
    noise = torch.randn(count, points.shape[1], generator=generator, dtype=torch.float64)
    # Most features lie across the layer; tilted steep ones disturb more than they resolve.
    tilt = TILT * torch.rand(count, 1, generator=generator, dtype=torch.float64).square()
    direction = torch.nn.functional.normalize(steepness[chosen], dim=1) + tilt * noise
    jitter = torch.randn(noise.shape, generator=generator, dtype=torch.float64) / length[:, None]
    # Features may bend anywhere; rows stay at sampled points, clear of corners where derivatives are infinite.
    return Focus(points[chosen] + 0.5 * half * jitter, length[:, None] * direction / half, points[chosen])


def _residual_size(collocation: Collocation, solved: Projection, points: Points) -> Column:
    """Weighted size of the equations' residuals at points."""
    total = torch.zeros(len(points), dtype=torch.float64)
    for form, weight in zip(collocation.equations, solved.scale.weights, strict=False):
        state = solved.field.derivatives(points, form.atoms)
        total += (weight * form.residual(points, None, state, solved.parameters)).square()
    return total.sqrt()


def _concentrated(size: Column) -> bool:
    square = size.square()
    return float(square.sum() ** 2) < SPREAD * len(size) * float(square.square().sum())


def _steepness(field: Field, points: Points, generator: torch.Generator) -> Float[Tensor, "n dim"]:
    """2 grad(u) / (max u - min u), u one of the unknowns, drawn anew for every point."""
    dim = points.shape[1]
    units = [tuple(int(i == k) for i in range(dim)) for k in range(dim)]
    atoms = [JetAtom(i, orders) for i in range(field.components) for orders in units]
    slopes = field.derivatives(points, atoms)
    values = field.values(points)
    height = (values.max(0).values - values.min(0).values).clamp_min(1e-300)
    gradients = torch.stack(
        [torch.stack([slopes[JetAtom(i, o)] for o in units], 1) * 2 / height[i] for i in range(field.components)]
    )
    which = torch.randint(field.components, (len(points),), generator=generator)
    return gradients[which, torch.arange(len(points))]
