"""Maps of stations."""

from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from physolve.air.operators import haversine
from physolve.errors import NumericalError, ProblemFileError, SpecificationError
from physolve.view import StationMap, plot_stations
from physolve.view._between_stations import beyond, interpolated, net_fluxes
from physolve.view._labels import place_labels

N = 6
PLACES = np.random.default_rng(0).random((N, 2))


def made_map(**given):
    fields = {
        "names": tuple("abcdef"),
        "longitude": 116 + PLACES[:, 0],
        "latitude": 40 + PLACES[:, 1],
        "values": np.linspace(10, 90, N),
        "title": "now",
        "spread": np.full(N, 5.0),
        "wind": np.tile([2.0, -1.0], (N, 1)),
        "edges": np.array([[0, 1, 2, 1], [1, 0, 3, 4]]),
        "fluxes": np.array([3.0, 1.0, -2.0, 0.5]),
    }
    return StationMap(**{**fields, **given})


def test_a_degree_is_as_long_as_the_air_room_has_it():
    """Places north of each other are as far apart as on its sphere, to rounding."""
    made = made_map()
    made = replace(made, longitude=np.full(len(made.names), 116.0))
    apart = np.ptp(made.places[:, 1])
    assert 1000 * apart == pytest.approx(haversine(made.latitude.min(), 116.0, made.latitude.max(), 116.0), rel=1e-9)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_picture_is_written(tmp_path, suffix):
    path = tmp_path / f"map{suffix}"
    plot_stations([made_map(), made_map(wind=None, spread=None, edges=None, fluxes=None)], path, label="PM2.5")
    assert path.stat().st_size > 5000


def test_values_show_in_the_picture(tmp_path):
    """The field turns round where the values do; all else is the same."""
    one = made_map(wind=None, spread=None, edges=None, fluxes=None)
    for name, each in (("one", one), ("other", replace(one, values=one.values[::-1]))):
        plot_stations([each], tmp_path / f"{name}.png", label="PM2.5")
    first, second = (matplotlib.image.imread(tmp_path / f"{name}.png") for name in ("one", "other"))
    assert first.shape == second.shape
    assert (np.abs(first - second).max(-1) > 0.1).mean() > 0.1


def test_stations_without_a_value_are_drawn_all_the_same(tmp_path):
    values = np.array([np.nan, 20, 30, 40, 50, 60])
    wind = np.full((N, 2), np.nan)
    plot_stations([made_map(values=values, wind=wind)], tmp_path / "map.png", label="PM2.5")
    assert (tmp_path / "map.png").is_file()


@given(arrays(float, N, elements=st.floats(0, 500)), arrays(float, (9, 2), elements=st.floats(-1, 2)))
def test_interpolation_is_exact_at_stations_and_stays_in_their_range(values, points):
    np.testing.assert_allclose(interpolated(PLACES, values, PLACES), values, atol=1e-6)
    between = interpolated(PLACES, values, points)
    assert values.min() <= between.min()
    assert between.max() <= values.max()


def test_interpolation_leaves_out_what_is_missing():
    values = np.array([np.nan, 20, 30, 40, 50, 60])
    np.testing.assert_allclose(interpolated(PLACES, values, PLACES[1:]), values[1:], atol=1e-9)
    assert np.isnan(interpolated(PLACES, np.full(N, np.nan), PLACES)).all()


def test_edges_there_and_back_are_one_arrow_the_way_more_flows():
    pairs, net = net_fluxes(np.array([[0, 1, 2], [1, 0, 3]]), np.array([1.0, 3.0, -2.0]))
    assert pairs.T.tolist() == [[1, 0], [3, 2]]
    assert net.tolist() == [2, 2]


def test_the_field_ends_where_no_station_is_near():
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5]], dtype=float)
    far = beyond(square, np.array([[0.2, 0.7], [1.5, 0.5], [2, 2]]))
    np.testing.assert_allclose(far, [0, 0.5, 2**0.5])
    line = np.array([[0, 0], [1, 0], [2, 0]], dtype=float)
    np.testing.assert_allclose(beyond(line, np.array([[1, 0.5], [3, 0]])), [0.5, 1])


def overlapping(middles, sizes):
    """Pairs of boxes that share an area."""
    reach = (sizes[:, None] + sizes) / 2 - np.abs(middles[:, None] - middles)
    return int((np.triu((reach > 1e-9).all(-1), 1)).sum())


@pytest.mark.parametrize("seed", range(5))
def test_names_of_a_crowd_cover_neither_each_other_nor_stations(seed):
    """Twelve stations in a frame of 240 by 280 points, seven of them in a city of 60 by 60; names beside them would."""
    rng = np.random.default_rng(seed)
    stations = np.concatenate([rng.uniform([20, 20], [220, 260], (5, 2)), rng.uniform([80, 60], [140, 120], (7, 2))])
    sizes = np.stack([rng.uniform(20, 50, 12), np.full(12, 9.0)], 1)
    middles = place_labels(stations, sizes, np.zeros(2), np.array([240.0, 280.0]))
    assert overlapping(middles, sizes) == 0
    assert (middles - sizes / 2 >= 0).all()
    assert (middles + sizes / 2 <= [240, 280]).all()
    covered = np.abs(middles[:, None] - stations) < sizes[:, None] / 2
    assert not covered.all(-1).any()


def test_a_name_gives_way_to_an_arrow():
    """To the right, where it would stand, there is one: it goes to the other side."""
    station, size, frame = np.array([[50.0, 50.0]]), np.array([[30.0, 9.0]]), (np.zeros(2), np.full(2, 100.0))
    assert place_labels(station, size, *frame)[0, 0] > 50
    assert place_labels(station, size, *frame, free=np.array([[70.0, 50.0]]))[0, 0] < 50


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wind": np.zeros((N, 3))}, r"wind: got shape \(6, 3\), expected \(6, 2\)"),
        ({"fluxes": np.zeros(3)}, r"fluxes: got shape \(3,\), expected \(4,\)"),
        ({"values": np.zeros(2)}, "values: got shape"),
    ],
)
def test_shapes_that_do_not_fit(change, message):
    with pytest.raises(SpecificationError, match=message):
        made_map(**change)


def test_what_cannot_be_drawn(tmp_path):
    with pytest.raises(SpecificationError, match="got none"):
        plot_stations([], tmp_path / "map.png", label="")
    with pytest.raises(NumericalError, match="no finite value"):
        plot_stations([made_map(values=np.full(N, np.nan))], tmp_path / "map.png", label="PM2.5")
    with pytest.raises(ProblemFileError, match="does not exist"):
        plot_stations([made_map()], tmp_path / "no" / "map.png", label="PM2.5")
