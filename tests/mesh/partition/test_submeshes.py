"""Pieces of a mesh to learn from: what they hold, and that own nodes see and count as they do in the whole mesh."""

import boxes
import masks
import pytest
import torch

from physolve.errors import SpecificationError
from physolve.mesh import Sight
from physolve.mesh.operators import least_squares_gradient, least_squares_laplacian
from physolve.mesh.partition import rows_that_see_all, submesh_graph, submeshes
from physolve.mesh.training._losses import square_error


def hops(graph):
    """Steps along edges from node to node."""
    n = graph.num_nodes
    step = torch.zeros(n, n)
    step[tuple(graph.edge_index)] = 1
    found = torch.full((n, n), n)
    reached = torch.eye(n)
    for k in range(n):
        found[(reached > 0) & (found == n)] = k
        reached = reached @ step
        if (found < n).all():
            break
    return found


@pytest.mark.parametrize("halo", [0, 1, 3])
def test_pieces_share_out_the_mesh_and_see_a_halo(halo):
    _, graph, _ = boxes.simulated(2, 10, Sight())
    pieces, apart = submeshes(graph, 4, halo), hops(graph)
    assert sorted(torch.cat([piece.nodes[: piece.own] for piece in pieces]).tolist()) == list(range(100))
    for piece in pieces:
        own = piece.nodes[: piece.own]
        near = apart[own].amin(0) <= halo
        assert sorted(piece.nodes.tolist()) == torch.nonzero(near)[:, 0].tolist()


def test_all_pieces_see_the_global_nodes():
    _, graph, _ = boxes.simulated(2, 10, Sight(global_nodes=2))
    everywhere = rows_that_see_all(graph.mask)
    assert len(everywhere) == 2
    for piece in submeshes(graph, 4, 1):
        assert set(everywhere.tolist()) <= set(piece.nodes.tolist())
        part = submesh_graph(graph, piece)
        assert set(everywhere.tolist()) <= set(piece.nodes[rows_that_see_all(part.mask)].tolist())


@pytest.mark.parametrize("sight", boxes.SIGHTS.values(), ids=boxes.SIGHTS)
def test_a_piece_is_the_mesh_between_its_nodes(sight):
    _, graph, _ = boxes.simulated(2, 8, sight)
    whole = {name: torch.zeros(64, 64, dtype=torch.bool) for name in ("mask", "mesh")}
    whole["mask"][tuple(graph.mask.edge_index())] = True
    whole["mesh"][tuple(graph.edge_index)] = True
    for piece in submeshes(graph, 3, 1):
        part = submesh_graph(graph, piece)
        for name, edges in (("mask", part.mask.edge_index()), ("mesh", part.edge_index)):
            found = torch.zeros(len(piece.nodes), len(piece.nodes), dtype=torch.bool)
            found[tuple(edges)] = True
            assert torch.equal(found, whole[name][piece.nodes][:, piece.nodes])
        for name in ("pos", "node_type", "features", "known"):
            assert torch.equal(part[name], graph[name][piece.nodes])
        assert part.counted.tolist() == [True] * piece.own + [False] * (len(piece.nodes) - piece.own)


@pytest.mark.parametrize(("sight", "depth"), [(Sight(), 3), (Sight(hops=2), 6)], ids=["neighbours", "hops"])
def test_with_a_halo_as_deep_as_the_network_sees_own_nodes_say_the_same(sight, depth):
    """Three blocks: three times what one sees. With less, they say something else."""
    simulator, graph, state = boxes.simulated(2, 16, sight)

    def off(halo):
        pieces = submeshes(graph, 4, halo)
        assert all(len(piece.nodes) < 256 for piece in pieces)
        found = [simulator(state[p.nodes], submesh_graph(graph, p))[: p.own] for p in pieces]
        return masks.distance(torch.cat(found), whole[torch.cat([p.nodes[: p.own] for p in pieces])])

    with torch.no_grad():
        whole = simulator(state, graph)
        assert off(depth) < 1e-12
        assert off(depth - 1) > 1e-9


def test_only_own_nodes_are_learned_from():
    """The square error depends on the truth of own nodes, of the state only where it is predicted."""
    simulator, graph, state = boxes.simulated(2, 10, Sight(global_nodes=1))
    truth = torch.randn(100, 3, dtype=torch.float64)
    for piece in submeshes(graph, 4, 2):
        part, seen = submesh_graph(graph, piece), state[piece.nodes]
        wanted = truth[piece.nodes].requires_grad_()
        loss = square_error(simulator, simulator(seen, part), seen, wanted, part)
        (slope,) = torch.autograd.grad(loss, wanted)
        own = torch.arange(len(seen)) < piece.own
        assert torch.equal(slope[:, 2] != 0, own)
        assert torch.equal((slope[:, :2] != 0).all(1), own & ~part.known)
        assert torch.equal((slope[:, :2] != 0).any(1), own & ~part.known)


def test_errors_of_the_pieces_are_those_of_the_mesh():
    """Means over the nodes of all pieces, for a network that says the same in each."""
    simulator, graph, state = boxes.simulated(2, 10, Sight())
    said, truth = torch.randn(2, 100, 3, dtype=torch.float64)
    total = torch.zeros((), dtype=torch.float64)
    for piece in submeshes(graph, 4, 1):
        part, nodes = submesh_graph(graph, piece), piece.nodes
        own = part.counted & ~part.known
        outputs = (said[nodes, 2] - truth[nodes, 2])[: piece.own].square().sum() / 100
        loss = square_error(simulator, said[nodes], state[nodes], truth[nodes], part)
        of_outputs = outputs * 100 / piece.own
        of_state = 3 * loss - of_outputs  # the sum of two columns' means
        total += of_state * own.sum() / (~graph.known).sum() + outputs
    assert float(total / 3) == pytest.approx(float(square_error(simulator, said, state, truth, graph)), rel=1e-12)


@pytest.mark.parametrize(("make", "halo"), [(least_squares_gradient, 1), (least_squares_laplacian, 2)])
def test_operators_of_a_piece_are_those_of_the_mesh(make, halo):
    points, _, _ = boxes.box(2, 10)
    _, graph, state = boxes.simulated(2, 10, Sight())
    stencil = make(points, graph.edge_index.numpy()).stencil
    for piece in submeshes(graph, 4, halo):
        found = stencil.within(*piece)(state[piece.nodes])
        assert masks.distance(found[: piece.own], stencil(state)[piece.nodes[: piece.own]]) < 1e-13
        assert not found[piece.own :].any()
    with pytest.raises(SpecificationError, match=r"have neighbours beyond the \d+ nodes of a piece; take a deeper"):
        stencil.within(*submeshes(graph, 4, halo - 1)[0])
