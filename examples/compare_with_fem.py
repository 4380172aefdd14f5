"""Is it right? One problem by random features and by finite elements, which share only its statement.

python compare_with_fem.py [FOLDER]
"""

import sys
import time
from pathlib import Path

import numpy as np
import sympy

import physolve as ps
from physolve.reference import solve_fem
from physolve.view import plot_cut

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

x, y = ps.coordinates("x", "y")
u = ps.unknown("u", x, y)
problem = ps.Problem(
    equations=ps.Eq(-ps.div((1 + x**2) * ps.grad(u)) + u, sympy.exp(-y)),
    domain=ps.Rectangle((-1, -1), (1, 1)) - ps.Disk((0.3, 0.2), 0.3).named("hole"),
    conditions=[
        ps.Dirichlet(u, 0, on=("left", "right")),
        ps.Robin(u, 1, 1, 0, on=("bottom", "top")),
        ps.Neumann(u, 1, on="hole"),
    ],
    name="Variable coefficient, three kinds of condition",
)

solution = ps.solve(problem, tol=1e-4)
began = time.perf_counter()
fem = solve_fem(problem, tol=1e-4)
seconds = time.perf_counter() - began

points = problem.domain.sample_interior(4000, seed=1).points
ours, theirs = solution(points), fem(points)
both = np.isfinite(theirs)  # the mesh cuts a little off at the hole
difference = np.linalg.norm((ours - theirs)[both]) / np.linalg.norm(theirs[both])

print(f"random features: {solution.cost.features} unknowns, estimate {solution.estimate.relative:.1e}")
print(f"finite elements: {fem.unknowns} unknowns, estimate {fem.estimate:.1e}, {seconds:.1f} s")
print(f"relative difference: {difference:.1e}")
solution.plot(folder / "difference.png", quantity="error", reference=fem, resolution=60)
fields = {"random features": solution, "finite elements": fem}
plot_cut(fields, folder / "cut.png", (-1, 0.2), (1, 0.2), label="u", title="Through the hole")
