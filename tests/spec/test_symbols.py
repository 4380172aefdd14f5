"""Coordinates, unknowns, parameters: names, equality, refusals."""

import pickle

import pytest
import sympy

from physolve.errors import SpecificationError
from physolve.spec import Parameter, coordinates, normal, parameter, unknown
from physolve.spec._symbols import name_of, space_of, time_of, unknowns_of, vector_name_of


def test_coordinates_are_real_symbols_and_t_is_the_time():
    x, t = coordinates("x", "t")
    assert x == sympy.Symbol("x", real=True)
    assert time_of((x, t)) == t
    assert space_of((x, t)) == (x,)
    assert time_of((x,)) is None


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("x", "x"), "coordinates: coordinate names must differ, got x, x"),
        (("t", "x"), "coordinates: the time t must be the last coordinate, got t, x"),
        (("x", "y", "z", "w"), "coordinates: at most three space dimensions, got x, y, z, w"),
        ((), "coordinates: no coordinate given; expected one to three in space and perhaps t"),
        (
            ("2x",),
            "coordinate name '2x': expected a word of letters, digits and _, not starting with a digit",
        ),
    ],
)
def test_bad_coordinates(names, message):
    with pytest.raises(SpecificationError) as error:
        coordinates(*names)
    assert str(error.value) == message


def test_unknown_is_equal_by_name_and_coordinates():
    x, y = coordinates("x", "y")
    assert unknown("u", x, y) == unknown("u", x, y)
    assert unknown("u", x, y) != unknown("u", x)
    assert unknown("u", x, y).is_real


@pytest.mark.parametrize(("components", "names"), [(2, ["v_x", "v_y"]), (3, ["v_1", "v_2", "v_3"]), (1, ["v"])])
def test_components_are_called_after_the_space_coordinates(components, names):
    x, y, t = coordinates("x", "y", "t")
    v = unknown("v", x, y, t, components=components)
    parts = [v] if components == 1 else list(v)
    assert [name_of(p) for p in parts] == names
    assert {vector_name_of(p) for p in parts} == {None if components == 1 else "v"}
    assert all(p.args == (x, y, t) for p in parts)


def test_a_component_differs_from_a_scalar_of_the_same_name():
    x, y = coordinates("x", "y")
    assert unknown("v", x, y, components=2)[0] != unknown("v_x", x, y)


@pytest.mark.parametrize("components", [0, -1, 1.5, True])
def test_bad_components(components):
    with pytest.raises(SpecificationError, match="components must be a positive integer"):
        unknown("v", *coordinates("x", "y"), components=components)


def test_unknown_needs_coordinates_that_are_symbols():
    with pytest.raises(SpecificationError, match="make it with physolve"):
        unknown("u", "x")


def test_parameter_keeps_its_guess_through_sympy_and_pickle():
    x, y = coordinates("x", "y")
    D = parameter("D", 2.0)
    found = next(s for s in (D * x + sympy.sin(D * y)).free_symbols if isinstance(s, Parameter))
    assert found.guess == 2.0
    assert pickle.loads(pickle.dumps(D)) == D
    assert pickle.loads(pickle.dumps(D)).guess == 2.0


def test_parameter_equality_includes_the_guess():
    assert parameter("D", 2.0) == parameter("D", 2.0)
    assert parameter("D", 2.0) != parameter("D", 3.0)
    assert parameter("D") != sympy.Symbol("D", real=True)
    assert hash(parameter("D", 2.0)) == hash(parameter("D", 2))


@pytest.mark.parametrize("guess", [float("nan"), float("inf"), "1", None, True])
def test_bad_guess(guess):
    with pytest.raises(SpecificationError, match="the guess must be a finite number"):
        parameter("D", guess)


def test_normal_leaves_out_the_time():
    x, y, t = coordinates("x", "y", "t")
    assert [n.name for n in normal(x, y, t)] == ["n_x", "n_y"]


def test_unknowns_of_keeps_the_order_of_appearance_and_sees_derivatives():
    x, y = coordinates("x", "y")
    u, w = unknown("u", x, y), unknown("w", x, y)
    assert unknowns_of(sympy.Eq(w.diff(x), u)) == (w, u)
