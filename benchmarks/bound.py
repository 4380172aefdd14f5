"""The bound of the maximum principle against the largest true error, on the library's problems with an exact solution.

    python benchmarks/bound.py [TOL]

Columns: constant C of |u - v| <= boundary error + C residual, bound, largest true error over 100,000 points, their
ratio (below 1 is a defect), seconds of `solve` and of the bound. Problems without a known maximum principle are left
out, as are those whose exact solution is not known.
"""

import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch

import physolve as ps
from physolve.errors import PhysolveError
from physolve.solve._maximum_principle import stability_of
from physolve.spec import Program

LIBRARY = Path(__file__).resolve().parents[1] / "problems"


def problems() -> list[tuple[str, ps.Problem]]:
    """Those of the library with a bound and an exact solution."""
    found = []
    for path in sorted(LIBRARY.glob("*.toml")):
        try:
            problem = ps.read_problem(path)
        except PhysolveError:  # needs a data file
            continue
        if problem.exact and stability_of(problem):
            found.append((path.stem, problem))
    return found


def largest_error(problem: ps.Problem, solution: ps.Solution) -> float:
    """Over points inside and on the boundary."""
    inside, edge = problem.domain.sample_interior(80_000, seed=5), problem.domain.sample_boundary(20_000, seed=6)
    points = torch.tensor(np.concatenate([inside.points, edge.points]))
    assert problem.exact is not None
    (truth,) = Program(list(problem.exact.values()), problem.coordinates)(*points.unbind(1))
    return float((solution.field.values(points)[:, 0] - truth).abs().max())


def main(tol: float) -> None:
    print(f"{'problem':<20} {'C':>8} {'bound':>9} {'error':>9} {'ratio':>9} {'solve':>7} {'bound':>7}")
    for name, problem in problems():
        began = time.perf_counter()
        solution = ps.solve(problem, tol)
        solved = time.perf_counter()
        bound = solution.bound
        done = time.perf_counter()
        error = largest_error(problem, solution)
        assert bound is not None
        print(
            f"{name:<20} {bound.constant:8.3g} {bound.value:9.1e} {error:9.1e} {bound.value / error:9.3g} "
            f"{solved - began:6.2f}s {done - solved:6.2f}s",
            flush=True,
        )


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    warnings.simplefilter("ignore")
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1e-3)
