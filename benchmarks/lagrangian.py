"""Lagrangian PINNs on convection-dominated problems, measured in one run.

    python benchmarks/lagrangian.py                    # all sections
    python benchmarks/lagrangian.py solve              # one of: solve, compare, crossing

solve     every problem in the moving frame by `physolve.lagrangian.Lagrangian()`: true relative L2 error on a grid of
          space and time, its estimate, seconds, and the drift of the mass; for Burgers' equation also the error
          of the same networks, trained as long, with the diffusion term W_xixi of the paper's code in place of w_xx
crossing  Burgers' equation without viscosity: when characteristics cross, and what is said; with viscosity and a
          standing shock: what `physolve.solve` does
compare   linear convection and the moving shock: plain PINN, curriculum, sequence to sequence, causal weights and
          the Lagrangian PINN, equal numbers of weights, `--seconds` each

References: exact solutions where the file has one, Cole-Hopf for Burgers' equation on a ring, Fourier series with an
ODE integrator (DOP853) for Burgers' equation in the plane.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import sympy
import torch
from _eulerian import STRATEGIES, reference_of, relative_error

import physolve as ps
from physolve.jets import Jet
from physolve.lagrangian import Lagrangian, _equations
from physolve.lagrangian._kinematics import PulledBack, pulled_back
from physolve.spec import transport_form

PROBLEMS = Path(__file__).resolve().parents[1] / "problems"
SIZE = {"width": 18, "depth": 3}
"""Of the competitors' network: 757 weights; the two of the moving frame have 706 together."""

CASES: dict[str, tuple[float, Lagrangian, str]] = {
    "convection_10": (1e-4, Lagrangian(), ""),
    "convection_30": (1e-4, Lagrangian(), "1e-4 in 60 s"),
    "convection_50": (1e-4, Lagrangian(), "1e-4 in 60 s"),
    "convection_100": (1e-4, Lagrangian(), "1e-4 in 60 s"),
    "convection_inflow": (1e-3, Lagrangian(), ""),
    "convection_diffusion": (1e-3, Lagrangian(), "1e-3"),
    "convection_reaction": (1e-3, Lagrangian(), ""),
    "burgers_moving_shock": (2e-3, Lagrangian(), "1e-2 in 120 s"),
    "gaussian_rotating": (1e-2, Lagrangian(width=24), "1e-2"),
    "gaussian_sheared": (1e-2, Lagrangian(width=24), ""),
    "burgers_2d": (2e-2, Lagrangian(width=24), "shown"),
}
"""Tolerance, method, what issue D asks for."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sections = {"solve": solve, "crossing": crossing, "compare": compare}
    parser.add_argument("section", nargs="*", default=list(sections), metavar="|".join(sections))
    parser.add_argument("--seconds", type=float, default=60.0, help="for each way in `compare`")
    parser.add_argument("--only", nargs="*", default=list(CASES), help="problems of `solve`")
    options = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for name in options.section:
        sections[name](options)


def problem_of(name: str) -> ps.Problem:
    return ps.read_problem(PROBLEMS / f"{name}.toml")


def mass_drift(problem: ps.Problem, solution: ps.Solution) -> float:
    """Largest change of the mean over a ring, in units of the mean modulus; NaN where it is not conserved."""
    on_ring = len(problem.space) == 1 and any(c.kind == "periodic" for c in problem.conditions)
    reacting = any(len(source.args) and not source.has(sympy.Derivative) for source in transport_form(problem).sources)
    if not on_ring or reacting:
        return float("nan")
    low, high = problem.domain.bounds
    x, times = np.linspace(low[0], high[0], 401)[:-1], np.linspace(low[-1], high[-1], 11)
    values = np.stack([solution(np.stack([x, np.full_like(x, t)], 1))[:, 0] for t in times])
    return float(np.abs(values.mean(1) - values[0].mean()).max() / np.abs(values[0]).mean())


def solve(options: argparse.Namespace) -> None:
    print("\nIn the moving frame")
    print(f"{'problem':24s} {'asked':>14s} {'tol':>8s} {'error':>8s} {'estimate':>8s} {'s':>6s} {'mass':>8s}  outcome")
    for name in options.only:
        tol, method, asked = CASES[name]
        problem = problem_of(name)
        began = time.perf_counter()
        solution = ps.solve(problem, tol, method=method, budget_s=120)
        seconds = time.perf_counter() - began
        assert solution.estimate is not None
        mass = mass_drift(problem, solution)
        error = relative_error(problem, solution.field, reference_of(problem))
        print(
            f"{name:24s} {asked:>14s} {tol:8.0e} {error:8.1e} {solution.estimate.relative:8.1e} {seconds:6.1f}"
            f" {mass:8.1e}  {solution.outcome.name}, {solution.method}",
            flush=True,
        )
        if name == "burgers_moving_shock":
            with uncorrected():
                wrong = ps.solve(problem, tol, method=method, budget_s=seconds)
            print(
                f"{'':24s} {'W_xixi':>14s} {'':8s} {relative_error(problem, wrong.field, reference_of(problem)):8.1e}",
                flush=True,
            )


@contextmanager
def uncorrected() -> Iterator[None]:
    """Second derivatives along labels taken for those in space, as in the paper's code."""

    def wrong(motion: Jet, state: Jet) -> PulledBack:
        right = pulled_back(motion, state)
        return PulledBack(right.value, right.gradient, state.tensor[-1][..., None, None], right.determinant)

    with mock.patch.object(_equations, "pulled_back", wrong):
        yield


def crossing(options: argparse.Namespace) -> None:
    print("\nCharacteristics that cross")
    for name, method in (("burgers_inviscid", Lagrangian()), ("burgers_standing_shock", Lagrangian())):
        problem = problem_of(name)
        began = time.perf_counter()
        solution = ps.solve(problem, 1e-3, method=method, budget_s=120)
        print(f"{name:24s} {time.perf_counter() - began:6.1f} s  {solution.outcome.name}: {solution.message}")
        if problem.classification.peclet != float("inf"):
            error = relative_error(problem, solution.field, reference_of(problem))
            print(f"{'':24s} error {error:.1e}, by {solution.method}")


def compare(options: argparse.Namespace) -> None:
    print(f"\nEqual weights, {options.seconds:g} s each: relative L2 error")
    print(f"{'problem':24s}" + "".join(f"{title:>12s}" for title in (*STRATEGIES, "Lagrangian")))
    for name in ("convection_30", "convection_50", "convection_100", "burgers_moving_shock"):
        problem = problem_of(name)
        reference = reference_of(problem)
        print(f"{name:24s}", end="", flush=True)
        for strategy in STRATEGIES.values():
            error = strategy(problem, reference, SIZE["width"], SIZE["depth"], options.seconds, 0)
            print(f"{error:12.1e}", end="", flush=True)
        ours = ps.solve(problem, 1e-5, method=Lagrangian(), budget_s=options.seconds)
        print(f"{relative_error(problem, ours.field, reference):12.1e}", flush=True)


if __name__ == "__main__":
    main()
