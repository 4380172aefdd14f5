"""The losses, from their definitions."""

import pytest
import torch
from waves import square

from physolve.mesh import Channels, Design, Scales, Simulator, TransformerSizes, mesh_edges, simulation_graph
from physolve.mesh.operators import NavierStokesResidual, least_squares_gradient, least_squares_laplacian
from physolve.mesh.training import PhysicsWeights
from physolve.mesh.training._losses import FlowStep, gradient_losses, momentum_loss, square_error

DESIGN = Design(
    Channels(("velocity",), (2,)), Channels(("pressure",), (0,)), 2, 0.1, 0.2, 1.0, TransformerSizes(1, 8, 2)
)
POINTS, TRIANGLES, TYPES = square()
GRAPH = simulation_graph(POINTS, {"triangle": TRIANGLES}, TYPES, DESIGN)


@pytest.fixture
def simulator():
    made = Simulator(DESIGN)
    two = torch.full((2,), 2.0)
    made.set_scales(Scales(0 * two, two, 0.5 * two / 2, torch.tensor([1.0]), torch.tensor([4.0])))
    return made


def test_the_error_counts_free_nodes_for_the_state_and_all_for_outputs(simulator):
    n = len(POINTS)
    state, truth = torch.zeros(n, 2), torch.zeros(n, 3)
    said = torch.zeros(n, 3)
    said[:, 2] = -0.25  # the pressure 1 - 0.25 * 4 = 0
    assert float(square_error(simulator, said, state, truth, GRAPH)) == 0.0
    wrong = said.clone()
    wrong[GRAPH.known, :2] = 7.0
    assert float(square_error(simulator, wrong, state, truth, GRAPH)) == 0.0
    wrong = said.clone()
    wrong[~GRAPH.known, 0] = 3.0
    assert float(square_error(simulator, wrong, state, truth, GRAPH)) == pytest.approx(9 / 3)  # one column of three
    truth[:, 1] = 1.0  # two of the increment's half
    assert float(square_error(simulator, said, state, truth, GRAPH)) == pytest.approx(4 / 3)
    wrong = said.clone()
    wrong[:, 2] += 1.0
    assert float(square_error(simulator, wrong, state, 0 * truth, GRAPH)) == pytest.approx(1 / 3)


def test_what_the_network_should_say_advances_to_the_truth(simulator):
    torch.manual_seed(0)
    state, truth = torch.randn(len(POINTS), 2), torch.randn(len(POINTS), 3)
    wanted = torch.cat([(truth[:, :2] - state) / 0.5, (truth[:, 2:] - 1.0) / 4.0], 1)
    assert float(square_error(simulator, wanted, state, truth, GRAPH)) < 1e-10
    found = simulator.read(wanted, state, GRAPH, truth[:, :2])
    assert torch.allclose(found.state, truth[:, :2], atol=1e-5)
    assert torch.allclose(found.outputs, truth[:, 2:], atol=1e-5)


def test_the_momentum_loss_is_the_residual_over_the_acceleration():
    """v' - v = dt a, constant in space, and p = q x: what is left is a + (q, 0)."""
    x = torch.from_numpy(POINTS)[:, 0]
    edges = mesh_edges({"triangle": TRIANGLES}, len(POINTS))
    gradient, laplacian = least_squares_gradient(POINTS, edges), least_squares_laplacian(POINTS, edges)
    residual = NavierStokesResidual(gradient, laplacian, 0.1)
    still = torch.zeros(len(POINTS), 2, dtype=torch.float64)
    counted, dt = (~GRAPH.known).double(), 0.5

    def step(acceleration, q):
        return FlowStep(still, still + dt * torch.tensor(acceleration, dtype=torch.float64), q * x)

    true = step([3.0, 0.0], -3.0)
    assert float(momentum_loss(residual, true, true, dt, counted)) == pytest.approx(0.0, abs=1e-20)
    found = momentum_loss(residual, step([3.0, 2.0], -4.0), true, dt, counted)
    assert float(found) == pytest.approx((1.0 + 4.0) / 9.0)


def test_physics_losses_are_relative_to_the_true_gradient():
    """Of linear fields, whose gradients the operator has exactly: true (y, 0), predicted (y + a x, b x)."""
    x, y = torch.from_numpy(POINTS).T
    gradient = least_squares_gradient(POINTS, mesh_edges({"triangle": TRIANGLES}, len(POINTS)))
    true = torch.stack([y, 0 * x], 1)
    predicted = torch.stack([y + 0.3 * x, 0.4 * x], 1)
    counted = (~GRAPH.known).double()

    def loss(**weights):
        return float(gradient_losses(PhysicsWeights(**weights), gradient, predicted, true, counted))

    assert loss(gradient=1.0) == pytest.approx(0.3**2 + 0.4**2)
    assert loss(divergence=1.0) == pytest.approx(0.3**2)
    assert loss(gradient=2.0, divergence=3.0) == pytest.approx(2 * 0.25 + 3 * 0.09)
