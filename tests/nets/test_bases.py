"""Every basis: closed-form derivatives against nested autograd, `combine` against `operate`, saving and rebuilding."""

import itertools
import math

import pytest
import torch

from physolve.nets import (
    Chebyshev,
    ComplexPowers,
    Concatenated,
    Expansion,
    JetAtom,
    Polynomials,
    Products,
    Regional,
    TanhFeatures,
    TimeSlabs,
    WindowedFeatures,
    rebuild_field,
)

GENERATOR = torch.Generator().manual_seed(7)
LOWER, UPPER = torch.tensor([-1.0, 0.5]).double(), torch.tensor([2.0, 1.5]).double()


def draw(*shape):
    return torch.rand(*shape, generator=GENERATOR, dtype=torch.float64)


def left_or_right(points):
    return (points[:, 0] > 0.5).long()


TANH = TanhFeatures.draw(5, LOWER, UPPER, 3.0, GENERATOR)
BASES = {
    "tanh": TANH,
    "windows": WindowedFeatures(LOWER + draw(4, 2), 0.5 + draw(4, 2), 4 * draw(4, 2) - 2, draw(4)),
    "powers": ComplexPowers(
        (-1.5, 0.2), 0.3, 0.7, torch.tensor([[2 / 3, 0], [2.0, 1.0], [-2.0, 0.0], [0.0, 1.0]]).double()
    ),
    "polynomials": Polynomials((-1.0, 0.5), (2.0, 1.5), 3),
    "concatenated": Concatenated((TANH, Polynomials((-1.0, 0.5), (2.0, 1.5), 1))),
    "products": Products(TANH, (0, 1), Polynomials((0.5,), (1.5,), 2), (1,)),
    "regional": Regional((TANH, TanhFeatures.draw(3, LOWER, UPPER, 2.0, GENERATOR)), left_or_right),
}
ORDERS = [alpha for alpha in itertools.product(range(5), repeat=2) if sum(alpha) <= 4]


def points():
    """The same in every test, whatever ran before it: autograd of x**k, the reference, loses digits as x nears 0."""
    share = torch.rand(6, 2, generator=torch.Generator().manual_seed(11), dtype=torch.float64)
    return LOWER + share * (UPPER - LOWER)


def nested_derivative(basis, x, j, alpha):
    x = x.clone().requires_grad_(True)
    value = basis.operate(x, {(0, 0): torch.ones(len(x), dtype=x.dtype)})[:, j]
    for k, order in enumerate(alpha):
        for _ in range(order):
            (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True, allow_unused=True)
            value = torch.zeros_like(value) if slope is None else slope[:, k]
            if not value.requires_grad:
                return value.detach()
    return value.detach()


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("alpha", ORDERS)
def test_derivatives_agree_with_nested_autograd(name, alpha):
    basis, x = BASES[name], points()
    found = basis.operate(x, {alpha: torch.ones(len(x), dtype=x.dtype)})
    expected = torch.stack([nested_derivative(basis, x, j, alpha) for j in range(basis.size)], 1)
    # Five orders of tanh' lose a few digits; 1e-9 of the largest entry is rounding, not a wrong formula.
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-9 * expected.abs().max().item() + 1e-11)


@pytest.mark.parametrize("name", BASES)
def test_operator_is_the_weighted_sum_of_derivatives_and_combine_agrees(name):
    basis, x = BASES[name], points()
    one = torch.ones(len(x), dtype=x.dtype)
    weights = {alpha: draw(len(x)) for alpha in [(0, 0), (1, 0), (0, 2), (1, 1)]}
    parts = {alpha: basis.operate(x, {alpha: one}) for alpha in weights}
    total = torch.stack([weights[alpha][:, None] * part for alpha, part in parts.items()]).sum(0)
    assert torch.allclose(basis.operate(x, weights), total, rtol=1e-12, atol=1e-12)
    coefficients = draw(basis.size, 3)
    combined = basis.combine(x, coefficients, list(parts))
    assert torch.allclose(combined, torch.stack([p @ coefficients for p in parts.values()]), atol=1e-11)


def test_corner_functions_are_harmonic_and_vanish_on_both_edges():
    omega = 3 * math.pi / 2
    basis = ComplexPowers((0.0, 0.0), omega / 2, 1.0, torch.tensor([[math.pi / omega, 0.0]], dtype=torch.float64))
    x = draw(20, 2) - torch.tensor([1.2, 0.1]).double()
    one = torch.ones(len(x), dtype=x.dtype)
    assert basis.operate(x, {(2, 0): one, (0, 2): one}).abs().max() < 1e-12
    edges = torch.tensor([[0.7, 0.0], [0.0, -0.4]]).double()
    # Bisector frame: Re z^(pi / omega) = r^(2/3) cos(2/3 (theta - omega/2)) is zero on theta = 0 and theta = omega.
    assert basis.operate(edges, {(0, 0): torch.ones(2).double()})[:, 0].abs().max() < 1e-12


@pytest.mark.parametrize("name", BASES)
def test_field_is_rebuilt_from_what_it_saved(name):
    basis, x = BASES[name], points()
    field = TimeSlabs((0.5, 1.0, 1.5), tuple(Expansion(basis, draw(basis.size, 2)) for _ in range(2)))
    again = rebuild_field(field.config(), field.tensors(), left_or_right)
    atoms = [JetAtom(1, (0, 1)), JetAtom(0, (0, 0))]
    first, second = field.derivatives(x, atoms), again.derivatives(x, atoms)
    assert all(torch.equal(first[a], second[a]) for a in atoms)


def test_empty_points_give_empty_columns():
    field = Expansion(TANH, draw(5, 1))
    assert field.values(torch.empty(0, 2, dtype=torch.float64)).shape == (0, 1)


def test_chebyshev_polynomials_agree_with_their_closed_form_in_all_derivatives():
    basis, angle = Chebyshev(-1.0, 3.0, 5), torch.tensor([0.3, 1.1, 2.0]).double()
    times = 1 + 2 * torch.cos(angle)[:, None]
    one = torch.ones(3, dtype=torch.float64)
    degrees = torch.arange(6).double()
    slopes = degrees * torch.sin(degrees * angle[:, None]) / torch.sin(angle[:, None]) / 2
    assert torch.allclose(basis.operate(times, {(0,): one}), torch.cos(degrees * angle[:, None]))
    assert torch.allclose(basis.operate(times, {(1,): one}), slopes)
    assert torch.allclose(basis.operate(times, {(5,): one})[:, 5], one * 16 * 120 / 2**5)
    assert not basis.operate(times, {(6,): one}).any()


def test_a_chebyshev_series_survives_saving_and_slabs_end_where_they_end():
    series = Expansion(Chebyshev(0.0, 1.0, 3), draw(4, 2))
    slabs = TimeSlabs((0.0, 0.5, 1.0), (series, series))
    again = rebuild_field(slabs.config(), slabs.tensors())
    times = torch.tensor([[0.0], [0.4], [1.0]]).double()
    assert torch.equal(again.values(times), series.values(times))
    assert again.values(torch.tensor([[1.01]]).double()).isnan().all()
