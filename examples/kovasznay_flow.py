"""Steady Navier-Stokes: the flow behind a grid, whose exact solution Kovasznay found in 1948; streamlines.

    python kovasznay_flow.py [FOLDER]

A vector unknown (velocity), a scalar one (pressure), a nonlinear term, and a pressure known up to a constant.
"""

import sys
from pathlib import Path

import numpy as np
import sympy

import physolve as ps

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

x, y = ps.coordinates("x", "y")
v = ps.unknown("v", x, y, components=2)
p = ps.unknown("p", x, y)

viscosity = sympy.Rational(1, 20)
rate = 1 / (2 * viscosity) - sympy.sqrt(1 / (4 * viscosity**2) + 4 * sympy.pi**2)
wake = sympy.exp(rate * x)
exact_v = sympy.Matrix(
    [1 - wake * sympy.cos(2 * sympy.pi * y), rate / (2 * sympy.pi) * wake * sympy.sin(2 * sympy.pi * y)]
)

problem = ps.Problem(
    equations=[
        ps.Eq(ps.dot(ps.grad(v), v) + ps.grad(p), viscosity * ps.laplacian(v)),  # momentum
        ps.Eq(ps.div(v), 0),  # mass
    ],
    domain=ps.Rectangle((-0.5, -0.5), (0.5, 0.5)),
    conditions=[ps.Dirichlet(v, exact_v), ps.PointValue(p, (0, 0), 0)],
    name="Kovasznay flow",
)
solution = ps.solve(problem, tol=1e-3)
print(solution)

points = problem.domain.sample_interior(2000, seed=1).points
wrong = solution.evaluate(v - exact_v, points)
error = np.linalg.norm(wrong) / np.linalg.norm(solution.evaluate(exact_v, points))
print(f"relative error of the velocity: {error:.1e}, estimated: {solution.estimate.relative:.1e}")
print(f"what flows in flows out: net flux {solution.flux(v):.1e}")
solution.plot(folder / "kovasznay.png", unknown="v")
