"""Networks in the plain frame on convection-dominated problems: the competitors of the Lagrangian ones.

Four strategies of training one network, all with Adam and L-BFGS on fresh random points, at a given size and time:

    plain        the equation over all times at once (Raissi et al. 2019)
    curriculum   the velocity raised in equal steps up to its own, each network starting from the one before
                 (Krishnapriyan et al. 2021, 2109.01050)
    in_slabs     sequence to sequence (the same): a new network for every slab of time, whose initial values are those
                 of the network before
    causal       later times wait until earlier ones are solved (Wang et al. 2022, 2203.07404)

A strategy returns the relative L2 error on a grid. As a script, one table:

    python benchmarks/_eulerian.py [convection_30 ...] [--seconds 60] [--width 32] [--depth 4] [--seed 0]
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

import physolve as ps
from physolve.nets import Field, TimeSlabs
from physolve.reference import cole_hopf, solve_spectral
from physolve.solve._adam import AdamLBFGS, AdamSchedule
from physolve.solve._loss_balancing import CausalWeights
from physolve.solve._method import network_system
from physolve.spec import split_time, transport_form

PROBLEMS = Path(__file__).resolve().parent.parent / "problems"
UNREACHED = 1e-8
"""Relative residual at which training would end before its time."""
STAGES = 6
"""Velocities of the curriculum."""
SLABS = 10
SLAB_ROWS = 500
"""Of a slab; the whole time has 2,500."""
GRIDS = {2: (256, 100), 3: (48, 48, 20)}
"""Points along every coordinate on which errors are measured; in one dimension those of the paper."""
SAMPLES = {1: 513, 2: 129}
"""Points per axis at which a slab hands its last values to the next."""

Reference = Callable[[np.ndarray], np.ndarray]
"""Points (n, dim) to values (n, components); NaN where it has none."""
Strategy = Callable[[ps.Problem, Reference, int, int, float, int], float]
"""(problem, reference, width, depth, seconds, seed) to the relative L2 error."""


def plain(problem: ps.Problem, reference: Reference, width: int, depth: int, seconds: float, seed: int) -> float:
    """All times at once."""
    return relative_error(problem, trained(AdamLBFGS(width, depth), problem, seconds, seed), reference)


def causal(problem: ps.Problem, reference: Reference, width: int, depth: int, seconds: float, seed: int) -> float:
    """All times at once, weighted so that later ones wait."""
    method = AdamLBFGS(width, depth, causal=CausalWeights())
    return relative_error(problem, trained(method, problem, seconds, seed), reference)


def curriculum(problem: ps.Problem, reference: Reference, width: int, depth: int, seconds: float, seed: int) -> float:
    """Equal times for velocities 1 / STAGES, 2 / STAGES, ... of the problem's own."""
    began, method = time.monotonic(), AdamLBFGS(width, depth)
    for stage in range(1, STAGES + 1):
        left = seconds - (time.monotonic() - began)
        field = trained(method, slowed(problem, stage / STAGES), left / (STAGES + 1 - stage), seed)
        method = replace(method, start=field)
    return relative_error(problem, field, reference)


def in_slabs(problem: ps.Problem, reference: Reference, width: int, depth: int, seconds: float, seed: int) -> float:
    """Equal times for SLABS slabs."""
    began, method = time.monotonic(), AdamLBFGS(width, depth, rows=SLAB_ROWS)
    breaks = np.linspace(*_span(problem), SLABS + 1).tolist()
    fields: list[Field] = []
    for k, (begin, end) in enumerate(pairwise(breaks)):
        slab = during(problem, begin, end, fields[-1] if fields else None)
        left = seconds - (time.monotonic() - began)
        fields.append(trained(method, slab, left / (SLABS - k), seed + k))
    return relative_error(problem, TimeSlabs(tuple(breaks), tuple(fields)), reference)


STRATEGIES: dict[str, Strategy] = {
    "plain": plain,
    "curriculum": curriculum,
    "slabs": in_slabs,
    "causal": causal,
}
"""By their titles in tables."""


# --- training and judging -------------------------------------------------------------------------------


def trained(method: AdamLBFGS, problem: ps.Problem, seconds: float, seed: int) -> Field:
    """Adam for half of the time, its learning rate falling all the way, then L-BFGS for the rest."""
    began = time.monotonic()
    steps = round(0.45 * seconds / _seconds_per_step(method, problem, seed))
    method = replace(method, adam=AdamSchedule(steps=max(1, steps)), lbfgs_steps=10**9)
    return method.run(problem, UNREACHED, seed, max(1e-3, seconds - (time.monotonic() - began))).field


def _seconds_per_step(method: AdamLBFGS, problem: ps.Problem, seed: int, steps: int = 5) -> float:
    system = network_system(problem, method.width, method.depth, method.activation, method.start)
    state = method.step(system, method.init(system, seed), seed)  # the first step also loads the kernels
    began = time.monotonic()
    for _ in range(steps):
        state = method.step(system, state, seed)
    return (time.monotonic() - began) / steps


def relative_error(problem: ps.Problem, field: Field, reference: Reference) -> float:
    """In L2 over all components, on a regular grid, where the reference has a value."""
    axes = [np.linspace(a, b, n) for a, b, n in zip(*problem.domain.bounds, GRIDS[problem.domain.dim], strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(axes))
    truth = reference(points)
    known = np.isfinite(truth).all(axis=1)
    found = field.values(torch.from_numpy(points[known])).numpy()
    return float(np.linalg.norm(found - truth[known]) / np.linalg.norm(truth[known]))


def reference_of(problem: ps.Problem) -> Reference:
    """The exact solution, Cole-Hopf's, or a Fourier series."""
    if problem.exact:
        program = ps.Program([problem.exact[u] for u in problem.unknowns], problem.coordinates)
        return lambda points: np.stack(program(*points.T), 1)
    try:
        return cole_hopf(problem)
    except ps.UnsupportedError:
        return solve_spectral(problem)


# --- problems made from others --------------------------------------------------------------------------


def slowed(problem: ps.Problem, share: float) -> ps.Problem:
    """The problem carried by a share of its velocity."""
    form = transport_form(problem)
    equations = [
        ps.Eq(ps.dt(u) + sum(share * a * ps.d(u, x) for a, x in zip(form.velocity, problem.space, strict=True)), source)
        for u, source in zip(problem.unknowns, form.sources, strict=True)
    ]
    return replace(problem, equations=tuple(equations), exact=None)


def during(problem: ps.Problem, begin: float, end: float, before: Field | None) -> ps.Problem:
    """The problem in a slab of time, from the values of the field before where there is one."""
    space = split_time(problem.domain)[0]
    assert space is not None
    conditions = [c for c in problem.conditions if before is None or not isinstance(c, ps.Initial)]
    if before is not None:
        conditions += [ps.Initial(u, data(*problem.space)) for u, data in _values_at(problem, begin, before)]
    domain = space * ps.TimeInterval(begin, end)
    return replace(problem, domain=domain, conditions=tuple(conditions), exact=None)


def walled(problem: ps.Problem) -> ps.Problem:
    """Unbounded space given walls with the exact values on them: more than the Lagrangian networks are told."""
    assert problem.exact is not None
    conditions = [
        ps.Dirichlet(u, problem.exact[u]) if isinstance(c, ps.Unbounded) else c
        for c in problem.conditions
        for u in (c.unknowns() if isinstance(c, ps.Unbounded) else (None,))
    ]
    return replace(problem, conditions=tuple(conditions))


def _values_at(problem: ps.Problem, t: float, field: Field) -> list[tuple[object, ps.GridData]]:
    """Every unknown with its values at one time, as data on a grid."""
    lower, upper = (bound[:-1] for bound in problem.domain.bounds)
    n, dim = SAMPLES[len(lower)], len(lower)
    axes = [np.linspace(a, b, n) for a, b in zip(lower, upper, strict=True)]
    points = np.stack([*np.meshgrid(*axes, np.array([t]), indexing="ij")], -1).reshape(-1, dim + 1)
    values = field.values(torch.from_numpy(points)).numpy().reshape(*[n] * dim, -1)
    extent = tuple(zip(map(float, lower), map(float, upper), strict=True))
    names = [f"before_{i}" for i in range(values.shape[-1])]
    return [(u, ps.GridData(names[i], values[..., i], extent)) for i, u in enumerate(problem.unknowns)]


def _span(problem: ps.Problem) -> tuple[float, float]:
    time_span = split_time(problem.domain)[1]
    assert time_span is not None
    return time_span.t0, time_span.t1


# --- the table ------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", nargs="*", default=["convection_10", "convection_30", "convection_50"])
    parser.add_argument("--seconds", type=float, default=60.0, help="for every strategy")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}; relative L2 after {options.seconds:g} s")
    print(f"{'problem':24s}" + "".join(f"{title:>12s}" for title in STRATEGIES))
    for name in options.problems:
        problem = ps.read_problem(PROBLEMS / f"{name}.toml")
        if any(isinstance(c, ps.Unbounded) for c in problem.conditions):
            problem = walled(problem)
        truth = reference_of(problem)
        print(f"{name:24s}", end="", flush=True)
        for strategy in STRATEGIES.values():
            error = strategy(problem, truth, options.width, options.depth, options.seconds, options.seed)
            print(f"{error:12.1e}", end="", flush=True)
        print()


if __name__ == "__main__":
    main()
