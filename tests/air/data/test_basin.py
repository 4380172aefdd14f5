"""Transport in a closed rectangle, and its samples."""

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

import physolve as ps
from physolve.air.data import Basin, Sampling, generate
from physolve.air.data._synthetic import places
from physolve.errors import SpecificationError, UnsupportedError

L = 100.0
x, y, t = ps.coordinates("x", "y", "t")
c = ps.unknown("c", x, y, t)
X, Y = sympy.pi * x / L, sympy.pi * y / L
GYRE = (5 * sympy.sin(X) * sympy.cos(Y), -5 * sympy.cos(X) * sympy.sin(Y))


SOURCE = 1 + sympy.cos(X)


def problem(wind=GYRE, source=SOURCE, conditions=None, domain=None, start=10):
    carried = ps.dt(c) + wind[0] * ps.d(c, x) + wind[1] * ps.d(c, y)
    return ps.Problem(
        equations=[ps.Eq(carried, 80 * ps.laplacian(c) - c / 20 + source)],
        domain=domain or ps.Rectangle((0, 0), (L, L)) * ps.TimeInterval(0, 24),
        conditions=conditions or [ps.Neumann(c, 0), ps.Initial(c, start)],
    )


@pytest.fixture(scope="module")
def basin():
    return Basin.solve(problem(), modes=10, tol=1e-5)


def test_mass_changes_by_emission_and_deposition_alone(basin):
    """dm/dt = 1 - m / 20 for the mean m: nothing passes the walls."""
    cells = (np.arange(40) + 0.5) / 40 * L
    grid = np.stack(np.meshgrid(cells, cells), -1).reshape(-1, 2)
    times = np.linspace(0, 24, 4)
    mean = basin.concentration(grid, times).mean(1)
    expected = solve_ivp(lambda _, m: 1 - m / 20, (0, 24), [10.0], t_eval=times, rtol=1e-10).y[0]
    np.testing.assert_allclose(mean, expected, rtol=1e-6)


def test_nothing_flows_through_the_walls(basin):
    along = np.linspace(5, 95, 7)
    wall = np.stack([np.zeros(7), along], 1)
    before, after = (basin.concentration(wall + np.array([shift, 0]), np.array([24.0])) for shift in (-1e-3, 1e-3))
    assert np.abs(after - before).max() < 1e-7 * np.abs(after).max()
    assert np.abs(basin.wind(wall, np.array([24.0]))[..., 0]).max() < 1e-12


def test_samples_are_the_solution_in_the_units_of_a_series(basin):
    how = Sampling(stations=(3, 2), hours=3, spin_up=6, modes=10, tol=1e-5)
    series = generate(problem(), how)
    points, hours = places((L, L), how), 6 + 3.0 * np.arange(7)
    assert (len(series), len(series.stations)) == (7, 6)
    np.testing.assert_allclose(series.values[..., 0], basin.concentration(points, hours), rtol=1e-5)
    np.testing.assert_allclose(series.wind * 3.6, basin.wind(points, hours), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(series.stations.longitude * 6371.0088 * np.pi / 180, points[:, 0])
    assert np.isfinite(series.weather).all()


def test_every_cell_has_its_station():
    how = Sampling(stations=(4, 3), jitter=0.49)
    cells = np.floor(places((8.0, 3.0), how) / [2.0, 1.0]).astype(int)
    assert {tuple(cell) for cell in cells} == {(i, j) for i in range(4) for j in range(3)}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"source": sympy.sin(X)}, SpecificationError, "differs from its mirror image"),
        ({"wind": (sympy.Integer(1), sympy.Integer(0))}, SpecificationError, "differs from its mirror image"),
        ({"wind": (sympy.Integer(0), sympy.Integer(0))}, UnsupportedError, "no unknown is carried"),
        (
            {"conditions": [ps.Dirichlet(c, 0), ps.Initial(c, 0)]},
            UnsupportedError,
            "condition 1 is of kind 'dirichlet'; expected initial values and no flux",
        ),
        (
            {"domain": ps.Rectangle((-1, 0), (1, 1)) * ps.TimeInterval(0, 1)},
            UnsupportedError,
            r"expected one unknown on rectangle\(\[0, 0\]",
        ),
    ],
)
def test_problems_that_are_no_closed_basin(change, error, message):
    with pytest.raises(error, match=message):
        Basin.solve(problem(**change), modes=4, tol=1e-2)


def test_a_spin_up_of_all_the_time_is_refused():
    with pytest.raises(SpecificationError, match="leaves nothing of 24 h"):
        generate(problem(), Sampling(spin_up=25, modes=4, tol=1e-2))


def test_sampling_refuses_stations_on_the_walls_of_cells():
    with pytest.raises(SpecificationError, match=r"a jitter from 0 to 0\.5"):
        Sampling(jitter=0.5)
