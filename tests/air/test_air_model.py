"""The model: which physics it has, what it conserves, that all of it learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from air_problems import FULL, WIND, problem_of

from physolve.air import AirModel, AirSetup, AirSizes, OdeSolver, Windows
from physolve.air.training import LossWeights, loss
from physolve.errors import NumericalError, SpecificationError

DIFFUSION, ADVECTION = "dt(c) = D*laplacian(c)", f"dt(c) + a*div(c*{WIND}) = 0"
COMPACT = {"scheme": "compact", "solenoidal": True}
CLOSED = AirSizes(history=6, horizon=4, hidden=8, latent=2, samples=1, known_wind=True, open_rim=False)


def batch_for(model, series, instants=(10, 20, 30)):
    return Windows.of(series, model.setup, model.sizes).at(instants)


def masses(model, batch):
    c = model(batch, 0).concentration[0].double()
    return (c * model.physics.graph.area.double()).sum(-1)


@pytest.mark.parametrize("equation", [FULL, f"{DIFFUSION} + source(x, y, t)", ADVECTION, "dt(c) = -k*c + source(x, y)"])
def test_gradients_reach_every_parameter(made, series, equation):
    model = made(equation)
    batch = batch_for(model, series)
    loss(model(batch), batch, model.setup.scale, model.sizes.every, LossWeights()).backward()
    learned = {name: p for name, p in model.named_parameters() if p.requires_grad}
    silent = [name for name, p in learned.items() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []
    assert any(name.startswith("physics.") for name in learned)


def test_the_equation_decides_the_physics(made):
    full, diffusion, advection = made(FULL).physics, made(DIFFUSION).physics, made(ADVECTION).physics
    assert full.diffusivity.shape == (full.graph.pairs,)
    assert (diffusion.response, diffusion.deposition, diffusion.emission) == (None, None, None)
    assert advection.diffusivity is None
    wind = torch.ones(len(full.graph), 2)
    assert len(full.supports(wind[None])) == 2
    assert torch.equal(diffusion.transport(wind).loss, diffusion.transport(-wind).loss)
    assert not torch.equal(advection.transport(wind).loss, advection.transport(-wind).loss)


def test_deposition_takes_its_share(made, series):
    """exp(-k t) of what there would be without, for every station."""
    with_it, without = made("dt(c) = D*laplacian(c) - 1e-5*c", CLOSED), made(DIFFUSION, CLOSED)
    batch = batch_for(with_it, series)
    share = with_it(batch, 0).mean / without(batch, 0).mean
    hours = 3 * torch.arange(1, 5)
    assert torch.allclose(share, torch.exp(-1e-5 * 3600 * hours)[None, :, None].expand_as(share), rtol=1e-4)


@pytest.mark.parametrize("change", [{}, COMPACT])
@pytest.mark.parametrize("equation", [DIFFUSION, ADVECTION, f"dt(c) + div(c*{WIND}) = D*laplacian(c)"])
def test_mass_is_conserved_over_the_horizon(made, series, equation, change):
    model = made(equation, replace(CLOSED, **change))
    mass = masses(model, batch_for(model, series))
    assert ((mass - mass[:, :1]).abs() < 1e-6 * mass[:, :1]).all()


@pytest.mark.parametrize("change", [{}, COMPACT])
def test_a_constant_field_stays_in_any_wind(series, change):
    """With w . grad(c) of a known wind: nothing is there to be carried."""
    setup = AirSetup.of(problem_of(f"dt(c) + dot({WIND}, grad(c)) = D*laplacian(c)"), series)
    model = AirModel(setup, replace(CLOSED, **change))
    batch = replace(batch_for(model, series), now=torch.ones(3, len(series.stations)))
    with torch.no_grad():
        model.encoder.moments.weight.zero_()
        model.encoder.moments.bias.zero_()
        said = model(batch, 0).mean
    assert torch.allclose(said, torch.full_like(said, setup.scale), rtol=1e-5)


@pytest.mark.parametrize("solver", [OdeSolver("dopri5", tolerance=1e-6), OdeSolver("rk4", adjoint=True)])
def test_solvers_agree_in_values_and_gradients(made, series, solver):
    """rk4 within 2e-4 of the others where exchange is slow: its step is the series' own."""
    slow = f"dt(c) + 0.02*div(c*{WIND}) = 20*laplacian(c) - k*c + source(x, y, t)"
    one, other = made(slow).eval(), made(slow, solver=solver).eval()
    batch = batch_for(one, series)
    for model in (one, other):
        model(batch, 0).mean.square().mean().backward()
    assert torch.allclose(one(batch, 0).mean, other(batch, 0).mean, rtol=2e-4, atol=1e-2)
    for (name, p), q in zip(one.named_parameters(), other.parameters(), strict=True):
        if p.requires_grad and p.grad is not None:
            assert torch.allclose(p.grad, q.grad, rtol=2e-2, atol=2e-3 * float(p.grad.abs().max())), name


def test_strong_winds_are_integrated_stably(made, series):
    """rk4 takes as many steps as stability asks for; beyond its limit it says why it does not."""
    model = made(ADVECTION, CLOSED)
    batch = batch_for(model, series)
    storm = replace(batch, wind=30 * batch.wind)
    said = model(storm, 0)
    assert said.rates.fastest(model.physics.graph.receiver) > 2.8
    everything_in_one_cell = masses(model, storm).detach().max() / model.physics.graph.area.min()
    assert said.mean.detach().max() < 1.01 * everything_in_one_cell
    with pytest.raises(NumericalError, match="units of the wind"):
        model(replace(batch, wind=1e5 * batch.wind), 0)


@pytest.mark.parametrize("scheme", ["central", "compact"])
def test_no_checkerboard_grows(made, series, scheme):
    """The shortest waves decay fastest, twice as fast as stations lose what they have: steps are short enough."""
    fast = "dt(c) = 3000*laplacian(c)"
    model = made(fast, replace(CLOSED, scheme=scheme)).eval()
    batch = batch_for(model, series)
    now = 1 + (torch.arange(len(series.stations)) % 2).float().expand_as(batch.now)
    c = model(replace(batch, now=now), 0).mean
    assert c.max() <= 1.01 * model.setup.scale * 2
    assert ((c.amax(2) - c.amin(2)).diff(dim=1) <= 1e-3 * model.setup.scale).all()


def test_nothing_after_the_present_is_read(made, series):
    """Unless the wind is known: what comes later may be anything."""
    model = made().eval()
    batch = batch_for(model, series)
    later = replace(batch, target=batch.target + 1e3, wind=batch.wind + 1e3 * (torch.arange(5) > 0)[:, None, None])
    assert torch.equal(model(batch, 0).mean, model(later, 0).mean)


def test_samples_are_scattered_around_their_mean(made, series):
    model = made().eval()
    batch = batch_for(model, series)
    torch.manual_seed(0)
    said = model(batch, 64)
    assert said.concentration.shape == (64, 3, 4, 7)
    assert said.concentration.std(0).min() > 0
    apart = (said.mean - model(batch, 0).mean).abs()
    assert (apart < 5 * said.concentration.std(0) / 8 + 0.05 * said.mean.abs()).all()


def test_a_model_of_other_stations_is_refused(series):
    problem = problem_of(DIFFUSION)
    setup = replace(AirSetup.of(problem, series), problem=problem)
    with pytest.raises(SpecificationError, match="its domain has 3 places"):
        AirModel(setup, CLOSED)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"every": 5}, "divisor"), ({"hidden": 0}, "at least 1"), ({"walls": (0.0, 1.0)}, "west, south")],
)
def test_sizes_that_make_no_model(change, message):
    with pytest.raises(SpecificationError, match=message):
        AirSizes(**change)


def test_windows_end_where_the_series_does(made, series):
    windows = Windows.of(series, made().setup, made().sizes)
    assert (windows.instants.start, windows.instants.stop) == (5, 56)
    last = windows.at([55])
    assert np.allclose(last.target[0, -1][last.measured[0, -1]], series.values[-1, :, 0][last.measured[0, -1].numpy()])
    with pytest.raises(SpecificationError, match="got steps 56 to 56"):
        windows.at([56])
