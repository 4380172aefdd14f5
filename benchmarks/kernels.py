"""Residual kernels against other ways to the same numbers: time ratios, memory, rate against the machine's GEMM.

    python benchmarks/kernels.py                       # the main case: 16 of HyPINO's target networks, 2,048 points
    python benchmarks/kernels.py --list 64             # one of the lists: main, 32, 64, plain, single
    python benchmarks/kernels.py --all                 # all lists: every size, width, dtype and architecture
    python benchmarks/kernels.py --device cuda --all

The work is that of training by residuals: u, u_x, u_y, u_xx, u_yy of every network at every point (forward), the
gradient in the weights of the mean square of u_xx + u_yy + u (forward + backward), and the gradient of u_xx + u_yy + u
at every point (Jacobian rows). Every line was measured in this run: the median of `--repeat` calls, ways in turn, after
one that warms up and compiles; on a GPU each is the mean of a queue of calls, whose number a second call tells.
A way that takes over 3 s is called once (its line ends with "once"). Ways other than the kernel work through groups of
at most 32,768 points, because nested autograd of all would need tens of gigabytes; errors are those of the first group,
against plain jets in float64.

Jacobian rows by torch.func are vmap(grad) of the residual at a point, whose derivatives come once from torch.func too
(jacfwd of jacrev), once from plain jets, which is faster. The kernel's rows are measured into new memory, and into
memory that is there already, as Gauss-Newton uses it; vmap(grad) has no such option.

GFLOP/s count the products of the jet sweeps that are not zero, the forward sweep that the backward sweep computes again
included; the machine's own matrix product takes its turn among the ways. Peak memory, of the main cases, is what the
process grew by, results included.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from _memory import grown
from torch import Tensor

from physolve.jets import (
    GELU,
    SINE,
    TANH,
    Activation,
    Architecture,
    JetLayout,
    has_kernel,
    kernels,
    network_jacobian,
    network_jet,
    plain_jacobian,
    plain_jet,
)

LAYOUT = JetLayout.of(2, [(2, 0), (0, 2)])  # rows u, u_x, u_y, u_xx, u_yy
BANDS = tuple(0.1 * 2**k for k in range(5))
MAIN, NESTED, GEMM = "kernel", "nested autograd", "matrix product"
SLOW = 3.0
QUEUE = 0.05
"""Seconds of calls that a GPU gets at once, as from a training loop: waiting for each shows how long Python takes."""
GROUP = 32_768
MOST_ROWS = 3e9
"""Bytes of Jacobian rows; vmap(grad) needs several times as many."""


@dataclass(frozen=True)
class Case:
    """Networks of one architecture at points of their own."""

    title: str
    architecture: Architecture
    networks: int
    points: int
    dtype: torch.dtype
    functional: bool = False  # whether torch.func is measured too: it takes minutes

    def inputs(self, device: str) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(0)
        weights = torch.randn(self.networks, self.architecture.count, generator=generator) / 6
        points = 2 * torch.rand(self.networks, self.points, 2, generator=generator) - 1
        return weights.to(device, self.dtype), points.to(device, self.dtype)

    def flops(self, work: str) -> float:
        """Of the products that are not zero: in a head, rows of derivatives see only their coordinate's features."""
        heads = self.architecture.layers[: self.architecture.heads]
        rest = self.architecture.layers[self.architecture.heads :]
        features = heads[0][0]
        in_heads = sum((features + 2 * features if self.architecture.bands else features + 2) * o for _, o in heads)
        in_rest = 5 * sum(i * o for i, o in rest)
        # forward; forward again; to the weights; to the inputs, which the heads do not have
        sweeps = {"forward": (1, 1), "forward + backward": (3, 4), "Jacobian rows": (2, 3)}[work]
        return 2.0 * (sweeps[0] * in_heads + sweeps[1] * in_rest) * self.networks * self.points


def target(width: int, activation: Activation = TANH) -> Architecture:
    """HyPINO's target network."""
    return Architecture((2, width, width, width, width, 1), activation, BANDS, gated=True)


def main_cases() -> Iterator[Case]:
    yield Case("target 16 x 2,048, width 32, f32", target(32), 16, 2048, torch.float32, True)
    yield Case("target 16 x 2,048, width 32, f64", target(32), 16, 2048, torch.float64, True)


def target_cases(width: int) -> Iterator[Case]:
    for dtype, name in ((torch.float32, "f32"), (torch.float64, "f64")):
        if width == 64:
            yield Case(f"target 16 x 2,048, width {width}, {name}", target(width), 16, 2048, dtype)
        yield Case(f"target 1 x 100,000, width {width}, {name}", target(width), 1, 100_000, dtype)
        yield Case(f"target 128 x 2,048, width {width}, {name}", target(width), 128, 2048, dtype)


def plain_cases() -> Iterator[Case]:
    for activation in (TANH, SINE, GELU):
        plain = Architecture((2, *(32,) * 6, 1), activation)
        yield Case(f"{activation} 2-32x6-1, 16 x 2,048, f32", plain, 16, 2048, torch.float32)


def single_cases() -> Iterator[Case]:
    yield Case("tanh 2-128x4-1, 1 x 20,000, f32", Architecture((2, *(128,) * 4, 1)), 1, 20_000, torch.float32)
    yield Case("tanh 2-50x3-1, 1 x 20,000, f64", Architecture((2, *(50,) * 3, 1)), 1, 20_000, torch.float64)


LISTS: dict[str, Callable[[], Iterator[Case]]] = {
    "main": main_cases,
    "32": partial(target_cases, 32),
    "64": partial(target_cases, 64),
    "plain": plain_cases,
    "single": single_cases,
}


def values(architecture: Architecture, weights: Tensor, points: Tensor) -> Tensor:
    """u (networks, n), by plain matrix products."""
    return plain_jet(architecture, weights, points, JetLayout(2))[:, 0, :, 0]


def nested(architecture: Architecture, weights: Tensor, points: Tensor) -> Tensor:
    """Rows (networks, 5, n) by reverse mode three deep."""
    points = points.detach().requires_grad_()
    u = values(architecture, weights, points)
    slope = torch.autograd.grad(u.sum(), points, create_graph=True)[0]
    second = [torch.autograd.grad(slope[..., k].sum(), points, create_graph=True)[0][..., k] for k in range(2)]
    return torch.stack([u, *slope.unbind(-1), *second], 1)


def functional(architecture: Architecture, weights: Tensor, points: Tensor) -> Tensor:
    """The same by torch.func: Hessians of single points, vmapped over points and networks."""

    def rows(weight: Tensor, point: Tensor) -> Tensor:
        def u(p: Tensor) -> Tensor:
            return values(architecture, weight[None], p[None, None])[0, 0]

        hessian, gradient = torch.func.hessian(u)(point), torch.func.grad(u)(point)
        return torch.cat([u(point)[None], gradient, hessian.diagonal()])

    over_points = torch.func.vmap(rows, in_dims=(None, 0), out_dims=1, chunk_size=8192)
    if len(weights) == 1:
        return over_points(weights[0], points[0])[None]
    return torch.stack([over_points(w, p) for w, p in zip(weights, points, strict=True)])


def by(jets: Callable[..., Tensor]) -> Callable[[Architecture, Tensor, Tensor], Tensor]:
    return lambda architecture, weights, points: jets(architecture, weights, points, LAYOUT).squeeze(-1)


Rows = Callable[[Architecture, Tensor, Tensor], Tensor]


def ways() -> dict[str, Rows]:
    """How rows (networks, 5, n) are computed."""
    return {
        NESTED: nested,
        "torch.func": functional,
        "plain jets": by(plain_jet),
        "compiled plain jets": torch.compile(by(plain_jet)),
        MAIN: by(network_jet),
    }


def residual_of(jet: Sequence[Tensor]) -> Tensor:
    """u_xx + u_yy + u from the five rows; apart, because a row's gradient in a tensor is as large as the tensor."""
    return jet[3] + jet[4] + jet[0]


def gradient(rows: Rows) -> Rows:
    """Weight gradient of the mean square residual."""

    def run(architecture: Architecture, weights: Tensor, points: Tensor) -> Tensor:
        weights = weights.detach().requires_grad_()
        loss = residual_of(rows(architecture, weights, points).unbind(1)).square().mean()
        return torch.autograd.grad(loss, weights)[0]

    return run


def jet_residual(architecture: Architecture, weight: Tensor, point: Tensor) -> Tensor:
    return residual_of(plain_jet(architecture, weight, point[None], LAYOUT)[:, 0, 0].unbind())


def functional_residual(architecture: Architecture, weight: Tensor, point: Tensor) -> Tensor:
    def u(p: Tensor) -> Tensor:
        return values(architecture, weight[None], p[None, None])[0, 0]

    return torch.func.jacfwd(torch.func.jacrev(u))(point).diagonal().sum() + u(point)


def rows_by_func(residual: Callable[..., Tensor]) -> Rows:
    """Jacobian rows by vmap(grad) of the residual at a point."""

    def run(architecture: Architecture, weights: Tensor, points: Tensor) -> Tensor:
        gradient = torch.func.grad(partial(residual, architecture))
        over_points = torch.func.vmap(gradient, in_dims=(None, 0), chunk_size=2048)
        return torch.stack([over_points(w, p) for w, p in zip(weights, points, strict=True)])

    return run


def rows_by(jacobian: Callable[..., Tensor], out: Tensor | None = None) -> Rows:
    """Into the first of `out`, which has room for all networks and points."""

    def run(architecture: Architecture, weights: Tensor, points: Tensor) -> Tensor:
        coefficients = weights.new_zeros(len(weights), LAYOUT.rows, points.shape[1], 1)
        coefficients[:, [0, 3, 4]] = 1
        there = {} if out is None else {"out": out[: len(weights), : points.shape[1]]}
        return jacobian(architecture, weights, points, LAYOUT, coefficients, **there)

    return run


def jacobians(functional: bool, out: Tensor) -> dict[str, Rows]:
    """Without `functional` ratios refer to the faster of torch.func's ways."""
    own = {"vmap(grad), torch.func u_xx": rows_by_func(functional_residual)} if functional else {}
    return own | {
        "vmap(grad), jets' u_xx": rows_by_func(jet_residual),
        "plain jets": rows_by(plain_jacobian),
        MAIN: rows_by(network_jacobian),
        "kernel, existing memory": rows_by(network_jacobian, out),
    }


def forward_only(rows: Rows) -> Rows:
    """Without a graph in the weights (nested autograd needs one in the points)."""
    return lambda architecture, weights, points: rows(architecture, weights.detach(), points).detach()


def groups(weights: Tensor, points: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Equal groups of at most GROUP points: some of the networks, or some points of a single one."""
    count = -(-points.shape[0] * points.shape[1] // GROUP)
    if len(weights) == 1:
        return [(weights, part) for part in points.chunk(count, 1)]
    return list(zip(weights.chunk(count), points.chunk(count), strict=True))


def in_groups(work: str, run: Rows) -> Rows:
    def grouped(architecture: Architecture, weights: Tensor, points: Tensor) -> Tensor:
        parts = groups(weights, points)
        results = [run(architecture, *part) for part in parts]
        if work == "forward + backward":  # the loss of the whole is the mean of the groups'
            results = [result / len(parts) for result in results]
            return sum(results[1:], results[0]) if len(weights) == 1 else torch.cat(results)
        return torch.cat(results, 2 if len(weights) == 1 else 0)

    return grouped


def seconds_of(runs: dict[str, Callable[[], Tensor]], repeat: int, device: str) -> dict[str, list[float]]:
    """Seconds of the calls that count, ways taken in turn. The first call warms up; where it is slow it is the only
    one, unless it had something to compile."""
    taken: dict[str, list[float]] = {}
    calls: dict[str, int] = {}
    for name, run in runs.items():
        first = timed(run, device)
        taken[name] = [first] if first > SLOW and "compile" not in name else []
        calls[name] = 1 if device == "cpu" or taken[name] else max(1, int(QUEUE / timed(run, device)))
    for _ in range(repeat):
        for name, run in runs.items():
            if not taken[name] or taken[name][0] < SLOW:
                taken[name].append(timed(run, device, calls[name]))
    return taken


def timed(run: Callable[[], object], device: str, calls: int = 1) -> float:
    """Of one of so many calls."""
    synchronize(device)
    began = time.perf_counter()
    for _ in range(calls):
        run()
    synchronize(device)
    return (time.perf_counter() - began) / calls


def synchronize(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def peak_megabytes(run: Callable[[], Tensor], device: str) -> float:
    """Growth while it runs, its result included. On the host: the process's own high-water mark."""
    gc.collect()
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        return (torch.cuda.max_memory_allocated() - before) / 1e6
    return grown(run) / 1e6


def gemm(dtype: torch.dtype, device: str) -> tuple[Callable[[], Tensor], float]:
    """This machine's own matrix product, 2,048 x 2,048 (8,192 on a GPU), and its flops."""
    size = 8192 if device == "cuda" else 2048
    a = torch.randn(size, size, dtype=dtype, device=device)
    return lambda: a @ a, 2.0 * size**3


def error(found: Tensor, exact: Tensor) -> float:
    return float((found.double() - exact).abs().max() / exact.abs().max())


def ways_to(case: Case, work: str, device: str) -> dict[str, Rows]:
    """The ways to do the work, the one that ratios refer to first."""
    if work == "Jacobian rows":
        shape = (case.networks, case.points, case.architecture.count)
        return jacobians(case.functional, torch.empty(shape, dtype=case.dtype, device=device))
    kind = forward_only if work == "forward" else gradient
    return {
        name: kind(rows) if name == MAIN else in_groups(work, kind(rows))
        for name, rows in ways().items()
        if case.functional or name != "torch.func"
    }


def works(case: Case) -> list[str]:
    size = case.networks * case.points * case.architecture.count * case.dtype.itemsize
    rows = ["Jacobian rows"] if size <= MOST_ROWS else []
    return ["forward", "forward + backward", *rows]


def report_times(case: Case, options: argparse.Namespace) -> None:
    weights, points = case.inputs(options.device)
    product, product_flops = gemm(case.dtype, options.device)
    print(f"\n{case.title}")
    print(f"  {'work':<20}{'way':<28}{'ms':>9}{'ratio':>8}{'GFLOP/s':>9}{'of GEMM':>9}{'error':>10}")
    part = groups(weights, points)[0]
    for work in works(case):
        table = ways_to(case, work, options.device)
        runs = {name: partial(way, case.architecture, weights, points) for name, way in table.items()}
        seconds = seconds_of(runs | {GEMM: product}, options.repeat, options.device)
        typical_product = statistics.median(seconds[GEMM])
        rate = product_flops / typical_product / 1e9
        exact = table["plain jets"](case.architecture, *(tensor.double() for tensor in part))
        baseline = statistics.median(seconds[next(iter(table))])
        for name, way in table.items():
            typical = statistics.median(seconds[name])
            gflops = case.flops(work) / typical / 1e9
            off = error(way(case.architecture, *part), exact)
            print(
                f"  {work:<20}{name:<28}{typical * 1e3:9.2f}{baseline / typical:8.1f}"
                f"{gflops:9.1f}{gflops / rate:9.0%}{off:10.1e}" + "  once" * (len(seconds[name]) == 1),
                flush=True,
            )
        print(f"  {work:<20}{GEMM:<28}{typical_product * 1e3:9.2f}{'':>8}{rate:9.1f}", flush=True)


def report_memory(case: Case, options: argparse.Namespace) -> None:
    """After all times: returning memory at once makes every other way slower."""
    weights, points = case.inputs(options.device)
    print(f"\n{case.title}: peak memory in MB, and in units of the first way's")
    for work in works(case):
        table = ways_to(case, work, options.device)
        peaks = {
            name: peak_megabytes(partial(way, case.architecture, weights, points), options.device)
            for name, way in table.items()
        }
        first = next(iter(peaks.values()))
        print(f"  {work:<20}" + ", ".join(f"{name} {mb:.1f} (1/{first / mb:.0f})" for name, mb in peaks.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description="Residual kernels against other ways to the same numbers.")
    parser.add_argument("--list", choices=LISTS, default="main", help="which cases")
    parser.add_argument("--all", action="store_true", help="all lists")
    parser.add_argument("--only", default="", help="of these the cases with this in their title")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    active = kernels()
    if active.path == "plain":
        parser.error(f"there is no kernel to measure: {active.reason}")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, kernels: {active.path} ({active.reason})")
    listed = [case for name, cases in LISTS.items() if options.all or name == options.list for case in cases()]
    chosen = [case for case in listed if options.only in case.title]
    if not chosen:
        titles = "; ".join(case.title for case in listed)
        parser.error(f"--only: no case has {options.only!r} in its title; there are {titles}")
    assert all(has_kernel(case.architecture) for case in chosen)
    for case in chosen:
        report_times(case, options)
    for case in chosen:
        if case.functional:
            report_memory(case, options)


if __name__ == "__main__":
    main()
