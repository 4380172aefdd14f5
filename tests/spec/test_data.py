"""Grid data: interpolation, derivatives, layout, value equality, refusals."""

import pickle

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from physolve.errors import SpecificationError
from physolve.spec import GridData, coordinates, grid_data_of

x, y = coordinates("x", "y")
EXTENT = ((0.0, 1.0), (-1.0, 2.0))


def sampled(function, shape=(13, 17), extent=EXTENT, order=3):
    axes = [np.linspace(lo, hi, n) for (lo, hi), n in zip(extent, shape, strict=True)]
    return GridData("f", function(*np.meshgrid(*axes, indexing="ij")), extent, order)


@given(st.lists(st.integers(-3, 3), min_size=16, max_size=16), st.integers(0, 3), st.integers(0, 3))
@settings(max_examples=12, deadline=None)
def test_cubic_splines_reproduce_cubics_and_their_derivatives(coefficients, a, b):
    """Exact for degree 3 in each coordinate; a derivative costs a factor 2 / h of rounding (24 and 11)."""
    f = sum(c * x ** (k // 4) * y ** (k % 4) for k, c in enumerate(coefficients))
    data = sampled(lambda X, Y: sum(c * X ** (k // 4) * Y ** (k % 4) for k, c in enumerate(coefficients)))
    points = np.random.default_rng(0).uniform([0, -1], [1, 2], (20, 2))
    exact = sympy.diff(f, x, a, y, b) if a + b else sympy.sympify(f)
    expected = [float(exact.subs({x: p, y: q})) for p, q in points]
    rounding = 1e-14 * (1 + np.abs(data.values).max()) * 24**a * 11**b
    np.testing.assert_allclose(data.sample(points, (a, b)), expected, atol=rounding, rtol=1e-12)


@pytest.mark.parametrize(("order", "rate"), [(1, 2), (3, 4)])
def test_order_of_convergence(order, rate):
    """The error falls as h^(order + 1), a little faster where that of the ends dominates (cubic: h^4.5)."""
    points = np.random.default_rng(1).uniform([0, -1], [1, 2], (200, 2))
    exact = np.sin(3 * points[:, 0]) * np.cos(2 * points[:, 1])
    errors = []
    for n in (41, 81):
        data = sampled(lambda X, Y: np.sin(3 * X) * np.cos(2 * Y), (n, n), order=order)
        errors.append(np.sqrt(np.mean((data.sample(points) - exact) ** 2)))
    assert rate - 0.3 < np.log2(errors[0] / errors[1]) < rate + 1


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_samples_are_interpolated_in_any_dimension(dim):
    values = np.random.default_rng(2).normal(size=(5, 6, 7)[:dim])
    data = GridData("f", values, ((0, 1),) * dim)
    nodes = np.meshgrid(*[np.linspace(0, 1, n) for n in values.shape], indexing="ij")
    points = np.stack([m.ravel() for m in nodes], axis=1)
    np.testing.assert_allclose(data.sample(points), values.ravel(), atol=1e-12)


def test_raster_has_row_zero_at_the_top():
    image = np.add.outer(100 * np.arange(5)[::-1], np.arange(6)).astype(np.float32)  # 100 j + i, j upwards
    data = GridData.from_raster("f", image, ((0, 5), (0, 4)))
    assert data.sample(np.array([[0.0, 0.0]]))[0] == pytest.approx(image[-1, 0])
    assert data.sample(np.array([[5.0, 4.0]]))[0] == pytest.approx(image[0, -1])
    assert data.sample(np.array([[2.0, 3.0]]))[0] == pytest.approx(302)


def test_equality_is_by_value_and_ignores_the_source():
    values = np.arange(20.0).reshape(4, 5)
    one = GridData("f", values, ((0, 1), (0, 1)), source="a.npz")
    same = GridData("f", values.copy(), ((0, 1), (0, 1)), source="b.npz")
    other = GridData("f", values + 1e-12, ((0, 1), (0, 1)))
    assert one == same
    assert hash(one) == hash(same)
    assert one(x, y) == same(x, y)
    assert one != other
    assert one(x, y) != other(x, y)


def test_values_are_copied_and_read_only():
    values = np.zeros((4, 4))
    data = GridData("f", values, ((0, 1), (0, 1)))
    values[0, 0] = 1
    assert data.values[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        data.values[0, 0] = 1


def test_tensors_are_taken_as_arrays():
    values = torch.arange(20.0).reshape(4, 5).requires_grad_(True)
    expected = np.arange(20.0).reshape(4, 5)
    assert GridData("f", values, ((0, 1), (0, 1))) == GridData("f", expected, ((0, 1), (0, 1)))
    assert GridData.from_raster("f", values, EXTENT) == GridData.from_raster("f", expected, EXTENT)


def test_data_is_found_again_in_an_expression():
    data = sampled(lambda X, Y: X * Y)
    expression = sympy.Eq(sympy.sin(data(x, y)).diff(x), x)
    assert grid_data_of(expression) == (data,)
    assert grid_data_of(x) == ()


def test_pickle():
    data = sampled(lambda X, Y: X * Y)
    assert pickle.loads(pickle.dumps(data)) == data


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: GridData("f", np.full((4, 4), np.nan), ((0, 1), (0, 1))),
            "data 'f': 16 of 16 values are not finite",
        ),
        (
            lambda: GridData("f", np.zeros((3, 9)), ((0, 1), (0, 1))),
            "data 'f': order 3 needs 4 samples per axis, got (3, 9)",
        ),
        (
            lambda: GridData("f", np.zeros((4, 4)), ((0, 1),)),
            "data 'f': 2 axes, but an extent of 1 pairs",
        ),
        (
            lambda: GridData("f", np.zeros((4, 4)), ((0, 1), (2, 2))),
            "data 'f': the extent (2, 2) is not an interval",
        ),
        (
            lambda: GridData("f", np.zeros((4, 4)), ((0, 1), (0, 1)), 2),
            "data 'f': the spline order must be 1 or 3, got 2",
        ),
        (
            lambda: GridData("f", np.zeros((4, 4), dtype=complex), ((0, 1), (0, 1))),
            "data 'f': expected an array of real numbers, got complex128 of 2 axes",
        ),
        (
            lambda: GridData("f", np.zeros((4, 4)), ((0, 1), (0, 1)))(x),
            "data 'f' has 2 axes, but is given 1 arguments",
        ),
        (
            lambda: GridData("f", np.zeros((4, 4)), ((0, 1), (0, 1))).sample(np.array([[0.5, 1.5]])),
            "data 'f': the point (0.5, 1.5) lies outside its extent ((0.0, 1.0), (0.0, 1.0))",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(SpecificationError) as error:
        make()
    assert str(error.value) == message
