"""The sampler's problems are consistent: equation, conditions and raster speak of the same solution."""

import dataclasses
import math

import pytest
import torch

from physolve.hypino import SamplerSettings, grid_nodes, sample, validation_set
from physolve.hypino.sampler import CurriculumSettings, Kinds, OperatorLimits, ShapeSettings, Types
from physolve.hypino.sampler._curriculum import stage_at
from physolve.hypino.sampler._draws import Draws
from physolve.hypino.sampler._operators import DEGENERATE, ELLIPTIC, HYPERBOLIC, PARABOLIC, random_operators
from physolve.hypino.sampler._solutions import SolutionKind, random_kinds

SMALL = SamplerSettings(grid=32, points=400, edge=256)
HOLES = ShapeSettings(holes=0.7, notch=0.3)
NONE = Kinds(*[0.0] * 6)


def settings(kind=None, types=None, **changes):
    """Small settings with samples of one kind and one type."""
    if kind is not None:
        changes["kinds"] = dataclasses.replace(NONE, **{kind: 1.0})
    if types is not None:
        changes["types"] = Types(**{name: float(name in types) for name in Types.__dataclass_fields__})
    return dataclasses.replace(SMALL, **changes)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def leaves(batch):
    found = []
    batch.map(lambda tensor: found.append(tensor) or tensor)
    return found


@pytest.fixture(scope="module")
def batch():
    return sample(dataclasses.replace(SMALL, shapes=HOLES), 96, seeded())


def test_shapes_and_types_are_those_of_the_batch(batch):
    assert batch.coefficients.shape == (96, 5)
    assert batch.raster.shape == (96, 5, 32, 32)
    assert batch.interior.shape == (96, 400, 2)
    assert batch.source.shape == (96, 400)
    assert batch.boundary.points.shape == batch.boundary.normals.shape == (96, 256, 2)
    assert batch.labels.jet.shape == (96, 5, 400)
    for tensor in leaves(batch):
        assert tensor.dtype in (torch.float32, torch.bool)
        assert tensor.isfinite().all()


def test_the_equation_holds_where_the_solution_is_known(batch):
    terms = batch.coefficients[:, :, None] * batch.labels.jet
    known = batch.labels.known
    size = terms.abs().sum(1).amax(1, keepdim=True).clamp(min=1e-6)
    assert known.sum() > 60
    assert ((terms.sum(1) - batch.source).abs() / size)[known].max() < 1e-5
    assert not batch.labels.jet[~known].any()


@pytest.mark.parametrize("types", ["elliptic", "hyperbolic"])
def test_boundary_data_are_those_of_the_solution(types):
    """Taylor's formula from the nearest interior point; the second derivatives of all waves together bound the rest."""
    some = settings("waves", types, points=3000, shapes=HOLES)
    batch = sample(some, 48, seeded(), progress=0.0)  # wave numbers up to pi
    offset = batch.boundary.points[:, :, None] - batch.interior[:, None]
    distance, nearest = offset.norm(dim=-1).min(-1)
    jet = batch.labels.jet.gather(2, nearest[:, None].expand(-1, 5, -1))
    offset = offset.gather(2, nearest[..., None, None].expand(-1, -1, 1, 2))[:, :, 0]
    bend = 2.5 * batch.labels.jet[:, 3:].abs().amax(-1).sum(1)[:, None] + 0.02  # u_xy included, by some margin
    value = jet[:, 0] + jet[:, 1] * offset[..., 0] + jet[:, 2] * offset[..., 1]
    slope = (jet[:, 1:3].mT * batch.boundary.normals).sum(-1)
    edge = batch.boundary
    wrong = ((value - edge.dirichlet).abs() - 0.5 * bend * distance**2 - 1e-5)[edge.on_dirichlet]
    assert wrong.max() < 0
    assert ((slope - edge.neumann).abs() - bend * distance - 1e-5)[edge.on_neumann].max() < 0
    assert edge.on_neumann.any()
    assert distance.median() < 0.05, "the test is empty without near interior points"


def test_values_are_given_only_where_asked(batch):
    edge = batch.boundary
    assert not edge.dirichlet[~edge.on_dirichlet].any()
    assert not edge.neumann[~edge.on_neumann].any()
    assert (edge.on_dirichlet | edge.on_neumann).all()
    twice = (edge.on_dirichlet & edge.on_neumann).any(1)
    assert twice[batch.labels.known].any()


def test_the_raster_shows_the_boundary_data(batch):
    """Points between those of the batch are drawn as well, so that values agree to the change along one spacing."""
    edge, nodes = batch.boundary, grid_nodes(32).reshape(1, -1, 2)
    radius = 0.75 * 2 / 31
    for channel, used in ((0, edge.on_dirichlet), (1, edge.on_neumann)):
        mask = batch.raster[:, channel].flatten(1).bool()
        points = torch.where(used[..., None], edge.points, 9.0)
        least = torch.cdist(nodes, points).amin(-1)
        spacing = torch.cdist(edge.points, edge.points).masked_fill(torch.eye(256, dtype=torch.bool), 9).amin(-1)
        spacing = spacing.amax(-1, keepdim=True)
        assert mask[least < radius - 1e-4].all()
        assert not mask[least > radius + spacing].any()
        assert not batch.raster[:, 2 + channel].flatten(1)[~mask].any()


def test_drawn_values_are_those_of_a_constant_boundary():
    values = sample(settings("physics", "elliptic", shapes=ShapeSettings(holes=0, notch=0)), 64, seeded(4))
    edge = values.boundary
    constant = edge.on_dirichlet.all(1) & (edge.dirichlet.amax(1) == edge.dirichlet.amin(1))
    drawn = values.raster[constant, 2] - values.raster[constant, 0] * edge.dirichlet[constant, :1, None]
    assert constant.sum() > 20
    assert not drawn.any()


def test_the_source_is_drawn_inside_the_domain_alone(batch):
    """`inside` follows the interior points: they are near nearly every node inside, and never deep in a hole."""
    nodes = grid_nodes(32).reshape(1, -1, 2)
    distance, inside = torch.cdist(nodes, batch.interior).amin(-1), batch.inside.flatten(1)
    assert (distance[inside] < 0.2).float().mean() > 0.97  # 400 points: about exp(-400 pi 0.2^2 / 4) are farther
    assert (~inside).any()
    nearest = torch.cdist(batch.interior, nodes.expand(len(batch), -1, -1)).argmin(-1)
    assert inside.gather(1, nearest).float().mean() > 0.97  # but for points at the rim of a hole
    drawn = batch.raster[:, 4].flatten(1)
    assert not drawn[~inside].any()
    busy = (batch.source.abs() > 1e-3).all(1)[:, None]
    assert (drawn[inside & busy] != 0).float().mean() > 0.99


def test_time_dependent_problems_have_conditions_where_time_allows():
    for types in ("parabolic", "hyperbolic"):
        edge = sample(settings(types=types), 64, seeded(1)).boundary
        top = (edge.points[..., 1] > 1 - 1e-6) & (edge.points[..., 0].abs() < 1 - 1e-6)
        start = edge.normals[..., 1] == -1
        assert not top.any()
        assert edge.on_dirichlet[start].all()
        assert (edge.on_neumann[start] == (types == "hyperbolic")).all()
        assert (edge.normals[..., 0].abs() + start == 1).all(), "only x = +-1 and y = -1, no holes"


def test_elliptic_problems_have_conditions_all_around():
    edge = sample(settings(types="elliptic", shapes=ShapeSettings(holes=0, notch=0)), 64, seeded(2)).boundary
    for axis in (0, 1):
        for sign in (-1, 1):
            share = (edge.normals[..., axis] == sign).float().mean(1)
            assert (share - 0.25).abs().max() < 0.01


def test_physics_alone_states_each_condition_once():
    batch = sample(settings("physics", shapes=HOLES), 96, seeded(5))
    edge, evolving = batch.boundary, batch.coefficients[:, 3] * batch.coefficients[:, 4] <= 0
    start = edge.normals[..., 1] == -1
    once = edge.on_dirichlet ^ edge.on_neumann
    assert once[~evolving].all()
    assert once[evolving[:, None] & ~start].all()
    assert not batch.labels.known.any()
    trivial = (batch.source == 0).all(1) & (edge.dirichlet == 0).all(1) & (edge.neumann == 0).all(1)
    assert not trivial.any()


def test_initial_profiles_of_physics_alone_meet_the_ends():
    smooth = CurriculumSettings(waves=(math.pi, math.pi))
    batch = sample(settings("physics", "parabolic", curriculum=smooth), 96, seeded(6))
    edge = batch.boundary
    sides = edge.normals[..., 0] != 0
    ends = torch.where(sides & edge.on_dirichlet, edge.dirichlet, torch.inf).amin(1)
    held = ends.isfinite()
    start = (edge.normals[..., 1] == -1) & held[:, None]
    corner = start & (edge.points[..., 0].abs() > 0.98)
    jump = (edge.dirichlet - ends[:, None])[corner]
    assert corner.sum() > 50
    assert jump.abs().max() < 3 * 2 * math.pi * 0.02  # four amplitudes, together 3 in the square mean; slopes of pi
    assert edge.dirichlet[start].abs().max() > 0.5


def test_vanishing_solutions_are_zero_on_the_outer_boundary():
    batch = sample(settings("vanishing", "elliptic", shapes=ShapeSettings(holes=0, notch=0)), 48, seeded(7))
    assert not batch.boundary.dirichlet.any()
    assert (batch.source.abs().amax(1) > 1e-3).all()


def test_solutions_keep_the_published_limits():
    batch = sample(SamplerSettings(grid=16, points=2000, edge=64), 192, seeded(8))
    jet = batch.labels.jet
    assert jet[:, 0].abs().max() <= SMALL.value * (1 + 1e-6)
    assert jet[:, 1:].abs().max() <= SMALL.slope * (1 + 1e-6)
    assert (jet[batch.labels.known, 0].std(1) > 1e-3).all()


@pytest.fixture(scope="module")
def operators():
    draws = Draws(seeded(9))
    return random_operators(draws, SamplerSettings(), torch.zeros(4000, dtype=torch.bool))


def test_types_have_the_signs_that_make_them_well_posed(operators):
    c, kind = operators.coefficients, operators.type
    assert (c[kind == ELLIPTIC, 3] * c[kind == ELLIPTIC, 4] > 0).all()
    assert (c[kind == HYPERBOLIC, 3] * c[kind == HYPERBOLIC, 4] < 0).all()
    assert (c[kind == PARABOLIC, 2] * c[kind == PARABOLIC, 3] < 0).all()
    assert not c[kind == PARABOLIC, 4].any()
    assert not c[kind == DEGENERATE, 4].any()
    for types, share in zip(range(4), (0.55, 0.2, 0.22, 0.03), strict=True):
        assert abs((kind == types).float().mean() - share) < 1e-3


def test_coefficients_keep_the_limits(operators):
    limits, c, kind = OperatorLimits(), operators.coefficients, operators.type
    terms = (c != 0).sum(1)
    slack = 1 + 1e-5
    assert c.abs().max() <= limits.largest * slack
    assert terms.min() >= 1
    assert terms.max() == 3
    e, p, h = (c[kind == k] for k in (ELLIPTIC, PARABOLIC, HYPERBOLIC))
    least = e[:, 3:].abs().amin(1)
    resonant = e[:, 0] * e[:, 3] > 0
    assert (e[resonant, 0].abs() <= limits.resonance * least[resonant] * slack).all()
    assert (e[:, 3:].abs().amax(1) <= limits.anisotropy * least * slack).all()
    assert (p[:, 3].abs() <= limits.diffusion * p[:, 2].abs() * slack).all()
    assert (h[:, 3].abs() <= limits.speed * h[:, 4].abs() * slack).all()
    growing = h[:, 0] * h[:, 4] < 0
    assert (h[growing, 0].abs() <= limits.growth * h[growing, 4].abs() * slack).all()
    assert 0.1 < (e[:, 3] == e[:, 4]).float().mean() < 0.9


def test_equal_seeds_give_equal_samples():
    first, again, other = (sample(SMALL, 24, seeded(seed)) for seed in (11, 11, 12))
    assert all(torch.equal(a, b) for a, b in zip(leaves(first), leaves(again), strict=True))
    assert not torch.equal(first.source, other.source)


def test_validation_sets_repeat_and_are_as_long_as_asked():
    first, again = (validation_set(SMALL, 70, 3) for _ in range(2))
    assert len(first) == 70
    assert all(torch.equal(a, b) for a, b in zip(leaves(first), leaves(again), strict=True))
    assert not torch.equal(first.coefficients[:6], first.coefficients[64:])


def test_kinds_come_in_their_shares():
    stage, draws = stage_at(SamplerSettings(), 1.0), Draws(seeded(13))
    counts = torch.bincount(random_kinds(draws, stage, 100), minlength=6)
    shares = torch.tensor(dataclasses.astuple(stage.kinds)) * 100 / sum(dataclasses.astuple(stage.kinds))
    assert (counts - shares).abs().max() <= 1
    assert len(shares) - 1 == SolutionKind.PHYSICS


def test_the_curriculum_goes_from_labelled_smooth_to_everything():
    start, middle, end = (stage_at(SamplerSettings(), p) for p in (0.0, 0.3, 1.0))
    assert start.waves < middle.waves < end.waves == pytest.approx(4 * math.pi)
    assert start.width > middle.width > end.width == pytest.approx(0.05)
    assert start.kinds.physics == 0 < middle.kinds.physics < end.kinds.physics == Kinds().physics
    assert sample(SMALL, 40, seeded(), progress=0.0).labels.known.all()
    with pytest.raises(ValueError, match="from 0"):
        sample(SMALL, 4, seeded(), progress=1.5)


def test_shares_that_are_all_zero_are_refused():
    with pytest.raises(ValueError, match="shares"):
        sample(settings("physics"), 4, seeded(), progress=0.0)  # the curriculum begins without physics alone


@pytest.mark.parametrize("count", [1, 2, 5])
def test_small_batches(count):
    for seed in range(6):
        assert len(sample(SMALL, count, seeded(seed))) == count
