"""Which basis for which domain: random features everywhere, special functions where the solution is not smooth."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from physolve._typing import Points
from physolve.nets import (
    Basis,
    ComplexPowers,
    Concatenated,
    Polynomials,
    Regional,
    Stretch,
    Stretched,
    TanhFeatures,
    WindowedFeatures,
)
from physolve.residual import widest_corners
from physolve.spec import Interface, Problem
from physolve.spec.geometry import Corner, Hole, Shape, split_time

CORNER_DEGREE = 4.0
"""Singular functions r^a with a up to this: the ones beyond are smooth enough for tanh features."""

MULTIPOLES = 12
WINDOW_SHARE = 0.4

ROUNDING = 1e-12
"""Of points on the boundary of a shape, in its sizes; far below the distance of one-sided values from an interface."""

SLOWNESS = 1.0
"""Slopes in time, per half a time slab, where a stretched coordinate follows what moves: what is left changes slowly.
Burgers with 8 slabs of 400 features: 5.7e-4 with slopes up to 2, 7.9e-5 with 1, 2.4e-4 with 0.7."""


@dataclass(frozen=True)
class BasisPlan:
    """Bases of any size for one problem, on its domain or a `part` of it."""

    problem: Problem
    part: Shape | None = None

    @cached_property
    def box(self) -> tuple[Float[Tensor, " dim"], Float[Tensor, " dim"]]:
        """Lower and upper corner."""
        lower, upper = (self.part or self.problem.domain).bounds
        return torch.tensor(lower), torch.tensor(upper)

    @cached_property
    def special(self) -> tuple[Basis, ...]:
        """Corner and hole functions, for second-order problems in the plane."""
        domain = self.problem.domain
        if domain.dim != 2 or self.problem.time is not None:
            return ()
        size = domain.size
        around_corners = [basis for corner in widest_corners(domain) for basis in corner_functions(corner, size)]
        return (*around_corners, *(basis for hole in domain.holes for basis in hole_functions(hole)))

    @cached_property
    def regions(self) -> tuple[Shape, ...]:
        """Shapes whose boundary is an interface: the solution may have a kink or a jump there."""
        shapes = [c.on for c in self.problem.conditions if isinstance(c, Interface)]
        return tuple(dict.fromkeys(shape for shape in shapes if isinstance(shape, Shape)))

    def build(self, size: int, scale: float, seed: int, local: Sequence[Basis] = ()) -> Basis:
        """About `size` random features of the given scale (slopes per half width of the domain's box), with
        polynomials, the special functions and `local` features."""
        generator = torch.Generator().manual_seed(seed)
        lower, upper = self.box
        local = (*local, *self._windows(size, generator))
        count = max(8, size - sum(b.size for b in (*self.special, *local)))
        smooth = Polynomials(tuple(lower.tolist()), tuple(upper.tolist()), 2)

        def part(count: int) -> Basis:
            return Concatenated((TanhFeatures.draw(count, lower, upper, scale, generator), smooth))

        if self.regions:
            share = max(8, count // (len(self.regions) + 1))
            return Regional(tuple(part(share) for _ in range(len(self.regions) + 1)), self.region)
        return Concatenated((*part(count).parts, *self.special, *local))  # type: ignore[attr-defined]

    def build_stretched(self, size: int, scale: float, seed: int, stretch: Stretch) -> Basis:
        """About `size` random features of the stretched coordinate and time, for one dimension in space."""
        generator = torch.Generator().manual_seed(seed)
        lower, upper = self.box
        slopes = torch.tensor([scale, SLOWNESS], dtype=torch.float64)
        smooth = Polynomials(tuple(lower.tolist()), tuple(upper.tolist()), 2)
        return Stretched(Concatenated((TanhFeatures.draw(size, lower, upper, slopes, generator), smooth)), stretch)

    def _windows(self, size: int, generator: torch.Generator) -> tuple[Basis, ...]:
        """Localised features around holes that have no multipoles: in space, and in the plane with time."""
        space, time = split_time(self.part or self.problem.domain)
        if space is None or (space.dim == 2 and time is None) or not space.holes:
            return ()
        each = round(WINDOW_SHARE * size / len(space.holes))
        lower, upper = self.box
        return tuple(hole_windows(hole, lower, upper, each, generator) for hole in space.holes)

    @property
    def region(self) -> Callable[[Points], Int[Tensor, " n"]]:
        """Number of the interface shape a point lies in, counted from one; 0 outside all."""
        return region_of(self.regions, self.problem.domain.dim)


def region_of(shapes: Sequence[Shape], dim: int) -> Callable[[Points], Int[Tensor, " n"]]:
    """The function that tells in which of the shapes (the last that fits, from one; 0 for none) points lie.

    Points on a shape's boundary, up to rounding, lie in it: those on the sides that it shares with the domain must.
    """

    def region(points: Points) -> Int[Tensor, " n"]:
        number = torch.zeros(len(points), dtype=torch.long)
        for k, shape in enumerate(shapes, 1):
            inside = shape.signed_distance(points[:, : shape.dim].numpy()) <= ROUNDING * shape.size
            number[torch.from_numpy(inside)] = k
        return number

    return region


def corner_functions(corner: Corner, size: float) -> tuple[Basis, ...]:
    """z^a about a corner of opening omega: a = k pi / omega for equal kinds of condition on both edges, (k - 1/2) pi /
    omega for different ones; where a is an integer, z^a log z (Grisvard 1985, section 4.4)."""
    omega = corner.angle
    steps = {round(k * math.pi / (2 * omega), 9) for k in range(1, 2 * 8)}
    exponents = []
    for a in sorted(steps):
        if a <= CORNER_DEGREE:
            whole = abs(a - round(a)) < 1e-6
            exponents.append((float(round(a)), 1.0) if whole else (a, 0.0))
    if abs(omega - math.pi) < 1e-3 or not exponents:
        return ()
    table = torch.tensor(exponents, dtype=torch.float64)
    return (ComplexPowers(corner.point, corner.start + omega / 2, size, table),)


def hole_windows(
    hole: Hole, lower: Float[Tensor, " dim"], upper: Float[Tensor, " dim"], count: int, generator: torch.Generator
) -> WindowedFeatures:
    """Tanh features under windows as wide as the hole, centred on rings (shells) around it; windows are as long as
    the box along time."""
    dim, inside = len(hole.center), len(lower)
    direction = torch.nn.functional.normalize(torch.randn(count, dim, generator=generator, dtype=torch.float64), dim=1)
    away = hole.radius * (0.5 + torch.rand(count, 1, generator=generator, dtype=torch.float64))
    widths = hole.radius * (0.7 + 1.8 * torch.rand(count, 1, generator=generator, dtype=torch.float64))
    centers = torch.tensor(hole.center, dtype=torch.float64) + away * direction
    if inside > dim:
        times = lower[dim:] + torch.rand(count, 1, generator=generator, dtype=torch.float64) * (upper - lower)[dim:]
        centers = torch.cat([centers, times], 1)
    widths = torch.cat([widths.expand(-1, dim), (upper - lower)[dim:].expand(count, -1)], 1)
    slopes = (2 * torch.rand(count, inside, generator=generator, dtype=torch.float64) - 1) * 2 / widths
    return WindowedFeatures(centers, widths, slopes, torch.rand(count, generator=generator, dtype=torch.float64))


def hole_functions(hole: Hole) -> tuple[Basis, ...]:
    """log r and the multipoles z^-k about a hole."""
    center = (float(hole.center[0]), float(hole.center[1]))
    poles = torch.tensor([(-float(k), 0.0) for k in range(1, MULTIPOLES + 1)], dtype=torch.float64)
    source = torch.tensor([(0.0, 1.0)], dtype=torch.float64)
    return (
        ComplexPowers(center, 0.0, hole.radius, poles),
        ComplexPowers(center, 0.0, hole.radius, source, real_only=True),
    )
