"""Nodes in no cell of the mesh are left out, those at one place are told."""

from dataclasses import replace

import numpy as np
import pytest
import simulations as sim

from physolve.errors import ProblemFileError
from physolve.mesh import NodeType
from physolve.mesh.data import Conversion, MeshStore, NodeRules, convert, read_source
from physolve.mesh.data._loose_nodes import without_loose

WALLS = Conversion(rules=NodeRules(boundary=NodeType.WALL))
EDGE = np.array([[0, 1], [1, 2]])


def with_stray(where, **cells):
    """A mesh whose node 3 is gmsh's: arrays of an archive."""
    number = np.arange(sim.N) + (np.arange(sim.N) >= 3)
    return {
        "points": np.insert(sim.POINTS, 3, where[:2], 0),
        "triangles": number[sim.TRIANGLES],
        "node_type": np.insert(sim.NODE_TYPE, 3, 0),
        "velocity": np.insert(sim.frames()["velocity"], 3, 7.0, 1),
        "pressure": np.insert(sim.frames()["pressure"], 3, 7.0, 1),
        **cells,
    }


@pytest.mark.parametrize(
    "cells", [{}, {"vertex": np.array([[3]])}, {"lines": EDGE, "vertex": np.array([[0]])}, {"lines": EDGE + 1}]
)
def test_nodes_that_only_points_and_lines_hold_are_left_out(tmp_path, caplog, cells):
    source = sim.write_npz(tmp_path / "flow.npz", **with_stray((0.4, 0.4), **cells))
    convert([source], tmp_path / "data.h5")
    store = MeshStore(tmp_path / "data.h5")
    mesh = store.mesh("flow")
    assert np.array_equal(mesh.points, sim.POINTS)
    assert np.array_equal(mesh.cells["triangle"], sim.TRIANGLES)
    assert np.array_equal(mesh.node_type, sim.NODE_TYPE)
    assert all(block.max() < sim.N for block in mesh.cells.values())
    for name, values in sim.flow(2).items():
        assert np.array_equal(store.frame("flow", 2)[name], values)
    assert "flow.npz: 1 of 17 nodes are in no cell of the mesh and are left out, first node 3 at [0.4, 0.4]" in (
        caplog.text
    )


def test_a_stray_node_off_the_plane(tmp_path):
    arrays = with_stray((0.4, 0.4))
    arrays["points"] = np.pad(arrays["points"], ((0, 0), (0, 1)))
    arrays["points"][3, 2] = 1.0
    convert([sim.write_npz(tmp_path / "flow.npz", **arrays)], tmp_path / "data.h5")
    assert np.array_equal(MeshStore(tmp_path / "data.h5").mesh("flow").points, sim.POINTS)


def test_parts_keep_their_places_when_nodes_are_left_out(tmp_path):
    (series,) = read_source(sim.write_npz(tmp_path / "flow.npz", **with_stray((0.4, 0.4))))
    kept = without_loose(replace(series, parts={"some": np.array([2, 3, 4])}))
    assert kept.parts["some"].tolist() == [2, 3]


def test_points_alone_are_no_mesh(tmp_path):
    source = sim.write_npz(tmp_path / "flow.npz", triangles=None, vertex=np.arange(sim.N)[:, None])
    with pytest.raises(ProblemFileError, match="cells: got none, expected a mesh"):
        read_source(source)


@pytest.mark.parametrize("gap", [0.0, 1e-12])
def test_blocks_that_are_not_joined_are_told(tmp_path, caplog, gap):
    points = np.concatenate([sim.POINTS, sim.POINTS + np.array([1 + gap, 0])])
    values = np.zeros((2, 2 * sim.N))
    arrays = {"triangles": np.concatenate([sim.TRIANGLES, sim.TRIANGLES + sim.N]), "node_type": None}
    source = sim.write_npz(tmp_path / "two.npz", points=points, velocity=None, pressure=values, **arrays)
    convert([source], tmp_path / "data.h5", WALLS)
    assert "two.npz: 8 nodes lie where another one does, first node 12 at [1.0, 0.0]" in caplog.text


def test_nothing_is_told_of_a_mesh_in_order(tmp_path, caplog):
    thin = sim.POINTS * [1, 1e-6]
    convert([sim.write_npz(tmp_path / "flow.npz", points=thin)], tmp_path / "data.h5")
    assert not caplog.text
