"""Derivatives in space from those along labels, against fields given in space."""

import pytest
import sympy
import torch
from sympy import Rational, cos, exp, sin

from physolve.jets import Jet, JetLayout
from physolve.lagrangian._kinematics import FLOOR, pulled_back
from physolve.spec import Program

A, B, T = sympy.symbols("a b t", real=True)
X, Y = sympy.symbols("x y", real=True)

STRETCH = ((A,), (X,), (A + Rational(3, 10) * sin(2 * A) + A**2 / 10,), (sin(3 * X), exp(X / 2)))
MIRROR = ((A,), (X,), (exp(A),), (X**3, 1 / X))
SHEAR = (
    (A, B),
    (X, Y),
    (A + Rational(1, 2) * B + Rational(1, 5) * sin(A * B), B - Rational(1, 4) * cos(A)),
    (sin(X) * exp(Y / 2), X**2 * Y),
)
MOVED = (  # the time is one more label and one more place
    (A, T),
    (X, T),
    (A + T * (1 + Rational(1, 4) * sin(A)), T),
    (sin(X - 2 * T), X * exp(-T)),
)
SPACE_TIME = (
    (A, B, T),
    (X, Y, T),
    (A * cos(T) - B * sin(T) + T / 10 * A * B, A * sin(T) + B * cos(T), T),
    (sin(X - T) * Y, exp(-T) * X * Y**2),
)
MAPS = {"1-D": STRETCH, "1-D exponential": MIRROR, "2-D": SHEAR, "1-D and time": MOVED, "2-D and time": SPACE_TIME}


def points(labels, n=25):
    generator = torch.Generator().manual_seed(len(labels))
    return torch.rand(n, len(labels), generator=generator, dtype=torch.float64) * 0.8 + 0.1


def evaluated(expressions, symbols, at):
    return torch.stack(Program(expressions, symbols)(*at.unbind(1)), 1)


def jet(values, labels, at, layout):
    """Jet of expressions in the labels, differentiated by sympy."""
    rows = []
    for orders in layout.multi_indices:
        by = [(s, k) for s, k in zip(labels, orders, strict=True) if k]
        rows.append(evaluated([sympy.diff(v, *by) if by else v for v in values], labels, at))
    return Jet(torch.stack(rows), layout)


def case(name):
    labels, places, motion, fields = MAPS[name]
    at, layout = points(labels), JetLayout.full(len(labels))
    carried = [f.subs(dict(zip(places, motion, strict=True)), simultaneous=True) for f in fields]
    here = evaluated(motion, labels, at)
    return jet(motion, labels, at, layout), jet(carried, labels, at, layout), fields, places, here


@pytest.mark.parametrize("name", MAPS)
def test_derivatives_in_space_are_exact(name):
    motion, state, fields, places, here = case(name)
    found = pulled_back(motion, state)
    for m, f in enumerate(fields):
        gradient = evaluated([f.diff(s) for s in places], places, here)
        torch.testing.assert_close(found.gradient[:, m], gradient, rtol=1e-12, atol=1e-12)
        second = evaluated([f.diff(r, s) for r in places for s in places], places, here)
        torch.testing.assert_close(found.hessian[:, m].flatten(1), second, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", MAPS)
def test_determinant_is_that_of_the_jacobian(name):
    labels, _, motion, _ = MAPS[name]
    expected = evaluated([sympy.Matrix(motion).jacobian(labels).det()], labels, points(labels))[:, 0]
    torch.testing.assert_close(pulled_back(*case(name)[:2]).determinant, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["1-D", "1-D exponential"])
def test_the_second_derivative_along_labels_is_another(name):
    _, state, fields, places, here = case(name)
    exact = evaluated([f.diff(X, 2) for f in fields], places, here)
    uncorrected = state.derivative((2,))
    assert float((uncorrected - exact).norm() / exact.norm()) > 0.2


def test_one_dimension_is_the_formula_of_the_docstring():
    motion, state, *_ = case("1-D")
    X_a, X_aa = motion.derivative((1,)), motion.derivative((2,))
    W_a, W_aa = state.derivative((1,)), state.derivative((2,))
    expected = (W_aa / X_a - W_a * X_aa / X_a**2) / X_a
    torch.testing.assert_close(pulled_back(motion, state).hessian[..., 0, 0], expected, rtol=1e-12, atol=1e-12)


def test_without_second_rows_there_is_no_hessian():
    labels, _, motion, _ = MAPS["2-D"]
    at, layout = points(labels), JetLayout(2, (0, 1))
    found = pulled_back(jet(motion, labels, at, layout), jet((A * B,), labels, at, layout))
    assert found.hessian is None
    assert found.gradient.shape == (len(at), 1, 2)


def test_below_the_floor_the_inverse_is_continued_smoothly():
    """1 / slope above; below it grows on, finite and of one sign, without a kink."""
    slopes = torch.linspace(-0.5, 3 * FLOOR, 5601, dtype=torch.float64)  # steps of 1e-4
    layout = JetLayout(1, (0,))
    motion = Jet(torch.stack([torch.zeros_like(slopes), slopes])[..., None], layout)
    found = pulled_back(motion, Jet(torch.stack([slopes, torch.ones_like(slopes)])[..., None], layout))
    inverse, above = found.gradient[:, 0, 0], slopes > FLOOR
    torch.testing.assert_close(inverse[above], 1 / slopes[above])
    assert bool(torch.isfinite(inverse).all())
    assert bool((inverse.diff() < 0).all())
    kinks = (1 / inverse).diff().diff().abs()  # of the continued slope, which has slope 1 above
    assert float(kinks.max()) < 1e-2 * 1e-4
    assert torch.equal(found.determinant, slopes)
