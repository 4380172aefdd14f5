"""Meshes of channels, and what enters them."""

import numpy as np
import pytest
from flows import DFG

from physolve.reference.flow import Channel, Inflow, MeshSizes, Part, TaylorHood, channel_mesh
from physolve.spec.geometry import Disk


@pytest.mark.parametrize("edge", [0.02, 0.01])
def test_cylinders_are_round(edge):
    """Edges of parabolas of length L miss 2 pi L^4 / (960 r^2) of the area; some are a fourth longer than asked."""
    space = TaylorHood.on(channel_mesh(DFG, MeshSizes(0.08, edge)))
    missed = abs(space.weights.sum() - (2.2 * 0.41 - np.pi * 0.05**2))
    assert missed < 2 * np.pi / 960 * (1.25 * edge) ** 4 / 0.05**2


def test_every_part_of_the_boundary_has_its_label():
    channel = Channel(1.0, 0.4, (Disk((0.3, 0.15), 0.05), Disk((0.6, 0.25), 0.05)))
    space = channel_mesh(channel, MeshSizes(0.08, 0.03))
    places = {label: space.mesh.doflocs[:, np.unique(space.dofs_of(label))] for label in range(5)}
    assert not places[Part.INFLOW][0].any()
    assert (places[Part.OUTFLOW][0] == 1.0).all()
    assert set(np.unique(places[Part.WALL][1])) == {0.0, 0.4}
    for k, center in enumerate([(0.3, 0.15), (0.6, 0.25)]):
        radii = np.hypot(*(places[Part.OBSTACLE + k] - np.reshape(center, (2, 1))))
        np.testing.assert_allclose(radii, 0.05, rtol=1e-9)


def test_edges_are_short_in_the_wake():
    sizes = MeshSizes(0.08, 0.03, wake=0.02, reach=6.0)
    points = TaylorHood.on(channel_mesh(Channel(1.6, 0.4, (Disk((0.3, 0.2), 0.05),)), sizes)).vertices
    wake = (points[:, 0] > 0.4) & (points[:, 0] < 0.8) & (np.abs(points[:, 1] - 0.2) < 0.05)
    beyond = (points[:, 0] > 1.15) & (points[:, 0] < 1.55) & (np.abs(points[:, 1] - 0.2) < 0.05)
    assert wake.sum() > 6 * beyond.sum()


def test_the_inflow_is_a_parabola_that_grows_and_swells():
    y = np.array([[0.0, 0.0], [0.0, 0.2], [0.0, 0.4]])
    np.testing.assert_allclose(Inflow(0.4, 1.5)(y, 0.0), [[0, 0], [1.5, 0], [0, 0]])
    assert [Inflow(0.4, 1.5, ramp=2.0).share(t) for t in (0.0, 1.0, 2.0, 9.0)] == pytest.approx([0.0, 0.5, 1.0, 1.0])
    assert Inflow(0.4, 1.5, period=8.0).share(4.0) == pytest.approx(1.0)
