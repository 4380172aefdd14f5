"""Parts of a mesh: who owns what, who sees what, and that a simulator says the same part by part."""

import boxes
import masks
import numpy as np
import pytest
import torch

from physolve.errors import SpecificationError, UnsupportedError
from physolve.mesh import MessageSizes, Sight, mesh_edges
from physolve.mesh.partition import attention_partition, metis_labels, partitioned

MESHES = [(2, 12), (3, 6)]


@pytest.mark.parametrize(("dim", "side"), MESHES)
@pytest.mark.parametrize("parts", [1, 2, 7])
def test_labels_cover_all_nodes_evenly(dim, side, parts):
    """METIS allows a part 3 % more than its share, here a node or two."""
    points, cells, _ = boxes.box(dim, side)
    edges = mesh_edges(cells, len(points))
    labels = metis_labels(edges, len(points), parts)
    sizes = np.bincount(labels, minlength=parts)
    assert (len(labels), len(sizes)) == (len(points), parts)
    assert sizes.max() <= 1.03 * len(points) / parts + 2
    cut = (labels[edges[0]] != labels[edges[1]]).mean()
    assert cut < (0.4 if dim == 2 else 0.7) * (parts > 1) + 1e-9  # at random: 1 - 1 / parts, 0.86 for 7
    assert np.array_equal(labels, metis_labels(edges, len(points), parts))


@pytest.mark.parametrize("parts", [0, 145, 200])
def test_parts_that_cannot_all_have_a_node_are_refused(parts):
    points, cells, _ = boxes.box(2, 12)
    with pytest.raises(SpecificationError, match=f"got {parts} parts for a mesh of 144 nodes, expected 1 to 144"):
        metis_labels(mesh_edges(cells, 144), len(points), parts)


def test_a_part_that_metis_leaves_empty_is_refused():
    """Two nodes joined by an edge and a hub of many: as many parts as nodes."""
    hub = np.stack([np.zeros(9, dtype=int), np.arange(1, 10)])
    edges = np.concatenate([hub, hub[::-1]], 1)
    with pytest.raises(SpecificationError, match="parts of a mesh of 10 nodes empty; ask for fewer parts"):
        metis_labels(edges[:, np.lexsort(edges[::-1])], 10, 9)


@pytest.mark.parametrize("sight", boxes.SIGHTS.values(), ids=boxes.SIGHTS)
def test_own_nodes_look_at_what_they_look_at_in_the_whole_mesh(sight):
    _, graph, _ = boxes.simulated(2, 12, sight)
    labels = torch.arange(144) % 5
    found = torch.zeros(144, 144, dtype=torch.bool)
    partition = attention_partition(graph.mask, labels)
    alone = set(partition.everywhere.tolist())
    assert len(alone) == sight.global_nodes
    found[partition.everywhere] = True
    for label, part in enumerate(partition.parts):
        assert part.own.tolist() == [node for node in range(label, 144, 5) if node not in alone]
        assert alone <= set(part.nodes.tolist())
        halo = part.nodes[len(part.own) :]
        assert (halo.diff() > 0).all()
        assert not set(halo.tolist()) & set(part.own.tolist())
        row, node = part.mask.edge_index()
        assert set(node.tolist()) | set(range(len(part.own))) == set(range(len(part.nodes)))
        found[part.own[row], part.nodes[node]] = True
    expected = torch.zeros_like(found)
    expected[tuple(graph.mask.edge_index())] = True
    assert torch.equal(found, expected)


@pytest.mark.parametrize(("dim", "side"), MESHES)
@pytest.mark.parametrize("sight", boxes.SIGHTS.values(), ids=boxes.SIGHTS)
def test_part_by_part_a_simulator_says_the_same(dim, side, sight):
    """To rounding of float64; states and outputs are of order one."""
    simulator, graph, state = boxes.simulated(dim, side, sight)
    with torch.no_grad():
        whole = torch.cat(simulator.advance(state, graph), 1)
        for parts in (1, 2, 7):
            found = torch.cat(simulator.advance(state, partitioned(graph, parts)), 1)
            assert masks.distance(found, whole) < 1e-12, parts


@pytest.mark.parametrize("checkpointing", [False, True])
def test_part_by_part_gradients_are_the_same(checkpointing):
    simulator, graph, state = boxes.simulated(2, 8, boxes.SIGHTS["all of them"], checkpointing=checkpointing)

    def slopes(graph):
        return torch.autograd.grad(simulator(state, graph).square().sum(), list(simulator.parameters()))

    pairs = zip(slopes(graph), slopes(partitioned(graph, 3)), strict=True)
    assert max(masks.distance(found, whole) for whole, found in pairs) < 1e-12


@pytest.mark.parametrize("sight", [Sight(), Sight(global_nodes=2)], ids=["neighbours", "global nodes"])
def test_only_a_part_is_ever_worked_on(sight):
    """Memory: every layer is given about a seventh of the mesh and a halo, not the mesh."""
    simulator, graph, state = boxes.simulated(2, 20, sight)
    seen = []
    for layer in simulator.network.modules():
        if isinstance(layer, torch.nn.Linear):
            layer.register_forward_pre_hook(lambda layer, inputs: seen.append(len(inputs[0])))
    with torch.no_grad():
        simulator.advance(state, partitioned(graph, 7))
    assert 0 < max(seen) < 0.3 * 400


def test_a_mesh_of_which_every_node_sees_all():
    """A quad with its diagonals: there is nothing but global nodes."""
    simulator, graph, state = boxes.simulated(2, 2, Sight(hops=2))
    partition = partitioned(graph, 1).partition
    assert (len(partition.parts), len(partition.everywhere)) == (0, 4)
    assert masks.distance(simulator(state, partitioned(graph, 1)), simulator(state, graph)) < 1e-12


def test_large_scores_do_not_overflow():
    """Of global nodes, whose softmax is taken piece by piece: keys and queries a hundred times as large."""
    simulator, graph, state = boxes.simulated(2, 8, Sight(global_nodes=2))
    with torch.no_grad():
        for block in simulator.network.processor_list:
            block.attention.q_proj.weight *= 100
            block.attention.k_proj.weight *= 100
        found, whole = simulator(state, partitioned(graph, 5)), simulator(state, graph)
    assert masks.distance(found, whole) < 1e-9  # scores of 1e4 are exponents: their rounding is that much larger


def test_autocast_sums_over_pieces_in_single_precision():
    """Outputs are bfloat16 numbers, the same but for a flip here and there; by sums in bfloat16 most would differ."""
    simulator, graph, state = boxes.simulated(2, 8, Sight(global_nodes=2))
    simulator, state = simulator.float(), state.float()
    graph.features, graph.pos = graph.features.float(), graph.pos.float()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for block in simulator.network.processor_list:
            for project in (block.attention.q_proj, block.attention.k_proj, block.attention.v_proj):
                project.weight *= 10
        found, whole = simulator(state, partitioned(graph, 5)), simulator(state, graph)
    assert found.dtype == whole.dtype == torch.bfloat16
    assert (found != whole).float().mean() < 0.05


def test_messages_in_parts_are_refused():
    simulator, graph, state = boxes.simulated(2, 6, Sight(), MessageSizes(steps=1, width=8))
    with pytest.raises(UnsupportedError, match="got a mesh in parts for a MeshGraphNet"):
        simulator.advance(state, partitioned(graph, 2))
