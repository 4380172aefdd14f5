"""The problem sampler against one sample at a time with sympy and numpy: samples per second, in the same run.

    python benchmarks/hypino_sampler.py                     # batches of 32 on a raster of 64 x 64, as in training
    python benchmarks/hypino_sampler.py --device cuda

Both draw the published manufactured solutions: random expressions of 6 to 10 terms, rejected beyond the published
limits, evaluated with their derivatives at the same number of nodes, interior and boundary points, and drawn on the
raster. The other way is spared what ours does besides: its domain is the square, always without holes, with values only
on its boundary; candidates are judged at 256 points by their value before anything is differentiated; derivatives are
compiled together with common subexpressions shared; the nearest boundary point is found by a k-d tree. The last line is
the sampler's whole mixture of problems. Every line was measured in this run, in turns, on the same cores: medians over
the rounds of wall time, and of the processor time of all threads, which a busy machine disturbs less.
"""

import argparse
import dataclasses
import math
import time
from collections.abc import Callable

import numpy
import sympy
import torch
from scipy.spatial import KDTree

from physolve.hypino import SamplerSettings, grid_nodes, sample
from physolve.hypino.sampler import Kinds

X, Y = sympy.symbols("x y", real=True)
PSI = (
    lambda z: z,
    sympy.sin,
    sympy.cos,
    sympy.tanh,
    lambda z: 1 / (1 + sympy.exp(-z)),
    lambda z: 1 / (1 + z**2),
)
REACH = 0.75 * 2


def expression(random: numpy.random.Generator) -> sympy.Expr:
    """A published random expression."""
    u: sympy.Expr = sympy.Integer(0)
    terms = random.integers(6, 11)
    for k in range(terms):
        a, b = random.uniform(-10, 10, 2) * (random.random(2) < 0.5)
        c, d, e = random.uniform(-2 * math.pi, 2 * math.pi, 3)
        if k == terms - 1:
            d, e = 1.0, 0.0
        psi, rule = PSI[random.integers(6)], random.integers(3)
        v = d * psi(u if rule == 2 else a * X + b * Y + c) + e
        u = (u + v, u * v, v)[rule]
    return u


def accepted(random: numpy.random.Generator) -> Callable[..., list[numpy.ndarray]]:
    """Value and derivatives of an expression within the limits, at 256 points."""
    x, y = random.uniform(-1, 1, (2, 256))
    while True:
        u = expression(random)
        value = numpy.broadcast_to(sympy.lambdify((X, Y), u, "numpy")(x, y), x.shape)
        if not (abs(value).max() <= 10 and value.std() >= 0.1):
            continue
        rows = (u, u.diff(X), u.diff(Y), u.diff(X, 2), u.diff(Y, 2))
        jet = sympy.lambdify((X, Y), rows, "numpy", cse=True)
        if max(numpy.abs(row).max() for row in jet(x, y)[1:]) <= 1e4:
            return jet


def sympy_sample(settings: SamplerSettings, random: numpy.random.Generator) -> list[numpy.ndarray]:
    """One elliptic problem with values on the square's boundary: raster, interior jet, source, boundary values."""
    jet = accepted(random)
    nodes = grid_nodes(settings.grid, torch.float64).flatten(0, 1).numpy()
    interior = random.uniform(-1, 1, (settings.points, 2))
    edge = square(settings.edge, random.uniform())
    x, y = numpy.concatenate([nodes, interior, edge]).T
    rows = numpy.stack([numpy.broadcast_to(row, x.shape) for row in jet(x, y)])
    coefficients = random.uniform(-2, 2, 5) * (random.random(5) < 0.5)
    source = coefficients @ rows
    values = rows[0, -settings.edge :]
    distance, nearest = KDTree(edge).query(nodes, distance_upper_bound=REACH / (settings.grid - 1))
    mask = numpy.isfinite(distance)
    drawn = numpy.where(mask, values[numpy.minimum(nearest, settings.edge - 1)], 0)
    return [mask, drawn, source, rows[:, len(nodes) : -settings.edge], values]


def square(count: int, start: float) -> numpy.ndarray:
    """Points around the square, evenly."""
    s = 8 * (numpy.arange(count) + start) / count
    side, along = (s // 2).astype(int) % 4, s % 2 - 1
    one = numpy.ones_like(s)
    x = numpy.choose(side, [along, one, -along, -one])
    y = numpy.choose(side, [-one, along, one, -along])
    return numpy.stack([x, y], 1)


def seconds(work: Callable[[], object], device: str) -> tuple[float, float]:
    """Wall and processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--grid", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=9, help="rounds: one batch each, and three samples by sympy")
    options = parser.parse_args()

    whole = SamplerSettings(grid=options.grid)
    trees = dataclasses.replace(whole, kinds=Kinds(trees=1, waves=0, bumps=0, modes=0, vanishing=0, physics=0))
    generator = torch.Generator(options.device).manual_seed(0)
    random = numpy.random.default_rng(0)
    numpy.seterr(all="ignore")  # rejected candidates overflow

    single = 3
    ways = {
        "sympy and numpy, one at a time": (single, lambda: [sympy_sample(whole, random) for _ in range(single)]),
        "sampler, the same solutions": (options.batch, lambda: sample(trees, options.batch, generator)),
        "sampler, all kinds of problems": (options.batch, lambda: sample(whole, options.batch, generator)),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _, work in ways.values():
        work()
    for _ in range(options.repeat):
        for name, (_, work) in ways.items():
            times[name].append(seconds(work, options.device))
    report(options, whole, {name: numpy.median(times[name], 0) / ways[name][0] for name in ways})


def report(options: argparse.Namespace, settings: SamplerSettings, costs: dict[str, numpy.ndarray]) -> None:
    """`costs` are seconds a sample, wall and processor; ratios are to the first way."""
    where = torch.cuda.get_device_name() if options.device == "cuda" else f"{torch.get_num_threads()} threads"
    print(f"raster {options.grid}^2, {settings.points} + {settings.edge} points, batches of {options.batch}, {where}")
    print(f"{'way':<32}{'samples/s':>11}{'wall ms':>10}{'ratio':>8}{'CPU ms':>10}{'ratio':>8}")
    first = next(iter(costs.values()))
    for name, cost in costs.items():
        (wall, processor), ratio = 1e3 * cost, first / cost
        print(f"{name:<32}{1e3 / wall:>11.1f}{wall:>10.2f}{ratio[0]:>8.0f}{processor:>10.2f}{ratio[1]:>8.0f}")


if __name__ == "__main__":
    main()
