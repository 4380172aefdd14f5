"""HyPINO judged: the seven problems of the paper, unseen random problems, latency, and what it saves `solve`.

    python benchmarks/hypino.py                          # everything, shipped weights
    python benchmarks/hypino.py seven --weights FILE     # one section: seven, tuned, random, refined, latency, solve
    python benchmarks/hypino.py seven --markdown out.md  # the table for the README

Seven problems: mean square error on the 224 x 224 grid, prediction times domain mask, mean over the whole grid, as
published (2509.05117); against exact solutions or finite elements refined until successive meshes agree, and in
brackets against the published rasters, some of which are off (shared/benchmarks/README.md). Columns: the head that the
hypernetwork wrote; the least-squares head; 3 and 10 refinements, all functions in one least squares; the same from a
hypernetwork with random weights, which is what the least squares do by themselves; and the published figures.
"""

import argparse
import itertools
import os
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

import physolve as ps
from physolve.hypino import (
    SMALL,
    Answer,
    Hypernetwork,
    HyPINO,
    ProblemBatch,
    SamplerSettings,
    Step,
    generated_network,
    grid_nodes,
    lower,
    lower_many,
    stack,
    validation_set,
)

PROBLEMS = Path(__file__).resolve().parent.parent / "problems"
SHARED = Path(os.environ.get("PHYSOLVE_DATA", Path(__file__).resolve().parents[2] / "shared"))
NODES = 224
POINTS, EDGE = 4096, 2048
RANDOM_SEED = 31_415
STARTS = ("own head", "head", "3 refinements", "10 refinements", "random weights, head", "random, 10 refinements")


class Published(NamedTuple):
    """Mean square errors of the paper: zero-shot, 3 and 10 refinements, fine-tuned with L-BFGS."""

    zero_shot: float
    three: float
    ten: float
    tuned: float


class Case(NamedTuple):
    """A problem of the paper: our problem file, the raster file, the published errors."""

    short: str
    file: str
    raster: str
    published: Published


CASES = (
    Case("HT", "heat", "heat", Published(2.3e-2, 4.9e-4, 8.0e-5, 1.6e-9)),
    Case("HZ", "helmholtz", "helmholtz", Published(5.7e-3, 2.7e-3, 1.6e-3, 1.5e-7)),
    Case("HZ-G", "helmholtz_circles", "helmholtz_G", Published(1.3e-1, 1.6e-2, 1.9e-2, 1.7e-2)),
    Case("PS-C", "poisson_circles", "poisson_C", Published(5.6e-2, 3.4e-3, 2.3e-3, 8.2e-5)),
    Case("PS-L", "poisson_lshape", "poisson_L", Published(1.7e-4, 1.9e-4, 2.7e-4, 6.9e-5)),
    Case("PS-G", "poisson_gaussians", "poisson_G", Published(1.8e-1, 6.6e-3, 5.0e-3, 5.7e-4)),
    Case("WV", "wave", "wave", Published(2.9e-1, 2.3e-1, 1.2e-1, 1.9e-2)),
)


def main() -> None:
    sections = {
        "seven": seven,
        "tuned": fine_tuning,
        "random": random_problems,
        "refined": refined_problems,
        "latency": latency,
        "solve": time_to_solution,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=[[], *sections], help="all by default")
    parser.add_argument("--weights", type=Path, help="a file of weights; the shipped ones by default")
    parser.add_argument("--budget", type=float, default=10.0, help="seconds of each fine-tuning")
    parser.add_argument("--samples", type=int, default=1000, help="random problems")
    parser.add_argument("--refined", type=int, default=24, help="random problems refined, of the first 64")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of torch; all cores by default")
    parser.add_argument("--markdown", type=Path, help="also write the table of the seven problems to this file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = HyPINO.load(options.weights)
    for name in options.sections or sections:
        print(f"\n{name}")
        sections[name](model, options)


# --- the seven problems


class Judge:
    """The metric of one problem: nodes of the domain, true values there, and the published raster."""

    def __init__(self, case: Case, problem: ps.Problem) -> None:
        data = np.load(SHARED / "benchmarks" / f"{case.raster}.npz")
        self.lowered = lower(problem, grid=64, points=POINTS, edge=EDGE)
        square = grid_nodes(NODES, torch.float64).reshape(-1, 2)
        inside = torch.from_numpy(data["domain_mask"].reshape(-1) > 0)
        points = self.lowered.affine.from_square(square)
        inside &= torch.from_numpy(problem.domain.contains(points.numpy(), 1e-9))
        self.square, self.inside = square[inside], inside
        self.true = true_values(problem, points[inside])
        published = data["reference"].reshape(-1) if "reference" in data else None
        self.raster = None if published is None else torch.from_numpy(published).double()[inside]

    def errors(self, answer: Answer) -> tuple[float, float | None]:
        """Mean square error over the whole grid against the truth, and against the published raster if there is one."""
        found = self.lowered.amplitude * answer.values(self.square)[0]
        return self._mse(found - self.true), None if self.raster is None else self._mse(found - self.raster)

    def error_of(self, solution: ps.Solution) -> float:
        """Mean square error of a solution against the truth."""
        found = solution(self.lowered.affine.from_square(self.square).numpy())[:, 0]
        return self._mse(torch.from_numpy(found) - self.true)

    def _mse(self, off: torch.Tensor) -> float:
        return float(off.square().sum()) / NODES**2


def load(case: Case) -> ps.Problem:
    data = {"source": f"{SHARED}/benchmarks/poisson_G.npz:source"} if case.short == "PS-G" else None
    return ps.read_problem(PROBLEMS / f"{case.file}.toml", data=data)


def true_values(problem: ps.Problem, points: torch.Tensor) -> torch.Tensor:
    """The exact solution, or finite elements refined until successive meshes agree."""
    if problem.exact:
        program = ps.Program([problem.exact[u] for u in problem.unknowns], problem.coordinates)
        return torch.from_numpy(np.broadcast_to(program(*points.numpy().T)[0], len(points)).copy())
    from physolve.reference import solve_fem

    values = solve_fem(problem, tol=2e-5)(points.numpy())[:, 0]
    return torch.from_numpy(np.nan_to_num(values))


def seven(model: HyPINO, options: argparse.Namespace) -> None:
    fresh = _untrained()
    lines, met = [], []
    for case in CASES:
        judge = Judge(case, load(case))
        batch = judge.lowered.posed
        answers = [model.zero_shot(batch, least_squares=False), *_stages(model, batch), *_stages(fresh, batch)[::2]]
        found = [judge.errors(answer) for answer in answers]
        lines.append(f"| {case.short} | " + " | ".join(map(_cell, found)) + _published(case.published))
        met.append([found[1][0] <= case.published.zero_shot, found[3][0] <= case.published.ten])
        print(lines[-1], flush=True)
    names = (*STARTS, "published zero-shot", "3", "10")
    head = f"| problem | {' | '.join(names)} |\n{'|---' * (len(names) + 1)}|\n"
    for label, row in zip(("zero-shot with head", "ten refinements"), zip(*met, strict=True), strict=True):
        print(f"{label} at or below the published figure: {sum(row)} of {len(row)}")
    if options.markdown:
        options.markdown.write_text(head + "\n".join(lines) + "\n")


def _stages(model: HyPINO, batch: ProblemBatch) -> list[Answer]:
    """With the head, after 3 and after 10 refinements."""
    stages = model.refine(batch, 10, Step.ALL)
    return [stages[0], stages[3], stages[10]]


def _cell(found: tuple[float, float | None]) -> str:
    return f"{found[0]:.1e}" + ("" if found[1] is None else f" ({found[1]:.1e})")


def _published(p: Published) -> str:
    return f" | {p.zero_shot:.1e} | {p.three:.1e} | {p.ten:.1e} |"


# --- fine-tuning


def fine_tuning(model: HyPINO, options: argparse.Namespace) -> None:
    """Mean square error after `--budget` seconds from the generated network and from random weights of its kind."""
    for case in CASES:
        problem = load(case)
        judge = Judge(case, problem)
        generated = generated_network(problem, model)
        cells = []
        for method in (
            ps.GaussNewton(start=generated),
            ps.VariableProjection(generated),
            ps.AdamLBFGS(start=generated),
        ):
            for start in (generated, generated.model):
                began = time.perf_counter()
                solution = ps.solve(problem, 1e-6, method=replace(method, start=start), budget_s=options.budget)
                cells.append(f"{judge.error_of(solution):.1e} ({time.perf_counter() - began:.0f} s)")
        print(f"| {case.short} | {' | '.join(cells)} | {case.published.tuned:.1e} |", flush=True)
    print("columns: Gauss-Newton, variable projection, Adam and L-BFGS, each from generated and from random; published")


# --- random problems


def random_problems(model: HyPINO, options: argparse.Namespace) -> None:
    """Relative L2 error on unseen random problems of the sampler's whole distribution."""
    batch = validation_set(_posed(model), options.samples, RANDOM_SEED)
    _quantiles("own head", batch, model.zero_shot(batch, least_squares=False))
    _quantiles("least-squares head", batch, model.zero_shot(batch))
    _quantiles("random weights, head", batch, _untrained().zero_shot(batch))


def refined_problems(model: HyPINO, options: argparse.Namespace) -> None:
    """The first of these problems after no, 3 and 10 refinements: 1,409 functions are fitted to each in the end."""
    batch = validation_set(_posed(model), 64, RANDOM_SEED).map(lambda tensor: tensor[: options.refined])
    for name, each in (("", model), ("random weights, ", _untrained())):
        began = time.process_time()
        stages = each.refine(batch, 10, Step.ALL)
        print(f"{name}10 refinements of {len(batch)} problems: {time.process_time() - began:.0f} CPU s")
        for count in (0, 3, 10):
            _quantiles(f"{name}{count} refinements", batch, stages[count])
        worse = sum(int((b.residual > a.residual).sum()) for a, b in itertools.pairwise(stages))
        print(f"steps that are worse than the one before, by the residual held out: {worse}")


def _posed(model: HyPINO) -> SamplerSettings:
    return SamplerSettings(grid=model.grid, points=2048, edge=1024)


def _untrained() -> HyPINO:
    torch.manual_seed(0)
    return HyPINO(Hypernetwork(SMALL).eval())


def _quantiles(name: str, batch: ProblemBatch, answer: Answer) -> None:
    assert batch.labels is not None
    known, true = batch.labels.known, batch.labels.jet[:, 0].double()
    points = batch.interior.double()
    found = torch.cat([answer.part(slice(a, a + 32)).values(points[a : a + 32]) for a in range(0, len(batch), 32)])
    error = ((found - true).norm(dim=1) / true.norm(dim=1).clamp_min(1e-300))[known]
    q = torch.quantile(error, torch.tensor([0.25, 0.5, 0.75, 0.9], dtype=error.dtype)).tolist()
    print(f"{name:42s} relative L2: median {q[1]:.2g}; quartiles {q[0]:.2g}, {q[2]:.2g}; 90 % {q[3]:.2g}", flush=True)


# --- latency


def latency(model: HyPINO, options: argparse.Namespace) -> None:
    """From `Problem` to the field on the 224 x 224 grid, after warm-up. Functions in float32, as no error notices."""
    at = {"grid": model.grid, "points": 768, "edge": 384}
    answer = partial(model.zero_shot, dtype=torch.float32)
    problems = [load(case) for case in CASES]
    one = _best(lambda: answer(lower(problems[1], **at).posed).on_grid(NODES))
    print(f"one problem, from Problem to field: {one}")
    many = (problems * 10)[:64]
    batch = stack([one.posed for one in lower_many(many, **at)])
    parts = {
        "the seven in turns, from Problem to fields": lambda: model.fields(many, NODES),
        "of one kind, from Problem to fields": lambda: model.fields([problems[1]] * 64, NODES),
        "lowering": lambda: lower_many(many, **at),
        "hypernetwork": lambda: model.write(batch),
        "hypernetwork and head": lambda: answer(batch),
    }
    for name, run in parts.items():
        print(f"64 problems, {name}: {_best(run, per=64)} each")


class Spent(NamedTuple):
    """Milliseconds by the clock and of all threads."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} ms ({self.cpu:.1f} CPU ms)"


def _best(run: Callable[[], object], repeats: int = 5, per: int = 1) -> Spent:
    run()
    times = []
    for _ in range(repeats):
        began, used = time.perf_counter(), time.process_time()
        run()
        times.append((time.perf_counter() - began, time.process_time() - used))
    return Spent(*(1e3 * min(column) / per for column in zip(*times, strict=True)))


# --- solve with and without


def time_to_solution(model: HyPINO, options: argparse.Namespace) -> None:
    """Seconds of `solve` to 1e-3, with and without the hypernetwork's functions; medians of three runs in turns."""
    for case in CASES:
        problem = load(case)
        seconds: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(3):
            for use in seconds:
                began = time.perf_counter()
                solution = ps.solve(problem, 1e-3, source=model if use else None)
                seconds[use].append(time.perf_counter() - began)
        without, with_it = (statistics.median(seconds[use]) for use in (False, True))
        print(
            f"{case.short:5s} without {without:.2f} s, with {with_it:.2f} s: {without / with_it:.2f} times;"
            f" {solution.outcome.name.lower()}, {solution.method}",
            flush=True,
        )


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main()
