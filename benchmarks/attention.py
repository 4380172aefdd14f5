"""Masked attention on a large mesh: our kernel against PyG's TransformerConv and plain gather and scatter.

    python benchmarks/attention.py                     # 300,000 nodes, 3 M edges, width 64, 4 heads, float32
    python benchmarks/attention.py --nodes 30000       # smaller
    python benchmarks/attention.py --threads 1

The mesh is a Delaunay-like grid of a cube with its nodes numbered at random (the worst case) or along the grid (what a
locality-preserving order gives). Every way runs in a process of its own: forward, and forward + backward of a sum over
the output, the median of `--repeat` calls after one that warms up. Extra memory is what the resident set grew by above
inputs and mask, at its highest, over one forward + backward; the output and all gradients are in it.

TransformerConv holds linear layers for q, k, v and a skip; the other ways are given them too, so that all do the same
work. Two rows more are attention alone, without linear layers. Ratios are to the kernel's row of the same kind.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from _memory import grown
from torch import Tensor, nn

from physolve.mesh import AttentionMask, masked_attention, plain_attention

LAYERS, ALONE = ("kernel", "plain", "TransformerConv"), ("kernel alone", "plain alone")
WAYS = (*LAYERS, *ALONE)


def mesh_edges(nodes: int, neighbours: int, shuffled: bool) -> Tensor:
    """Pairs (row, node) of a periodic grid in a cube, `neighbours` a node, itself among them."""
    side = round(nodes ** (1 / 3))
    offsets = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1), (1, 0, 1), (1, 1, 1)]
    steps = [0] + [sign * (a * side * side + b * side + c) for a, b, c in offsets[1:] for sign in (1, -1)]
    i = torch.arange(nodes)
    edges = torch.stack([torch.stack([i, (i + step) % nodes]) for step in steps[:neighbours]], 1).flatten(1)
    return torch.randperm(nodes, generator=torch.Generator().manual_seed(0))[edges] if shuffled else edges


class Alone(nn.Module):
    """Attention without projections: queries, keys and values are all the input."""

    def __init__(self, heads: int, attend: Callable[..., Tensor]) -> None:
        super().__init__()
        self.heads, self.attend = heads, attend

    def forward(self, x: Tensor, mask: AttentionMask) -> Tensor:
        return self.attend(x, x, x, mask, self.heads)


class OwnAttention(nn.Module):
    """Projections and one of our two ways."""

    def __init__(self, width: int, heads: int, attend: Callable[..., Tensor]) -> None:
        super().__init__()
        self.q, self.k, self.v, self.skip = (nn.Linear(width, width) for _ in range(4))
        self.heads, self.attend = heads, attend

    def forward(self, x: Tensor, mask: AttentionMask) -> Tensor:
        skip = self.skip(x)
        return skip.add_(self.attend(self.q(x), self.k(x), self.v(x), mask, self.heads))


def graph_of(way: str, edges: Tensor, nodes: int) -> Tensor | AttentionMask:
    """What the layer is given: PyG counts an edge from the node that is looked at."""
    return edges.flip(0) if way == "TransformerConv" else AttentionMask.of_edges(edges, nodes)


def layer_of(way: str, width: int, heads: int) -> nn.Module:
    torch.manual_seed(0)
    if way == "TransformerConv":
        from torch_geometric.nn import TransformerConv

        return TransformerConv(width, width // heads, heads=heads)
    attend = masked_attention if way.startswith("kernel") else plain_attention
    return Alone(heads, attend) if way in ALONE else OwnAttention(width, heads, attend)


def measure(way: str, options: argparse.Namespace) -> dict[str, float]:
    """Seconds and bytes of one way, in this process."""
    torch.set_num_threads(options.threads)
    edges = mesh_edges(options.nodes, options.neighbours, options.shuffled)
    graph = graph_of(way, edges, options.nodes)
    layer = layer_of(way, options.width, options.heads)
    x = torch.randn(options.nodes, options.width, generator=torch.Generator().manual_seed(1)).requires_grad_()
    layer(x[:0], graph_of(way, edges[:, :0], 0))  # builds the kernels
    clock, times = time.process_time if options.cpu_time else time.perf_counter, []

    def once() -> None:
        begun = clock()
        loss = layer(x, graph).sum()
        forward = clock() - begun
        torch.autograd.grad(loss, (x, *layer.parameters()), allow_unused=True)
        times.append((forward, clock() - begun))

    for _ in range(options.repeat + 1):
        once()
    extra = grown(once)
    seconds = [statistics.median(column) for column in zip(*times[1 : options.repeat + 1], strict=True)]
    return {"forward": seconds[0], "both": seconds[1], "bytes": extra, "edges": edges.shape[1]}


def measure_apart(way: str, arguments: list[str]) -> dict[str, float]:
    """`measure` in a process of its own, so that one way's memory is not another's."""
    command = [sys.executable, __file__, *arguments, "--only", way]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=300_000)
    parser.add_argument("--neighbours", type=int, default=10, help="up to 15")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--cpu-time", action="store_true", help="of the process: on a busy machine, with one thread")
    parser.add_argument("--shuffled", action="store_true", help="nodes numbered at random")
    parser.add_argument("--only", choices=WAYS, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    options = parsed(arguments)
    if options.only:
        print(json.dumps(measure(options.only, options)))
        return
    results = {way: measure_apart(way, arguments) for way in WAYS}
    ours, order = results[LAYERS[0]], "at random" if options.shuffled else "along the grid"
    print(
        f"{options.nodes} nodes numbered {order}, {int(ours['edges'])} edges, width {options.width}, {options.heads}"
        f" heads, float32, {options.threads} threads,"
        f" {'CPU' if options.cpu_time else 'wall'} time; torch {torch.__version__}\n"
    )
    print("| way | forward s | forward + backward s | x | extra memory MB | x |\n|---|---|---|---|---|---|")
    for way, got in results.items():
        ours = results[ALONE[0] if way in ALONE else LAYERS[0]]
        print(
            f"| {way} | {got['forward']:.3f} | {got['both']:.3f} | {got['both'] / ours['both']:.1f}"
            f" | {got['bytes'] / 1e6:.0f} | {got['bytes'] / ours['bytes']:.1f} |"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
