"""Stations as a domain, and data that are known at them."""

import numpy as np
import pytest

from physolve.errors import SpecificationError, UnsupportedError
from physolve.spec import StationData, StationSet, dumps_problem, loads_problem, transport_form

PLACES = ((116.4, 39.9), (116.5, 40.0), (116.3, 40.1))
TEXT = """
coordinates = ["x", "y", "t"]
unknowns = ["c"]
domain = "stations([[116.4, 39.9], [116.5, 40], [116.3, 40.1]]) * time(0, 86400)"
equations = ["dt(c) + div(c*[east(x, y, t), north(x, y, t)]) = D*laplacian(c) + s(x, y)"]
parameters = { D = 100.0 }

[data]
east = { at = "stations" }
north = { at = "stations" }
s = { at = "stations" }
"""


def test_a_problem_at_stations_is_whole_without_conditions(recwarn):
    problem = loads_problem(TEXT)
    assert problem.hints == ()
    assert not recwarn.list
    assert problem.domain.space == StationSet(PLACES)
    assert [data.name for data in problem.data] == ["east", "north", "s"]


def test_it_reads_back_as_it_was_written():
    problem = loads_problem(TEXT)
    assert loads_problem(dumps_problem(problem)) == problem


def test_wind_at_stations_is_a_prescribed_velocity():
    assert transport_form(loads_problem(TEXT)).prescribed


def test_its_description_says_that_the_type_is_unknown():
    assert "not judged" in loads_problem(TEXT).describe()


def test_data_at_stations_have_no_values_elsewhere():
    with pytest.raises(UnsupportedError, match="'east': known at stations only"):
        StationData("east").sample(np.zeros((1, 3)))


def test_other_places_of_data_are_refused():
    with pytest.raises(SpecificationError, match="expected at = 'stations' alone"):
        loads_problem(TEXT.replace('s = { at = "stations" }', 's = { at = "grid" }'))


def test_samples_of_a_station_set_are_its_places():
    shape = StationSet(PLACES)
    drawn = shape.sample_interior(16).points
    assert {tuple(point) for point in drawn} <= set(PLACES)
    assert shape.measure == 3
    assert shape.signed_distance(np.array(PLACES)).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("places", "message"),
    [
        (PLACES[:2], "got 2 places"),
        ((*PLACES, PLACES[0]), "is given twice"),
        ((*PLACES[:2], (39.9, 116.4)), "place 3: got"),
        ((*PLACES[:2], (1.0,)), "2 coordinates"),
    ],
)
def test_bad_places(places, message):
    with pytest.raises(SpecificationError, match=message):
        StationSet(places)
