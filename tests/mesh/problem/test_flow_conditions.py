"""Conditions on a flow, however they are written, and those that simulators cannot know of."""

import numpy as np
import pytest

from physolve.errors import UnsupportedError
from physolve.io import domain_mesh
from physolve.mesh import NodeType
from physolve.mesh.problem import boundary_types, flow_case, flow_of
from physolve.spec import loads_problem

pytestmark = pytest.mark.filterwarnings("ignore::physolve.errors.WellPosednessWarning")  # of open outflows

CHANNEL = """
coordinates = ["x", "y", "t"]
domain = "(rectangle([0, 0], [2, 1]) - cyl) * time(0, 1)"
equations = ["dt(v) + dot(grad(v), v) + grad(p) = 0.01*laplacian(v)", "div(v) = 0"]

[unknowns]
v = { components = 2 }
p = {}

[shapes]
cyl = "disk([0.5, 0.5], 0.2)"

[[conditions]]
kind = "dirichlet"
unknown = "v"
value = "[y*(1 - y)*(1 + t), 0]"
on = "left"

[[conditions]]
kind = "dirichlet"
unknown = "v"
value = "[0, 0]"
on = ["bottom", "top", "cyl"]

[[conditions]]
kind = "initial"
unknown = "v"
value = "[0, 0]"
"""
WALLS = CHANNEL[
    CHANNEL.index("[[conditions]]", CHANNEL.index("left")) : CHANNEL.index('[[conditions]]\nkind = "initial"')
]
DISKS = CHANNEL.replace("(rectangle([0, 0], [2, 1]) - cyl)", "(far - cyl)").replace(
    "[shapes]", '[shapes]\nfar = "disk([0.5, 0.5], 2)"'
).replace('"left"', '"far"').replace('["bottom", "top", "cyl"]', '"cyl"')  # fmt: skip


def condition(kind, on="right", **entries):
    lines = [f'{name} = "{value}"' for name, value in {"kind": kind, **entries}.items()]
    return "\n".join(["[[conditions]]", *lines, *([] if on is None else [f'on = "{on}"'])]) + "\n\n"


def case(text):
    flow = flow_of(loads_problem(text))
    mesh = domain_mesh(flow.space, 16)
    return flow_case(flow, mesh.points, mesh.cells, 0.1)


def test_components_apart_are_what_the_vector_is():
    by_vector = case(CHANNEL)
    apart = "".join(
        condition("dirichlet", unknown=f"v_{axis}", value="0").replace('"right"', '["bottom", "top", "cyl"]')
        for axis in "xy"
    )
    by_component = case(CHANNEL.replace(WALLS, apart))
    assert {NodeType.WALL, NodeType.OBSTACLE, NodeType.INFLOW, NodeType.OUTFLOW} < set(by_vector.node_type)
    assert np.array_equal(by_component.node_type, by_vector.node_type)
    assert np.array_equal(by_component.known(3)["velocity"], by_vector.known(3)["velocity"])


def test_equal_values_on_two_sides_are_told_to_both():
    text = CHANNEL.replace(WALLS, WALLS.replace('["bottom", "top", "cyl"]', '"cyl"'))
    sides = "".join(condition("dirichlet", on=on, unknown="v", value="[1, 0]") for on in ("bottom", "top"))
    found = case(text + sides)
    y = found.points[:, 1]
    for side in (y == 0, y == 1):
        assert set(found.node_type[side]) == {NodeType.INFLOW}
        assert found.known(1)["velocity"][side][1:-1, 0] == pytest.approx(1.0)


@pytest.mark.parametrize("on", ["walls", "boundary"])
def test_all_walls_at_once(on):
    """What a domain in space and time calls them, too; nothing flows in."""
    start = CHANNEL.index("[[conditions]]")
    closed = CHANNEL[:start] + condition("dirichlet", on=on, unknown="v", value="[0, 0]")
    found = case(closed + CHANNEL[CHANNEL.index('[[conditions]]\nkind = "initial"') :])
    assert set(found.node_type) == {NodeType.NORMAL, NodeType.WALL, NodeType.OBSTACLE}
    assert not found.known(2)["velocity"].any()


@pytest.mark.parametrize("order", [1, -1])
def test_an_obstacle_with_as_many_nodes_as_the_rim_is_one(order):
    """Rings of 32 nodes, the obstacle's the first or the last."""
    angle = 2 * np.pi * np.arange(32) / 32
    ring = np.stack([np.cos(angle), np.sin(angle)], 1)
    points = np.concatenate([0.5 + r * ring for r in np.geomspace(0.2, 2, 6)[::order]])
    k, j = (index.ravel() for index in np.meshgrid(np.arange(5), np.arange(32), indexing="ij"))
    after = (j + 1) % 32
    quads = np.stack([32 * k + j, 32 * k + after, 32 * k + 32 + after, 32 * k + 32 + j], 1)
    types = boundary_types(flow_of(loads_problem(DISKS)), points, {"quad": quads}).reshape(6, 32)[::order]
    assert set(types[0]) == {NodeType.OBSTACLE}
    assert set(types[-1]) == {NodeType.INFLOW}
    assert set(types[1:-1].ravel()) == {NodeType.NORMAL}


@pytest.mark.parametrize(
    "more",
    [
        condition("neumann", unknown="v", value="[0, 0]"),
        condition("boundary_equation", equation="0.01*d(v_x, x) - p = 0")
        + condition("dirichlet", unknown="v_y", value="0"),
        condition("dirichlet", unknown="p", value="0"),
        condition("mean_value", on=None, unknown="p", value="0"),
    ],
)
def test_what_says_nothing_else_of_an_outflow_is_allowed(more):
    assert np.array_equal(case(CHANNEL + more).node_type, case(CHANNEL).node_type)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (condition("periodic", on=None, unknown="v", along="x"), r"condition 4 \('periodic' on v\) is nothing that"),
        (condition("periodic", on=None, unknown="p", along="x"), r"condition 4 \('periodic' on p\) is nothing that"),
        (condition("robin", unknown="v_x", a="1", b="1", value="0"), r"\('robin' on v_x\) is nothing that"),
        (condition("neumann", unknown="v", value="[0, 1]"), r"\('neumann' on v\) is nothing that simulators know"),
        (condition("boundary_equation", equation="v_x - v_y = 0"), r"\('boundary_equation' on v_., v_.\) is nothing"),
        (condition("mean_value", on=None, unknown="v_x", value="1"), r"\('mean_value' on v_x\) is nothing"),
        (condition("dirichlet", unknown="v_x", value="0"), r"at \(2, .*\) and \d+ more nodes v_x is given across the"),
        (
            condition("dirichlet", unknown="p", value="0") + condition("dirichlet", on="cyl", unknown="p", value="1"),
            "the pressure is given as 0 and 1, and simulators do not know what pressure drives a flow",
        ),
    ],
)
def test_what_simulators_cannot_know_of_is_refused(more, message):
    with pytest.raises(UnsupportedError, match=message):
        case(CHANNEL + more)


def test_a_wall_with_slip_is_refused():
    with pytest.raises(UnsupportedError, match=r"at \(.*, 1\) and \d+ more nodes v_y is given across the boundary"):
        case(CHANNEL.replace('["bottom", "top", "cyl"]', '["bottom", "cyl"]')
             + condition("dirichlet", on="top", unknown="v_y", value="0"))  # fmt: skip


def test_a_force_is_refused():
    text = CHANNEL.replace("laplacian(v)", "laplacian(v) + [1, 0]")
    with pytest.raises(UnsupportedError, match=r"the momentum equation has the force \(1, 0\), which simulators"):
        case(text)
