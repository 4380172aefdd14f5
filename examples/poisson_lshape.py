"""Poisson's equation on an L-shaped domain: the gradient is infinite at the re-entrant corner.

    python poisson_lshape.py [FOLDER]

The solver finds the corner in the geometry and adds its singular functions to the basis.
"""

import sys
from pathlib import Path

import numpy as np

import physolve as ps

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

# What is to be solved: -laplacian(u) = 1 inside, u = 0 on the whole boundary.
x, y = ps.coordinates("x", "y")
u = ps.unknown("u", x, y)
problem = ps.Problem(
    equations=[ps.Eq(-ps.laplacian(u), 1)],
    domain=ps.Rectangle((-1, -1), (1, 1)) - ps.Rectangle((0, 0), (1, 1)),
    conditions=[ps.Dirichlet(u, 0)],
    name="Poisson on an L-shape",
)

# How good the answer has to be; everything else is up to the solver.
solution = ps.solve(problem, tol=1e-4)
print(solution)

# A solution answers questions: values, derivatives, integrals.
steep = solution.evaluate(ps.dot(ps.grad(u), ps.grad(u)), np.array([[-0.5, 0.5], [-0.01, -0.01], [-1e-4, -1e-4]]))
print("|grad u| in an arm, near the corner, nearer:", np.sqrt(steep).round(3))
print(f"integral of u: {solution.integral(u):.5f}")

# The same point by finite elements on meshes graded to the corner: 0.10236214.
error = abs(solution([[-0.5, 0.5]])[0, 0] / 0.10236214 - 1)
print(f"relative error at (-0.5, 0.5): {error:.1e}, estimated over the domain: {solution.estimate.relative:.1e}")
solution.plot(folder / "poisson_lshape.png")
