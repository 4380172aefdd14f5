"""Residual rows and their Jacobian: every kind of block against central differences; loss, samples, memory."""

from dataclasses import replace

import pytest
import sympy
import torch
from sympy import cos, pi, sin

from physolve.jets import TANH
from physolve.lagrangian import MovingModel, MovingSystem, lowered
from physolve.lagrangian._rows import Followed, Interior, OpenSide
from physolve.spec import (
    Dirichlet,
    Eq,
    Initial,
    Interval,
    Neumann,
    Periodic,
    Problem,
    Rectangle,
    TimeInterval,
    coordinates,
    d,
    dt,
    laplacian,
    unknown,
)

x, y, t = coordinates("x", "y", "t")
u, w = (unknown(name, x, t) for name in "uw")
p = unknown("p", x, y, t)
BURGERS = Eq(dt(u) + u * d(u, x), d(u, x, 2) / 10 + w)
DECAY = Eq(dt(w) + u * d(w, x), -u * w)
LINE, SQUARE = Interval(0, 1) * TimeInterval(0, 0.5), Rectangle((0, 0), (1, 1)) * TimeInterval(0, 0.5)

PROBLEMS = {
    "1-D periodic, two unknowns": Problem(
        [BURGERS, DECAY],
        LINE,
        [Initial(u, 1 + sin(2 * pi * x) / 5), Initial(w, cos(2 * pi * x)), Periodic(u, x), Periodic(w, x)],
    ),
    "1-D, a door and an open side": Problem(
        Eq(dt(u) + u * d(u, x), d(u, x, 2) / 10),
        LINE,
        [Initial(u, 1 + x / 2), Dirichlet(u, 1 + t / 3, on="left"), Neumann(u, u**2, on="right")],
    ),
    "2-D, a door and an open side": Problem(
        Eq(dt(p) + (1 + y / 4) * d(p, y) + p / 4 * d(p, x), laplacian(p) / 10 - p**2),
        SQUARE,
        [Initial(p, 1 + sin(2 * pi * x) * y), Periodic(p, x), Dirichlet(p, 1 - t, on=("bottom", "top"))],
    ),
}
BLOCKS = [(name, following) for name in PROBLEMS for following in (False, True)]


def case(name, following=False):
    system = MovingSystem(MovingModel.of(lowered(PROBLEMS[name]), 4, 2, TANH), following=following)
    generator = torch.Generator().manual_seed(2)
    vector = 0.3 * torch.randn(system.columns, generator=generator, dtype=torch.float64)
    return system, vector, system.sample(40, 3, (1.0,))


@pytest.mark.parametrize(("name", "following"), BLOCKS)
def test_jacobian_equals_central_differences(name, following):
    system, vector, sample = case(name, following)
    residual, jacobian = system.linearize(vector, sample)
    torch.testing.assert_close(residual, system.residual(vector, sample))
    generator = torch.Generator().manual_seed(4)
    for _ in range(3):
        direction = torch.randn(system.columns, generator=generator, dtype=torch.float64)
        ahead, behind = (system.residual(vector + h * direction, sample).detach() for h in (1e-5, -1e-5))
        torch.testing.assert_close(jacobian @ direction, (ahead - behind) / 2e-5, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "following", "kinds"),
    [
        ("1-D periodic, two unknowns", False, [Interior]),
        ("1-D, a door and an open side", False, [Interior, OpenSide]),
        ("2-D, a door and an open side", False, [Interior, OpenSide]),
        ("2-D, a door and an open side", True, [Followed]),
    ],
)
def test_blocks_of_a_sample(name, following, kinds):
    system, vector, sample = case(name, following)
    assert [type(block) for block in sample.blocks] == kinds
    assert sample.size == len(system.residual(vector, sample))
    assert sample.zero == 1.0
    for block, part in zip(sample.blocks, system.residuals(vector, sample), strict=True):
        assert len(block) == len(part)


@pytest.mark.parametrize("name", PROBLEMS)
def test_loss_is_the_sum_of_squares_of_the_residual(name):
    system, vector, sample = case(name)
    residual, _ = system.linearize(vector, sample)
    assert system.loss(vector, sample) == pytest.approx(float(residual.square().sum()), rel=1e-12)
    total = sum(float(part.detach().square().sum()) for part in system.residuals(vector, sample))
    assert system.loss(vector, sample) == pytest.approx(total, rel=1e-12)


def test_the_jacobian_is_written_into_given_memory():
    system, vector, sample = case("1-D, a door and an open side")
    _, fresh = system.linearize(vector, sample)
    memory = torch.full_like(fresh, torch.nan)
    _, again = system.linearize(vector, sample, memory)
    assert again.data_ptr() == memory.data_ptr()
    assert torch.equal(again, fresh)
    _, other = system.linearize(vector, sample, memory[1:])  # of another size: not used
    assert torch.equal(other, fresh)


def test_samples_are_of_a_seed():
    system, vector, _ = case("2-D, a door and an open side")
    first, again, other = (system.residual(vector, system.sample(40, seed, (1.0,))).detach() for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("name", "following"), BLOCKS)
def test_nothing_after_the_horizon_is_looked_at(name, following):
    system, vector, _ = case(name, following)
    sample = replace(system, horizon=0.2).sample(60, 3, (1.0,))
    times = torch.cat([block.labels(system.model, vector).points[:, -1] for block in sample.blocks])
    assert float(times.max()) <= 0.2
    assert float(times.max()) > 0.1


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_state_that_follows_the_pilot_exactly_has_no_residual(name):
    """Targets of a Followed block are what the pilot found at its labels and times: those before anything has moved
    are the initial values, which every model has."""
    system, vector, _ = case(name, following=True)
    sample = replace(system, horizon=0.0).sample(60, 3, (1.0,))
    assert system.loss(vector, sample) < 1e-24


# --- exact solutions leave no residual


def ramp(source):
    """w = x - 3 t without a source."""
    equation = Eq(dt(u) + 3 * d(u, x), d(u, x, 2) / 10 + source)
    conditions = [Initial(u, x), Dirichlet(u, -3 * t, on="left"), Neumann(u, 1, on="right")]
    return MovingSystem(MovingModel.of(lowered(Problem(equation, LINE, conditions)), 4, 2, TANH))


def test_what_drifts_and_keeps_its_value_leaves_no_residual():
    system = ramp(0)
    assert system.loss(system.start(0), system.sample(80, 3, (1.0,))) < 1e-18


def test_a_missing_source_counts_as_the_relative_error_that_it_makes():
    """W_t - 2 exp(t) over the time 1/2, in units of the state's size."""
    system = ramp(2 * sympy.exp(t))
    sample = system.sample(80, 3, (1.0,))
    moved, changed = system.residuals(system.start(0), sample)[0].unflatten(0, (2, -1))
    labels, times = sample.blocks[0].at.points.T
    size = system.model.frame.scales.size[0]
    expected = sample.factors[0] * -2 * times.exp() * 0.5 / size
    inside = labels + 3 * times < 1  # those that have left count no more
    assert 5 < int(inside.sum()) < len(times)
    torch.testing.assert_close(changed[inside], expected[inside])
    assert not bool(changed[~inside].any())
    assert float(moved.detach().abs().max()) < 1e-8
