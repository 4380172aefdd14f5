"""Fine-tuning: the generated network is the zero-shot answer, and training goes on from it."""

import sympy
import torch

from physolve import spec as ps
from physolve.hypino import Hypernetwork, HyPINO, fine_tuned, generated_network, lower
from physolve.hypino._sizes import HeadSizes, HypernetworkSizes, SwinSizes
from physolve.hypino._target import target_network
from physolve.jets import JetLayout
from physolve.nets import JetAtom
from physolve.solve import AdamLBFGS, AdamSchedule, GaussNewton, Outcome, VariableProjection

x, t = ps.coordinates("x", "t")
u = ps.unknown("u", x, t)
EXACT = sympy.exp(-t) * sympy.sin(sympy.pi * x)
TINY = HypernetworkSizes(
    target=target_network(width=8, bands=2, depth=2),
    grid=16,
    stem=8,
    swin=SwinSizes(embed=16, window=4, depths=(1, 1), heads=(1, 2)),
    weight_heads=HeadSizes((8,) * 5, (1,) * 5),
    bias_heads=HeadSizes((8,) * 5, (1,) * 5),
    networks=2,
)


def model():
    torch.manual_seed(0)
    return HyPINO(Hypernetwork(TINY).eval())


def heat():
    """On [0, 2] x [0, 1]: the box is no square, so that a network in the wrong coordinates is seen."""
    return ps.Problem(
        equations=(ps.Eq(sympy.pi**2 * ps.dt(u), ps.d(u, x, x)),),
        domain=ps.Interval(0.0, 2.0) * ps.TimeInterval(0.0, 1.0),
        conditions=(ps.Dirichlet(u, 0), ps.Initial(u, sympy.sin(sympy.pi * x))),
    )


def points(n=400):
    return torch.rand(n, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64) * torch.tensor([2.0, 1.0])


def error(field):
    exact = ps.Program((EXACT,), (x, t))(*points().T)[0]
    return float((field.values(points())[:, 0] - exact).norm() / exact.norm())


def test_the_generated_network_is_the_zero_shot_answer():
    lowered = lower(heat(), 16)
    answer = model().zero_shot(lowered.posed)
    square = lowered.to_square(points())
    jet = lowered.amplitude * answer.jet(square, JetLayout(2, (0, 1)))[0]
    network = generated_network(heat(), model())
    atoms = [JetAtom(0, orders) for orders in ((0, 0), (1, 0), (0, 1))]
    found = network.derivatives(points(), atoms)
    # d/dt = 2 d/dy: the square is twice as high as the domain, and just as wide
    for atom, expected in zip(atoms, (jet[0], jet[1], 2 * jet[2]), strict=True):
        torch.testing.assert_close(found[atom], expected, rtol=1e-9, atol=1e-9)
    assert network.model.networks == 2


def test_gauss_newton_goes_on_from_it():
    before = error(generated_network(heat(), model()))
    method = GaussNewton(first_rows=150, rows=300, steps=12)
    solution = fine_tuned(heat(), model(), method, tol=1e-3)
    assert solution.method == "Gauss-Newton on a network"
    assert error(solution.field) < min(before / 20, 1e-3)


def test_the_other_methods_go_on_from_it():
    start = generated_network(heat(), model())
    before = error(start)
    projection = VariableProjection(start.model, first_rows=150, rows=300, steps=50)
    lbfgs = AdamLBFGS(rows=150, adam=AdamSchedule(steps=0), lbfgs_steps=50)
    for method, factor in ((projection, 3), (lbfgs, 1)):
        solution = fine_tuned(heat(), model(), method, tol=1e-9)
        assert solution.outcome is Outcome.TOLERANCE_NOT_REACHED
        assert error(solution.field) < before / factor
