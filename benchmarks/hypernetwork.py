"""What the hypernetwork costs: parameters, forward pass, forward and backward pass, in float32 and under bfloat16.

    python benchmarks/hypernetwork.py [--batch 32] [--threads 1] [--original]

Times are processor seconds of one thread group for a batch (least of five rounds, kinds taking turns): other programs
on the machine do not count much. `off` is how far the gradient in bfloat16, of a linear function of the written
weights, is from the one in float32. A second table says where the forward pass of the default network goes.

Tried on a Zen 4 core: channels_last 3 % faster, torch.compile 10 to 14 % after 190 s of compilation: neither is used.
"""

import argparse
import dataclasses
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from physolve.hypino import ORIGINAL, SMALL, Hypernetwork, HypernetworkSizes

ROUNDS = 5


def inputs(sizes: HypernetworkSizes, batch: int) -> tuple[Tensor, Tensor]:
    raster = torch.randn(batch, 5, sizes.grid, sizes.grid)
    raster[:, :2] = (raster[:, :2] > 1).float()
    return raster, torch.randn(batch, 5)


def gradient(model: Hypernetwork, problem: tuple[Tensor, Tensor], bf16: bool) -> Tensor:
    """One forward and backward pass; the gradient, flat."""
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        weights = model(*problem).float()
    (weights * torch.linspace(-1, 1, weights.numel()).reshape(weights.shape).sin()).sum().backward()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def seconds(work: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Least processor time of each, taking turns so that a slow moment of the machine meets all of them."""
    best = dict.fromkeys(work, float("inf"))
    for _ in range(ROUNDS + 1):  # the first, which warms up, is never the least
        for name, run in work.items():
            start = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - start)
    return best


def cost(name: str, sizes: HypernetworkSizes, batch: int) -> list[str]:
    """A row of the table."""
    model, problem = Hypernetwork(sizes), inputs(sizes, batch)
    exact, rounded = gradient(model, problem, False), gradient(model, problem, True)
    times = seconds(
        {
            "forward": torch.no_grad()(lambda: model(*problem)),
            "float32": lambda: gradient(model, problem, False),
            "bfloat16": lambda: gradient(model, problem, True),
        }
    )
    parameters = sum(p.numel() for p in model.parameters())
    return [
        name,
        f"{parameters / 1e6:.1f} M",
        *[f"{times[kind]:.3f}" for kind in ("forward", "float32", "bfloat16")],
        f"{times['float32'] / times['bfloat16']:.2f}",
        f"{(rounded - exact).double().norm() / exact.double().norm():.1%}",
    ]


def shares(sizes: HypernetworkSizes, batch: int) -> dict[str, float]:
    """Processor time of the parts in one forward pass."""
    model, problem = Hypernetwork(sizes), inputs(sizes, batch)
    encoder, decoder = model.encoder, model.decoder
    parts: dict[str, list[nn.Module]] = {
        "stems": [encoder.fourm_bc, encoder.fourm_s, encoder.proj_b1, encoder.proj_b2, encoder.proj_bc, encoder.proj_s],
        **{f"Swin stage {i}": [stage] for i, stage in enumerate(encoder.mat_encoder.layers.children())},  # type: ignore[union-attr]
        "FiLM": [*encoder.cond_layers, encoder.coeffs_embedding, encoder.stats_layer],
        "pooling": list(decoder.attention_pooling),
        "heads": [*decoder.weight_maps, *decoder.bias_maps],
    }
    spent = dict.fromkeys(parts, 0.0)
    for name, modules in parts.items():
        for module in modules:
            clock = _Clock(spent, name)
            module.register_forward_pre_hook(clock.start)
            module.register_forward_hook(clock.stop)
    with torch.no_grad():
        for _ in range(ROUNDS + 1):
            model(*problem)
    return {name: value / (ROUNDS + 1) for name, value in spent.items()}


class _Clock:
    """Adds the time between a module's two hooks to `spent[name]`."""

    def __init__(self, spent: dict[str, float], name: str) -> None:
        self.spent, self.name, self.since = spent, name, 0.0

    def start(self, *_: object) -> None:
        self.since = time.process_time()

    def stop(self, *_: object) -> None:
        self.spent[self.name] += time.process_time() - self.since


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--original", action="store_true", help="also the published network, with batches of 1")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    table = Table("network", "parameters", "forward s", "both s", "both, bf16 s", "ratio", "off")
    table.add_row(*cost("SMALL", SMALL, options.batch))
    table.add_row(*cost("SMALL, invariant", dataclasses.replace(SMALL, invariant=True), options.batch))
    if options.original:
        table.add_row(*cost("ORIGINAL, batch 1", ORIGINAL, 1))
    parts = Table("part of SMALL", "forward s")
    for name, value in shares(SMALL, options.batch).items():
        parts.add_row(name, f"{value:.3f}")
    console = Console()
    console.print(table)
    console.print(parts)


if __name__ == "__main__":
    main()
