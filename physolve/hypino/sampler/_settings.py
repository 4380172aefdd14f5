"""What the sampler draws, and how often: all numbers in one place."""

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kinds:
    """Shares of the kinds of samples; they need not sum to one.

    trees      manufactured, the published random expressions
    waves      manufactured, sums of plane waves
    bumps      manufactured, sums of Gaussian bumps
    modes      manufactured, sums of products X(x) Y(y): free of sources, or products of sines zero on the square
    vanishing  one of the first three times a factor that is zero on the outer boundary
    physics    no solution known: a source, boundary and initial data
    """

    trees: float = 0.28
    waves: float = 0.15
    bumps: float = 0.08
    modes: float = 0.17
    vanishing: float = 0.12
    physics: float = 0.20


@dataclass(frozen=True)
class Types:
    """Shares of the types of operators; `degenerate` ones lack a second-order term, or all but one of y."""

    elliptic: float = 0.55
    parabolic: float = 0.20
    hyperbolic: float = 0.22
    degenerate: float = 0.03


@dataclass(frozen=True)
class OperatorLimits:
    """Bounds on coefficients and on their ratios, without which a problem is singular or too sharp for any grid.

    anisotropy  elliptic: the larger second-order coefficient over the smaller one
    resonance   c0 of the Laplacian's sign over the smaller second-order coefficient; resonance begins at pi^2 / 4
    peclet      first-order over second-order coefficients: layers of width 1 / peclet
    diffusion   parabolic: |c3 / c2|
    speed       hyperbolic: the squared speed |c3 / c4|
    growth      rates in time of what grows, |c0 / c2|, |c0 / c4|, |c2 / c4|
    """

    smallest: float = 0.02
    largest: float = 2.0
    anisotropy: float = 20.0
    resonance: float = 2.0
    peclet: float = 20.0
    diffusion: float = 2.0
    speed: float = 16.0
    growth: float = 2.0


@dataclass(frozen=True)
class ShapeSettings:
    """Holes of elliptic problems. Chances: of any holes, and of a rectangle cut out of a corner or a side."""

    holes: float = 0.4
    notch: float = 0.15
    most: int = 3
    smallest: float = 0.1
    largest: float = 0.4
    area: float = 0.4  # of the square that must be left; else the sample keeps the whole square


@dataclass(frozen=True)
class CurriculumSettings:
    """From easy (progress 0) to the whole distribution: largest wave number per coordinate, narrowest bump.

    Both reach their last value at `full`; samples without a solution begin at `physics_from` and have their whole
    share at `full`. Published: the first third of the training has solutions only.
    """

    waves: tuple[float, float] = (math.pi, 4 * math.pi)
    width: tuple[float, float] = (0.2, 0.05)
    physics_from: float = 0.15
    full: float = 0.6


@dataclass(frozen=True)
class SamplerSettings:
    """Sizes, shares and limits of the random problems.

    grid, points, edge   nodes of the raster a side; interior and boundary points a sample
    pure                 share of Laplace, Poisson, (screened) Helmholtz, heat and wave operators
    value, slope, spread limits of manufactured solutions: |u|, |derivatives|, standard deviation (published)
    """

    grid: int = 64
    points: int = 1024
    edge: int = 512
    kinds: Kinds = field(default_factory=Kinds)
    types: Types = field(default_factory=Types)
    pure: float = 0.5
    limits: OperatorLimits = field(default_factory=OperatorLimits)
    shapes: ShapeSettings = field(default_factory=ShapeSettings)
    curriculum: CurriculumSettings = field(default_factory=CurriculumSettings)
    value: float = 10.0
    slope: float = 1e4
    spread: float = 0.1
