"""Operators against polynomials done by hand, vector identities, and refusals."""

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from physolve.errors import SpecificationError
from physolve.spec import (
    Eq,
    biharmonic,
    coordinates,
    curl,
    d,
    div,
    dot,
    dt,
    grad,
    laplacian,
    unknown,
)
from physolve.spec._operators import flatten_equation

x, y, z, t = coordinates("x", "y", "z", "t")
u = unknown("u", x, y)
v = unknown("v", x, y, components=2)
w = unknown("w", x, y, z, components=3)
heat = unknown("h", x, y, t)

exponents = st.tuples(*[st.integers(0, 4)] * 3)
polynomials = st.dictionaries(exponents, st.integers(-5, 5), max_size=4).map(
    lambda terms: sympy.Add(*(c * x**i * y**j * z**k for (i, j, k), c in terms.items()))
)


def test_derivatives_of_an_unknown():
    assert d(u, x, 2) == d(u, x, x) == sympy.Derivative(u, (x, 2))
    assert d(u, x, y) == sympy.Derivative(u, x, y)
    assert d(v, x)[1] == sympy.Derivative(v[1], x)


def test_space_operators_leave_the_time_out():
    assert laplacian(heat) == sympy.Derivative(heat, (x, 2)) + sympy.Derivative(heat, (y, 2))
    assert grad(heat).shape == (2, 1)
    assert dt(heat) == sympy.Derivative(heat, t)
    assert dt(heat, 2) == sympy.Derivative(heat, (t, 2))


def test_gradient_of_a_vector_is_the_jacobian():
    J = grad(v)
    assert J[0, 1] == sympy.Derivative(v[0], y)
    assert J[1, 0] == sympy.Derivative(v[1], x)


def test_convection_term():
    expected = v[0] * sympy.Derivative(v[1], x) + v[1] * sympy.Derivative(v[1], y)
    assert dot(grad(v), v)[1] == expected


def test_divergence_of_a_matrix_goes_by_row():
    A = sympy.Matrix([[x * y, y**2], [x**2, x * y**2]])
    assert list(div(A, x, y)) == [3 * y, 2 * x + 2 * x * y]


def test_curl_in_the_plane():
    assert curl(sympy.Matrix([-y, x]), x, y) == 2
    assert curl(v) == sympy.Derivative(v[1], x) - sympy.Derivative(v[0], y)


def test_biharmonic_by_hand():
    assert biharmonic(x**4 + x**2 * y**2, x, y) == 24 + 8


@given(polynomials)
@settings(max_examples=15, deadline=None)
def test_div_grad_is_the_laplacian_and_curl_grad_is_zero(f):
    space = (x, y, z)
    assert sympy.expand(div(grad(f, *space), *space) - laplacian(f, *space)) == 0
    assert all(sympy.expand(e) == 0 for e in curl(grad(f, *space), *space))


@given(polynomials, polynomials, polynomials)
@settings(max_examples=15, deadline=None)
def test_div_curl_is_zero(a, b, c):
    space = (x, y, z)
    assert sympy.expand(div(curl([a, b, c], *space), *space)) == 0


@given(polynomials, polynomials)
@settings(max_examples=15, deadline=None)
def test_product_rule(f, g):
    space = (x, y, z)
    left = div(f * grad(g, *space), *space)
    right = f * laplacian(g, *space) + dot(grad(f, *space), grad(g, *space))
    assert sympy.expand(left - right) == 0


def test_equations_stay_as_written():
    assert Eq(x, x) == sympy.Eq(x, x, evaluate=False)
    assert Eq(u, 1).lhs == u


def test_vector_equations_become_tuples():
    parts = Eq(laplacian(v), 0)
    assert len(parts) == 2
    assert parts[1].lhs == laplacian(v[1])
    assert parts[1].rhs == 0
    assert Eq(v, [1, x])[1].rhs == x


def test_flatten_carries_derivatives_out():
    raw = sympy.Eq(sympy.Derivative(u * x, x), 1, evaluate=False)
    (made,) = flatten_equation(raw)
    assert made.lhs == u + x * sympy.Derivative(u, x)
    assert len(flatten_equation([Eq(v, 0), Eq(u, 1)])) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: d(u), "d: expected an expression and the coordinates, as in d(u, x) or d(u, x, 2)"),
        (lambda: d(u, "x"), "d: expected an expression and the coordinates, as in d(u, x) or d(u, x, 2)"),
        (lambda: d(u, z), "d: u(x, y) does not depend on z, only on x, y"),
        (lambda: dt(u), "dt: u(x, y) depends on x, y, not on the time t"),
        (lambda: div(u), "div: expected a vector, got the scalar u(x, y)"),
        (lambda: div(w[:2, :]), "div: a vector of 2 components in the space coordinates x, y, z"),
        (lambda: grad("u"), "grad: expected a number or an expression, got 'u'"),
        (
            lambda: laplacian(x**2),
            "laplacian: x**2 holds no unknown with space coordinates; name them, as in laplacian(f, x, y)",
        ),
        (lambda: dot(v, w), "dot: shapes (2, 1) and (3, 1) do not fit"),
        (lambda: Eq(v, 1), "equation: one side is a vector of 2 components, the other 1"),
        (lambda: Eq(v, w), "equation: the left side has shape (2, 1), the right side (3, 1)"),
        (lambda: Eq(u, True), "equation: expected a number or an expression, got True"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(SpecificationError) as error:
        call()
    assert str(error.value) == message


def test_strings_are_never_evaluated(tmp_path):
    target = tmp_path / "made"
    with pytest.raises(SpecificationError):
        Eq(u, f"__import__('pathlib').Path({str(target)!r}).touch()")
    assert not target.exists()
