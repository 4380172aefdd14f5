"""Equations lowered to forms: their derivatives, whether they are linear, their Gateaux derivative."""

import numpy as np
import pytest
import sympy
import torch
from exact_field import ExactField

from physolve.errors import UnsupportedError
from physolve.nets import JetAtom
from physolve.residual import Form, Frame, lower
from physolve.spec import biharmonic, coordinates, d, div, grad, laplacian, normal, parameter, unknown

x, y = coordinates("x", "y")
u, v = unknown("u", x, y), unknown("v", x, y)
D = parameter("D", guess=0.7)
FRAME = Frame((x, y), (u, v), (D,))
N_X, N_Y = normal(x, y)

LINEAR = {
    "poisson": -laplacian(u) - 1,
    "variable coefficient": -div((1 + x**2) * grad(u)) + sympy.exp(y) * v,
    "mixed derivative": d(u, x, y) + 3 * d(v, y),
    "biharmonic": biharmonic(u) - sympy.sin(x),
    "normal derivative": N_X * d(u, x) + N_Y * d(u, y) - x,
    "amplitude": -laplacian(u) - D * sympy.sin(x),
}
NONLINEAR = {
    "burgers": d(u, y) + u * d(u, x) - 0.1 * d(u, x, 2),
    "bratu": -laplacian(u) - sympy.exp(u),
    "minimal surface": div(grad(u) / sympy.sqrt(1 + d(u, x) ** 2 + d(u, y) ** 2)),
    "two unknowns": d(u, x) * d(v, y) - u**2 * sympy.sin(v) + x,
    "diffusivity": d(u, y) - D * d(u, x, 2),
    "parameter inside": sympy.cos(D * u) - v * D**2,
}
ALL = LINEAR | NONLINEAR

STATE = ExactField((x, y), (sympy.sin(x + 2 * y), sympy.exp(x) * sympy.cos(y)))
DIRECTION = ExactField((x, y), (sympy.cos(3 * x) * y, x**3 - sympy.sin(x * y)))
STATE_D, DIRECTION_D = 0.7, -1.3


def points(n: int = 7) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(3).uniform(-1, 1, (n, 2)))


def normals(n: int = 7) -> torch.Tensor:
    angle = torch.linspace(0, 6, n, dtype=torch.float64)
    return torch.stack([angle.cos(), angle.sin()], 1)


def residual_along(form: Form, length: float) -> torch.Tensor:
    """Residual at state + length * direction, in unknowns and parameter."""
    p = points()
    base, way = STATE.derivatives(p, form.atoms), DIRECTION.derivatives(p, form.atoms)
    state = {atom: base[atom] + length * way[atom] for atom in form.atoms}
    return form.residual(p, normals(), state, (STATE_D + length * DIRECTION_D,))


def slope_along(form: Form) -> tuple[torch.Tensor, torch.Tensor]:
    """Value and Gateaux derivative in the direction."""
    p = points()
    way = DIRECTION.derivatives(p, form.atoms)
    local = form.linearize(p, normals(), STATE.derivatives(p, form.atoms), (STATE_D,))
    slope = sum(s * way[atom] for atom, s in local.slopes.items()) + local.parameter_slopes[0] * DIRECTION_D
    return local.value, slope


@pytest.mark.parametrize("expression", LINEAR.values(), ids=LINEAR)
def test_linear_is_called_linear(expression: sympy.Expr) -> None:
    assert lower("equation 1", expression, FRAME).linear


@pytest.mark.parametrize("expression", NONLINEAR.values(), ids=NONLINEAR)
def test_nonlinear_is_called_nonlinear(expression: sympy.Expr) -> None:
    assert not lower("equation 1", expression, FRAME).linear


@pytest.mark.parametrize(
    ("expression", "atoms", "order"),
    [
        (-laplacian(u) + v, {(0, (2, 0)), (0, (0, 2)), (1, (0, 0))}, 2),
        (d(u, x, y) * v, {(0, (1, 1)), (1, (0, 0))}, 2),
        (biharmonic(u), {(0, (4, 0)), (0, (2, 2)), (0, (0, 4))}, 4),
        (d(x * u, x) - x * d(u, x), {(0, (0, 0))}, 0),
        (sympy.sin(x), set(), 0),
    ],
)
def test_atoms_and_order(expression: sympy.Expr, atoms: set, order: int) -> None:
    form = lower("equation 1", expression, FRAME)
    assert set(form.atoms) == {JetAtom(*a) for a in atoms}
    assert form.order == order


@pytest.mark.parametrize("expression", ALL.values(), ids=ALL)
def test_residual_is_what_sympy_says(expression: sympy.Expr) -> None:
    """Put the state's expressions into the equation and evaluate it with sympy alone."""
    form = lower("equation 1", expression, FRAME)
    plain = sympy.sympify(expression).subs(dict(zip((u, v), STATE.expressions, strict=True))).doit()
    p, n = points(), normals()
    found = form.residual(p, n, STATE.derivatives(p, form.atoms), (STATE_D,))
    for i in range(len(p)):
        place = {x: float(p[i, 0]), y: float(p[i, 1]), N_X: float(n[i, 0]), N_Y: float(n[i, 1]), D: STATE_D}
        assert float(found[i]) == pytest.approx(float(plain.evalf(17, subs=place)), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("expression", ALL.values(), ids=ALL)
def test_gateaux_derivative_leaves_a_quadratic_remainder(expression: sympy.Expr) -> None:
    """Taylor: |r(u + h v) - r(u) - h r'(u) v| falls like h^2, or is rounding if r is linear."""
    form = lower("equation 1", expression, FRAME)
    value, slope = slope_along(form)
    lengths = np.array([1e-2, 1e-3])
    remainders = [float((residual_along(form, h) - value - h * slope).abs().max()) for h in lengths]
    if form.linear:
        assert max(remainders) < 1e-13 * float(value.abs().max() + slope.abs().max())
    else:
        order = np.log(remainders[0] / remainders[1]) / np.log(10)
        assert order == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("expression", ALL.values(), ids=ALL)
def test_value_of_the_linearisation_is_the_residual(expression: sympy.Expr) -> None:
    form = lower("equation 1", expression, FRAME)
    torch.testing.assert_close(slope_along(form)[0], residual_along(form, 0.0), rtol=1e-14, atol=1e-14)


def test_residual_is_differentiable_in_state_and_parameters() -> None:
    form = lower("equation 1", NONLINEAR["parameter inside"], FRAME)
    p = points()
    state = {a: t.requires_grad_() for a, t in STATE.derivatives(p, form.atoms).items()}
    theta = torch.tensor(STATE_D, dtype=torch.float64, requires_grad=True)
    form.residual(p, None, state, (theta,)).sum().backward()
    local = form.linearize(p, None, {a: t.detach() for a, t in state.items()}, (STATE_D,))
    for atom, slope in local.slopes.items():
        torch.testing.assert_close(state[atom].grad, slope)
    torch.testing.assert_close(theta.grad, local.parameter_slopes[0].sum())


def test_constant_slopes_have_full_length() -> None:
    form = lower("equation 1", -laplacian(u), FRAME)
    local = form.linearize(points(), None, STATE.derivatives(points(), form.atoms), (STATE_D,))
    assert {tuple(s.shape) for s in (*local.slopes.values(), *local.parameter_slopes)} == {(7,)}


def test_shifted_argument_is_refused() -> None:
    delayed = u.func(x - 1, y)
    with pytest.raises(UnsupportedError, match=r"^condition 3 \(dirichlet\): 'u\(x - 1, y\)' evaluates"):
        lower("condition 3 (dirichlet)", u - delayed, FRAME)
