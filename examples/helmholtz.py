"""Helmholtz equation with a known solution: how far is the answer, and did the estimate say so?

python helmholtz.py [FOLDER]
"""

import sys
from pathlib import Path

import numpy as np
import sympy

import physolve as ps

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

x, y = ps.coordinates("x", "y")
u = ps.unknown("u", x, y)

# A solution made up beforehand; its source follows by differentiation.
exact = sympy.sin(sympy.pi * x) * sympy.sin(4 * sympy.pi * y)
source = exact.diff(x, 2) + exact.diff(y, 2) + exact

problem = ps.Problem(
    equations=ps.Eq(ps.laplacian(u) + u, source),
    domain=ps.Rectangle((-1, -1), (1, 1)),
    conditions=[ps.Dirichlet(u, 0)],
    exact={u: exact},
)

points = problem.domain.sample_interior(4000, seed=1).points
print(" tolerance   estimate  true error  features  seconds")
for tol in (1e-1, 1e-3, 1e-5):
    solution = ps.solve(problem, tol=tol)
    wrong = solution.evaluate(u - exact, points)
    error = np.linalg.norm(wrong) / np.linalg.norm(solution.evaluate(exact, points))
    cost = solution.cost
    print(f"{tol:10.0e} {solution.estimate.relative:10.1e} {error:11.1e} {cost.features:9d} {cost.seconds:8.2f}")

solution.plot(folder / "helmholtz_error.png", quantity="error")
