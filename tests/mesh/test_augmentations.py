"""Attention masks of a mesh: edges of cells, neighbours of neighbours, windows on a curve, global and random nodes."""

import itertools

import numpy as np
import pytest
import torch

from physolve.errors import SpecificationError
from physolve.mesh import (
    DilatedWindow,
    GlobalNodes,
    KHop,
    NodeType,
    RandomEdges,
    attention_mask,
    hilbert_order,
    mesh_edges,
    mesh_graph,
    one_hot,
)

SIDE = 6
POINTS = np.array(list(itertools.product(range(SIDE), range(SIDE))), dtype=float)
CORNER = np.array([SIDE * i + j for i in range(SIDE - 1) for j in range(SIDE - 1)])
QUADS = np.stack([CORNER, CORNER + SIDE, CORNER + SIDE + 1, CORNER + 1], 1)
MESH = mesh_edges({"quad": QUADS}, len(POINTS))
HOPS = np.abs(POINTS[:, None] - POINTS[None]).sum(-1)  # on a grid, steps along edges


def dense(edges):
    matrix = np.zeros((len(POINTS),) * 2, dtype=bool)
    matrix[tuple(np.asarray(edges))] = True
    return matrix


def test_edges_of_a_grid():
    assert np.array_equal(dense(MESH), HOPS == 1)
    assert MESH.shape[1] == dense(MESH).sum()


@pytest.mark.parametrize(
    ("kind", "nodes", "edges"),
    [
        ("line", 2, 1), ("line3", 3, 2), ("triangle", 3, 3), ("triangle6", 6, 6), ("quad8", 8, 8), ("quad9", 9, 16),
        ("tetra", 4, 6), ("tetra10", 10, 12), ("hexahedron", 8, 12), ("hexahedron20", 20, 24), ("wedge", 6, 9),
        ("pyramid", 5, 8), ("vertex", 1, 0),
    ],
)  # fmt: skip
def test_edges_of_one_cell(kind, nodes, edges):
    found = mesh_edges({kind: np.arange(nodes)[None]}, nodes)
    assert found.shape == (2, 2 * edges)
    assert (found[0] != found[1]).all()
    assert edges == 0 or set(found[0]) == set(range(nodes))


def test_cells_that_do_not_fit():
    with pytest.raises(SpecificationError, match="quad 0 has nodes"):
        mesh_edges({"quad": QUADS}, 5)
    with pytest.raises(SpecificationError, match="got 'polygon'"):
        mesh_edges({"polygon": QUADS}, 36)


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_k_hop(hops):
    found = dense(KHop(hops).edges(POINTS, MESH)) | np.eye(len(POINTS), dtype=bool)
    assert np.array_equal(found, hops >= HOPS)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_hilbert_curve_steps_from_cell_to_neighbouring_cell(dim):
    points = np.array(list(itertools.product(range(8), repeat=dim)), dtype=float)
    order = hilbert_order(np.random.default_rng(0).permuted(points, axis=0) if dim == 1 else points)
    assert sorted(order) == list(range(len(points)))
    if dim > 1:
        assert (np.abs(np.diff(points[order], axis=0)).sum(1) == 1).all()


def test_dilated_window():
    place = np.argsort(hilbert_order(POINTS))
    apart = np.abs(place[:, None] - place[None])
    found = dense(DilatedWindow(reach=2, dilation=3).edges(POINTS, MESH))
    assert np.array_equal(found, (apart == 3) | (apart == 6))
    assert DilatedWindow(4, 100).edges(POINTS, MESH).shape == (2, 0)


def test_global_nodes_see_all_and_are_seen():
    found = dense(GlobalNodes(3).edges(POINTS, MESH))
    chosen = found.all(1)
    assert chosen.sum() == 3
    assert np.array_equal(found, chosen[:, None] | chosen[None])


def test_random_edges_are_both_ways_and_repeatable():
    edges = RandomEdges(2, seed=5).edges(POINTS, MESH)
    assert np.array_equal(dense(edges), dense(edges).T)
    assert np.array_equal(edges, RandomEdges(2, seed=5).edges(POINTS, MESH))
    assert not np.array_equal(edges, RandomEdges(2, seed=6).edges(POINTS, MESH))
    assert np.bincount(edges[0], minlength=len(POINTS)).min() >= 2


def test_a_mask_holds_all_of_them_once():
    more = [KHop(2), GlobalNodes(2), DilatedWindow(1, 4)]
    mask = attention_mask(torch.from_numpy(POINTS), torch.from_numpy(MESH), more)
    expected = np.eye(len(POINTS), dtype=bool) | dense(MESH)
    for augmentation in more:
        expected |= dense(augmentation.edges(POINTS, MESH))
    assert np.array_equal(dense(mask.edge_index()), expected)
    assert mask.edges == expected.sum()


@pytest.mark.parametrize("make", [lambda: KHop(0), lambda: DilatedWindow(1, 0), lambda: GlobalNodes(0)])
def test_nothing_is_refused(make):
    with pytest.raises(SpecificationError, match="expected at least 1"):
        make()


def test_a_graph_for_pyg():
    node_type = np.full(len(POINTS), NodeType.NORMAL)
    node_type[:SIDE] = NodeType.INFLOW
    graph = mesh_graph(POINTS, {"quad": QUADS}, node_type, [GlobalNodes(1)])
    graph.validate()
    assert graph.pos.shape == (36, 2)
    assert np.array_equal(graph.edge_index.numpy(), MESH)
    assert graph.mask.rows == graph.mask.nodes == 36
    assert one_hot(graph.node_type).sum(0).tolist() == [30, 0, 0, 0, 6, 0, 0, 0, 0]
