"""A compact neural network trained by Gauss-Newton: what other packages do with Adam, in few steps.

    python gauss_newton_network.py [STEPS]

Random features are faster for problems like this one; the network is for those who need a small one.
"""

import sys

import numpy as np
import sympy

import physolve as ps

steps = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else 60

x, y = ps.coordinates("x", "y")
u = ps.unknown("u", x, y)
exact = sympy.sin(sympy.pi * x) * sympy.sin(sympy.pi * y)
problem = ps.Problem(
    equations=ps.Eq(-ps.laplacian(u), 2 * sympy.pi**2 * exact),
    domain=ps.Rectangle((0, 0), (1, 1)),
    conditions=[ps.Dirichlet(u, 0)],
)

# Two hidden layers of 12: 217 weights. Every step solves a small dense least-squares problem for all of them.
network = ps.GaussNewton(width=12, depth=2, rows=600, first_rows=300, steps=steps)
solution = ps.solve(problem, tol=1e-4, method=network)
print(solution)

points = problem.domain.sample_interior(2000, seed=1).points
error = np.linalg.norm(solution.evaluate(u - exact, points)) / np.linalg.norm(solution.evaluate(exact, points))
print(f"relative error after {solution.cost.iterations} steps: {error:.1e}")
