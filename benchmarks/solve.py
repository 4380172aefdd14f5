"""Every problem of the library solved, against its exact solution or a converged reference: one table.

    python benchmarks/solve.py                    # everything, each problem at its tolerance
    python benchmarks/solve.py helmholtz wave     # some
    python benchmarks/solve.py --markdown out.md  # the table for the README

Columns: unknowns of the largest system, relative L2 error (largest over the unknowns; components of a vector together),
mean square error, the solver's own estimate of the relative error, effectivity = estimate / error, seconds of `solve`
(without reading the file). References: the exact solution in the file; P2 finite elements refined until successive
meshes agree; Cole-Hopf for Burgers' equation; an ODE integrator at 1e-13 for Lotka-Volterra, van der Pol and Lorenz;
the pressure that Schaefer and Turek give for the flow past a cylinder.
"""

import argparse
import math
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

import physolve as ps
from physolve.errors import PhysolveError

PROBLEMS = Path(__file__).resolve().parent.parent / "problems"
SHARED = Path(os.environ.get("PHYSOLVE_DATA", Path(__file__).resolve().parents[2] / "shared"))
TOLERANCES = {
    "poisson_lshape": 1e-3, "poisson_circles": 1e-3, "helmholtz_circles": 1e-3, "poisson_gaussians": 1e-3,
    "poisson_ball": 1e-4, "poisson_box": 1e-4, "laplace_cylinder": 1e-4, "helmholtz_box": 1e-4, "heat_2d": 1e-4,
    "wave_2d": 1e-4, "acoustics": 1e-4, "taylor_green": 1e-4, "burgers": 1e-5, "kovasznay": 1e-5, "inclusion": 1e-4,
    "cylinder_flow": 1e-2, "plate_quench": 1e-4,
}  # fmt: skip
TOLERANCE = 1e-6
BUDGETS = {"burgers": 60.0}
PRESSURE = 0.11752016697
"""Across the cylinder, benchmark 2D-1 of Schaefer and Turek (1996), to all digits known."""

TRUE_PARAMETERS = {"inverse_reaction": 8.0, "inverse_heat": 0.3, "inverse_source": 2.0}

Reference = Callable[[np.ndarray], np.ndarray]


class Line(NamedTuple):
    """A row of the table."""

    problem: str
    rung: str
    features: int
    relative: float
    mse: float
    estimate: float
    effectivity: float
    seconds: float
    outcome: str
    note: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", nargs="*", help="names of problem files; all by default")
    parser.add_argument("--tol", type=float, help="one tolerance for all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of torch; all cores by default")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warm_up()
    names = options.problems or sorted(path.stem for path in PROBLEMS.glob("*.toml"))
    lines = []
    for name in names:
        line = measure(name, options.tol or TOLERANCES.get(name, TOLERANCE), options.seed)
        lines.append(line)
        print(as_text(line), flush=True)
        if options.markdown:
            options.markdown.write_text(as_markdown(lines))
    low = [line.problem for line in lines if line.effectivity < 1]
    high = [line.problem for line in lines if line.effectivity > 50]
    print(f"\n{len(lines)} problems; estimate below the error: {low or 'none'}; effectivity above 50: {high or 'none'}")


def warm_up() -> None:
    """Imports and thread pools are not part of a solve."""
    (x,) = ps.coordinates("x")
    u = ps.unknown("u", x)
    ps.solve(ps.Problem([ps.Eq(ps.d(u, x, 2), 1)], ps.Interval(0, 1), [ps.Dirichlet(u, 0)]))


def measure(name: str, tol: float, seed: int) -> Line:
    """Solve one problem and compare."""
    data = {"source": f"{SHARED}/benchmarks/poisson_G.npz:source"} if name == "poisson_gaussians" else None
    try:
        problem = ps.read_problem(PROBLEMS / f"{name}.toml", data=data)
        began = time.perf_counter()
        solution = ps.solve(problem, tol, seed=seed, budget_s=BUDGETS.get(name))
        seconds = time.perf_counter() - began
    except PhysolveError as error:
        return Line(name, "-", 0, math.nan, math.nan, math.nan, math.nan, 0.0, "failed", str(error))
    reference = reference_of(name, problem)
    relative, mse = errors(problem, solution, reference) if reference else (math.nan, math.nan)
    estimate = solution.estimate.relative if solution.estimate else math.nan
    return Line(
        name,
        solution.method,
        solution.cost.features,
        relative,
        mse,
        estimate,
        estimate / relative if relative else math.nan,
        seconds,
        solution.outcome.name.lower(),
        note_on(name, solution),
    )


def note_on(name: str, solution: ps.Solution) -> str:
    if name == "cylinder_flow":
        front, back = solution(np.array([[0.15, 0.2], [0.25, 0.2]]))[:, -1]
        return f"pressure falls by {front - back:.6f} ({abs((front - back) / PRESSURE - 1):.2%} off)"
    if name not in TRUE_PARAMETERS:
        return ""
    ((parameter, value),) = solution.parameters.items()
    return f"{parameter} = {value:.5g} ({abs(value / TRUE_PARAMETERS[name] - 1):.2%} off)"


def errors(problem: ps.Problem, solution: ps.Solution, reference: Reference) -> tuple[float, float]:
    """Relative L2 error as the estimate measures it, and the mean square error over all unknowns."""
    points = problem.domain.sample_interior(8192, seed=4242).points
    exact, found = reference(points), solution(points)
    known = ~np.isnan(exact).any(1)
    exact, found = exact[known], found[known]
    grouped = {i for _, indices in problem.groups for i in indices}
    groups = [list(indices) for _, indices in problem.groups] + [[i] for i in range(exact.shape[1]) if i not in grouped]
    floor = 1e-3 * np.sqrt((exact**2).mean(0).max())
    size = [max(np.sqrt((exact[:, g] ** 2).sum(1).mean()), floor) for g in groups]
    off = [np.sqrt(((found - exact)[:, g] ** 2).sum(1).mean()) for g in groups]
    return max(o / s for o, s in zip(off, size, strict=True)), float(((found - exact) ** 2).mean())


def reference_of(name: str, problem: ps.Problem) -> Reference | None:
    """The exact solution, or the best there is."""
    if problem.exact:
        program = ps.Program([problem.exact[u] for u in problem.unknowns], problem.coordinates)
        return lambda points: np.stack(program(*points.T), 1)
    if name == "burgers":
        return cole_hopf(0.01 / math.pi)
    if name in ("lotka_volterra", "van_der_pol", "lorenz"):
        return integrated(problem)
    if name == "cylinder_flow":
        return None
    if name == "burgers_inviscid":
        return characteristics
    from physolve import reference

    if name in ("burgers_moving_shock", "burgers_standing_shock"):
        return reference.cole_hopf(problem)
    if name == "burgers_2d":
        return reference.solve_spectral(problem)
    return reference.solve_fem(problem, tol=2e-5)


def cole_hopf(viscosity: float) -> Reference:
    """Burgers' equation from -sin(pi x): the Cole-Hopf integral by Gauss-Hermite quadrature (Basdevant et al. 1986)."""
    z, w = np.polynomial.hermite.hermgauss(200)

    def solution(points: np.ndarray) -> np.ndarray:
        x, t = points[:, :1], np.maximum(points[:, 1:], 1e-12)
        y = x - np.sqrt(4 * viscosity * t) * z
        exponent = -np.cos(np.pi * y) / (2 * math.pi * viscosity)
        weight = w * np.exp(exponent - exponent.max(1, keepdims=True))
        return (-(weight * np.sin(np.pi * y)).sum(1) / weight.sum(1))[:, None]

    return solution


def characteristics(points: np.ndarray) -> np.ndarray:
    """u_t + u u_x = 0 from 1 + sin x: u = 1 + sin(xi), x = xi + (1 + sin(xi)) t; NaN from t = 1 on, when they cross."""
    x, t = points.T
    low, high = x - 2 * t, x.copy()
    for _ in range(60):  # bisection: the right side grows with xi
        middle = (low + high) / 2
        ahead = middle + (1 + np.sin(middle)) * t > x
        low, high = np.where(ahead, low, middle), np.where(ahead, middle, high)
    return np.where(t < 1, 1 + np.sin((low + high) / 2), np.nan)[:, None]


def integrated(problem: ps.Problem) -> Reference:
    """The system integrated by DOP853 near rounding, its right side read from the problem's own equations."""
    from scipy.integrate import solve_ivp

    (t,) = problem.coordinates
    unknowns = problem.unknowns
    rates = [ps.d(u, t) for u in unknowns]
    right = [(rate - residual).expand() for rate, residual in zip(rates, problem.residuals, strict=True)]
    program = ps.Program(right, [t, *unknowns])
    start = {c.unknowns()[0]: float(c.value) for c in problem.conditions}
    lower, upper = (float(bound[0]) for bound in problem.domain.bounds)

    def rate_of(time_: float, state: np.ndarray) -> np.ndarray:
        return np.array([float(np.ravel(v)[0]) for v in program(np.array([time_]), *state[:, None])])

    # Short steps, because the polynomials between them are of lower order than the steps: 5e-14 without the limit.
    accuracy = {"rtol": 1e-13, "atol": 1e-14, "max_step": (upper - lower) / 1000}
    run = solve_ivp(rate_of, (lower, upper), [start[u] for u in unknowns], "DOP853", dense_output=True, **accuracy)
    return lambda points: run.sol(points[:, 0]).T


def as_text(line: Line) -> str:
    return (
        f"{line.problem:26s} {line.features:5d} L2 {line.relative:8.1e} MSE {line.mse:8.1e} "
        f"est {line.estimate:8.1e} eff {line.effectivity:6.1f} {line.seconds:6.1f} s  {line.outcome} {line.note}"
    )


def as_markdown(lines: list[Line]) -> str:
    names = ("problem", "features", "relative L2", "MSE", "estimate", "effectivity", "seconds", "outcome")
    head = f"| {' | '.join(names)} |\n{'|---' * len(names)}|\n"
    body = "".join(
        f"| {x.problem} | {x.features} | {x.relative:.1e} | {x.mse:.1e} | {x.estimate:.1e} | {x.effectivity:.1f} "
        f"| {x.seconds:.1f} | {x.outcome}{', ' + x.note if x.note else ''} |\n"
        for x in lines
    )
    return head + body


if __name__ == "__main__":
    with warnings.catch_warnings():
        main()
