"""The specification feeds simulators: what is recognised, which nodes are what, what the boundary is told."""

from pathlib import Path

import numpy as np
import pytest
import torch

from physolve.errors import SpecificationError, UnsupportedError
from physolve.io import domain_mesh
from physolve.mesh import Channels, Design, NodeType, Simulator, TransformerSizes, mesh_edges
from physolve.mesh.operators import NavierStokesResidual, least_squares_gradient, least_squares_laplacian
from physolve.mesh.problem import boundary_types, flow_case, flow_of
from physolve.mesh.rollout import run_rollout
from physolve.spec import loads_problem, read_problem

LIBRARY = Path(__file__).resolve().parents[3] / "problems"

CYLINDER = """
coordinates = ["x", "y", "t"]
domain = "(channel - cylinder) * time(0, 8)"
equations = [
  "div(w) = 0",
  "nu*laplacian(w) - dt(w) - dot(grad(w), w) - grad(q) = 0",
]

[unknowns]
w = { components = 2 }
q = {}

[constants]
nu = 1e-3

[shapes]
channel = "rectangle([0, 0], [2.2, 0.41])"
cylinder = "disk([0.2, 0.2], 0.05)"

[[conditions]]
kind = "dirichlet"
unknown = "w"
value = "[6*sin(pi*t/8)*y*(0.41 - y)/0.41^2, 0]"
on = "left"

[[conditions]]
kind = "dirichlet"
unknown = "w"
value = "[0, 0]"
on = ["bottom", "top", "cylinder"]

[[conditions]]
kind = "boundary_equation"
equation = "nu*d(w_x, x) - q = 0"
on = "right"

[[conditions]]
kind = "dirichlet"
unknown = "w_y"
value = "0"
on = "right"

[[conditions]]
kind = "initial"
unknown = "w"
value = "[0, 0]"
"""


@pytest.fixture(scope="module")
def cylinder():
    return flow_of(loads_problem(CYLINDER))


@pytest.fixture(scope="module")
def mesh(cylinder):
    made = domain_mesh(cylinder.space, 60)
    return made.points, made.cells


def test_it_is_recognised_in_any_order_and_with_any_sign(cylinder):
    assert cylinder.viscosity == pytest.approx(1e-3)
    assert [str(u) for u in cylinder.velocity] == ["w_x(x, y, t)", "w_y(x, y, t)"]
    assert str(cylinder.pressure) == "q(x, y, t)"
    assert cylinder.force == (0, 0)
    assert (cylinder.begin, cylinder.end) == (0.0, 8.0)


def test_a_force_is_kept_apart():
    text = CYLINDER.replace("grad(q) = 0", "grad(q) + [sin(x), t] = 0")
    assert [str(f) for f in flow_of(loads_problem(text)).force] == ["sin(x)", "t"]


def test_node_types_follow_from_the_conditions(cylinder, mesh):
    points, cells = mesh
    types = boundary_types(cylinder, points, cells)
    x, y = points.T
    wall = (y < 1e-9) | (y > 0.41 - 1e-9)
    assert set(types[wall]) == {NodeType.WALL}
    assert set(types[(x < 1e-9) & ~wall]) == {NodeType.INFLOW}
    assert set(types[(x > 2.2 - 1e-9) & ~wall]) == {NodeType.OUTFLOW}
    round_it = np.abs(np.hypot(x - 0.2, y - 0.2) - 0.05) < 1e-6
    assert round_it.sum() > 8
    assert set(types[round_it]) == {NodeType.OBSTACLE}
    assert set(types[~wall & (x > 1e-9) & (x < 2.2 - 1e-9) & ~round_it]) == {NodeType.NORMAL}


def test_the_boundary_is_told_its_values_at_every_time(cylinder, mesh):
    case = flow_case(cylinder, *mesh, dt=0.5)
    y = case.points[:, 1]
    for step in (0, 3, 8):
        known = case.known(step)["velocity"]
        inflow = case.node_type == NodeType.INFLOW
        profile = 6 * np.sin(np.pi * 0.5 * step / 8) * y * (0.41 - y) / 0.41**2
        assert known[inflow, 0] == pytest.approx(profile[inflow])
        assert not known[~inflow].any()
        assert not known[:, 1].any()
    assert not case.start["velocity"].any()
    assert case.truth is None


def test_an_untrained_rollout_keeps_the_inflow(cylinder, mesh):
    case = flow_case(cylinder, *mesh, dt=0.5)
    design = Design(
        Channels(("velocity",), (2,)), Channels(("pressure",), (0,)), 2, 0.5, 0.04, 2.2, TransformerSizes(1, 8, 2)
    )
    torch.manual_seed(0)
    done = run_rollout(Simulator(design), case, 3)
    fixed = np.isin(case.node_type, [NodeType.INFLOW, NodeType.WALL, NodeType.OBSTACLE])
    assert done.state["velocity"][fixed] == pytest.approx(case.known(3)["velocity"][fixed], abs=1e-6)
    assert done.state["velocity"][~fixed].any()


def test_an_exact_solution_is_the_target():
    flow = flow_of(read_problem(LIBRARY / "taylor_green.toml"))
    made = domain_mesh(flow.space, 24)
    case = flow_case(flow, made.points, made.cells, 0.05)
    assert case.steps == 20
    known, true = (frame(4)["velocity"] for frame in (case.known, case.truth))
    given = case.node_type == NodeType.INFLOW
    assert given.sum() > 60
    assert known[given] == pytest.approx(true[given])


def test_the_residuals_of_the_exact_solution_vanish_with_the_mesh():
    """The physics losses, from the problem alone: of second order inside."""
    flow = flow_of(read_problem(LIBRARY / "taylor_green.toml"))
    sizes = [residual_of(flow, resolution) for resolution in (12, 24)]
    assert sizes[1] < sizes[0] / 2
    assert sizes[1] < 0.05


def residual_of(flow, resolution):
    made = domain_mesh(flow.space, resolution)
    dt, edges = 0.01, mesh_edges(made.cells, len(made.points))
    case = flow_case(flow, made.points, made.cells, dt)
    residual = NavierStokesResidual(
        least_squares_gradient(made.points, edges, 2), least_squares_laplacian(made.points, edges), flow.viscosity
    )
    before, after = (torch.from_numpy(case.truth(step)["velocity"]) for step in (0, 1))
    pressure = torch.from_numpy(case.truth(0)["pressure"] + case.truth(1)["pressure"]) / 2
    inside = torch.from_numpy(case.node_type == NodeType.NORMAL)
    return float(residual.momentum(before, after, pressure, dt)[inside].square().mean().sqrt())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("kovasznay", "expected one velocity of 2 components, one pressure and the time t"),
        ("heat_2d", "expected one velocity of 2 components"),
    ],
)
def test_other_problems_are_refused(name, message):
    with pytest.raises(UnsupportedError, match=message):
        flow_of(read_problem(LIBRARY / f"{name}.toml"))


@pytest.mark.filterwarnings("ignore:the equations amplify short waves")  # of a negative viscosity
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("div(w) = 0", "div(w) = x", "no equation of '' is div"),
        ("- dot(grad(w), w)", "- 2*dot(grad(w), w)", "is component 1 of dt"),
        ("nu*laplacian(w)", "-nu*laplacian(w)", "got the viscosity -0.001"),
    ],
)
def test_other_equations_are_named(old, new, message):
    text = CYLINDER.replace(old, new)
    with pytest.raises(UnsupportedError, match=message):
        flow_of(loads_problem(text))


def test_a_mesh_of_another_place_is_refused(cylinder, mesh):
    points, cells = mesh
    with pytest.raises(SpecificationError, match="no node of the mesh lies where condition 1"):
        boundary_types(cylinder, points + 5.0, cells)
    with pytest.raises(SpecificationError, match="got a mesh in 3-D for a problem in 2-D"):
        boundary_types(cylinder, np.pad(points, ((0, 0), (0, 1))), cells)
