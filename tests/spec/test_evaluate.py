"""Programs: against sympy's own evaluation, numpy against torch, derivatives, dtypes, refusals."""

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from physolve.errors import SpecificationError, UnsupportedError
from physolve.spec import GridData, Program, coordinates, parameter, unknown

x, y = coordinates("x", "y")
POINTS = np.random.default_rng(0).uniform(0.1, 0.9, (2, 40))

leaves = st.sampled_from([x, y, sympy.pi, sympy.E, sympy.Integer(2), sympy.Rational(1, 3), sympy.Float(0.7)])
unary = st.sampled_from([sympy.sin, sympy.cos, sympy.tanh, sympy.exp, sympy.Abs, lambda e: -e, lambda e: e**3])
binary = st.sampled_from(
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a * b,
        lambda a, b: a / (2 + b**2),
        sympy.Max,
        lambda a, b: sympy.sqrt(1 + a**2) * b,
        lambda a, b: sympy.Piecewise((a, x < y), (b, True)),
    ]
)
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(unary, inner).map(lambda p: p[0](p[1])),
        st.tuples(binary, inner, inner).map(lambda p: p[0](p[1], p[2])),
    ),
    max_leaves=6,
)


@given(expressions)
@settings(max_examples=25, deadline=None)
def test_numpy_torch_and_sympy_agree(expression):
    (mine,) = Program([expression], (x, y))(*POINTS)
    (tensors,) = Program([expression], (x, y))(*torch.tensor(POINTS))
    exact = [complex(expression.subs({x: a, y: b}).evalf()) for a, b in POINTS.T[:2]]
    assert mine.shape == (40,)
    expected = np.real(exact)
    usable = np.isfinite(expected) & (np.abs(expected) < 1e100)
    np.testing.assert_allclose(mine[:2][usable], expected[usable], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(tensors.numpy(), mine, rtol=1e-12, atol=1e-14)


FUNCTIONS = [
    sympy.sin(x), sympy.cos(x), sympy.tan(x), sympy.asin(x), sympy.acos(x), sympy.atan(x), sympy.atan2(x, y),
    sympy.atan2(y, 2), sympy.sinh(x), sympy.cosh(x), sympy.tanh(x), sympy.asinh(x), sympy.acosh(1 + x),
    sympy.atanh(x), sympy.exp(-x), sympy.log(x), sympy.sqrt(x), sympy.Abs(x - y), sympy.sign(x - y),
    sympy.Min(x, y), sympy.Max(x, y, 0.5), sympy.Heaviside(x - y), sympy.floor(5 * x), sympy.ceiling(5 * x),
    sympy.erf(x), sympy.erfc(x), x**y, 2**x, x**-3, x**sympy.Rational(3, 2), 1 / (x * y), x**5 - y**7,
    sympy.Mod(5 * x, 2), sympy.Piecewise((1, x < 0.3), (2, x < 0.6), (3, True)),
    sympy.Piecewise((x, sympy.And(x < 0.6, y > 0.2)), (y, sympy.Or(x > 0.8, sympy.Not(y < 0.4))), (0, True)),
]  # fmt: skip


@pytest.mark.parametrize("expression", FUNCTIONS, ids=str)
def test_every_function(expression):
    (mine,) = Program([expression], (x, y))(*POINTS)
    (tensors,) = Program([expression], (x, y))(*torch.tensor(POINTS))
    expected = [float(expression.subs({x: a, y: b})) for a, b in POINTS.T]
    np.testing.assert_allclose(mine, expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(tensors.numpy(), expected, rtol=1e-12, atol=1e-13)


def test_constants_are_spread_to_the_columns():
    program = Program([sympy.Integer(3), sympy.pi], (x,))
    for columns in (np.zeros(5), torch.zeros(5, dtype=torch.float64)):
        three, circle = program(columns)
        assert tuple(three.shape) == (5,)
        np.testing.assert_array_equal(np.asarray(circle), np.full(5, np.pi))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_follows_the_columns(dtype):
    program = Program([x * sympy.pi + 1, sympy.Integer(1), sympy.Piecewise((1.5, x < 0), (2, True))], (x, y))
    for column in program(torch.ones(3, dtype=dtype), 2.0):
        assert column.dtype == dtype
    numpy_dtype = np.float32 if dtype == torch.float32 else np.float64
    assert all(c.dtype == numpy_dtype for c in program(np.ones(3, dtype=numpy_dtype), 2.0))


def test_relationals_give_booleans():
    (mask,) = Program([sympy.And(x < 0.5, y >= 0.25)], (x, y))(*POINTS)
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, (POINTS[0] < 0.5) & (POINTS[1] >= 0.25))
    (always,) = Program([sympy.true], (x,))(POINTS[0])
    assert always.dtype == bool
    assert always.all()


def test_torch_results_are_differentiable():
    f = sympy.exp(x * y) * sympy.sin(x) / (1 + y**2)
    a, b = (torch.tensor(c, requires_grad=True) for c in POINTS)
    (value,) = Program([f], (x, y))(a, b)
    slopes = torch.autograd.grad(value.sum(), (a, b))
    expected = Program([f.diff(x), f.diff(y)], (x, y))(*POINTS)
    for mine, exact in zip(slopes, expected, strict=True):
        np.testing.assert_allclose(mine.numpy(), exact, rtol=1e-12)


def test_parameters_may_be_numbers_or_scalar_tensors():
    D = parameter("D", 2.0)
    program = Program([D * x, sympy.sin(D)], (x, D))
    value = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    scaled, wave = program(torch.tensor(POINTS[0]), value)
    np.testing.assert_allclose(scaled.detach().numpy(), 3 * POINTS[0])
    (slope,) = torch.autograd.grad(scaled.sum() + wave.sum(), value)
    assert float(slope) == pytest.approx(POINTS[0].sum() + 40 * np.cos(3))
    np.testing.assert_allclose(program(POINTS[0], 3.0)[0], 3 * POINTS[0])


def test_whole_subexpressions_may_be_arguments():
    u = unknown("u", x, y)
    program = Program([u.diff(x) * u + u.diff(x, y)], (u, u.diff(x), u.diff(x, y)))
    assert program(np.array([2.0]), np.array([3.0]), np.array([5.0]))[0][0] == 11


def test_equal_subexpressions_are_computed_once():
    shared = sympy.tanh(sympy.sin(x * y))
    program = Program([shared + 1, shared**2, sympy.cos(shared)], (x, y))
    assert sum(step.operation == "tanh" for step in program.instructions) == 1


def test_grid_data_and_its_derivatives():
    axis = np.linspace(0, 1, 9)
    data = GridData("f", np.add.outer(axis**3, 2 * axis**2), ((0, 1), (0, 1)))
    f = data(x, y)
    expressions = [f, f.diff(x), f.diff(y, 2), data(y, x), data(x / 2, y).diff(x), x * f]
    a, b = POINTS
    expected = [
        a**3 + 2 * b**2, 3 * a**2, np.full(40, 4.0), b**3 + 2 * a**2, 3 * a**2 / 8, a * (a**3 + 2 * b**2),
    ]  # fmt: skip
    for columns in (POINTS, torch.tensor(POINTS)):
        for mine, exact in zip(Program(expressions, (x, y))(*columns), expected, strict=True):
            np.testing.assert_allclose(np.asarray(mine), exact, atol=1e-11)


def test_grid_data_counts_as_constant_in_torch():
    data = GridData("f", np.add.outer(np.linspace(0, 1, 5), np.zeros(5)), ((0, 1), (0, 1)))
    column = torch.tensor(POINTS[0], requires_grad=True)
    (value,) = Program([data(x, y) * x], (x, y))(column, torch.tensor(POINTS[1]))
    (slope,) = torch.autograd.grad(value.sum(), column)
    np.testing.assert_allclose(slope.numpy(), POINTS[0], atol=1e-13)  # of x alone: the data's value


@pytest.mark.parametrize(
    ("expression", "error", "message"),
    [
        (sympy.besselj(0, x), UnsupportedError, "function 'besselj' cannot be evaluated (in besselj(0, x))"),
        (
            sympy.DiracDelta(x),
            UnsupportedError,
            "function 'DiracDelta' cannot be evaluated (in DiracDelta(x))",
        ),
        (sympy.Symbol("k") * x, SpecificationError, "symbol 'k' has no value: it is not among x, y"),
        (
            sympy.I * x,
            UnsupportedError,
            "'I' is not real; write the real and the imaginary part as two unknowns",
        ),
        (
            unknown("u", x, y).diff(x),
            UnsupportedError,
            "'Derivative(u(x, y), x)' cannot be evaluated: it is an unknown or its derivative without a value",
        ),
    ],
)
def test_refusals(expression, error, message):
    with pytest.raises(error) as caught:
        Program([expression], (x, y))
    assert str(caught.value) == message


def test_wrong_number_of_columns():
    with pytest.raises(SpecificationError, match="program of 2 arguments called with 1 columns"):
        Program([x + y], (x, y))(POINTS[0])
