"""Random problems with and without known solutions, a batch at a time on the generator's device."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .._batch import Boundary, Labels, ProblemBatch, stack
from .._raster import draw, grid_nodes
from ._boundary import Rim, random_rim
from ._conditions import Conditions, random_conditions
from ._curriculum import Stage, stage_at
from ._draws import Draws
from ._fields import RandomField, random_waves
from ._interior import random_interior
from ._operators import Operators, random_operators
from ._physics import RandomPhysics, random_physics
from ._settings import SamplerSettings
from ._shapes import Holes, random_holes
from ._solutions import SolutionKind, random_kinds, random_solutions

DENSER = 2
"""Boundary points drawn on the raster for every one that is returned: lines stay whole around many holes."""

SPIKE = 3.0

CHUNK = 64
"""Samples of a validation set that are made at a time."""


def sample(settings: SamplerSettings, count: int, generator: torch.Generator, progress: float = 1.0) -> ProblemBatch:
    """`count` random problems, float32, on the generator's device; `progress` in [0, 1] is that of the training.

    Raises ValueError for a progress outside.
    """
    draws, stage = Draws(generator), stage_at(settings, progress)
    kinds = random_kinds(draws, stage, count)
    known = kinds != SolutionKind.PHYSICS
    operators = random_operators(draws, settings, ~known | (kinds == SolutionKind.MODES))
    holes = random_holes(draws, settings.shapes, operators.elliptic)
    conditions = random_conditions(draws, operators, known, settings.shapes.most)
    places = _places(draws, settings, holes, conditions)
    solutions = random_solutions(draws, settings, stage, kinds, operators)
    jet = _solve(draws, settings, stage, solutions, places.points)
    data = _manufactured(operators, jet, places)
    rows = (~known).nonzero()[:, 0]
    if len(rows):
        physics = random_physics(draws, operators.pick(rows), stage, settings.shapes.most)
        _state(data, rows, physics, places)
    labels = Labels(jet[..., places.nodes : places.inside].contiguous(), known)
    return _pose(settings, operators, holes, conditions, places, data, labels)


def validation_set(settings: SamplerSettings, count: int, seed: int) -> ProblemBatch:
    """`count` problems of the whole distribution on the CPU, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    chunks = [sample(settings, min(CHUNK, count - start), generator) for start in range(0, count, CHUNK)]
    return stack(chunks)


@dataclass(frozen=True, eq=False)
class _Places:
    """Where a batch is evaluated: the raster's nodes, interior points, boundary points, in this order."""

    points: Float[Tensor, "batch n 2"]
    nodes: int
    inside: int
    rim: Rim


@dataclass(frozen=True, eq=False)
class _Data:
    """f at the nodes and interior points, u and du/dn at the boundary points."""

    source: Float[Tensor, "batch inside"]
    dirichlet: Float[Tensor, "batch edge"]
    neumann: Float[Tensor, "batch edge"]


def _places(draws: Draws, settings: SamplerSettings, holes: Holes, conditions: Conditions) -> _Places:
    nodes = grid_nodes(settings.grid, device=draws.device).flatten(0, 1)
    rim = random_rim(draws, holes, conditions.used, DENSER * settings.edge)
    interior = random_interior(draws, holes, settings.points)
    points = torch.cat([nodes.expand(len(interior), -1, 2), interior, rim.points], 1)
    return _Places(points, len(nodes), len(nodes) + settings.points, rim)


def _solve(
    draws: Draws, settings: SamplerSettings, stage: Stage, solutions: RandomField, points: Float[Tensor, "batch n 2"]
) -> Float[Tensor, "batch 5 n"]:
    """Jets of the solutions, all within the published limits.

    Those a little beyond them are scaled down, for the problem is linear; a tenth of the trees has spikes between the
    probes of its selection, and where these are more than SPIKE times too high a sum of waves takes their place.
    """
    jet = solutions.jet(points)
    factor = _room(jet, settings)
    rows = (SPIKE * factor < 1).nonzero()[:, 0]
    if len(rows):
        jet[rows] = random_waves(draws, len(rows), stage.waves).jet(points[rows])
        factor[rows] = _room(jet[rows], settings)
    return jet * factor.clamp(max=1)[:, None, None]


def _room(jet: Float[Tensor, "batch 5 n"], settings: SamplerSettings) -> Float[Tensor, " batch"]:
    """The factor that takes a solution to the limits of its value and derivatives."""
    largest = jet.abs().amax(-1).clamp(min=1e-30)
    return torch.minimum(settings.value / largest[:, 0], settings.slope / largest[:, 1:].amax(1))


def _manufactured(operators: Operators, jet: Float[Tensor, "batch 5 n"], places: _Places) -> _Data:
    rim = jet[:, :3, places.inside :]
    slope = (rim[:, 1:].mT * places.rim.normals).sum(-1)
    return _Data(operators.apply(jet[..., : places.inside]), rim[:, 0].clone(), slope)


def _state(data: _Data, rows: Int[Tensor, " some"], physics: RandomPhysics, places: _Places) -> None:
    """Put the data of problems without a solution into the batch's `rows`."""
    rim = places.rim.pick(rows)
    data.source[rows] = physics.source(places.points[rows, : places.inside])
    data.dirichlet[rows], data.neumann[rows] = physics.dirichlet(rim), physics.neumann(rim)


def _pose(
    settings: SamplerSettings,
    operators: Operators,
    holes: Holes,
    conditions: Conditions,
    places: _Places,
    data: _Data,
    labels: Labels,
) -> ProblemBatch:
    """Draw the raster, and keep every DENSER-th boundary point."""
    rim, n = places.rim, settings.grid
    on_dirichlet, on_neumann = (table.gather(1, rim.part) for table in (conditions.dirichlet, conditions.neumann))
    dirichlet = draw(rim.points, data.dirichlet, on_dirichlet, n)
    neumann = draw(rim.points, data.neumann, on_neumann, n)
    inside = (holes.deepest(places.points[:, : places.nodes]) < 0).unflatten(1, (n, n))
    f = torch.where(inside, data.source[:, : places.nodes].unflatten(1, (n, n)), 0.0)
    channels = [dirichlet.mask, neumann.mask, dirichlet.values, neumann.values, f]
    edge = (
        rim.points,
        rim.normals,
        torch.where(on_dirichlet, data.dirichlet, 0.0),
        on_dirichlet,
        torch.where(on_neumann, data.neumann, 0.0),
        on_neumann,
    )
    return ProblemBatch(
        coefficients=operators.coefficients,
        raster=torch.stack(channels, 1),
        inside=inside,
        interior=places.points[:, places.nodes : places.inside].contiguous(),
        source=data.source[:, places.nodes :].contiguous(),
        boundary=Boundary(*(tensor[:, ::DENSER].contiguous() for tensor in edge)),
        labels=labels,
    )
