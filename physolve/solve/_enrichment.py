"""Which basis for which domain: random features everywhere, special functions where the solution is not smooth."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physolve._typing import ColumnArray, Points
from physolve.nets import (
    Basis,
    ComplexPowers,
    Concatenated,
    DiffusionLayers,
    Front,
    Polynomials,
    Products,
    Regional,
    SimilarityFeatures,
    Stretch,
    Stretched,
    TanhFeatures,
    WindowedFeatures,
)
from physolve.residual import Collocation, Fronts, notable_corners
from physolve.spec import Problem
from physolve.spec.geometry import Corner, Hole, Shape, split_time

CORNER_DEGREE = 4.0
"""Singular functions r^a with a up to this: the ones beyond are smooth enough for tanh features."""

REGION_POINTS = 4096
"""In the whole domain, among which every region has some; one of less than a thousandth of it may be missed."""

MULTIPOLES = 12

LAYERS = 7
"""Powers of the square root of time, from 0 on, with which layers grow."""

MULTIPLIED = 2
"""Layers of a rectangle's side that are multiplied by polynomials: those of a jump in values and in slopes, as the
others are sums of them times x and t."""

SIDE_DEGREE, MEETING_DEGREE = 3, 2
"""Degrees of these polynomials, along sides and where two sides meet."""

SIMILAR_SHARE = 0.3
"""Of the features, where what diffuses from a corner does more than diffuse."""

PROFILES = 0.8, 2.0
"""Least and largest slopes in the similarity variable. Flatter ones change in an instant far from the corner, where
no point sees it: fits with them were off by 0.3, with others by 1e-6."""

BEND = 2.5
"""Up to where, in that variable, they bend."""

RATE = 1.0
"""Largest change over the whole time."""

WINDOW_SHARE = 0.4

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
        """Corner and hole functions, for second-order problems in the plane; layers that diffuse into a domain."""
        domain = self.problem.domain
        if self._begins:
            lower, upper = (bound.numpy() for bound in self.box)
            return tuple(layers(self.fronts, lower, upper))
        if domain.dim != 2 or self.problem.time is not None:
            return ()
        size = domain.size
        corners = notable_corners(self.problem)
        around_corners = [basis for corner in corners for basis in corner_functions(corner, size)]
        return (*around_corners, *(basis for hole in domain.holes for basis in hole_functions(hole)))

    @cached_property
    def products(self) -> int:
        """How many of the special functions are products of layers, which are many."""
        return sum(basis.size for basis in self.special if isinstance(basis, Products))

    @cached_property
    def fronts(self) -> Fronts:
        """From where something diffuses into the domain."""
        return Collocation(self.problem).fronts if self._begins else Fronts()

    @property
    def _begins(self) -> bool:
        """Whether this is a problem in time, and the part of it that holds its initial values."""
        timed = self.problem.time is not None
        return timed and (self.part is None or self.part.bounds[0][-1] == self.problem.domain.bounds[0][-1])

    def build(self, size: int, scale: float, seed: int, local: Sequence[Basis] = ()) -> Basis:
        """About `size` functions: random features of the given scale (slopes per half width of the domain's box), with
        polynomials, the special functions and `local` features. Beside products, which are many, at least half of
        `size` are random features."""
        generator = torch.Generator().manual_seed(seed)
        lower, upper = self.box
        local = (*local, *self._windows(size, generator), *self._similar(size, generator))
        others = sum(b.size for b in (*self.special, *local)) - self.products
        count = max(8, size - others - min(self.products, size // 2))
        smooth = Polynomials(tuple(lower.tolist()), tuple(upper.tolist()), 2)

        def part(count: int) -> Basis:
            return Concatenated((TanhFeatures.draw(count, lower, upper, scale, generator), smooth))

        if self.problem.interfaces:
            share = max(8, count // len(self.region))
            return Regional(tuple(part(share) for _ in range(len(self.region))), self.region)
        return Concatenated((*part(count).parts, *self.special, *local))  # type: ignore[attr-defined]

    def build_stretched(self, size: int, scale: float, seed: int, stretch: Stretch) -> Basis:
        """About `size` random features of the stretched coordinate and time, for one dimension in space."""
        generator = torch.Generator().manual_seed(seed)
        lower, upper = self.box
        slopes = torch.tensor([scale, SLOWNESS], dtype=torch.float64)
        smooth = Polynomials(tuple(lower.tolist()), tuple(upper.tolist()), 2)
        return Stretched(Concatenated((TanhFeatures.draw(size, lower, upper, slopes, generator), smooth)), stretch)

    @cached_property
    def _only_diffuses(self) -> bool:
        """Whether the equations are u_t = kappa u_xx with constants and sources, of which layers are solutions."""
        known = {(0, 0), (0, 1), (2, 0)}
        forms = Collocation(self.problem).equations
        return all(
            atom.orders in known and not slope.free_symbols
            for form in forms
            for atom, slope in zip(form.atoms, form.slopes, strict=True)
        )

    def _similar(self, size: int, generator: torch.Generator) -> tuple[Basis, ...]:
        fronts = self.fronts.found
        if not fronts or self.problem.domain.dim > 2 or self._only_diffuses:
            return ()
        each = round(SIMILAR_SHARE * size / len(fronts))
        duration = float(self.box[1][1] - self.box[0][1])
        return tuple(similarity_features(front, duration, each, generator) for front in fronts)

    @property
    def _harmonic(self) -> bool:
        """Whether the problem is in the plane, steady, for one unknown and without first derivatives: around a hole it
        then has multipoles and little else. (A flow past a disk with multipoles alone: 0.5 off with 600 features,
        with windows 2e-3.)"""
        derivatives = {node for residual in self.problem.residuals for node in residual.doit().atoms(sympy.Derivative)}
        convected = any(node.derivative_count == 1 for node in derivatives)
        steady = self.problem.domain.dim == 2 and self.problem.time is None
        return steady and len(self.problem.unknowns) == 1 and not convected

    def _windows(self, size: int, generator: torch.Generator) -> tuple[Basis, ...]:
        """Localised features around holes, unless multipoles are enough there."""
        space = split_time(self.part or self.problem.domain)[0]
        if space is None or not space.holes or self._harmonic:
            return ()
        each = round(WINDOW_SHARE * size / len(space.holes))
        lower, upper = self.box
        return tuple(hole_windows(hole, lower, upper, each, generator) for hole in space.holes)

    @cached_property
    def region(self) -> "Regions":
        """Which region of the domain points lie in: interfaces divide it."""
        return Regions(self.problem.domain, self.problem.interfaces)


@dataclass(frozen=True)
class Regions:
    """The parts into which interfaces, the boundaries of `shapes`, divide a domain, nested or crossing."""

    domain: Shape
    shapes: tuple[Shape, ...]

    def __len__(self) -> int:
        return len(self._found)

    def __call__(self, points: Points) -> Int[Tensor, " n"]:
        """The number of each point's region; of one too small to have been found, the most similar one's."""
        return (self._insides(points)[:, None, :] ^ self._found).sum(2).argmin(1)

    @cached_property
    def _found(self) -> Bool[Tensor, "regions shapes"]:
        """In which shapes each region lies, as points all over the domain tell."""
        everywhere = torch.tensor(self.domain.sample_interior(REGION_POINTS).points)
        return torch.unique(self._insides(everywhere), dim=0)

    def _insides(self, points: Points) -> Bool[Tensor, "n shapes"]:
        """In which shapes points lie. Those on a boundary do, up to rounding: it may be the domain's as well."""
        columns = [shape.signed_distance(points[:, : shape.dim].numpy()) <= shape.rounding for shape in self.shapes]
        return torch.tensor(np.stack(columns, 1))


def corner_functions(corner: Corner, size: float) -> tuple[Basis, ...]:
    """z^a about a corner of opening omega: a = k pi / omega for equal kinds of condition on both edges, (k - 1/2) pi /
    omega for different ones; where a is an integer, z^a log z (Grisvard 1985, section 4.4). On a smooth boundary,
    omega = pi, the integers are smooth."""
    omega = corner.angle
    steps = {round(k * math.pi / (2 * omega), 9) for k in range(1, 2 * 8)}
    exponents = []
    for a in sorted(steps):
        if a <= CORNER_DEGREE:
            whole = abs(a - round(a)) < 1e-6
            exponents.append((float(round(a)), 1.0) if whole else (a, 0.0))
    if abs(omega - math.pi) < 1e-3:
        exponents = [(a, m) for a, m in exponents if m == 0]
    if not exponents:
        return ()
    table = torch.tensor(exponents, dtype=torch.float64)
    return (ComplexPowers(corner.point, corner.start + omega / 2, size, table),)


def layers(fronts: Fronts, lower: ColumnArray, upper: ColumnArray) -> Iterator[Basis]:
    """Layers of an interval. Of a rectangle they are multiplied by polynomials of all coordinates, which are what lower
    orders of the equation and data that change along a side make of them; where two sides meet stand products of both,
    as the solution of u_t = kappa laplacian(u) in a quadrant is one (Carslaw and Jaeger 1959, section 1.15)."""
    if len(lower) == 2:
        yield from (DiffusionLayers(front, LAYERS) for front in fronts.found)
        return
    box, everything = (tuple(lower.tolist()), tuple(upper.tolist())), tuple(range(len(lower)))
    for front in fronts.found:
        alone = DiffusionLayers(front, MULTIPLIED)
        yield Products(alone, (front.axis, 2), Polynomials(*box, SIDE_DEGREE), everything)
    for a, b in fronts.meeting:
        one, other = DiffusionLayers(a, MULTIPLIED), DiffusionLayers(b, MULTIPLIED)
        both = Products(one, (a.axis, 2), other, (b.axis, 2))
        yield Products(both, everything, Polynomials(*box, MEETING_DEGREE), everything)


def similarity_features(front: Front, duration: float, count: int, generator: torch.Generator) -> SimilarityFeatures:
    """That bend where a layer is, with changes of its profile over the duration."""

    def draw() -> Float[Tensor, " count"]:
        return torch.rand(count, generator=generator, dtype=torch.float64)

    flattest, steepest = PROFILES
    slopes = (flattest + (steepest - flattest) * draw()) * torch.sign(draw() - 0.5)
    last = math.sqrt(4 * front.diffusivity * duration)
    rates, bend = (2 * draw() - 1) * RATE / last, BEND * draw()
    return SimilarityFeatures(front, slopes, rates, -slopes * bend - rates * last * draw())


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
