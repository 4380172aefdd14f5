import pytest
import sympy
import torch

from physolve.jets import SINE, TANH, Jet, JetNetwork, affine, derivatives, elementwise, nested_derivatives, seed_jet


def wave(points):
    x, y = points.unbind(-1)
    return torch.stack([torch.sin(2 * x) * torch.exp(y), x**3 * y**2], dim=-1)


X, Y = sympy.symbols("x y")
EXACT = (sympy.sin(2 * X) * sympy.exp(Y), X**3 * Y**2)


def exact(orders, points):
    columns = []
    for expression in EXACT:
        derived = sympy.diff(expression, X, orders[0], Y, orders[1])
        columns.append([float(derived.subs({X: a, Y: b})) for a, b in points.tolist()])
    return torch.tensor(columns, dtype=torch.float64).T


@pytest.mark.parametrize("orders", [(0, 0), (1, 0), (1, 1), (3, 0), (2, 1), (4, 0), (2, 2), (1, 3)])
def test_any_order_against_sympy(orders):
    points = torch.rand(5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = derivatives(wave, points, [orders])[orders]
    assert torch.allclose(found, exact(orders, points), rtol=1e-12, atol=1e-12)


class TwoLayers:
    """A network with jets that counts how it is asked."""

    def __init__(self, dtype=torch.float64):
        generator = torch.Generator().manual_seed(1)
        self.first = torch.randn(2, 5, generator=generator, dtype=dtype)
        self.last = torch.randn(5, 2, generator=generator, dtype=dtype)
        self.jets = 0

    def __call__(self, points):
        return SINE(TANH(points @ self.first) @ self.last)

    def jet(self, points, layout) -> Jet:
        self.jets += 1
        hidden = elementwise(TANH, affine(seed_jet(points, layout), self.first))
        return elementwise(SINE, affine(hidden, self.last))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 5e-4), (torch.float64, 1e-12)])
def test_jets_serve_up_to_order_two_and_agree_with_the_exact_path(dtype, tolerance):
    network = TwoLayers(dtype)
    assert isinstance(network, JetNetwork)
    points = torch.rand(6, 2, generator=torch.Generator().manual_seed(0), dtype=dtype)
    wanted = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]
    fast, slow = derivatives(network, points, wanted), nested_derivatives(network, points, wanted)
    assert network.jets == 1
    assert list(fast) == list(slow) == wanted
    for orders in wanted:
        assert fast[orders].dtype == dtype
        assert torch.allclose(fast[orders], slow[orders], atol=tolerance * float(slow[orders].abs().max()))


def test_order_three_goes_the_exact_way():
    network = TwoLayers()
    points = torch.rand(3, 2, dtype=torch.float64)
    derivatives(network, points, [(3, 0), (0, 0)])
    assert network.jets == 0


def test_fourth_order_is_differentiable_in_weights_and_points():
    weight = torch.tensor([[0.7, -0.4]], dtype=torch.float64, requires_grad=True)
    points = torch.tensor([[0.3], [-0.2]], dtype=torch.float64, requires_grad=True)

    def function(points, weight):
        return derivatives(lambda p: torch.tanh(p @ weight), points, [(4,)])[(4,)]

    assert torch.autograd.gradcheck(function, (points, weight))


def test_batches_and_empty_input():
    points = torch.rand(2, 3, 2, dtype=torch.float64)
    batched = derivatives(wave, points, [(2, 1)])[(2, 1)]
    assert torch.equal(batched[1], derivatives(wave, points[1], [(2, 1)])[(2, 1)])
    assert derivatives(wave, torch.zeros(0, 2, dtype=torch.float64), [(3, 0)])[(3, 0)].shape == (0, 2)
    assert derivatives(wave, points, []) == {}


def test_orders_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"got orders \(1,\), expected 2"):
        derivatives(wave, torch.zeros(3, 2), [(1,)])
