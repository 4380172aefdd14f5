"""The stretched coordinate: a monotone map, its inverse, and derivatives through it."""

import itertools
import math

import pytest
import torch

from physolve.nets import Expansion, Polynomials, Stretch, Stretched, Stretches, TanhFeatures, rebuild_field

GENERATOR = torch.Generator().manual_seed(11)
INTERVAL, TIMES = (-1.0, 2.0), (0.25, 0.75)
LOWER, UPPER = torch.tensor([-1.0, 0.25]).double(), torch.tensor([2.0, 0.75]).double()
TANH = TanhFeatures.draw(5, LOWER, UPPER, 3.0, GENERATOR)
ORDERS = [alpha for alpha in itertools.product(range(5), repeat=2) if 1 <= sum(alpha) <= 4]


def towards(center: float, sharpness: float, cells: int = 16) -> torch.Tensor:
    """Values of a map that gathers at a place: x - center = sinh(...)."""
    a, b = (math.asinh(sharpness * (end - center)) for end in INTERVAL)
    return center + torch.sinh(torch.linspace(a, b, cells + 1, dtype=torch.float64)) / sharpness


MOVING = Stretch.of_values(INTERVAL, TIMES, towards(0.0, 3.0), towards(0.5, 8.0))


def points(n: int = 40) -> torch.Tensor:
    """Away from the ends by more than the steps of difference quotients."""
    return LOWER + (0.01 + 0.98 * torch.rand(n, 2, generator=GENERATOR, dtype=torch.float64)) * (UPPER - LOWER)


def test_inverse_undoes_the_map_up_to_the_ends():
    x, t = points(500).unbind(1)
    x = torch.cat([x, torch.tensor(INTERVAL).double()])
    t = torch.cat([t, torch.tensor(TIMES).double()])
    xi = MOVING.inverse(x, t)
    # Rounding of the largest coordinate, 2.
    assert (MOVING.derivative(xi, t, 0)[0] - x).abs().max() < 4e-15
    assert xi.min() >= INTERVAL[0]
    assert xi.max() <= INTERVAL[1]


def test_any_increasing_values_give_an_increasing_map():
    values = torch.cat([torch.zeros(1).double(), torch.rand(12, generator=GENERATOR, dtype=torch.float64).cumsum(0)])
    values = INTERVAL[0] + (INTERVAL[1] - INTERVAL[0]) * values / values[-1]
    stretch = Stretch.of_values(INTERVAL, TIMES, values, values)
    xi = torch.linspace(*INTERVAL, 999, dtype=torch.float64)
    assert stretch.derivative(xi, torch.full_like(xi, 0.5), 1)[0].min() > 0


@pytest.mark.parametrize("alpha", ORDERS)
def test_every_derivative_is_the_difference_quotient_of_the_one_below(alpha):
    basis, x, step = Stretched(TANH, MOVING), points(), 1e-5
    one, along = torch.ones(len(x)).double(), 0 if alpha[0] else 1
    below = tuple(order - (k == along) for k, order in enumerate(alpha))
    shift = step * torch.eye(2).double()[along]
    quotient = (basis.operate(x + shift, {below: one}) - basis.operate(x - shift, {below: one})) / (2 * step)
    found = basis.operate(x, {alpha: one})
    # Central differences: h^2 = 1e-10 of two more derivatives, each about ten times larger, and rounding / h = 1e-10.
    assert torch.allclose(found, quotient, rtol=0, atol=1e-6 * float(found.abs().max()))


@pytest.mark.parametrize("alpha", [(0, 0), *ORDERS])
def test_combine_agrees_with_operate(alpha):
    basis, x = Stretched(TANH, MOVING), points()
    coefficients = torch.rand(5, 3, generator=GENERATOR, dtype=torch.float64)
    matrix = basis.operate(x, {alpha: torch.ones(len(x)).double()})
    combined = basis.combine(x, coefficients, [alpha])[0]
    assert torch.allclose(combined, matrix @ coefficients, rtol=0, atol=1e-12 * float(matrix.abs().max()))


def test_polynomials_in_time_alone_do_not_see_the_stretching():
    basis, x = Stretched(Polynomials((-1.0, 0.25), (2.0, 0.75), 2), MOVING), points()
    one = torch.ones(len(x)).double()
    in_time = [j for j, (a, _) in enumerate(basis.inner.powers) if a == 0]
    plain = basis.inner.operate(x, {(0, 1): one})[:, in_time]
    assert torch.allclose(basis.operate(x, {(0, 1): one})[:, in_time], plain, atol=1e-13)


def test_identity_leaves_a_basis_as_it_is():
    basis, x = Stretched(TANH, Stretch.identity(INTERVAL, TIMES)), points()
    operator = {(2, 0): x[:, 0], (0, 1): x[:, 1], (1, 1): x[:, 0] * x[:, 1]}
    plain = TANH.operate(x, operator)
    assert torch.allclose(basis.operate(x, operator), plain, atol=1e-12 * float(plain.abs().max()))


def test_points_are_spread_where_the_map_gathers_and_their_room_adds_up():
    even = torch.cartesian_prod(torch.linspace(*INTERVAL, 301).double(), torch.tensor([0.3, 0.7]).double())
    after = Stretch.of_values(INTERVAL, (0.5, 0.75), towards(0.5, 8.0), towards(0.5, 8.0))
    both = Stretches((Stretch.identity(INTERVAL, (0.25, 0.5)), after))
    moved, room = both.spread(even)
    early, late = even[:, 1] < 0.5, even[:, 1] > 0.5
    assert torch.allclose(moved[early], even[early], atol=1e-14)
    assert ((moved[late, 0] - 0.5).abs() < 0.1).sum() > 3 * ((even[late, 0] - 0.5).abs() < 0.1).sum()
    # Trapezoidal sum of dX / dxi over the interval: its length, to the rule's h^2 = 1e-4.
    assert torch.trapezoid(room[late], even[late, 0]) == pytest.approx(3.0, rel=1e-3)


def test_empty_points():
    none = torch.empty(0, 2, dtype=torch.float64)
    assert Stretched(TANH, MOVING).operate(none, {(2, 0): none[:, 0]}).shape == (0, 5)


def test_field_is_rebuilt_from_what_it_saved():
    field = Expansion(Stretched(TANH, MOVING), torch.rand(5, 2, generator=GENERATOR, dtype=torch.float64))
    again, x = rebuild_field(field.config(), field.tensors()), points()
    assert torch.equal(field.values(x), again.values(x))
