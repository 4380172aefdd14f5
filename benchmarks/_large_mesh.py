"""A large 3-D mesh and what it costs: the part `large` of mesh.py."""

import argparse
import itertools
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from _memory import grown, resident
from numpy.typing import NDArray

from physolve.mesh import SMALL, Channels, Design, NodeType, Sight, Simulator, simulation_graph
from physolve.mesh.partition import partitioned, submesh_graph, submeshes
from physolve.mesh.training._losses import square_error

# Of a cube whose corners are numbered by their coordinates' bits: the tetrahedron of every other corner, and a
# tetrahedron at each of the rest.
FIVE = np.array([(0, 3, 5, 6), (1, 0, 3, 5), (2, 0, 3, 6), (4, 0, 5, 6), (7, 3, 5, 6)])


def box(side: int) -> tuple[NDArray, dict[str, NDArray], NDArray]:
    """Points of a grid in the unit cube, five tetrahedra a cell, mirrored from cell to cell; inflow where x = 0."""
    points = np.stack(np.meshgrid(*[np.linspace(0, 1, side)] * 3, indexing="ij"), -1).reshape(-1, 3)
    cell = np.stack(np.meshgrid(*[np.arange(side - 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
    steps = side ** np.array([2, 1, 0])
    corners = (cell @ steps)[:, None] + np.array(list(itertools.product((0, 1), repeat=3))) @ steps
    odd = cell.sum(1) % 2
    local = np.stack([FIVE, FIVE ^ 4])[odd]
    tetrahedra = np.take_along_axis(corners, local.reshape(len(cell), -1), 1).reshape(-1, 4)
    types = np.where(points[:, 0] == 0, NodeType.INFLOW, NodeType.NORMAL)
    return points, {"tetra": tetrahedra}, types


def simulator_of(side: int, sight: Sight) -> Simulator:
    """S with checkpointing and made-up weights."""
    torch.manual_seed(0)
    state, outputs = Channels(("velocity",), (3,)), Channels(("pressure",), (0,))
    design = Design(state, outputs, 3, 0.01, 1 / side, 1.0, replace(SMALL, rotary=3), sight)
    return Simulator(design, checkpointing=True)


def large(options: argparse.Namespace) -> None:
    """Seconds and memory of the graph, inference and training, whole and in parts."""
    sight = Sight(global_nodes=options.global_nodes)
    simulator, (points, cells, types) = simulator_of(options.side, sight), box(options.side)
    simulator(torch.zeros(27, 3), simulation_graph(*box(3), simulator.design))  # builds the kernels
    optimizer = torch.optim.AdamW(simulator.parameters())
    rows: list[tuple[str, float, float, float]] = []

    def measured(name: str, run: Callable[[], object]) -> None:
        before, begun = resident(), time.process_time()
        more = grown(run) if options.memory else unmeasured(run)
        rows.append((name, time.process_time() - begun, more, before + more))

    made: dict[str, object] = {}
    measured("graph", lambda: made.update(graph=simulation_graph(points, cells, types, simulator.design)))
    graph = made["graph"]
    state = torch.randn(graph.num_nodes, 3)
    said: dict[str, torch.Tensor] = {}

    def step(name: str, graph: object) -> None:
        with torch.no_grad():
            said[name] = torch.cat(simulator.advance(state, graph), 1)

    def train(graph: object, state: torch.Tensor) -> None:
        optimizer.zero_grad()
        truth = torch.zeros(len(state), 4)
        square_error(simulator, simulator(state, graph), state, truth, graph).backward()
        optimizer.step()

    measured("inference, whole", lambda: step("whole", graph))
    measured(f"{options.parts} parts for inference", lambda: made.update(parts=partitioned(graph, options.parts)))
    measured("inference, part by part", lambda: step("parts", made["parts"]))
    measured("training step, whole", lambda: train(graph, state))
    measured("training step, part by part", lambda: train(made["parts"], state))
    measured(
        f"{options.parts} pieces for training, halo 4", lambda: made.update(piece=submeshes(graph, options.parts, 4)[0])
    )
    piece = made["piece"]
    measured("graph of a piece", lambda: made.update(part=submesh_graph(graph, piece)))
    measured("training step, a piece", lambda: train(made["part"], state[piece.nodes]))

    print(
        f"{graph.num_nodes} nodes, {graph.edge_index.shape[1]} mesh edges, {graph.mask.edges} of attention,"
        f" {options.global_nodes} global nodes; the piece has {len(piece.nodes)} nodes, {piece.own} its own;"
        f" {torch.get_num_threads()} threads\n"
    )
    print("| work | CPU s | memory it takes GB | resident at its highest GB |\n|---|---|---|---|")
    for name, spent, more, highest in rows:
        print(f"| {name} | {spent:.1f} | {more / 1e9:.2f} | {highest / 1e9:.2f} |")
    print(f"\npart by part off by {apart(said['parts'], said['whole']):.1e} of the largest value in float32,")
    print(f"on {20**3} nodes in float64 by {exact(20, sight, options.parts):.1e}")


def unmeasured(run: Callable[[], object]) -> float:
    """Memory that is measured is given back at once and faulted in anew, which costs time."""
    run()
    return float("nan")


def exact(side: int, sight: Sight, parts: int) -> float:
    """In float64."""
    simulator = simulator_of(side, sight).double()
    graph = simulation_graph(*box(side), simulator.design)
    state = torch.randn(graph.num_nodes, 3, dtype=torch.float64)
    with torch.no_grad():
        return apart(*(simulator(state, each) for each in (partitioned(graph, parts), graph)))


def apart(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())
