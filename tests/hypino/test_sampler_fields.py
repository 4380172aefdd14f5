"""Jets of the random functions against nested autograd in float64, and what the functions promise."""

import dataclasses
import math

import pytest
import torch

from physolve.errors import NumericalError
from physolve.hypino import SamplerSettings
from physolve.hypino.sampler._draws import Draws
from physolve.hypino.sampler._fields import Mixture, Product, Vanishing, random_bumps, random_waves
from physolve.hypino.sampler._modes import random_modes, random_profile
from physolve.hypino.sampler._operators import random_operators
from physolve.hypino.sampler._trees import ADD, BASES, COMPOSE, MULTIPLY, PSI, Trees, random_trees, select_trees

COUNT, POINTS = 24, 40
ROUNDING = 1e-11  # relative to the largest derivative of a sample: tens of operations in float64


@pytest.fixture
def draws():
    return Draws(torch.Generator().manual_seed(3))


def doubled(field):
    """The same function in float64."""
    changes = {}
    for entry in dataclasses.fields(field):
        value = getattr(field, entry.name)
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            changes[entry.name] = value.double()
        elif dataclasses.is_dataclass(value):
            changes[entry.name] = doubled(value)
    return dataclasses.replace(field, **changes)


def points_of(draws, count=COUNT, points=POINTS):
    return draws.uniform(count, points, 2, low=-1, high=1).double()


def autograd_jet(value, points):
    points = points.detach().requires_grad_()
    u = value(points)
    first = torch.autograd.grad(u.sum(), points, create_graph=True)[0]
    second = [torch.autograd.grad(first[..., k].sum(), points, retain_graph=True)[0][..., k] for k in (0, 1)]
    return torch.stack([u, first[..., 0], first[..., 1], *second], 1).detach()


def assert_equal_jets(got, expected):
    scale = expected.abs().amax((1, 2), keepdim=True).clamp(min=1)
    assert ((got - expected) / scale).abs().max() < ROUNDING


@pytest.mark.parametrize("kind", ["waves", "bumps", "modes", "profile", "product"])
def test_jets_are_derivatives(draws, kind):
    operators = random_operators(draws, SamplerSettings(), torch.ones(COUNT, dtype=torch.bool))
    flags = draws.chance(0.5, COUNT), draws.chance(0.5, COUNT)
    field = {
        "waves": lambda: random_waves(draws, COUNT, 4 * math.pi),
        "bumps": lambda: random_bumps(draws, COUNT, 0.05),
        "modes": lambda: random_modes(draws, operators.coefficients, ~operators.elliptic, 4 * math.pi),
        "profile": lambda: random_profile(draws, COUNT, 4 * math.pi),
        "product": lambda: Product(random_waves(draws, COUNT, 4.0), Vanishing(*flags)),
    }[kind]()
    field, points = doubled(field), points_of(draws)
    assert_equal_jets(field.jet(points), autograd_jet(lambda p: field.jet(p)[:, 0], points))


def tree_value(trees, sample, points):
    """The published rules for one sample, term by term, values only."""
    x, y = points.unbind(-1)
    u = torch.zeros_like(x)
    for rule, base, (a, b, c, scale, d, e) in zip(
        trees.rule[sample], trees.base[sample], trees.numbers[sample], strict=True
    ):
        z = scale * u + c if rule == COMPOSE else a * x + b * y + c
        v = d * BASES[base](z)[0] + e
        u = {ADD: u + v, MULTIPLY: u * v, COMPOSE: v}.get(int(rule), u)
    return u


def test_tree_jets_are_derivatives(draws):
    trees = select_trees(draws, COUNT, 10.0, 1e4, 0.1)
    trees = Trees(trees.rule, trees.base, trees.numbers.double())
    points = points_of(draws)
    expected = [autograd_jet(lambda p, k=k: tree_value(trees, k, p[0])[None], points[k : k + 1]) for k in range(COUNT)]
    assert_equal_jets(trees.jet(points), torch.cat(expected))


def test_bases_with_their_scalings_are_the_published_functions():
    z = torch.linspace(-3, 3, 50, dtype=torch.float64)
    published = (z, z.sin(), z.cos(), z.tanh(), z.sigmoid(), 1 / (1 + z * z))
    for (base, scale, shift, gain, lift), expected in zip(PSI, published, strict=True):
        torch.testing.assert_close(gain * BASES[base](scale * z + shift)[0] + lift, expected, rtol=0, atol=1e-14)


def test_trees_have_six_to_ten_terms_of_every_rule(draws):
    trees = random_trees(draws, 3000)
    number = (trees.rule <= COMPOSE).sum(1)
    assert number.unique().tolist() == [6, 7, 8, 9, 10]
    shares = torch.bincount(trees.rule[trees.rule <= COMPOSE]) / number.sum()
    assert (shares - 1 / 3).abs().max() < 0.02  # 24,000 terms: a deviation of 0.003


def test_selected_trees_keep_the_limits_nearly_everywhere(draws):
    jet = select_trees(draws, 200, 10.0, 1e4, 0.1).jet(draws.uniform(200, 500, 2, low=-1, high=1))
    wrong = (jet[:, 0].abs().amax(-1) > 10) | (jet[:, 1:].abs().amax((1, 2)) > 1e4) | (jet[:, 0].std(1) < 0.08)
    assert wrong.float().mean() < 0.15  # of all random trees three of four are wrong


def test_selection_that_cannot_succeed_says_so(draws):
    with pytest.raises(NumericalError, match="raise value and slope or lower spread"):
        select_trees(draws, 4, value=0.1, slope=1e4, spread=5.0)


def test_a_mixture_gives_every_sample_its_own_function(draws):
    waves, bumps = random_waves(draws, 2, 5.0), random_bumps(draws, 3, 0.1)
    mixture = Mixture(6, (torch.tensor([4, 0]), torch.tensor([1, 5, 3])), (waves, bumps))
    points = draws.uniform(6, POINTS, 2, low=-1, high=1)
    jet = mixture.jet(points)
    assert torch.equal(jet[[4, 0]], waves.jet(points[[4, 0]]))
    assert torch.equal(jet[[1, 5, 3]], bumps.jet(points[[1, 5, 3]]))
    assert not jet[2].any()


def test_a_tree_does_not_depend_on_its_batch(draws):
    trees, points = select_trees(draws, COUNT, 10.0, 1e4, 0.1), draws.uniform(COUNT, POINTS, 2, low=-1, high=1)
    together = trees.jet(points)
    for k in range(COUNT):
        alone = trees.pick(torch.tensor([k])).jet(points[k : k + 1])
        scale = alone.abs().amax(-1, keepdim=True).clamp(min=1)
        assert ((together[k] - alone[0]) / scale[0]).abs().max() < 1e-3  # float32, rounding grows through the terms


def test_free_modes_solve_the_equation_without_a_source(draws):
    settings = SamplerSettings()
    operators = random_operators(draws, settings, torch.ones(400, dtype=torch.bool))
    initial = ~operators.elliptic
    modes = doubled(random_modes(draws, operators.coefficients.double(), initial, 4 * math.pi))
    jet = modes.jet(points_of(draws, 400))
    size = (operators.coefficients.double().abs()[:, :, None] * jet.abs()).amax((1, 2))
    rows = initial & (operators.coefficients[:, 1] == 0)
    assert rows.sum() > 100
    assert (operators.apply(jet.float()).abs().amax(1) / size)[rows].max() < 1e-5  # coefficients are float32


def test_profiles_and_vanishing_factors_are_zero_at_the_ends(draws):
    ends = torch.tensor([[[-1.0, -0.3], [1.0, 0.8]]]).expand(COUNT, 2, 2)
    assert random_profile(draws, COUNT, 4 * math.pi).jet(ends)[:, 0].abs().max() < 1e-4
    everywhere = torch.ones(COUNT, dtype=torch.bool)
    assert not Vanishing(everywhere, ~everywhere).jet(ends)[:, 0].any()
    assert not Vanishing(~everywhere, everywhere).jet(ends.flip(-1))[:, 0].any()


def test_waves_keep_to_the_largest_number(draws):
    waves = random_waves(draws, 500, 3.0)
    assert 2.5 < waves.numbers.abs().max() <= 3.0
