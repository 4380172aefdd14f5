"""The shipped synthetic set: what data/air/README.md claims of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from finite_volumes import Mesh, Scheme

from physolve.air.data import Sampling, generate, read_series
from physolve.air.data._synthetic import places
from physolve.air.operators import KM_PER_DEGREE
from physolve.spec import Program, Rectangle, TimeInterval, read_problem, transport_form

FOLDER = Path(__file__).resolve().parents[3] / "data" / "air"
D, K, SIZE = 120.0, 0.04, 200.0


@pytest.fixture(scope="module")
def series():
    return read_series(FOLDER / "basin.h5")


@pytest.fixture(scope="module")
def points(series):
    return KM_PER_DEGREE * np.stack([series.stations.longitude, series.stations.latitude], 1)


@pytest.fixture(scope="module")
def known(series, points):
    """Concentrations, fluxes and the scheme."""
    mesh = Mesh(points, SIZE)
    return series.values[..., 0].astype(float), mesh.fluxes(3.6 * series.wind.astype(float)), Scheme(mesh)


def test_stations_are_where_the_command_puts_them(points):
    np.testing.assert_allclose(points, places((SIZE, SIZE), Sampling()), atol=1e-9)


@pytest.mark.slow
def test_the_command_makes_the_same_values_again(series):
    """The first 27 hours after the spin-up: those do not depend on what comes later."""
    problem = read_problem(FOLDER / "basin.toml")
    short = replace(problem, domain=Rectangle((0, 0), (SIZE, SIZE)) * TimeInterval(0, 240 + 27))
    again = generate(short)
    np.testing.assert_allclose(again.values, series.values[:10], rtol=1e-4)


def test_wind_is_that_of_the_problem_file(series, points):
    problem = read_problem(FOLDER / "basin.toml")
    hours = 240 + 3.0 * np.array([0, 77, 1600])
    for k, t in zip((0, 77, 1600), hours, strict=True):
        wind = Program(transport_form(problem).velocity, problem.coordinates)(*points.T, np.full(len(points), t))
        np.testing.assert_allclose(3.6 * series.wind[k], np.stack(wind, 1), rtol=1e-5, atol=1e-5)


def test_cells_cover_the_square_and_fluxes_have_no_divergence(known):
    _, q, scheme = known
    assert scheme.mesh.areas.sum() == pytest.approx(SIZE**2, rel=1e-9)
    assert np.abs(q @ scheme.mesh.incidence.T).max() < 1e-9 * np.abs(q).max()


@pytest.mark.parametrize(("fixed_gain", "ratio"), [(True, 0.97), (False, 1.09)])
def test_finite_volumes_recover_the_diffusivity(known, fixed_gain, ratio):
    """Within 10 % of the truth, and as the README says."""
    c, q, scheme = known
    some = slice(0, 400)
    p = scheme.fit(c[some], q[some], fixed_gain)
    assert p[0] / D == pytest.approx(ratio, abs=0.03)
    assert p[2] / K == pytest.approx(1, abs=0.12)


def test_their_forecasts_with_known_wind_are_close_to_the_equation(known):
    c, q, scheme = known
    p = scheme.fit(c[:400], q[:400], False)
    starts = np.arange(1121, len(c) - 24, 12)
    forecast = scheme.rollout(p, c, q, starts, 24)
    truth = np.stack([c[starts + m] for m in range(1, 25)])
    assert np.linalg.norm(forecast - truth) / np.linalg.norm(truth) < 0.03
    assert np.linalg.norm(c[starts] - truth) / np.linalg.norm(truth) > 0.2  # persistence
